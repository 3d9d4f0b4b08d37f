"""Who may do what: every action with every kind of token that must not open it."""

import time

import pytest

from actions import ACTIONS
from expected import (
    BAD_TOKEN,
    EXPIRED_TOKEN,
    FORBIDDEN,
    NO_APPLICATION,
    NOTHING,
    validation,
)
from harness import World, refused

every_action = pytest.mark.parametrize("action", ACTIONS, ids=str)
in_application = pytest.mark.parametrize(
    "action", [action for action in ACTIONS if action.in_application], ids=str
)
with_ids = pytest.mark.parametrize(
    ("action", "parameter"),
    [(action, parameter) for action in ACTIONS for parameter in action.path],
    ids=str,
)


@pytest.fixture(scope="module")
def place(server, admin):
    """One application for all of them: what is refused leaves nothing behind."""
    app = admin.applications.post(application={"name": "access"})["id"]
    other = admin.applications.post(application={"name": "other"})["id"]
    world = World(server, admin, app)
    world.other = World(server, admin, other)
    token = world.token("device.get")
    world.ids = {
        "applicationId": app,
        "experienceUserId": world.user()["id"],
        "experienceGroupId": world.group()["id"],
        "apiTokenId": token["id"],
    }
    yield world
    admin.application.delete(applicationId=other)
    admin.application.delete(applicationId=app)


@pytest.fixture(scope="module")
def expired(place):
    # It cannot end before it is made, however long that takes.
    soon = time.gmtime(time.time() + 6)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", soon)
    token = place.token("all.Application", expirationDate=when)["token"]
    time.sleep(7.2)
    return place.server.client(token)


@pytest.fixture(scope="module")
def revoked(place):
    token = place.token("all.Application")
    place.admin.application_api_token.delete(applicationId=place.app, apiTokenId=token["id"])
    return place.server.client(token["token"])


@pytest.fixture(scope="module")
def narrow(place):
    return place.client("device.get")


@pytest.fixture(scope="module")
def stranger(place):
    return place.other.client("all.Application")


@every_action
def test_no_token(place, action):
    with refused(FORBIDDEN):
        action.call(place.server.client(), place.ids)


@every_action
@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "e30.e30.AAAA"])
def test_a_token_that_is_none(place, action, token):
    with refused(BAD_TOKEN):
        action.call(place.server.client(token), place.ids)


@every_action
def test_a_token_whose_signature_was_touched(place, action):
    token = place.server.quickstart["token"]
    head, claims, signature = token.split(".")
    forged = ".".join([head, claims, signature[::-1]])
    with refused(BAD_TOKEN):
        action.call(place.server.client(forged), place.ids)


@every_action
def test_an_expired_token(expired, place, action):
    with refused(EXPIRED_TOKEN):
        action.call(expired, place.ids)


@every_action
def test_a_revoked_token(revoked, place, action):
    with refused(BAD_TOKEN):
        action.call(revoked, place.ids)


@every_action
def test_a_token_for_something_else(narrow, place, action):
    with refused(FORBIDDEN):
        action.call(narrow, place.ids)


@in_application
def test_a_token_of_another_application(stranger, place, action):
    with refused(NO_APPLICATION):
        action.call(stranger, place.ids)


@in_application
def test_a_token_of_another_application_learns_nothing_of_what_exists(stranger, action):
    with refused(NO_APPLICATION):
        action.call(stranger, dict.fromkeys(action.path, NOTHING))


@in_application
def test_an_unknown_application(place, action):
    with refused(NO_APPLICATION):
        action.call(place.admin, {**place.ids, "applicationId": NOTHING})


@pytest.mark.parametrize("action", [action for action in ACTIONS if action.missing], ids=str)
def test_an_unknown_thing(place, action):
    with refused(action.missing):
        action.call(place.admin, action.nowhere(place.ids))


@with_ids
@pytest.mark.parametrize("bad", ["nope", "0123456789abcdef0123456", "g" * 24])
def test_a_malformed_id(place, action, parameter, bad):
    ids = {**place.ids, parameter: bad}
    with refused(validation(f"{parameter} pattern mismatch")):
        action.call(place.admin, ids)


@with_ids
@pytest.mark.parametrize("token", [None, "nonsense"])
def test_the_request_is_checked_before_the_token(place, action, parameter, token):
    with refused(validation(f"{parameter} pattern mismatch")):
        action.call(place.server.client(token), {**place.ids, parameter: "nope"})


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_the_body_is_checked_before_the_token(place, token):
    client = place.server.client(token)
    with refused(validation("experienceUser.foo is an additional property")):
        client.experience_user.patch(**place.ids, experienceUser={"foo": 1})
    with refused(validation("experienceUser.password is required")):
        client.experience_users.post(**place.ids, experienceUser={"email": "a@example.com"})
    with refused(validation("application.name is required")):
        client.applications.post(application={})


def test_the_scope_is_checked_before_the_application(narrow, place):
    with refused(FORBIDDEN):
        narrow.experience_user.get(applicationId=NOTHING, experienceUserId=NOTHING)


def test_nothing_was_changed(place):
    """The last of this module: all of the refusals above left everything as it was."""
    assert place.users()["totalCount"] == 1
    assert place.groups()["totalCount"] == 1
    assert "firstName" not in place.get_user(place.ids["experienceUserId"])


# One scope alone opens its action: `(scope, action)` opens, and the other one does not.
@pytest.mark.parametrize(
    ("scope", "opened", "closed"),
    [
        ("experienceUser.get", "experienceUser.get", "experienceUsers.get"),
        ("experienceUser.*", "experienceUser.get", "experienceUsers.get"),
        ("experienceUsers.get", "experienceUsers.get", "experienceUser.get"),
        ("experienceUsers.*", "experienceUsers.get", "experienceUser.get"),
        ("experienceGroup.get", "experienceGroup.get", "experienceGroups.get"),
        ("experienceGroups.*", "experienceGroups.get", "experienceGroup.get"),
        ("all.Application.read", "experienceUser.get", "experienceUser.patch"),
        ("all.Application.read", "experienceUsers.get", "experienceUsers.post"),
        ("all.Application.bounded", "experienceUser.get", "applicationApiTokens.post"),
        ("all.Application", "applicationApiTokens.get", "applications.get"),
        ("application.get", "application.get", "application.patch"),
    ],
)
def test_a_scope_opens_its_own_actions_only(place, scope, opened, closed):
    client = place.client(scope)
    by_name = {action.name: action for action in ACTIONS}
    assert by_name[opened].call(client, place.ids)
    with refused(FORBIDDEN):
        by_name[closed].call(client, place.ids)
