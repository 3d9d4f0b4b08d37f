"""Against the double of the hosted platform: what is sent, and what is made of its answers."""

from __future__ import annotations

import json
import os

import losant_rest
import platform_double
import pytest
from platform_double import APPLICATION, TOKEN, USER, Answer

import guestlist

IDS = {"applicationId": APPLICATION, "experienceUserId": USER}


@pytest.fixture
def double():
    double = platform_double.Double()
    yield double
    double.stop()


@pytest.fixture
def client(double):
    with guestlist.Client(TOKEN, double.url, idempotency_keys=False) as client:
        yield client


def both(double, call):
    """What our client and the official one send for the same call."""
    for package in (guestlist, losant_rest):
        call(package.Client(auth_token=TOKEN, url=double.url))
    ours, theirs = double.sent
    return ours, theirs


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.experience_user.get(**IDS),
        lambda client: client.experience_user.get(**IDS, _actions="true", _links="false"),
        lambda client: client.experience_user.get(**IDS, losantdomain="example.com"),
        lambda client: client.experience_user.delete(**IDS),
        lambda client: client.experience_user.patch(**IDS, experienceUser={"firstName": "Ünï"}),
        lambda client: client.experience_users.get(
            applicationId=APPLICATION,
            sortField="lastName",
            sortDirection="desc",
            page=0,
            perPage="10",
            filterField="email",
            filter="my*user+1@example.com",
            experienceGroupId="any",
            includeAncestorGroups="true",
            query={"$or": [{"email": {"$startsWith": "a b"}}, {"userTags": {"key": "x"}}]},
        ),
        lambda client: client.experience_users.get(applicationId=APPLICATION, filter=None, page=1),
        lambda client: client.experience_users.post(
            applicationId=APPLICATION,
            experienceUser={"email": "a@example.com", "password": "correct horse"},
        ),
        lambda client: client.auth.sso_domain(email="a@example.com"),
    ],
)
def test_the_same_is_sent_as_by_the_official_client(double, call):
    ours, theirs = both(double, call)
    assert (ours.method, ours.path) == (theirs.method, theirs.path)

    def parameters(sent):
        # Another client may write the same JSON with other blanks.
        return {k: json.loads(v) if k == "query" else v for k, v in sent.query}

    assert parameters(ours) == parameters(theirs)
    assert len(ours.query) == len(theirs.query)
    assert (json.loads(ours.body) if ours.body else None) == (
        json.loads(theirs.body) if theirs.body else None
    )
    names = ["accept", "authorization", "losantdomain", "content-type"]
    for name in names:
        assert ours.headers.get(name) == theirs.headers.get(name), name
    assert ours.headers["accept-version"].startswith("^1.")


def test_the_switches_are_sent_by_default(double, client):
    client.experience_user.get(**IDS)
    assert double.sent[0].query == [
        ("_actions", "false"),
        ("_links", "true"),
        ("_embedded", "true"),
    ]


def test_a_truth_is_a_truth(double, client):
    """The official client sends `True`, which the platform takes for false."""
    client.experience_user.get(**IDS, _actions=True, _links=False)
    assert dict(double.sent[0].query)["_actions"] == "true"
    assert dict(double.sent[0].query)["_links"] == "false"


def test_a_connection_is_used_again(double, client):
    for _ in range(3):
        client.experience_user.get(**IDS)
    client.auth.sso_domain(email="a@example.com")
    assert len({sent.peer for sent in double.sent}) == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_uses_no_connection_of_its_parent(double, client):
    client.experience_user.get(**IDS)
    child = os.fork()
    if child == 0:
        # No exception may go on from here: pytest is above.
        status = 1
        try:
            if client.experience_user.get(**IDS)["id"] == USER:
                status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0
    client.experience_user.get(**IDS)
    before, its, after = [sent.peer for sent in double.sent]
    assert its != before == after


def test_no_content_is_an_empty_text(client):
    assert client.auth.sso_domain(email="a@example.com") == ""


def test_without_a_token_none_is_sent(double):
    with guestlist.Client(url=double.url) as client:
        client.auth.sso_domain(email="a@example.com")
    assert "authorization" not in double.sent[0].headers


def test_a_token_can_be_set_later(double):
    with guestlist.Client(url=double.url) as client:
        with pytest.raises(guestlist.LosantError) as refused:
            client.experience_user.get(**IDS)
        assert refused.value.message == "Invalid access token"
        client.auth_token = TOKEN
        assert client.auth_token == TOKEN
        assert client.experience_user.get(**IDS)["id"] == USER


@pytest.mark.parametrize(
    ("answer", "data", "kind", "message"),
    [
        (
            Answer(404, {"type": "NotFound", "message": "Application was not found"}),
            {"type": "NotFound", "message": "Application was not found"},
            "NotFound",
            "Application was not found",
        ),
        (
            Answer(400, {"code": "InvalidContent", "message": "Invalid JSON: x"}),
            {"code": "InvalidContent", "message": "Invalid JSON: x"},
            "InvalidContent",
            "Invalid JSON: x",
        ),
        (
            Answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
            "<html>Bad Gateway</html>",
            None,
            "<html>Bad Gateway</html>",
        ),
        (Answer(413, b""), "", None, ""),
        (Answer(500, b"null"), None, None, ""),
        (Answer(500, b"[1]"), [1], None, ""),
    ],
)
def test_an_error_has_what_the_answer_has(double, answer, data, kind, message):
    double.answers = [answer]
    with guestlist.Client(TOKEN, double.url, retries=0) as client:
        with pytest.raises(guestlist.GuestlistError) as caught:
            client.experience_user.get(**IDS)
    error = caught.value
    assert (error.status, error.data) == (answer.status, data)
    assert (error.type, error.message, error.retry_after) == (kind, message, None)
    assert error.args == (answer.status, data)


def test_an_answer_that_is_not_json_is_its_text(double, client):
    double.answers = [Answer(200, b"plain", {"Content-Type": "text/plain"})]
    assert client.experience_user.get(**IDS) == "plain"


def test_a_list_is_gone_through_page_by_page(double, client):
    double.users = [platform_double.user(email=f"u{n}@example.com") for n in range(7)]
    found = client.experience_users.iterate(applicationId=APPLICATION, perPage=3, sortField="id")
    assert [one["email"] for one in found] == [f"u{n}@example.com" for n in range(7)]
    assert [dict(sent.query)["page"] for sent in double.sent] == ["0", "1", "2"]
    assert all(dict(sent.query)["sortField"] == "id" for sent in double.sent)


def test_a_list_that_ends_with_a_page_asks_for_no_other(double, client):
    double.users = [platform_double.user() for _ in range(6)]
    assert len(list(client.experience_users.iterate(applicationId=APPLICATION, perPage=3))) == 6
    assert len(double.sent) == 2


def test_a_write_is_sent_once_where_no_key_is_known(double, client):
    busy = Answer(503, {"type": "ServiceUnavailable", "message": ""})
    for answer in (busy, Answer(0, silent=True)):
        double.sent.clear()
        double.answers = [answer]
        with pytest.raises((guestlist.GuestlistError, guestlist.RequestFailed)):
            client.experience_user.patch(**IDS, experienceUser={"firstName": "A"})
        assert len(double.sent) == 1
        assert "idempotency-key" not in double.sent[0].headers


def test_a_read_is_sent_again(double, client):
    double.answers = [
        Answer(503, {"type": "ServiceUnavailable", "message": ""}),
        Answer(0, silent=True),
    ]
    assert client.experience_user.get(**IDS)["id"] == USER
    assert len(double.sent) == 3


def test_the_platform_itself_is_sent_no_keys():
    """By its name: there is nothing to be sent to here."""
    for url, sends in [
        ("https://api.losant.com", False),
        ("https://API.LOSANT.COM/v1", False),
        ("https://losant.com.example.com", True),
        ("http://127.0.0.1:1", True),
    ]:
        assert guestlist.Client(TOKEN, url).sends_idempotency_keys is sends, url
    told = guestlist.Client(url="https://api.losant.com", idempotency_keys=True)
    assert told.sends_idempotency_keys
