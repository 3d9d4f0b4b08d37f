"""application(s): get, post, get one, patch, delete."""

import time
import uuid

import pytest

from expected import (
    APPLICATION_SORT_FIELDS,
    BAD_TOKEN,
    NO_APPLICATION,
    NOTHING,
    SUCCESS,
    entity,
    page,
    validation,
)
from harness import refused

BAD_FIELDS = [
    ({"name": ""}, "name has less length than allowed"),
    ({"name": "n" * 256}, "name has longer length than allowed"),
    ({"name": None}, "name is the wrong type"),
    ({"description": "d" * 1025}, "description has longer length than allowed"),
    ({"endpointSlug": "UPPER"}, "endpointSlug pattern mismatch"),
    ({"expUserTokenCutoff": "yesterday"}, "expUserTokenCutoff must be date-time format"),
    ({"foo": 1}, "foo is an additional property"),
]


def test_post_and_get(world, admin):
    made = admin.applications.post(application={"name": "shop", "description": "sells"})
    entity(made, "application", f"/applications/{made['id']}")
    assert (made["name"], made["description"]) == ("shop", "sells")
    # The server is the one organization, and owns every application.
    assert (made["ownerType"], made["organizationName"]) == ("organization", "Guestlist")
    assert made["ownerId"] == admin.application.get(applicationId=world.app)["ownerId"]
    assert made["creationDate"] == made["lastUpdated"]
    assert admin.application.get(applicationId=made["id"]) == made
    assert admin.application.get(applicationId=made["id"].upper()) == made
    admin.application.delete(applicationId=made["id"])


def test_an_application_can_read_itself(world):
    assert world.client("all.Application").application.get(applicationId=world.app)["id"] == (
        world.app
    )


@pytest.mark.parametrize(("fields", "message"), BAD_FIELDS)
def test_a_bad_field_is_named(world, admin, fields, message):
    with refused(validation(f"application.{message}")):
        admin.applications.post(application={"name": "bad", **fields})
    with refused(validation(f"application.{message}")):
        admin.application.patch(applicationId=world.app, application=fields)


def test_post_without_a_name(admin):
    with refused(validation("application.name is required")):
        admin.applications.post(application={})
    with refused(validation("application is required")):
        admin.applications.post()


def test_patch(world, admin):
    before = admin.application.get(applicationId=world.app)
    time.sleep(0.01)
    after = admin.application.patch(
        applicationId=world.app,
        application={"name": "renamed", "expUserTokenCutoff": "2020-01-01T00:00:00Z"},
    )
    assert after["lastUpdated"] > before["lastUpdated"]
    assert after == {
        **before,
        "name": "renamed",
        "expUserTokenCutoff": "2020-01-01T00:00:00.000Z",
        "lastUpdated": after["lastUpdated"],
    }
    assert admin.application.get(applicationId=world.app) == after
    assert admin.application.patch(applicationId=world.app, application={}) == after


def test_delete_takes_everything_with_it(server, admin, world):
    app = admin.applications.post(application={"name": "doomed"})["id"]
    user = admin.experience_users.post(
        applicationId=app, experienceUser={"email": "a@example.com", "password": "correct horse"}
    )
    group = admin.experience_groups.post(applicationId=app, experienceGroup={"name": "group"})
    token = admin.application_api_tokens.post(
        applicationId=app, apiToken={"name": "token", "scope": ["all.Application"]}
    )
    assert admin.application.delete(applicationId=app) == SUCCESS
    for call in (
        lambda: admin.application.get(applicationId=app),
        lambda: admin.application.patch(applicationId=app, application={"name": "back"}),
        lambda: admin.application.delete(applicationId=app),
        lambda: admin.experience_user.get(applicationId=app, experienceUserId=user["id"]),
        lambda: admin.experience_group.get(applicationId=app, experienceGroupId=group["id"]),
        lambda: admin.application_api_token.get(applicationId=app, apiTokenId=token["id"]),
    ):
        with refused(NO_APPLICATION):
            call()
    with refused(BAD_TOKEN):
        server.client(token["token"]).application.get(applicationId=app)
    with refused(BAD_TOKEN):
        server.client(token["token"]).application.get(applicationId=world.app)


def test_an_unknown_application(admin):
    with refused(NO_APPLICATION):
        admin.application.get(applicationId=NOTHING)


@pytest.fixture
def family(admin):
    """Three applications whose names no other test has, in one order by name, in another by
    age."""
    mark = uuid.uuid4().hex
    made = []
    for name in ("c", "a", "b"):
        made.append(admin.applications.post(application={"name": f"{mark} {name}"}))
        time.sleep(0.005)
    yield mark, made
    for application in made:
        admin.application.delete(applicationId=application["id"])


def test_list(admin, family):
    mark, made = family
    body = admin.applications.get(filterField="name", filter=f"{mark}*")
    items = page(body, "applications", "/applications", total=3)
    assert items == sorted(made, key=lambda application: application["name"])
    assert (body["sortField"], body["sortDirection"]) == ("name", "asc")
    assert (body["page"], body["perPage"]) == (0, 100)
    assert (body["filterField"], body["filter"]) == ("name", f"{mark}*")


@pytest.mark.parametrize("field", APPLICATION_SORT_FIELDS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_every_order(admin, family, field, direction):
    mark, made = family
    body = admin.applications.get(
        filterField="name", filter=f"{mark}*", sortField=field, sortDirection=direction
    )
    found = [application["id"] for application in body["items"]]
    if field == "ownerId":
        # They all have the same owner, so any order is right.
        assert sorted(found) == sorted(application["id"] for application in made)
    else:
        wanted = [it["id"] for it in sorted(made, key=lambda application: application[field])]
        assert found == (wanted if direction == "asc" else wanted[::-1])


def test_pages(admin, family):
    mark, _ = family
    found = {"filterField": "name", "filter": f"{mark}*", "perPage": 2}
    page(admin.applications.get(**found, page=1), "applications", "/applications", total=3, count=1)
    page(admin.applications.get(**found, page=2), "applications", "/applications", total=3, count=0)
    with refused(validation("perPage is more than maximum")):
        admin.applications.get(perPage=1001)
    with refused(validation(f"sortField must be one of: {', '.join(APPLICATION_SORT_FIELDS)}")):
        admin.applications.get(sortField="shoeSize")
    assert admin.applications.get(filterField="", filter="")["totalCount"] >= 3
