"""experience: bootstrap, delete."""

import pytest

from expected import SUCCESS, validation
from harness import raw, refused


def counts(world) -> tuple[int, int]:
    return world.users()["totalCount"], world.groups()["totalCount"]


@pytest.fixture
def full(world):
    """A world with two users, one of them in a group."""
    world.user(experienceGroupIds=[world.group()["id"]])
    world.user()
    return world


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        ({}, (0, 0)),
        ({"keepUsers": ""}, (0, 0)),
        ({"keepUsers": "true"}, (2, 0)),
        ({"keepUsers": "false"}, (2, 0)),
        ({"keepUsers": True}, (2, 0)),
        ({"keepGroups": "yes"}, (0, 1)),
        ({"keepUsers": "x", "keepGroups": "x"}, (2, 1)),
    ],
)
def test_delete(full, flags, left):
    assert full.admin.experience.delete(applicationId=full.app, **flags) == SUCCESS
    assert counts(full) == left


def test_parts_that_are_not_here(full):
    """They are accepted, and there is nothing that they could keep or remove."""
    done = full.admin.experience.delete(
        applicationId=full.app,
        keepUsers="1",
        keepGroups="1",
        keepSlugs="1",
        keepDomains="1",
        removeVersions="1",
        keepViews="1",
        keepEndpoints="1",
        removeWorkflows="1",
    )
    assert done == SUCCESS
    assert counts(full) == (2, 1)


def test_bootstrap(full):
    made = full.admin.experience.bootstrap(applicationId=full.app)
    assert set(made) == {"resourceSuffix", "email", "password"}
    assert (made["resourceSuffix"], made["email"]) == ("", "example.user@example.com")
    assert len(made["password"]) == 32
    assert counts(full) == (3, 2)
    user = next(user for user in full.users()["items"] if user["email"] == made["email"])
    assert [group["name"] for group in user["experienceGroups"]] == ["Example Group"]


def test_bootstrap_where_the_names_are_taken(world):
    first = world.admin.experience.bootstrap(applicationId=world.app, options={})
    second = world.admin.experience.bootstrap(applicationId=world.app, options={})
    suffix = second["resourceSuffix"]
    assert suffix and second["email"] == f"example.user{suffix}@example.com"
    assert counts(world) == (2, 2)
    third = world.admin.experience.bootstrap(
        applicationId=world.app, options={"replaceExisting": True}
    )
    assert (third["resourceSuffix"], third["email"]) == ("", first["email"])
    assert len({first["password"], second["password"], third["password"]}) == 3
    assert counts(world) == (2, 2)


def test_bootstrap_of_some(world):
    options = {"createUsers": False, "slug": "a-slug"}
    made = world.admin.experience.bootstrap(applicationId=world.app, options=options)
    assert made == {"resourceSuffix": ""}
    assert counts(world) == (0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slug": "No Slug"}, "slug pattern mismatch"),
        ({"slug": "ab"}, "slug has less length than allowed"),
        ({"createGroups": "yes"}, "createGroups is the wrong type"),
        ({"foo": 1}, "foo is an additional property"),
    ],
)
def test_bad_options_are_named(world, options, message):
    with refused(validation(f"options.{message}")):
        world.admin.experience.bootstrap(applicationId=world.app, options=options)
    assert counts(world) == (0, 0)


def test_a_repeated_bootstrap_is_answered_again(server, world):
    path, token = f"{world.url}/experience/bootstrap", world.token("all.Application")["token"]

    def ask():
        return raw(server, "PATCH", path, token=token, json_body={}, Idempotency_Key="begin")

    first, again = ask(), ask()
    assert (first.status, first.json()) == (again.status, again.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert counts(world) == (1, 1)
