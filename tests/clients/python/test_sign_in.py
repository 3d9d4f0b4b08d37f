"""auth authenticateUser and ssoDomain; me get, patch, changePassword and refreshToken."""

import base64
import json
import time

import pytest

from expected import (
    BAD_LOGIN,
    BAD_OLD_PASSWORD,
    BAD_TOKEN,
    EXPIRED_TOKEN,
    FORBIDDEN,
    GOOD_PASSWORD,
    ID,
    OTHER_PASSWORD,
    already_exists,
    entity,
    validation,
)
from harness import invalid, refused


def sign_in(server, email, password=GOOD_PASSWORD, **more):
    credentials = {"email": email, "password": password, **more}
    return server.client().auth.authenticate_user(credentials=credentials)


def test_sign_in(server, person):
    someone = person()
    answer = sign_in(server, someone.email)
    assert set(answer) == {"userId", "token"}
    assert ID.fullmatch(answer["userId"])
    assert server.client(answer["token"]).me.get()["userId"] == answer["userId"]


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(server, person):
    someone = person()
    with refused(BAD_LOGIN):
        sign_in(server, someone.email, "not the password")
    with refused(BAD_LOGIN):
        sign_in(server, "nobody@example.com")


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({"password": GOOD_PASSWORD}, "credentials.email is required"),
        ({"email": "a@example.com"}, "credentials.password is required"),
        (
            {"email": "a@example.com", "password": "seven77"},
            "credentials.password has less length than allowed",
        ),
        (
            {"email": "nobody", "password": GOOD_PASSWORD},
            "credentials.email must be email format",
        ),
        (
            {"email": "a@example.com", "password": GOOD_PASSWORD, "tokenTTL": -1},
            "credentials.tokenTTL is less than minimum",
        ),
        (
            {"email": "a@example.com", "password": GOOD_PASSWORD, "tokenTTL": "long"},
            "credentials.tokenTTL is the wrong type",
        ),
        (
            {"email": "a@example.com", "password": GOOD_PASSWORD, "foo": 1},
            "credentials.foo is an additional property",
        ),
        (
            {
                "email": "a@example.com",
                "password": GOOD_PASSWORD,
                "requestedScopes": ["me.get", "me.get"],
            },
            "credentials.requestedScopes must be unique",
        ),
    ],
)
def test_bad_credentials(server, credentials, message):
    with refused(validation(message)):
        server.client().auth.authenticate_user(credentials=credentials)


def test_no_credentials(server):
    with refused(validation("credentials is required")):
        server.client().auth.authenticate_user()


def test_an_unknown_scope(server, person):
    someone = person()
    with invalid("credentials.requestedScopes"):
        sign_in(server, someone.email, requestedScopes=["shoes.polish"])


def test_a_narrow_token(server, person):
    someone = person()
    answer = sign_in(server, someone.email, requestedScopes=["me.get"])
    client = server.client(answer["token"])
    assert client.me.get()["email"] == someone.email
    with refused(FORBIDDEN):
        client.applications.get()


def test_a_token_that_lives_for_milliseconds(server, person):
    someone = person()
    client = server.client(sign_in(server, someone.email, tokenTTL=6000)["token"])
    assert client.me.get()["email"] == someone.email
    time.sleep(7.2)
    with refused(EXPIRED_TOKEN):
        client.me.get()


def test_a_token_that_lives_for_ever(server, person):
    someone = person()
    client = server.client(sign_in(server, someone.email, tokenTTL=0)["token"])
    assert client.me.get()["email"] == someone.email


def test_sso_domain_is_for_nobody(server):
    assert server.client().auth.sso_domain(email="someone@example.com") == ""
    # The same with a token, which the action does not need.
    token = server.quickstart["token"]
    assert server.client(token).auth.sso_domain(email="someone@example.com") == ""


def test_sso_domain_needs_an_address(server):
    with refused(validation("email is required")):
        server.client().auth.sso_domain()


def test_me(person):
    someone = person()
    me = someone.me.get()
    entity(me, "me", "/me")
    assert me["email"] == someone.email
    assert me["userId"] == someone.user_id


def test_me_patch(person):
    someone = person()
    before = someone.me.get()
    fields = {
        "firstName": "Ada",
        "lastName": "L",
        "companyName": "Engines",
        "title": "Countess",
        "phoneNumber": "+44 1",
        "location": "London",
        "url": "https://example.com/ada",
    }
    time.sleep(0.01)
    after = someone.me.patch(user=fields)
    entity(after, "me", "/me")
    assert {key: after[key] for key in fields} == fields
    assert after["lastUpdated"] > before["lastUpdated"]
    assert someone.me.get() == after
    assert someone.me.patch(user={}) == after


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"firstName": ""}, "user.firstName has less length than allowed"),
        ({"lastName": ""}, "user.lastName has less length than allowed"),
        ({"firstName": None}, "user.firstName is the wrong type"),
        ({"email": "nobody"}, "user.email must be email format"),
        ({"tokenCutoff": "yesterday"}, "user.tokenCutoff must be date-time format"),
        ({"foo": 1}, "user.foo is an additional property"),
    ],
)
def test_me_patch_names_a_bad_field(person, fields, message):
    someone = person()
    with refused(validation(message)):
        someone.me.patch(user=fields)


def test_me_patch_refuses_a_weak_password(person):
    someone = person()
    with invalid("user.password "):
        someone.me.patch(user={"password": "short"})


def test_me_patch_refuses_the_address_of_someone_else(person):
    someone, other = person(), person()
    with refused(already_exists(other.email)):
        someone.me.patch(user={"email": other.email})


def test_change_password(server, person):
    someone = person()
    answer = someone.me.change_password(
        data={"password": GOOD_PASSWORD, "newPassword": OTHER_PASSWORD}
    )
    assert set(answer) == {"userId", "token"}
    assert answer["userId"] == someone.user_id
    assert server.client(answer["token"]).me.get()["userId"] == someone.user_id
    # A new password alone does not end what is signed in.
    assert someone.me.get()["userId"] == someone.user_id
    with refused(BAD_LOGIN):
        sign_in(server, someone.email)
    assert sign_in(server, someone.email, OTHER_PASSWORD)["userId"] == someone.user_id


def test_change_password_and_sign_out_everywhere_else(server, person):
    someone = person()
    # A cutoff is a whole second: let the old token be of an earlier one.
    time.sleep(1.1)
    answer = someone.me.change_password(
        data={
            "password": GOOD_PASSWORD,
            "newPassword": OTHER_PASSWORD,
            "invalidateExistingTokens": True,
        }
    )
    with refused(BAD_TOKEN):
        someone.me.get()
    assert server.client(answer["token"]).me.get()["userId"] == someone.user_id


def test_change_password_needs_the_old_one(server, person):
    someone = person()
    with refused(BAD_OLD_PASSWORD):
        someone.me.change_password(
            data={"password": "not the password", "newPassword": OTHER_PASSWORD}
        )
    assert sign_in(server, someone.email)["userId"] == someone.user_id


@pytest.mark.parametrize(
    "weak",
    ["Sh0rt-word", "no-upper-case-7", "NO-LOWER-CASE-7", "No-Digit-At-All", "NoSpecial12345"],
)
def test_change_password_refuses_a_weak_one(person, weak):
    someone = person()
    with invalid("data.newPassword "):
        someone.me.change_password(data={"password": GOOD_PASSWORD, "newPassword": weak})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"newPassword": OTHER_PASSWORD}, "data.password is required"),
        ({"password": GOOD_PASSWORD}, "data.newPassword is required"),
        (
            {"password": GOOD_PASSWORD, "newPassword": OTHER_PASSWORD, "foo": 1},
            "data.foo is an additional property",
        ),
    ],
)
def test_change_password_names_a_bad_field(person, data, message):
    with refused(validation(message)):
        person().me.change_password(data=data)


def lasts(token: str) -> int:
    """For how many seconds a token was made."""
    claims = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return claims["exp"] - claims["iat"]


def test_a_session_is_refreshed_for_as_long_again(server, person):
    someone = person()
    first = sign_in(server, someone.email, tokenTTL=60_000, requestedScopes=["me.*"])["token"]
    time.sleep(1.1)
    answer = server.client(first).me.refresh_token()
    assert set(answer) == {"userId", "token"}
    assert answer["userId"] == someone.user_id
    assert answer["token"] != first
    assert abs(lasts(answer["token"]) - lasts(first)) <= 1
    # The first goes on, and neither may do more than it could.
    for token in (first, answer["token"]):
        client = server.client(token)
        assert client.me.get()["userId"] == someone.user_id
        with refused(FORBIDDEN):
            client.applications.get()


def test_an_api_token_is_refreshed_to_itself(server):
    token = server.quickstart["token"]
    assert server.client(token).me.refresh_token()["token"] == token
