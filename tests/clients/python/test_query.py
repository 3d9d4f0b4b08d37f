"""The advanced query on users and groups, as the client sends it."""

import json
import time
from urllib.parse import quote_plus

import pytest

from expected import NOTHING, page, validation
from harness import raw, refused

LONG_AGO = "2000-01-01T00:00:00.000Z"
FAR_OFF = 4_102_444_800_000


@pytest.fixture
def people(world):
    """Ada and ada in groups, Émile alone; and who has no name."""
    top = world.group("top", groupTags={"floor": "1"})
    middle = world.group("middle", parentId=top["id"], groupTags={"floor": "2", "wing": "a"})
    world.group("Leaf 100%", parentId=middle["id"])
    world.user(
        email="Ada@Example.com",
        firstName="Ada",
        lastName="Lovelace",
        userTags={"role": "operator", "site": "london"},
        experienceGroupIds=[top["id"]],
    )
    world.user(
        email="adah@example.com",
        firstName="ada",
        lastName="O'Neil 100%",
        userTags={"role": "visitor"},
        experienceGroupIds=[middle["id"]],
    )
    world.user(email="emile@example.com", firstName="Émile", userTags={"site": "operator"})
    world.user(email="nameless@example.com")
    world.ids = {user["email"]: user["id"] for user in world.users()["items"]}
    world.ids |= {group["name"]: group["id"] for group in world.groups()["items"]}
    return world


def found(world, query, **params):
    """Who the query finds, by the part of the address before the `@`."""
    body = world.users(query=query, **params)
    href = f"{world.url}/experience/users"
    items = page(body, "experienceUsers", href, total=len(body["items"]))
    return [user["email"].partition("@")[0] for user in items]


def found_groups(world, query, **params):
    body = world.groups(query=query, **params)
    href = f"{world.url}/experience/groups"
    items = page(body, "experienceGroups", href, total=len(body["items"]))
    return [group["name"] for group in items]


ALL = ["Ada", "adah", "emile", "nameless"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ALL),
        ({"firstName": "Ada"}, ["Ada"]),
        ({"firstName": {"$eq": "Ada"}}, ["Ada"]),
        ({"firstName": "Émile"}, ["emile"]),
        ({"firstName": {"$eq": "ÉMILE", "$ci": True}}, ["emile"]),
        ({"firstName": {"$eq": "ADA", "$ci": True}}, ["Ada", "adah"]),
        ({"firstName": {"$eq": "ADA", "$ci": False}}, []),
        ({"firstName": {"$ne": "Ada"}}, ["adah", "emile", "nameless"]),
        ({"firstName": None}, ["nameless"]),
        ({"firstName": {"$ne": None}}, ["Ada", "adah", "emile"]),
        ({"firstName": {"$gt": "Ada"}}, ["adah", "emile"]),
        ({"firstName": {"$gte": "Ada", "$lt": "b"}}, ["Ada", "adah"]),
        ({"firstName": {"$lte": "zzz"}}, ["Ada", "adah"]),
        ({"firstName": {"$gt": None}}, []),
        ({"firstName": {"$gte": None}}, []),
        ({"firstName": {"$in": ["Ada", "Émile", "x"]}}, ["Ada", "emile"]),
        ({"firstName": {"$in": ["ADA"], "$ci": True}}, ["Ada", "adah"]),
        ({"firstName": {"$in": []}}, []),
        ({"firstName": {"$nin": ["Ada", "Émile"]}}, ["adah", "nameless"]),
        ({"firstName": {"$nin": []}}, ALL),
        ({"firstName": {}}, ALL),
    ],
)
def test_text(people, query, names):
    assert found(people, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"email": {"$startsWith": "Ada"}}, ["Ada"]),
        ({"email": {"$startsWith": "Ada", "$ci": True}}, ["Ada", "adah"]),
        ({"email": {"$endsWith": "@example.com"}}, ["adah", "emile", "nameless"]),
        ({"email": {"$endsWith": "@EXAMPLE.com", "$ci": True}}, ALL),
        ({"email": {"$contains": "am"}}, ALL),
        ({"email": {"$contains": "ess@"}}, ["nameless"]),
        ({"lastName": {"$contains": "%"}}, ["adah"]),
        ({"lastName": {"$contains": "_"}}, []),
        ({"lastName": {"$contains": "'Neil 1"}}, ["adah"]),
        ({"email": {"$startsWith": "a", "$contains": "h", "$ne": "x"}}, ["adah"]),
    ],
)
def test_parts_of_text(people, query, names):
    assert found(people, query) == names


def test_the_address_as_it_was_written(people):
    assert found(people, {"email": "ada@example.com"}) == []
    assert found(people, {"email": "Ada@Example.com"}) == ["Ada"]
    assert found(people, {"email": {"$eq": "ada@example.com", "$ci": True}}) == ["Ada"]


@pytest.mark.parametrize(
    ("test", "names"),
    [
        ({"$gt": LONG_AGO, "$lt": FAR_OFF}, ALL),
        ({"$gt": "2000-01-01"}, ALL),
        ({"$lt": LONG_AGO}, []),
        ({"$gte": FAR_OFF}, []),
        ({"$gt": 0.5}, ALL),
        ({"$ne": LONG_AGO}, ALL),
        (LONG_AGO, []),
    ],
)
def test_dates(people, test, names):
    for field in ("creationDate", "lastUpdated", "passwordLastUpdated"):
        assert found(people, {field: test}) == names
    # Nobody has signed in: nothing is more or less than that, and everything else.
    others = ALL if isinstance(test, dict) and "$ne" in test else []
    assert found(people, {"lastLogin": test}) == others


def test_a_date_in_either_form(world):
    one = world.user()
    time.sleep(0.005)
    two = world.user()
    assert [one["id"]] == [
        user["id"] for user in world.users(query={"creationDate": one["creationDate"]})["items"]
    ]
    later = world.users(query={"creationDate": {"$nin": [one["creationDate"]]}})["items"]
    assert [user["id"] for user in later] == [two["id"]]
    assert world.users(query={"lastLogin": None})["totalCount"] == 2


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda ada: ada, ["Ada"]),
        (lambda ada: ada.upper(), ["Ada"]),
        (lambda ada: {"$eq": ada}, ["Ada"]),
        (lambda ada: {"$ne": ada}, ALL[1:]),
        (lambda ada: {"$gt": ada}, ALL[1:]),
        (lambda ada: {"$gte": ada}, ALL),
        (lambda ada: {"$lt": ada}, []),
        (lambda ada: {"$lte": ada}, ["Ada"]),
        (lambda ada: {"$in": [NOTHING, ada]}, ["Ada"]),
        (lambda ada: {"$nin": [NOTHING, ada]}, ALL[1:]),
        (lambda ada: None, []),
        (lambda ada: {"$ne": None}, ALL),
    ],
)
def test_ids(people, make, names):
    assert found(people, {"id": make(people.ids["Ada@Example.com"])}) == names


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda top, middle: top, ["Ada"]),
        (lambda top, middle: middle, ["adah"]),
        (lambda top, middle: {"$in": [top, middle]}, ["Ada", "adah"]),
        (lambda top, middle: {"$nin": [top]}, ["adah", "emile", "nameless"]),
        (lambda top, middle: {"$ne": top}, ["adah", "emile", "nameless"]),
        (lambda top, middle: None, ["emile", "nameless"]),
        (lambda top, middle: {"$ne": None}, ["Ada", "adah"]),
        (lambda top, middle: NOTHING, []),
    ],
)
def test_groups_of_users_are_the_direct_ones(people, make, names):
    test = make(people.ids["top"], people.ids["middle"])
    assert found(people, {"experienceGroupId": test}) == names


@pytest.mark.parametrize(
    ("matcher", "names"),
    [
        ({"role": "operator"}, ["Ada"]),
        ({"role": "Operator"}, []),
        ({"role": "operator", "site": "london"}, ["Ada"]),
        ({"role": "visitor", "site": "london"}, []),
        ({"role": None}, ["emile", "nameless"]),
        ({"role": {"$in": ["operator", "visitor"]}}, ["Ada", "adah"]),
        ({"role": {"$nin": ["operator"]}}, ["adah", "emile", "nameless"]),
        ({"$tagKey": "site"}, ["Ada", "emile"]),
        ({"$tagValue": "operator"}, ["Ada", "emile"]),
        ({"$tagKey": "role", "$tagValue": "operator"}, ["Ada"]),
        ({"$tagKey": {"$in": ["site", "x"]}, "$tagValue": "operator"}, ["emile"]),
        ({"$tagKey": "site", "$tagValue": {"$in": ["london"]}}, ["Ada"]),
        ({"$tagKey": "role", "$tagValue": None}, ["emile", "nameless"]),
        ({"$tagKey": {"$nin": ["role"]}}, ["emile", "nameless"]),
        ({"$tagValue": {"$nin": ["operator"]}}, ["adah", "nameless"]),
        ({"$tagKey": None}, ["nameless"]),
        (None, ["nameless"]),
        ({}, ALL),
        ({"no such tag": "x"}, []),
    ],
)
def test_tags(people, matcher, names):
    rest = [name for name in ALL if name not in names]
    assert found(people, {"userTags": matcher}) == names
    assert found(people, {"userTags": {"$eq": matcher}}) == names
    assert found(people, {"userTags": {"$ne": matcher}}) == rest


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"$and": []}, ALL),
        ({"$or": []}, ALL),
        ({"$nor": []}, []),
        ({"$and": [{"firstName": {"$ne": None}}, {"lastName": {"$ne": None}}]}, ["Ada", "adah"]),
        ({"$or": [{"firstName": "Ada"}, {"firstName": None}]}, ["Ada", "nameless"]),
        ({"$nor": [{"firstName": "Ada"}, {"firstName": None}]}, ["adah", "emile"]),
        ({"firstName": "Ada", "lastName": "Lovelace"}, ["Ada"]),
        ({"firstName": "Ada", "lastName": "x"}, []),
        ({"$nor": [{"$nor": [{"firstName": "Ada"}]}]}, ["Ada"]),
        (
            {"$or": [{"$and": [{"userTags": {"role": "visitor"}}, {"email": "x"}]}]},
            [],
        ),
        (
            {
                "$or": [{"userTags": None}, {"$and": [{"userTags": {"site": "london"}}]}],
                "$nor": [{"email": {"$contains": "less"}}],
            },
            ["Ada"],
        ),
    ],
)
def test_logic(people, query, names):
    assert found(people, query) == names


def test_it_overrides_what_else_is_asked_for_and_echoes_it(people):
    top = people.ids["top"]
    params = {"filterField": "email", "filter": "nobody*", "experienceGroupId": top}
    assert people.users(**params)["totalCount"] == 0
    body = people.users(query={"firstName": {"$ne": None}}, includeAncestorGroups="true", **params)
    assert [user["email"] for user in body["items"]] == [
        "Ada@Example.com",
        "adah@example.com",
        "emile@example.com",
    ]
    assert {key: body[key] for key in params} == params
    assert "query" not in body
    assert people.users(query={}, experienceGroupId="none")["totalCount"] == 4


def test_it_is_sorted_and_paged_as_any_list(people):
    query = {"firstName": {"$ne": None}}
    body = people.users(query=query, sortDirection="desc", perPage=2, page=1)
    href = f"{people.url}/experience/users"
    items = page(body, "experienceUsers", href, total=3, count=1)
    assert [user["email"] for user in items] == ["Ada@Example.com"]


# The client sends spaces as `+`, others as `%20`.
def test_spaces_and_signs_in_the_url(people):
    text = json.dumps({"lastName": "O'Neil 100%"})
    for encoded in (quote_plus(text), quote_plus(text).replace("+", "%20")):
        path = f"{people.url}/experience/users?query={encoded}"
        answer = raw(people.server, "GET", path, token=people.server.quickstart["token"])
        assert [user["email"] for user in answer.json()["items"]] == ["adah@example.com"]


def test_a_blank_query_is_none(people):
    path = f"{people.url}/experience/users?query=&filterField=firstName&filter=ada"
    answer = raw(people.server, "GET", path, token=people.server.quickstart["token"])
    assert answer.json()["totalCount"] == 2


# The words of the platform; after them, where it is no JSON, what is wrong and where.
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", ": no JSON, EOF while parsing an object at line 1 column 1"),
        ("nonsense", ": no JSON, expected ident at line 1 column 2"),
        ("{'a': 1}", ": no JSON, key must be a string at line 1 column 2"),
        ("null", ""),
        ("[]", ""),
        ("7", ""),
        ('"{}"', ""),
    ],
)
def test_what_is_no_query_is_the_wrong_type(world, text, why):
    for kind in ("users", "groups"):
        path = f"{world.url}/experience/{kind}?query={quote_plus(text)}"
        answer = raw(world.server, "GET", path, token=world.server.quickstart["token"])
        assert answer.status == 400
        assert answer.json() == validation(f"query is the wrong type{why}").body()


HOW = "write a date such as 2026-01-31 or 2026-01-31T18:30:00Z, or milliseconds since 1970 as a number"
SPACE = "there is a space before the offset: in a URL its + is sent as %2B"


# The platform's schema allows these, and nothing is ever so: who asks means something else.
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"creationDate": "2026-11"}, f"creationDate must be date-time format: {HOW}"),
        (
            {"$nor": [{"lastLogin": {"$gt": "yesterday"}}]},
            f"$nor.0.lastLogin.$gt must be date-time format: {HOW}",
        ),
        (
            {"lastUpdated": {"$in": ["2026-11-27T10:00:00 01:00"]}},
            f"lastUpdated.$in.0 must be date-time format: {SPACE}",
        ),
        ({"lastUpdated": {"$ne": True}}, f"lastUpdated.$ne is the wrong type: {HOW}"),
        (
            {"creationDate": {"$startsWith": "2"}},
            "creationDate.$startsWith is an additional property: "
            "a date has no parts: use $gte and $lt",
        ),
        ({"firstName": 7}, 'firstName is the wrong type: this field is text, so write "7"'),
        (
            {"email": {"$ne": True}},
            'email.$ne is the wrong type: this field is text, so write "true"',
        ),
    ],
)
def test_what_a_field_can_never_be(world, query, message):
    with refused(validation(f"query.{message}")):
        world.users(query=query)


def nested(depth):
    return {"$and": [nested(depth - 1)]} if depth > 1 else {}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"shoeSize": 7}, "query.shoeSize is an additional property"),
        ({"$and": {}}, "query.$and is the wrong type"),
        ({"$and": [7]}, "query.$and.0 is the wrong type"),
        ({"$or": [{}] * 101}, "query.$or has more items than allowed"),
        ({"$and": [{"firstName": []}]}, "query.$and.0.firstName is the wrong type"),
        (
            {"$nor": [{"$or": [{"email": {"$like": "x"}}]}]},
            "query.$nor.0.$or.0.email.$like is an additional property",
        ),
        ({"email": {"$contains": ""}}, "query.email.$contains has less length than allowed"),
        ({"email": {"$in": [None]}}, "query.email.$in.0 is the wrong type"),
        ({"email": {"$ci": "yes"}}, "query.email.$ci is the wrong type"),
        ({"email": "a\0"}, "query.email must not contain U+0000"),
        ({"id": "me"}, "query.id pattern mismatch"),
        ({"id": {}}, "query.id has less properties than allowed"),
        ({"id": {"$gt": None, "$lt": None}}, "query.id has more properties than allowed"),
        ({"id": {"$contains": "a"}}, "query.id.$contains is an additional property"),
        ({"experienceGroupId": "any"}, "query.experienceGroupId pattern mismatch"),
        ({"userTags": "a"}, "query.userTags is the wrong type"),
        ({"userTags": {"a": {"$gt": "b"}}}, "query.userTags.a.$gt is an additional property"),
        ({"userTags": {"$ne": {"a": 1}}}, "query.userTags.$ne.a is the wrong type"),
        (
            {"$and": [{}] * 99 + [{"tokenCutoff": 1}]},
            "query.$and.99.tokenCutoff is an additional property",
        ),
        (nested(21), f"query{'.$and.0' * 20} must not be nested more than 20 deep"),
        (
            {"$and": [{"$or": [{}] * 100}] * 5},
            "query must not hold more than 500 conditions",
        ),
    ],
)
def test_a_mistake_is_named_where_it_is(world, query, message):
    with refused(validation(message)):
        world.users(query=query)


def test_all_mistakes_are_told_in_the_order_of_the_text(world):
    query = {"zip": 1, "$or": [{"id": "x"}], "email": {"$eq": []}}
    path = f"{world.url}/experience/users?query={quote_plus(json.dumps(query))}"
    answer = raw(world.server, "GET", path, token=world.server.quickstart["token"])
    assert [one["field"] for one in answer.json()["validationErrors"]] == [
        "query.zip",
        "query.$or.0.id",
        "query.email.$eq",
    ]
    assert answer.json()["message"] == "query.zip is an additional property"


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda ids: {}, ["Leaf 100%", "middle", "top"]),
        (lambda ids: {"name": "top"}, ["top"]),
        (lambda ids: {"name": {"$eq": "TOP", "$ci": True}}, ["top"]),
        (lambda ids: {"name": {"$contains": "0%"}}, ["Leaf 100%"]),
        (lambda ids: {"name": {"$lt": "m"}}, ["Leaf 100%"]),
        (lambda ids: {"id": {"$in": [ids["top"]]}}, ["top"]),
        (lambda ids: {"creationDate": {"$lt": FAR_OFF}}, ["Leaf 100%", "middle", "top"]),
        (lambda ids: {"lastUpdated": {"$lt": LONG_AGO}}, []),
        (lambda ids: {"parentId": None}, ["top"]),
        (lambda ids: {"parentId": ids["top"]}, ["middle"]),
        (lambda ids: {"parentId": {"$ne": ids["top"]}}, ["Leaf 100%", "top"]),
        (lambda ids: {"ancestorId": ids["top"]}, ["Leaf 100%", "middle"]),
        (lambda ids: {"ancestorId": {"$nin": [ids["middle"]]}}, ["middle", "top"]),
        (lambda ids: {"ancestorId": None}, ["top"]),
        (lambda ids: {"ancestorId": {"$ne": None}}, ["Leaf 100%", "middle"]),
        (lambda ids: {"groupTags": {"floor": "2"}}, ["middle"]),
        (lambda ids: {"groupTags": None}, ["Leaf 100%"]),
        (lambda ids: {"groupTags": {"$ne": {"$tagKey": "wing"}}}, ["Leaf 100%", "top"]),
        (lambda ids: {"experienceUserId": ids["adah@example.com"]}, ["middle"]),
        (lambda ids: {"experienceUserId": None}, ["Leaf 100%"]),
        (lambda ids: {"$nor": [{"name": "top"}, {"parentId": ids["top"]}]}, ["Leaf 100%"]),
    ],
)
def test_groups(people, make, names):
    assert found_groups(people, make(people.ids)) == names
    assert found_groups(people, make(people.ids), filterField="name", filter="x") == names


def test_endpoints_of_groups(world):
    other = "89abcdef0123456789abcdef"
    one = world.group("one", experienceEndpointIds=[NOTHING, NOTHING])
    world.group("two")
    assert found_groups(world, {"experienceEndpointId": NOTHING}) == ["one"]
    assert found_groups(world, {"experienceEndpointId": None}) == ["two"]
    world.patch_group(one["id"], experienceEndpointIds=[other])
    assert found_groups(world, {"experienceEndpointId": NOTHING}) == []
    assert found_groups(world, {"experienceEndpointId": {"$in": [other]}}) == ["one"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"email": "a"}, "query.email is an additional property"),
        ({"ancestorId": "x"}, "query.ancestorId pattern mismatch"),
        ({"$or": [{"name": {"$startsWith": 1}}]}, "query.$or.0.name.$startsWith is the wrong type"),
    ],
)
def test_a_mistake_about_groups(world, query, message):
    with refused(validation(message)):
        world.groups(query=query)


def test_what_changes_is_found_as_it_is_now(world):
    user = world.user(userTags={"a": "1", "b": "2"})

    def tagged(**tags):
        return world.users(query={"userTags": tags})["totalCount"]

    assert (tagged(a="1"), tagged(b="2")) == (1, 1)
    world.patch_user(user["id"], userTags={"a": "3"})
    assert (tagged(a="1"), tagged(a="3"), tagged(b="2")) == (0, 1, 0)
    world.admin.experience_user.delete(applicationId=world.app, experienceUserId=user["id"])
    assert tagged(a="3") == 0


def test_another_application_is_not_looked_into(world, people, server, admin):
    made = admin.applications.post(application={"name": "other"})
    other = made["applicationId"]
    for query in ({}, {"userTags": {"$ne": {"role": "x"}}}, {"id": people.ids["Ada@Example.com"]}):
        body = admin.experience_users.get(applicationId=other, query=query)
        assert body["totalCount"] == 0
    admin.application.delete(applicationId=other)
