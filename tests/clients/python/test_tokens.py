"""applicationApiToken(s) and userApiToken(s)."""

import time

import pytest

from expected import (
    BAD_TOKEN,
    EXPIRED_TOKEN,
    FORBIDDEN,
    NO_TOKEN,
    NOTHING,
    SUCCESS,
    TOKEN_SORT_FIELDS,
    entity,
    page,
    validation,
)
from harness import invalid, refused

FAR = "2999-01-01T00:00:00.000Z"


class ApplicationTokens:
    kind = "applicationApiToken"
    owner_type = "application"
    # What every token of this kind may do here, and what it may read with it.
    scope = "all.Application.read"

    def __init__(self, world, admin):
        self.server, self.admin, self.ids = world.server, admin, {"applicationId": world.app}
        self.owner = world.app
        self.href = f"{world.url}/tokens"
        self.many, self.one = admin.application_api_tokens, admin.application_api_token

    def use(self, token):
        return self.server.client(token).application.get(**self.ids)


class UserTokens:
    kind = "userApiToken"
    owner_type = "user"
    scope = "all.User.read"

    def __init__(self, world, person):
        self.server, self.admin, self.ids = world.server, person, {}
        self.owner = person.user_id
        self.href = "/me/tokens"
        self.many, self.one = person.user_api_tokens, person.user_api_token

    def use(self, token):
        return self.server.client(token).me.get()


@pytest.fixture(params=["application", "user"])
def tokens(request, world, admin):
    if request.param == "application":
        return ApplicationTokens(world, admin)
    return UserTokens(world, request.getfixturevalue("person")())


def post(tokens, **fields):
    fields = {"name": "token", "scope": [tokens.scope], **fields}
    return tokens.many.post(**tokens.ids, apiToken=fields)


def act(tokens, action, token, **params):
    return getattr(tokens.one, action)(**tokens.ids, apiTokenId=token["id"], **params)


def test_post(tokens):
    made = post(tokens, description="for the door", expirationDate=FAR, status="active")
    entity(made, tokens.kind, f"{tokens.href}/{made['id']}")
    assert (made["ownerId"], made["ownerType"]) == (tokens.owner, tokens.owner_type)
    assert made["creatorType"] in ("user", "apiToken")
    assert (made["name"], made["description"]) == ("token", "for the door")
    assert (made["expirationDate"], made["status"]) == (FAR, "active")
    assert made["scope"] == [tokens.scope]
    assert made["token"].count(".") == 2
    assert tokens.use(made["token"])


def test_the_token_itself_is_answered_once(tokens):
    made = post(tokens)
    assert "expirationDate" not in made
    assert "description" not in made
    token = made.pop("token")
    read = act(tokens, "get", made)
    entity(read, tokens.kind, f"{tokens.href}/{made['id']}")
    assert read == made
    assert token not in str(tokens.many.get(**tokens.ids))


def test_an_application_token_without_a_scope_is_for_the_whole_application(world):
    made = world.token()
    assert made["scope"] == ["all.Application"]
    assert world.server.client(made["token"]).experience_users.get(applicationId=world.app)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "apiToken.name has less length than allowed"),
        ({"name": "n" * 256}, "apiToken.name has longer length than allowed"),
        ({"description": 1}, "apiToken.description is the wrong type"),
        ({"expirationDate": "soon"}, "apiToken.expirationDate must be date-time format"),
        ({"status": "asleep"}, "apiToken.status must be one of: active, inactive"),
        ({"scope": "all.Application"}, "apiToken.scope is the wrong type"),
        ({"foo": 1}, "apiToken.foo is an additional property"),
    ],
)
def test_a_bad_field_is_named(tokens, fields, message):
    with refused(validation(message)):
        post(tokens, **fields)


def test_a_scope_is_there_once(tokens):
    with refused(validation("apiToken.scope must be unique")):
        post(tokens, scope=[tokens.scope, tokens.scope])


def test_an_unknown_scope(tokens):
    with invalid("apiToken.scope"):
        post(tokens, scope=["shoes.polish"])
    # Patterns are not scopes: this one looks like a scope that exists.
    with invalid("apiToken.scope"):
        post(tokens, scope=["experience*.get"])


def test_post_without_a_name(tokens):
    with refused(validation("apiToken.name is required")):
        tokens.many.post(**tokens.ids, apiToken={"scope": [tokens.scope]})
    with refused(validation("apiToken is required")):
        tokens.many.post(**tokens.ids)


def test_patch(tokens):
    made = post(tokens)
    del made["token"]
    time.sleep(0.01)
    patched = act(tokens, "patch", made, apiToken={"name": "new", "description": "said"})
    entity(patched, tokens.kind, f"{tokens.href}/{made['id']}")
    assert patched == {
        **made,
        "name": "new",
        "description": "said",
        "lastUpdated": patched["lastUpdated"],
    }
    assert patched["lastUpdated"] > made["lastUpdated"]
    assert act(tokens, "patch", made, apiToken={}) == patched


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scope": ["all.Application"]}, "apiToken.scope is an additional property"),
        ({"expirationDate": FAR}, "apiToken.expirationDate is an additional property"),
        ({"name": ""}, "apiToken.name has less length than allowed"),
        ({"status": "asleep"}, "apiToken.status must be one of: active, inactive"),
    ],
)
def test_what_a_token_may_do_cannot_be_changed(tokens, fields, message):
    made = post(tokens)
    with refused(validation(message)):
        act(tokens, "patch", made, apiToken=fields)


def test_an_inactive_token_is_refused_until_it_is_active_again(tokens):
    made = post(tokens)
    assert tokens.use(made["token"])
    assert act(tokens, "patch", made, apiToken={"status": "inactive"})["status"] == "inactive"
    with refused(BAD_TOKEN):
        tokens.use(made["token"])
    act(tokens, "patch", made, apiToken={"status": "active"})
    assert tokens.use(made["token"])


def test_a_token_that_is_made_inactive(tokens):
    with refused(BAD_TOKEN):
        tokens.use(post(tokens, status="inactive")["token"])


def test_delete(tokens):
    made = post(tokens)
    assert act(tokens, "delete", made) == SUCCESS
    with refused(BAD_TOKEN):
        tokens.use(made["token"])
    for action in ("get", "patch", "delete"):
        body = {"apiToken": {}} if action == "patch" else {}
        with refused(NO_TOKEN):
            act(tokens, action, made, **body)


def test_an_unknown_token(tokens):
    with refused(NO_TOKEN):
        act(tokens, "get", {"id": NOTHING})


def test_an_expired_token(tokens):
    soon = time.gmtime(time.time() + 6)
    made = post(tokens, expirationDate=time.strftime("%Y-%m-%dT%H:%M:%SZ", soon))
    assert tokens.use(made["token"])
    time.sleep(7.2)
    with refused(EXPIRED_TOKEN):
        tokens.use(made["token"])


def test_a_token_makes_no_token_that_may_do_more(world):
    narrow = world.client("applicationApiTokens.post", "experienceUser.get")
    ids = {"applicationId": world.app}
    same = {"name": "same", "scope": ["experienceUser.get"]}
    assert narrow.application_api_tokens.post(**ids, apiToken=same)["scope"] == same["scope"]
    for scope in ("experienceUser.*", "all.Application", "all.Application.read"):
        with refused(FORBIDDEN):
            narrow.application_api_tokens.post(**ids, apiToken={"name": "more", "scope": [scope]})
    # Without a scope it would be `all.Application`.
    with refused(FORBIDDEN):
        narrow.application_api_tokens.post(**ids, apiToken={"name": "more"})
    names = [it["name"] for it in world.admin.application_api_tokens.get(**ids)["items"]]
    assert sorted(names) == ["same", "token"]


def test_the_tokens_of_one_user_are_not_those_of_another(person):
    one, other = person(), person()
    made = one.user_api_tokens.post(apiToken={"name": "mine", "scope": ["me.get"]})
    with refused(NO_TOKEN):
        other.user_api_token.get(apiTokenId=made["id"])
    with refused(NO_TOKEN):
        other.user_api_token.delete(apiTokenId=made["id"])
    assert made["id"] not in [it["id"] for it in other.user_api_tokens.get()["items"]]


def test_list(tokens):
    made = []
    for name, status in (("Delta", "active"), ("alpha", "inactive"), ("bravo", "active")):
        made.append(post(tokens, name=name, status=status, expirationDate=f"29{len(made)}0-01-01"
                         "T00:00:00.000Z"))
        del made[-1]["token"]
        time.sleep(0.005)

    body = tokens.many.get(**tokens.ids)
    items = page(body, tokens.kind + "s", tokens.href, total=3)
    assert items == sorted(made, key=lambda token: token["name"].lower())
    assert (body["ownerId"], body["ownerType"]) == (tokens.owner, tokens.owner_type)
    assert (body["sortField"], body["sortDirection"]) == ("name", "asc")
    assert (body["page"], body["perPage"]) == (0, 100)

    for field in TOKEN_SORT_FIELDS:
        for direction in ("asc", "desc"):
            listed = tokens.many.get(**tokens.ids, sortField=field, sortDirection=direction)
            values = [item[field].lower() for item in listed["items"]]
            assert values == sorted(values, reverse=direction == "desc"), field
            assert (listed["sortField"], listed["sortDirection"]) == (field, direction)

    asleep = tokens.many.get(**tokens.ids, filterField="status", filter="inactive")
    assert [token["name"] for token in asleep["items"]] == ["alpha"]
    named = tokens.many.get(**tokens.ids, filterField="name", filter="*a", perPage=1, page=1)
    page(named, tokens.kind + "s", tokens.href, total=2, count=1)
    assert tokens.many.get(**tokens.ids, filterField="", filter="") == body
    with refused(validation("perPage is more than maximum")):
        tokens.many.get(**tokens.ids, perPage=1001)
    with refused(validation("filterField must be one of: name, status")):
        tokens.many.get(**tokens.ids, filterField="id", filter="x")
