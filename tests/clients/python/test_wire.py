"""The wire itself: decoration, headers, and the requests that the client cannot send."""

import gzip
import json

import losant_rest
import pytest

import expected
from expected import (
    BAD_TOKEN,
    FORBIDDEN,
    NO_USER,
    NOTHING,
    SUCCESS,
    no_method,
    no_route,
    validation,
)
from harness import raw, refused


@pytest.fixture
def get(server, world):
    """A raw request of the demo administrator about the application of the test."""

    def send(method, path="", **how):
        how.setdefault("token", server.quickstart["token"])
        return raw(server, method, world.url + path, **how)

    return send


@pytest.fixture
def user(world):
    return world.user(email="ada@example.com")


@pytest.fixture
def path(user):
    return f"/experience/users/{user['id']}"


def is_refused(answer, refusal):
    assert (answer.status, answer.json()) == (refusal.status, refusal.body())


def is_error(answer, status, type_=None):
    """An error whose message is free text: still one JSON object of the one shape."""
    body = answer.json()
    assert answer.status == status, body
    assert set(body) >= {"type", "message"}
    assert body["type"] and body["message"]
    assert type_ is None or body["type"] == type_


# --- status codes that the client hides ---------------------------------------------------


def test_create_is_201(get):
    new = {"email": "new@example.com", "password": "correct horse"}
    assert get("POST", "/experience/users", json_body=new).status == 201
    assert get("POST", "/experience/groups", json_body={"name": "new"}).status == 201
    assert get("POST", "/tokens", json_body={"name": "new"}).status == 201


def test_sign_in_is_200(server, person):
    someone = person()
    body = {"email": someone.email, "password": expected.GOOD_PASSWORD}
    assert raw(server, "POST", "/auth/user", json_body=body).status == 200


def test_sso_domain_is_204_without_a_body(server):
    answer = raw(server, "GET", "/auth/ssoDomain?email=someone%40example.com")
    assert (answer.status, answer.body) == (204, b"")


# --- DELETE -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"Content_Type": "application/json"},
        {"Content_Type": "application/json", "Content_Length": "0"},
        {"json_body": {}},
        {"body": b"{}", "Content_Type": "application/json; charset=utf-8"},
    ],
    ids=["neither", "type only", "type and no length", "empty object", "charset"],
)
def test_every_way_to_delete(get, path, how):
    answer = get("DELETE", path, **how)
    assert (answer.status, answer.json()) == (200, SUCCESS)
    is_refused(get("GET", path), NO_USER)


# --- decoration ---------------------------------------------------------------------------


def test_the_client_switches_actions_off_and_bare_http_does_not(get, world, path, user):
    assert "_actions" not in world.get_user(user["id"])
    body = get("GET", path).json()
    assert set(body["_actions"]) == {"get", "patch", "delete"}
    assert body["_actions"]["get"]["href"] == world.url + path
    assert body["_actions"]["patch"]["method"] == "PATCH"
    assert body["_links"] == {"self": {"href": world.url + path}}


@pytest.mark.parametrize("value", ["true", "1", "yes", 1, ""])
def test_what_is_true(world, user, value):
    body = world.get_user(user["id"], _actions=value, _links=value)
    assert "_actions" in body
    assert "_links" in body


# Python's own `True` is sent as `True`, which is not one of the three words.
@pytest.mark.parametrize("value", [True, False, "True", "TRUE", "false", "0", "no", "on"])
def test_what_is_false(world, user, value):
    body = world.get_user(user["id"], _actions=value, _links=value)
    assert "_actions" not in body
    assert "_links" not in body
    assert body["_type"] == "experienceUser"


def test_the_actions_are_those_that_the_token_may_do(world, user):
    reader = world.client("all.Application.read")
    ids = {"applicationId": world.app, "experienceUserId": user["id"]}
    assert set(reader.experience_user.get(**ids, _actions="true")["_actions"]) == {"get"}


# --- headers ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["^0.1.0", "^1.20.1", "^1.31.0", "^99.0.0", "banana", ""])
def test_any_version_is_accepted(get, path, version):
    assert get("GET", path, Accept_Version=version).status == 200


def test_a_domain_is_accepted(world, user):
    assert world.get_user(user["id"], losantdomain="example.com") == user


def test_the_headers_of_an_answer(get, path):
    answer = get("GET", path)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Request-Id"] != get("GET", path).headers["X-Request-Id"]


def test_a_401_says_how_to_authenticate(server, world, path):
    answer = raw(server, "GET", world.url + path, token="nonsense")
    is_refused(answer, BAD_TOKEN)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


# --- tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "JWT", "jwt"])
def test_the_schemes(server, get, path, scheme):
    header = f"{scheme} {server.quickstart['token']}"
    assert get("GET", path, token=None, Authorization=header).status == 200


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "nonsense", ""])
def test_another_scheme_is_no_token(server, world, path, header):
    is_refused(raw(server, "GET", world.url + path, Authorization=header), FORBIDDEN)


@pytest.mark.parametrize("name", ["access_token", "jwt"])
def test_a_token_in_the_query_wins_over_the_header(server, get, path, name):
    good = server.quickstart["token"]
    assert get("GET", f"{path}?{name}={good}", token="nonsense").status == 200
    is_refused(get("GET", f"{path}?{name}=nonsense", token=good), BAD_TOKEN)


# --- routes -------------------------------------------------------------------------------


def test_a_trailing_slash(get, path, user):
    assert get("GET", path + "/").json()["id"] == user["id"]
    assert get("GET", "/experience/users/").status == 200


@pytest.mark.parametrize("unknown", ["/some/path", "/devices", "/applications/x/y/z/w"])
def test_an_unknown_route(server, unknown):
    is_refused(raw(server, "GET", unknown), no_route(unknown))
    # Also with a token that is none: there is nothing here that could be forbidden.
    is_refused(raw(server, "GET", unknown, token="nonsense"), no_route(unknown))


def test_a_resource_of_the_platform_that_is_not_here(get, world):
    is_refused(get("GET", "/devices"), no_route(f"{world.url}/devices"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/device"),
        ("POST", "/auth/user/github"),
        ("POST", "/auth/user/saml"),
        ("POST", "/me/delete"),
        ("GET", "/me/recentItems"),
        ("POST", "/me/recentItems"),
        ("PATCH", "/me/disconnectGithub"),
        ("PATCH", "/me/generateTwoFactorAuth"),
        ("PATCH", "/me/enableTwoFactorAuth"),
        ("PATCH", "/me/disableTwoFactorAuth"),
        ("GET", "/me/invites"),
        ("PATCH", "/me/transferResources"),
        ("POST", "/me/verify-email"),
        ("GET", "/me/deviceCounts"),
        ("GET", "/me/notebookMinuteCounts"),
        ("GET", "/me/payloadCounts"),
        ("GET", "/me/payloadCountsBreakdown"),
    ],
)
def test_an_action_of_the_platform_that_is_not_here(server, method, path):
    body = {} if method == "GET" else {"json_body": {}}
    answer = raw(server, method, path, token=server.quickstart["token"], **body)
    is_refused(answer, no_route(path))


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_application_has_no_readme(get, world, method):
    body = {} if method == "GET" else {"json_body": {}}
    is_refused(get(method, "/readme", **body), no_route(f"{world.url}/readme"))


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_method_that_is_not_there(get, path, method):
    is_refused(get(method, path, json_body={}), no_method(method))


def test_what_a_machine_asks_first(server):
    assert raw(server, "GET", "/healthz").status == 200
    assert raw(server, "GET", "/readyz").status == 200
    assert raw(server, "GET", "/").json()
    assert "/applications/{applicationId}/experience/users" in (
        raw(server, "GET", "/openapi.json").json()["paths"]
    )


# --- CORS ---------------------------------------------------------------------------------


def test_preflight(server, world, path):
    answer = raw(
        server,
        "OPTIONS",
        world.url + path,
        Origin="https://shop.example",
        Access_Control_Request_Method="PATCH",
        Access_Control_Request_Headers="authorization,content-type",
    )
    assert (answer.status, answer.body) == (204, b"")
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == "https://shop.example"
    methods = {method.strip() for method in headers["Access-Control-Allow-Methods"].split(",")}
    assert methods >= {"GET", "POST", "PATCH", "DELETE"}
    allowed = {name.strip().lower() for name in headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"accept", "content-type", "authorization", "accept-version", "losantdomain"}
    assert headers["Access-Control-Max-Age"] == "86400"
    assert "origin" in headers["Vary"].lower()


def test_an_answer_to_another_origin(get, path):
    with_origin = get("GET", path, Origin="https://shop.example")
    assert with_origin.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert get("GET", path).headers["Access-Control-Allow-Origin"] == "*"


def test_an_error_to_another_origin(server, world, path):
    answer = raw(server, "GET", world.url + path, Origin="https://shop.example")
    is_refused(answer, FORBIDDEN)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"


# --- bodies -------------------------------------------------------------------------------


def test_malformed_json(get, path):
    for body in (b'{"firstName": ', b"not json", b'{"a":1}}', b"\xff\xfe"):
        answer = get("PATCH", path, body=body, Content_Type="application/json")
        is_error(answer, 400, "Validation")
        assert answer.json()["message"].startswith("Invalid JSON")


def test_a_compressed_request(get, path):
    body = gzip.compress(json.dumps({"firstName": "Ada"}).encode())
    answer = get("PATCH", path, body=body, Content_Type="application/json", Content_Encoding="gzip")
    assert (answer.status, answer.json()["firstName"]) == (200, "Ada")


def test_a_request_compressed_in_another_way(get, path):
    how = {"Content_Type": "application/json", "Content_Encoding": "br"}
    is_error(get("PATCH", path, body=b"{}", **how), expected.BAD_MEDIA_TYPE)


def test_a_body_of_another_type(get, path):
    answer = get("PATCH", path, body=b"firstName: Ada", Content_Type="application/yaml")
    is_error(answer, expected.BAD_MEDIA_TYPE)


def test_a_compressed_answer(world, get):
    for _ in range(20):
        world.user()
    plain = get("GET", "/experience/users")
    packed = get("GET", "/experience/users", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert json.loads(gzip.decompress(packed.body)) == plain.json()


def test_a_body_that_is_too_large(world, user):
    with pytest.raises(losant_rest.LosantError) as caught:
        world.patch_user(user["id"], firstName="x" * (1024 * 1024))
    error = caught.value
    assert (error.status, error.data["type"]) == expected.PAYLOAD_TOO_LARGE
    assert error.data["message"]
    assert world.get_user(user["id"]) == user


def test_a_malformed_path_and_query(server, world):
    is_error(raw(server, "GET", world.url + "/experience/users?filter=%zz"), 400)
    is_error(raw(server, "GET", "/applications/%zz"), 400)


# --- validators ---------------------------------------------------------------------------


def test_every_single_resource_has_a_strong_etag(get, server, path):
    seen = set()
    for where in ("", path):
        tag = get("GET", where).headers["ETag"]
        assert tag.startswith('"') and tag.endswith('"')
        seen.add(tag)
    seen.add(raw(server, "GET", "/me", token=server.quickstart["token"]).headers["ETag"])
    assert len(seen) == 3


def test_if_none_match(get, path):
    tag = get("GET", path).headers["ETag"]
    same = get("GET", path, If_None_Match=tag)
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag)
    assert get("GET", path, If_None_Match=f'"other", {tag}').status == 304
    assert get("GET", path, If_None_Match=f"W/{tag}").status == 304
    assert get("GET", path, If_None_Match="*").status == 304
    assert get("GET", path, If_None_Match='"other"').status == 200
    changed = get("PATCH", path, json_body={"firstName": "Ada"})
    assert changed.headers["ETag"] != tag
    assert get("GET", path, If_None_Match=tag).headers["ETag"] == changed.headers["ETag"]


def test_if_match(get, path):
    tag = get("GET", path).headers["ETag"]
    first = get("PATCH", path, json_body={"firstName": "Ada"}, If_Match=tag)
    assert first.status == 200
    second = get("PATCH", path, json_body={"firstName": "Grace"}, If_Match=tag)
    is_error(second, *expected.PRECONDITION_FAILED)
    assert get("GET", path).json()["firstName"] == "Ada"
    is_error(get("DELETE", path, If_Match=tag), *expected.PRECONDITION_FAILED)
    assert get("PATCH", path, json_body={}, If_Match="*").status == 200
    assert get("DELETE", path, If_Match=first.headers["ETag"]).status == 200


def test_if_match_of_what_is_not_there(get):
    gone = f"/experience/users/{NOTHING}"
    is_refused(get("PATCH", gone, json_body={}, If_Match='"x"'), NO_USER)


# --- idempotency --------------------------------------------------------------------------


def test_a_repeated_post_is_answered_again(get, world):
    new = {"email": "once@example.com", "password": "correct horse"}
    first = get("POST", "/experience/users", json_body=new, Idempotency_Key="post-1")
    again = get("POST", "/experience/users", json_body=new, Idempotency_Key="post-1")
    assert (first.status, again.status) == (201, 201)
    assert again.json() == first.json()
    assert world.users()["totalCount"] == 1
    # Without the key it is a new request.
    assert get("POST", "/experience/users", json_body=new).status == 409


def test_a_repeated_patch_is_answered_again(get, path):
    first = get("PATCH", path, json_body={"firstName": "Ada"}, Idempotency_Key="patch-1")
    get("PATCH", path, json_body={"firstName": "Grace"})
    again = get("PATCH", path, json_body={"firstName": "Ada"}, Idempotency_Key="patch-1")
    assert again.json() == first.json()
    assert get("GET", path).json()["firstName"] == "Grace"


def test_a_repeated_delete_is_answered_again(get, path):
    assert get("DELETE", path, Idempotency_Key="delete-1").json() == SUCCESS
    assert get("DELETE", path, Idempotency_Key="delete-1").json() == SUCCESS
    is_refused(get("DELETE", path, Idempotency_Key="delete-2"), NO_USER)


def test_a_key_is_for_one_request(get, path, world):
    get("PATCH", path, json_body={"firstName": "Ada"}, Idempotency_Key="key")
    other = get("PATCH", path, json_body={"firstName": "Grace"}, Idempotency_Key="key")
    is_error(other, expected.KEY_REUSED)
    assert get("GET", path).json()["firstName"] == "Ada"


# --- errors as the client shows them ------------------------------------------------------


def test_the_error_of_the_client(world):
    with refused(NO_USER) as caught:
        world.get_user(NOTHING)
    assert str(caught.value) == (
        "404 {'type': 'NotFound', 'message': 'Experience user was not found'}"
    )


def test_a_failing_request_writes_nothing(world, user):
    with refused(validation("experienceUser.foo is an additional property")):
        world.patch_user(user["id"], firstName="Ada", foo=1)
    assert world.get_user(user["id"]) == user
