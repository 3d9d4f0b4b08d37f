"""What the client does with keywords, errors, conditions and retries, against the real server."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from datetime import datetime, timezone

import pytest

import guestlist
from guestlist import Client

MOMENT = datetime(2030, 1, 2, tzinfo=timezone.utc)


def test_the_url_is_that_of_the_environment_or_of_a_server_as_it_starts(monkeypatch):
    monkeypatch.delenv("GUESTLIST_URL", raising=False)
    assert Client().url == "http://127.0.0.1:8080"
    monkeypatch.setenv("GUESTLIST_URL", "http://127.0.0.1:9090")
    assert Client().url == "http://127.0.0.1:9090"
    assert Client(url="http://127.0.0.1:7070").url == "http://127.0.0.1:7070"


def test_a_token_is_not_shown():
    assert "secret" not in repr(Client("secret"))


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://name:word@127.0.0.1"])
def test_a_url_that_is_none_is_said_at_once(url):
    with pytest.raises(ValueError):
        Client(url=url)


def test_a_keyword_of_the_path_must_be_there(guestlist_client):
    for kind in (TypeError, KeyError, guestlist.MissingArgument):
        with pytest.raises(kind) as missing:
            guestlist_client.experience_user.get(applicationId="5" * 24)
        assert str(missing.value) == "experience_user.get() needs the keyword `experienceUserId`"


def test_a_keyword_that_is_not_known_is_named_with_the_nearest(guestlist_client):
    with pytest.raises(TypeError) as unknown:
        guestlist_client.experience_users.get(applicationId="5" * 24, perpage=3)
    assert str(unknown.value) == (
        "experience_users.get() has no keyword `perpage`: did you mean `perPage`?"
    )
    with pytest.raises(TypeError, match="it takes .*_actions.*applicationId"):
        guestlist_client.experience_user.get(zzz=1)
    # A condition is for changes.
    with pytest.raises(TypeError, match="no keyword `if_match`"):
        guestlist_client.experience_user.get(if_match="x")


def test_unknown_keywords_are_passed_over_where_that_is_asked_for(guestlist_server, user):
    client = guestlist_server.client(strict=False)
    assert client.experience_user.get(**user, perpage=3)["id"] == user["experienceUserId"]


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_what_would_make_another_path_is_refused(guestlist_client, user, text):
    """An empty user id would read the list of users, and `..` something else again."""
    with pytest.raises(ValueError, match="experienceUserId"):
        guestlist_client.experience_user.get(**{**user, "experienceUserId": text})


def test_an_id_is_encoded(guestlist_client, user, guestlist_server):
    with pytest.raises(guestlist.GuestlistError) as refused:
        guestlist_client.experience_user.get(**{**user, "experienceUserId": "a/b?c#d"})
    assert refused.value.message == "experienceUserId pattern mismatch"
    assert guestlist_server.requests[-1].path.endswith("/a%2Fb%3Fc%23d")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ({"tokenCutoff": MOMENT}, TypeError, "experienceUser.tokenCutoff is a datetime"),
        ({"userTags": {1: "x"}}, TypeError, "experienceUser.userTags is a dict with a key"),
        ({"list": [{"x"}]}, TypeError, "experienceUser.list.0 is a set"),
        ({"x": float("nan")}, ValueError, "experienceUser.x is nan"),
        ({"x": 2**64}, TypeError, "experienceUser.x is an int of more than 64 bits"),
    ],
)
def test_what_is_not_json_is_named(guestlist_client, user, value, kind, text):
    with pytest.raises(kind) as wrong:
        guestlist_client.experience_user.patch(**user, experienceUser=value)
    assert str(wrong.value).startswith(text)


def test_a_value_that_holds_itself_is_refused(guestlist_client, user):
    loop: dict[str, object] = {}
    loop["loop"] = loop
    with pytest.raises(ValueError, match="deep"):
        guestlist_client.experience_user.patch(**user, experienceUser=loop)


def test_values_of_every_kind_go_there_and_back(guestlist_server):
    client, app = guestlist_server.client(), guestlist_server.application_id
    tags = {"ü\u2028\"\\\x7f": None, "a": None}
    with pytest.raises(guestlist.GuestlistError):
        client.application.patch(applicationId=app, application=tags)
    changed = client.application.patch(
        applicationId=app,
        application={
            "name": 'ünï "quoted" \\ \U0001f600 \u2028',
            "endpointDefaultCors": True,
            "blobUrlTTL": 3600.5,
            "globals": ({"key": "k", "json": "[1, 2]", "cloudOnly": False},),
        },
    )
    assert changed["name"] == 'ünï "quoted" \\ \U0001f600 \u2028'
    assert changed["endpointDefaultCors"] is True
    assert changed["blobUrlTTL"] == 3600.5
    assert changed["globals"] == [{"key": "k", "json": "[1, 2]", "cloudOnly": False}]
    assert type(changed["summary"]["experienceUserCount"]) is int
    groups = client.experience_groups.post(applicationId=app, experienceGroup={"name": "g"})
    assert groups["parentId"] is None


def test_an_error_can_be_taken_apart(guestlist_client, user):
    with pytest.raises(guestlist.GuestlistError) as caught:
        guestlist_client.experience_user.patch(
            **user, experienceUser={"email": "no", "password": "short"}
        )
    error = caught.value
    assert (error.status, error.type) == (400, "Validation")
    assert error.fields == {
        "experienceUser.email": "must be email format",
        "experienceUser.password": "has less length than allowed",
    }
    assert str(error) == f"400 {error.data}"
    assert guestlist.LosantError is guestlist.GuestlistError
    with pytest.raises(guestlist.LosantError) as one:
        guestlist_client.experience_user.patch(**user, experienceUser={"email": "no"})
    assert one.value.fields == {"experienceUser.email": "must be email format"}
    copy = pickle.loads(pickle.dumps(one.value))
    assert (copy.status, copy.data) == (one.value.status, one.value.data)


def test_a_change_of_what_has_changed_is_refused(guestlist_client, user):
    read, etag = guestlist_client.experience_user.get_with_etag(**user)
    assert read["id"] == user["experienceUserId"]
    change = {"experienceUser": {"firstName": "Ada"}}
    guestlist_client.experience_user.patch(**user, **change, if_match=etag)
    with pytest.raises(guestlist.GuestlistError) as stale:
        guestlist_client.experience_user.delete(**user, if_match=etag)
    assert (stale.value.status, stale.value.type) == (412, "PreconditionFailed")


def test_a_key_makes_a_write_one_write(guestlist_server, guestlist_client):
    new = {
        "applicationId": guestlist_server.application_id,
        "experienceUser": {"email": "once@example.com", "password": "correct horse"},
    }
    first = guestlist_client.experience_users.post(**new, idempotency_key="one")
    assert guestlist_client.experience_users.post(**new, idempotency_key="one") == first
    with pytest.raises(guestlist.GuestlistError) as twice:
        guestlist_client.experience_users.post(**new)
    assert twice.value.status == 409


def test_what_passes_is_tried_again(guestlist_server, guestlist_client, user):
    guestlist_server.faults.unavailable(0, times=2)
    assert guestlist_client.experience_user.get(**user)["id"] == user["experienceUserId"]
    guestlist_server.faults.drop_answer(method="PATCH")
    changed = guestlist_client.experience_user.patch(**user, experienceUser={"firstName": "Ada"})
    assert changed["firstName"] == "Ada"
    assert guestlist_server.faults.left == 0
    patches = [seen.status for seen in guestlist_server.requests if seen.method == "PATCH"]
    assert patches == [None, 200]


def test_a_write_without_a_key_is_sent_once(guestlist_server, user):
    for options in ({"idempotency_keys": False}, {"retries": 0}):
        client = guestlist_server.client(**options)
        for fault, error in [
            (guestlist_server.faults.unavailable, guestlist.GuestlistError),
            (guestlist_server.faults.drop_answer, guestlist.ConnectionFailed),
        ]:
            before = len(guestlist_server.requests)
            fault()
            with pytest.raises(error):
                client.experience_user.patch(**user, experienceUser={"firstName": "A"})
            assert len(guestlist_server.requests) == before + 1


def test_how_long_to_wait_is_in_the_error(guestlist_server, user):
    guestlist_server.faults.too_many_requests(7)
    with pytest.raises(guestlist.GuestlistError) as busy:
        guestlist_server.client(retries=0).experience_user.get(**user)
    assert (busy.value.status, busy.value.retry_after) == (429, 7.0)


def test_an_answer_that_is_late_is_given_up(guestlist_server, user):
    guestlist_server.faults.delay(120, times=2)
    begun = time.monotonic()
    with pytest.raises(guestlist.TimedOut):
        guestlist_server.client(retries=0, timeout=0.2).experience_user.get(**user)
    with pytest.raises(TimeoutError):
        guestlist_server.client().experience_user.get(**user, timeout=0.2)
    assert time.monotonic() - begun < 60
    assert guestlist_server.client(timeout=None).experience_user.get(**user, timeout=None)
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError):
            Client(timeout=wrong)


def test_a_server_that_is_not_there(guestlist_server, user):
    client = guestlist_server.client(retries=0)
    guestlist_server.stop()
    for kind in (guestlist.ConnectionFailed, ConnectionError, OSError):
        with pytest.raises(kind):
            client.experience_user.get(**user)


def test_a_closed_client_says_so(guestlist_server, user):
    with guestlist_server.client() as client:
        client.experience_user.get(**user)
    with pytest.raises(ValueError, match="closed"):
        client.experience_user.get(**user)


def test_what_has_no_action_can_be_sent(guestlist_client, user):
    path = "/applications/{applicationId}/experience/users".format(**user)
    found = guestlist_client.request("get", path, {"perPage": 1, "_actions": False, "page": None})
    assert found["perPage"] == 1
    made = guestlist_client.request(
        "POST",
        path,
        headers={"Idempotency-Key": "k"},
        body={"email": "b@example.com", "password": "correct horse"},
    )
    assert made["email"] == "b@example.com"
    assert guestlist_client.request("GET", "/healthz") is not None
    with pytest.raises(ValueError):
        guestlist_client.request("GET", "no/slash")


def test_a_list_is_gone_through_to_its_end(guestlist_server, guestlist_client):
    app = guestlist_server.application_id
    for number in range(7):
        guestlist_client.experience_groups.post(
            applicationId=app, experienceGroup={"name": f"g{number}"}
        )
    groups = guestlist_client.experience_groups.iterate(applicationId=app, perPage=3)
    assert [group["name"] for group in groups] == [f"g{number}" for number in range(7)]
    later = guestlist_client.experience_groups.iterate(applicationId=app, perPage=3, page="1")
    assert [group["name"] for group in later] == [f"g{number}" for number in range(3, 7)]
    numbered = guestlist_client.experience_groups.iterate(
        applicationId=app, perPage=3, _links=False
    )
    assert [group["name"] for group in numbered] == [f"g{number}" for number in range(7)]


def test_users_are_searched_for(guestlist_client, user):
    of = {"applicationId": user["applicationId"]}
    for name in ("Ada Lovelace", "Grace Hopper", "Alan Turing"):
        first, last = name.split()
        person = {"email": f"{first}@example.org", "password": "correct horse"}
        person |= {"firstName": first, "lastName": last}
        guestlist_client.experience_users.post(**of, experienceUser=person)
    users = guestlist_client.experience_users
    found = users.get(**of, search="LACE ada", sortField="id")
    assert (found["search"], found["totalCount"]) == ("LACE ada", 1)
    assert [one["firstName"] for one in users.iterate(**of, search="example.org", perPage=1)] == [
        *["Ada", "Alan", "Grace"],
    ]


def test_what_comes_and_goes_moves_nothing_in_a_list(guestlist_server, guestlist_client):
    app = guestlist_server.application_id
    groups, of = guestlist_client.experience_groups, {"applicationId": app}
    made = [groups.post(**of, experienceGroup={"name": f"g{number}"}) for number in range(7)]
    seen = []
    for group in groups.iterate(**of, perPage=2):
        seen.append(group["name"])
        # Everything that was seen goes, also what the next page is said to come after.
        guestlist_client.experience_group.delete(**of, experienceGroupId=group["id"])
        groups.post(**of, experienceGroup={"name": "a"})
    assert seen == [group["name"] for group in made]
    page = groups.get(**of, perPage=2)
    cursor = page["_links"]["next"]["href"].rpartition("cursor=")[2]
    assert len(list(groups.iterate(**of, perPage=2, cursor=cursor))) == 5
    # A cursor goes back too, and a walk that begins with it goes on from there.
    after = groups.get(**of, perPage=2, cursor=cursor)
    back = after["_links"]["previous"]["href"].rpartition("cursor=")[2]
    before = groups.get(**of, perPage=2, cursor=back)
    assert before["items"] == page["items"] and "previous" not in before["_links"]
    assert len(list(groups.iterate(**of, perPage=2, cursor=back))) == 7


def test_groups_are_read_without_their_members(guestlist_client, user):
    of, member = {"applicationId": user["applicationId"]}, user["experienceUserId"]
    groups = guestlist_client.experience_groups
    root = groups.post(**of, experienceGroup={"name": "r", "experienceUserIds": [member]})
    leaf = groups.post(**of, experienceGroup={"name": "l", "parentId": root["id"]})
    assert root["experienceUserIds"] == [member] and "directUserCount" not in root
    page = groups.get(**of, parentId="none", excludeMembers=True)
    assert [group["id"] for group in page["items"]] == [root["id"]]
    group = page["items"][0]
    assert (group["directUserCount"], group["hasChildren"]) == (1, True)
    assert "experienceUserIds" not in group and "deviceIds" not in group
    below = groups.iterate(**of, parentId=root["id"], excludeMembers=True)
    assert [group["id"] for group in below] == [leaf["id"]]
    one = guestlist_client.experience_group.get(
        **of, experienceGroupId=leaf["id"], excludeMembers=True
    )
    assert (one["directUserCount"], one["hasChildren"]) == (0, False)


def test_threads_share_a_client(guestlist_client, user):
    def work():
        for _ in range(25):
            got.append(guestlist_client.experience_user.get(**user)["id"])

    got: list[str] = []
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [user["experienceUserId"]] * 200


def test_other_threads_run_while_one_waits(guestlist_server, guestlist_client, user):
    guestlist_server.faults.delay(1)
    thread = threading.Thread(target=guestlist_client.experience_user.get, kwargs=user)
    thread.start()
    steps = 0
    while thread.is_alive():
        time.sleep(0.01)
        steps += 1
    # Were the interpreter held, this thread would not have taken one.
    assert steps > 5


def test_ctrl_c_ends_the_waiting(guestlist_server, guestlist_client, user):
    # Whoever starts the tests in the background of a shell has them ignore it, as their children do.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    guestlist_server.faults.delay(120)
    begun = time.monotonic()
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            guestlist_client.experience_user.get(**user)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < 60


def test_help_says_which_keywords_there_are():
    import inspect

    signature = inspect.signature(Client().experience_users.get)
    assert list(signature.parameters) == [
        *["applicationId", "sortField", "sortDirection", "page", "perPage", "cursor"],
        *["filterField", "filter", "experienceGroupId", "includeAncestorGroups", "search"],
        *["query", "more"],
    ]
