"""experienceUser get, patch, delete and experienceUsers post."""

import hashlib
import time

import pytest

import expected
from expected import NO_USER, NOTHING, SUCCESS, already_exists, entity, validation
from harness import invalid, refused

# A body of a user, what is wrong with one field of it, and what the answer says.
BAD_FIELDS = [
    ("email", "nobody", "must be email format"),
    ("email", 7, "is the wrong type"),
    ("email", None, "is the wrong type"),
    ("email", "a" * 1020 + "@b.co", "has longer length than allowed"),
    ("password", "seven77", "has less length than allowed"),
    ("password", "p" * 2049, "has longer length than allowed"),
    ("password", 12345678, "is the wrong type"),
    ("firstName", "f" * 1025, "has longer length than allowed"),
    ("firstName", None, "is the wrong type"),
    ("lastName", "l" * 1025, "has longer length than allowed"),
    ("lastName", ["x"], "is the wrong type"),
    ("tokenCutoff", "yesterday", "must be date-time format"),
    ("tokenCutoff", None, "is the wrong type"),
    ("userTags", None, "is the wrong type"),
    ("userTags", [], "is the wrong type"),
    ("experienceGroupIds", None, "is the wrong type"),
    ("experienceGroupIds", [NOTHING] * 1001, "has more items than allowed"),
    ("foo", 1, "is an additional property"),
    ("id", NOTHING, "is an additional property"),
    ("avatarUrl", "http://example.com", "is an additional property"),
    ("lastLogin", "2020-01-01T00:00:00.000Z", "is an additional property"),
    ("experienceGroups", [], "is an additional property"),
    ("_type", "experienceUser", "is an additional property"),
]
BAD_NESTED_FIELDS = [
    ({"userTags": {"a b": "x"}}, "userTags.a b is an additional property"),
    ({"userTags": {"a": ""}}, "userTags.a has less length than allowed"),
    ({"userTags": {"a": "x" * 256}}, "userTags.a has longer length than allowed"),
    ({"userTags": {"a": 1}}, "userTags.a is the wrong type"),
    ({"experienceGroupIds": ["nope"]}, "experienceGroupIds.0 pattern mismatch"),
    ({"experienceGroupIds": [NOTHING, 5]}, "experienceGroupIds.1 is the wrong type"),
]


def avatar(email):
    digest = hashlib.md5(email.strip().lower().encode()).hexdigest()
    return f"https://secure.gravatar.com/avatar/{digest}?d=retro&s=240"


def test_post_with_only_what_is_required(world):
    user = world.user(email="Ada@Example.com")
    entity(user, "experienceUser", f"{world.url}/experience/users/{user['id']}")
    for unset in ("firstName", "lastName", "lastLogin", "tokenCutoff"):
        assert unset not in user
    assert user["applicationId"] == world.app
    assert user["email"] == "Ada@Example.com"
    assert user["userTags"] == {}
    assert user["experienceGroups"] == []
    assert user["creationDate"] == user["lastUpdated"]
    assert user["passwordLastUpdated"] >= user["creationDate"]
    assert user["avatarUrl"] == avatar("Ada@Example.com")


def test_post_with_everything(world):
    group = world.group("staff")
    user = world.user(
        email="ada@example.com",
        firstName="Ada",
        lastName="",
        tokenCutoff="2020-01-01T01:00:00+01:00",
        userTags={"role": "admin", "a-b_C9": "ü"},
        experienceGroupIds=[group["id"], group["id"].upper()],
    )
    entity(user, "experienceUser", f"{world.url}/experience/users/{user['id']}")
    assert user["firstName"] == "Ada"
    assert user["lastName"] == ""
    assert user["tokenCutoff"] == "2020-01-01T00:00:00.000Z"
    assert user["userTags"] == {"role": "admin", "a-b_C9": "ü"}
    assert user["experienceGroups"] == [{"id": group["id"], "name": "staff", "parentId": None}]
    assert world.get_user(user["id"]) == user


def test_a_date_without_a_zone_is_utc(world):
    user = world.user(tokenCutoff="2020-01-01T00:00:00")
    assert user["tokenCutoff"] == "2020-01-01T00:00:00.000Z"


def test_unknown_query_parameters_are_passed_over(world, server):
    assert world.admin.request("GET", f"{world.url}/experience/users", params={"nope": "1"})


@pytest.mark.parametrize(("field", "value", "reason"), BAD_FIELDS)
def test_a_bad_field_is_named(world, field, value, reason):
    good = {"email": "ada@example.com", "password": "correct horse"}
    user = world.user()
    with refused(validation(f"experienceUser.{field} {reason}")):
        world.admin.experience_users.post(
            applicationId=world.app, experienceUser={**good, field: value}
        )
    with refused(validation(f"experienceUser.{field} {reason}")):
        world.patch_user(user["id"], **{field: value})
    assert world.get_user(user["id"]) == user
    assert world.users()["totalCount"] == 1


@pytest.mark.parametrize(("fields", "message"), BAD_NESTED_FIELDS)
def test_a_bad_nested_field_is_named(world, fields, message):
    with refused(validation(f"experienceUser.{message}")):
        world.user(**fields)


@pytest.mark.parametrize("missing", ["email", "password"])
def test_post_without_a_required_field(world, missing):
    body = {"email": "ada@example.com", "password": "correct horse"}
    del body[missing]
    with refused(validation(f"experienceUser.{missing} is required")):
        world.admin.experience_users.post(applicationId=world.app, experienceUser=body)


def test_several_problems_are_all_listed(world):
    with invalid("experienceUser.") as caught:
        world.admin.experience_users.post(applicationId=world.app, experienceUser={"email": "x"})
    problems = caught.value.data["validationErrors"]
    assert {problem["field"] for problem in problems} == {
        "experienceUser.email",
        "experienceUser.password",
    }
    first = problems[0]
    assert caught.value.data["message"] == f"{first['field']} {first['validationMessage']}"


def test_a_body_that_is_no_object(world):
    user = world.user()
    for body in ([], "text", 1, True):
        with refused(validation("experienceUser is the wrong type")):
            world.admin.experience_users.post(applicationId=world.app, experienceUser=body)
        with refused(validation("experienceUser is the wrong type")):
            world.admin.experience_user.patch(
                applicationId=world.app, experienceUserId=user["id"], experienceUser=body
            )


def test_no_body(world):
    user = world.user()
    with refused(validation("experienceUser is required")):
        world.admin.experience_users.post(applicationId=world.app)
    with refused(validation("experienceUser is required")):
        world.admin.experience_user.patch(applicationId=world.app, experienceUserId=user["id"])


def test_an_unknown_group_is_named_and_nothing_is_written(world):
    with invalid("experienceUser.experienceGroupIds") as caught:
        world.user(experienceGroupIds=[NOTHING])
    assert NOTHING in caught.value.data["message"]
    assert world.users()["totalCount"] == 0


def test_an_email_is_there_once_in_whatever_case(world):
    world.user(email="ada@example.com")
    other = world.user(email="bob@example.com")
    with refused(already_exists("ada@example.com")):
        world.user(email="ada@example.com")
    with refused(already_exists("ADA@example.com")):
        world.user(email="ADA@example.com")
    with refused(already_exists("ada@example.com")):
        world.patch_user(other["id"], email="ada@example.com")
    assert world.get_user(other["id"]) == other
    assert world.users()["totalCount"] == 2


def test_an_email_may_be_in_two_applications(world, admin):
    world.user(email="ada@example.com")
    other = admin.applications.post(application={"name": "other"})["id"]
    admin.experience_users.post(
        applicationId=other,
        experienceUser={"email": "ada@example.com", "password": "correct horse"},
    )
    admin.application.delete(applicationId=other)


def test_get(world):
    user = world.user()
    assert world.get_user(user["id"]) == user


def test_an_id_in_upper_case_is_answered_in_lower_case(world):
    user = world.user()
    got = world.admin.experience_user.get(
        applicationId=world.app.upper(), experienceUserId=user["id"].upper()
    )
    assert got == user


def test_patch_changes_what_is_sent_and_nothing_else(world):
    user = world.user(firstName="Ada", lastName="L", userTags={"a": "1"})
    time.sleep(0.01)
    patched = world.patch_user(user["id"], firstName="Grace")
    entity(patched, "experienceUser", f"{world.url}/experience/users/{user['id']}")
    assert patched["lastUpdated"] > user["lastUpdated"]
    assert patched == {**user, "firstName": "Grace", "lastUpdated": patched["lastUpdated"]}
    assert world.get_user(user["id"]) == patched


def test_patch_of_nothing_writes_nothing(world):
    user = world.user(firstName="Ada")
    time.sleep(0.01)
    assert world.patch_user(user["id"]) == user
    assert world.patch_user(user["id"], firstName="Ada") == user


def test_the_avatar_follows_the_email(world):
    user = world.user(email="ada@example.com")
    patched = world.patch_user(user["id"], email="Grace@Example.com")
    assert patched["email"] == "Grace@Example.com"
    assert patched["avatarUrl"] == avatar("grace@example.com") != user["avatarUrl"]


def test_an_email_may_change_its_case(world):
    user = world.user(email="ada@example.com")
    assert world.patch_user(user["id"], email="ADA@example.com")["email"] == "ADA@example.com"


def test_a_new_password_is_dated_and_never_shown(world):
    user = world.user()
    time.sleep(0.01)
    patched = world.patch_user(user["id"], password="another horse")
    assert "password" not in patched
    assert patched["passwordLastUpdated"] > user["passwordLastUpdated"]
    renamed = world.patch_user(user["id"], firstName="Ada")
    assert renamed["passwordLastUpdated"] == patched["passwordLastUpdated"]


def test_tags_and_groups_are_replaced_whole(world):
    one, two = world.group("one"), world.group("two")
    user = world.user(userTags={"a": "1", "b": "2"}, experienceGroupIds=[one["id"]])
    patched = world.patch_user(user["id"], userTags={"c": "3"}, experienceGroupIds=[two["id"]])
    assert patched["userTags"] == {"c": "3"}
    assert [group["id"] for group in patched["experienceGroups"]] == [two["id"]]
    emptied = world.patch_user(user["id"], userTags={}, experienceGroupIds=[])
    assert emptied["userTags"] == {}
    assert emptied["experienceGroups"] == []


def test_what_was_read_cannot_be_sent_back(world):
    user = world.user()
    with invalid("experienceUser.") as caught:
        world.patch_user(user["id"], **user)
    assert caught.value.data["message"].endswith(" is an additional property")
    assert world.get_user(user["id"]) == user


def test_delete(world):
    group = world.group()
    user = world.user(experienceGroupIds=[group["id"]])
    ids = {"applicationId": world.app, "experienceUserId": user["id"]}
    assert world.admin.experience_user.delete(**ids) == SUCCESS
    for action in ("get", "patch", "delete"):
        body = {"experienceUser": {}} if action == "patch" else {}
        with refused(NO_USER):
            getattr(world.admin.experience_user, action)(**ids, **body)
    assert world.users()["totalCount"] == 0
    assert world.get_group(group["id"])["experienceUserIds"] == []
    # The address is free again.
    world.user(email=user["email"])


def test_a_user_of_another_application_is_not_found(world, admin):
    user = world.user()
    other = admin.applications.post(application={"name": "other"})["id"]
    with refused(NO_USER):
        admin.experience_user.get(applicationId=other, experienceUserId=user["id"])
    admin.application.delete(applicationId=other)


def test_the_users_of_the_demonstration(server, admin):
    ids = server.quickstart["experienceUserIds"]
    assert ids
    for user_id in ids:
        app = server.quickstart["applicationId"]
        user = admin.experience_user.get(applicationId=app, experienceUserId=user_id)
        entity(user, "experienceUser", f"/applications/{app}/experience/users/{user_id}")
        assert user["email"]
    assert expected.ID.fullmatch(server.quickstart["applicationId"])
