"""experienceUsers get: every parameter."""

import time

import pytest

from expected import USER_FILTER_FIELDS, USER_SORT_FIELDS, page, validation
from harness import refused

# Made in this order; no two fields sort them alike.
PEOPLE = [
    ("Delta@example.com", "Bert", "Stone"),
    ("alpha@example.com", "Dora", "Quill"),
    ("charlie@example.com", "Anna", "Tyne"),
    ("bravo@example.com", "Carl", "Reed"),
]


@pytest.fixture
def people(world):
    made = []
    for email, first, last in PEOPLE:
        made.append(world.user(email=email, firstName=first, lastName=last))
        # So that no two have the same date.
        time.sleep(0.005)
    # Now the order of `lastUpdated` is not that of `creationDate`.
    made[0] = world.patch_user(made[0]["id"], userTags={"touched": "yes"})
    return made


def emails(body):
    return [user["email"] for user in body["items"]]


def test_the_whole_body(world, people):
    body = world.users()
    items = page(body, "experienceUsers", f"{world.url}/experience/users", total=4)
    assert items == sorted(people, key=lambda user: user["email"].lower())
    assert {key: body[key] for key in ("page", "perPage", "sortField", "sortDirection")} == {
        "page": 0,
        "perPage": 100,
        "sortField": "email",
        "sortDirection": "asc",
    }
    assert body["applicationId"] == world.app
    for key in ("filter", "filterField", "experienceGroupId"):
        assert key not in body


def test_an_empty_list(world):
    assert page(world.users(), "experienceUsers", f"{world.url}/experience/users", total=0) == []


@pytest.mark.parametrize("field", USER_SORT_FIELDS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_every_order(world, people, field, direction):
    body = world.users(sortField=field, sortDirection=direction)
    items = page(body, "experienceUsers", f"{world.url}/experience/users", total=4)
    assert (body["sortField"], body["sortDirection"]) == (field, direction)
    if field == "lastLogin":
        # Nobody has signed in, so any order is right.
        assert sorted(emails(body)) == sorted(user["email"] for user in people)
    else:
        wanted = sorted(people, key=lambda user: user[field].lower())
        assert items == (wanted if direction == "asc" else wanted[::-1])


def test_pages(world, people):
    href = f"{world.url}/experience/users"
    in_order = emails(world.users())
    for number, count in ((0, 3), (1, 1), (2, 0), (50, 0)):
        for page_, per_page in ((number, 3), (str(number), "3")):
            body = world.users(page=page_, perPage=per_page)
            page(body, "experienceUsers", href, total=4, count=count)
            assert (body["page"], body["perPage"]) == (number, 3)
            assert emails(body) == in_order[number * 3 : number * 3 + 3]


def test_the_largest_page(world, people):
    assert world.users(perPage=1000)["perPage"] == 1000
    assert world.users(perPage=1)["count"] == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"perPage": 1001}, "perPage is more than maximum"),
        ({"perPage": 0}, "perPage is less than minimum"),
        ({"perPage": "many"}, "perPage is the wrong type"),
        ({"perPage": "1.5"}, "perPage is the wrong type"),
        ({"page": -1}, "page is less than minimum"),
        ({"page": "first"}, "page is the wrong type"),
        ({"sortField": "shoeSize"}, f"sortField must be one of: {', '.join(USER_SORT_FIELDS)}"),
        ({"sortDirection": "up"}, "sortDirection must be one of: asc, desc"),
        (
            {"filterField": "id", "filter": "x"},
            f"filterField must be one of: {', '.join(USER_FILTER_FIELDS)}",
        ),
        (
            {"filter": "x"},
            "filterField is required: it names the field that filter is matched against",
        ),
        (
            {"includeAncestorGroups": "flase"},
            "includeAncestorGroups must be one of: true, 1, yes, false, 0, no",
        ),
    ],
)
def test_bad_parameters(world, params, message):
    with refused(validation(message)):
        world.users(**params)


@pytest.mark.parametrize(
    ("field", "pattern", "found"),
    [
        ("email", "alpha@example.com", ["alpha@example.com"]),
        ("email", "delta@EXAMPLE.com", ["Delta@example.com"]),
        ("email", "alpha", []),
        ("email", "*", [email for email, _, _ in sorted(PEOPLE, key=lambda it: it[0].lower())]),
        ("email", "*a@*", ["alpha@example.com", "Delta@example.com"]),
        ("email", "?ravo@example.com", ["bravo@example.com"]),
        ("email", "[ab]*", []),
        ("email", "%", []),
        ("firstName", "*r*", ["bravo@example.com", "Delta@example.com", "alpha@example.com"]),
        ("firstName", "a??a", ["charlie@example.com"]),
        ("lastName", "*e", ["charlie@example.com", "Delta@example.com"]),
        ("lastName", "nobody", []),
    ],
)
def test_filter(world, people, field, pattern, found):
    body = world.users(filterField=field, filter=pattern)
    href = f"{world.url}/experience/users"
    page(body, "experienceUsers", href, total=len(found))
    assert sorted(emails(body)) == sorted(found)
    assert (body["filterField"], body["filter"]) == (field, pattern)


def test_a_blank_parameter_is_one_that_was_not_sent(world, people):
    blank = dict.fromkeys(
        ["sortField", "sortDirection", "page", "perPage", "filterField", "filter"]
        + ["experienceGroupId", "includeAncestorGroups"],
        "",
    )
    assert world.users(**blank) == world.users()


@pytest.fixture
def tree(world):
    """root > middle > leaf, and someone in each."""
    root = world.group("root")
    middle = world.group("middle", parentId=root["id"])
    leaf = world.group("leaf", parentId=middle["id"])
    world.user(email="root@example.com", experienceGroupIds=[root["id"]])
    world.user(email="middle@example.com", experienceGroupIds=[middle["id"]])
    world.user(email="leaf@example.com", experienceGroupIds=[leaf["id"]])
    world.user(email="none@example.com")
    return root["id"], middle["id"], leaf["id"]


def test_the_members_of_a_group(world, tree):
    _, middle, _ = tree
    body = world.users(experienceGroupId=middle)
    href = f"{world.url}/experience/users"
    page(body, "experienceUsers", href, total=1)
    assert emails(body) == ["middle@example.com"]
    assert body["experienceGroupId"] == middle
    upper = world.users(experienceGroupId=middle.upper())
    assert emails(upper) == ["middle@example.com"]


def test_in_any_group_and_in_none(world, tree):
    anyone = world.users(experienceGroupId="any")
    assert emails(anyone) == ["leaf@example.com", "middle@example.com", "root@example.com"]
    assert "experienceGroupId" not in anyone
    nobody = world.users(experienceGroupId="none")
    assert emails(nobody) == ["none@example.com"]
    assert "experienceGroupId" not in nobody


# The client sends Python's own `True` and `False` as they are.
@pytest.mark.parametrize("value", ["true", "1", "yes", 1, True])
def test_the_members_of_the_ancestors_too(world, tree, value):
    root, middle, leaf = tree
    names = {root: ["root"], middle: ["middle", "root"], leaf: ["leaf", "middle", "root"]}
    for group, found in names.items():
        body = world.users(experienceGroupId=group, includeAncestorGroups=value)
        assert emails(body) == [f"{name}@example.com" for name in found]


@pytest.mark.parametrize("value", ["false", "0", "no", "", 0, False])
def test_only_the_members_of_the_group_itself(world, tree, value):
    _, _, leaf = tree
    body = world.users(experienceGroupId=leaf, includeAncestorGroups=value)
    assert emails(body) == ["leaf@example.com"]


def test_filters_work_together(world, tree):
    body = world.users(
        experienceGroupId="any", filterField="email", filter="*le*@*", sortDirection="desc"
    )
    assert emails(body) == ["middle@example.com", "leaf@example.com"]
