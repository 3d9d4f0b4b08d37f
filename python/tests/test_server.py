"""The server inside a test."""

from __future__ import annotations

import gc
import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from guestlist.testing import PASSWORD, Server

import guestlist

MOMENT = datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)

SEED = {
    "groups": [{"name": "Staff"}],
    "users": [{"email": "ada@example.com", "groups": ["Staff"]}],
    "tokens": [{"name": "reader", "scope": ["all.Application.read"]}],
}


def test_what_it_has_at_first():
    with Server() as server:
        client = server.client()
        assert client.application.get(applicationId=server.application_id)["name"]
        assert client.experience_users.get(applicationId=server.application_id)["items"] == []
        signed_in = guestlist.Client(url=server.url).auth.authenticate_user(
            credentials={"email": server.email, "password": PASSWORD}
        )
        assert server.client(signed_in["token"]).me.get()["email"] == server.email
        mine = server.client(server.application_token).application
        assert mine.get(applicationId=server.application_id)["id"] == server.application_id


def test_each_is_alone():
    with Server() as one, Server() as other:
        assert one.url != other.url
        with pytest.raises(guestlist.GuestlistError):
            guestlist.Client(one.token, other.url).applications.get()


def test_it_starts_in_an_instant():
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        with Server() as server:
            times.append(time.perf_counter() - begun)
            assert server.url
    # 50 ms in a release build on a machine with nothing else to do; this is neither.
    assert sorted(times)[len(times) // 2] < 5


def test_a_seed(tmp_path):
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(SEED))
    for seed in (SEED, path, str(path)):
        with Server(seed=seed) as server:
            reader = server.client(server.seeded_token("reader"))
            [user] = reader.experience_users.iterate(applicationId=server.application_id)
            assert [group["name"] for group in user["experienceGroups"]] == ["Staff"]
            with pytest.raises(KeyError):
                server.seeded_token("writer")


def test_a_seed_that_is_not_good_is_named():
    with pytest.raises(ValueError, match=r"seed\.users\.0\.email must be email format"):
        Server(seed={"users": [{"email": "nobody"}]})


def test_the_clock(guestlist_server, guestlist_client):
    def created():
        made = guestlist_client.experience_groups.post(
            applicationId=guestlist_server.application_id, experienceGroup={"name": "x"}
        )
        return made["creationDate"]

    guestlist_server.clock.set(MOMENT)
    assert created() == "2030-01-02T03:04:05.678Z"
    assert guestlist_server.clock.now() == MOMENT
    guestlist_server.clock.advance(timedelta(hours=1))
    guestlist_server.clock.advance(0.322)
    assert created() == "2030-01-02T04:04:06.000Z"
    guestlist_server.clock.run()
    assert guestlist_server.clock.now() > MOMENT + timedelta(hours=1)
    guestlist_server.clock.reset()
    assert abs(guestlist_server.clock.now() - datetime.now(timezone.utc)) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="time zone"):
        guestlist_server.clock.set(MOMENT.replace(tzinfo=None))


def test_every_fault(guestlist_server, user):
    client, faults = guestlist_server.client(retries=0), guestlist_server.faults
    for add, status in [
        (faults.too_many_requests, 429),
        (faults.internal, 500),
        (faults.unavailable, 503),
    ]:
        add(method="GET", path="/applications")
        client.me.get()
        with pytest.raises(guestlist.GuestlistError) as refused:
            client.experience_user.get(**user)
        assert refused.value.status == status
    for add in (faults.drop_request, faults.drop_answer, faults.tear_answer):
        add()
        with pytest.raises(guestlist.RequestFailed):
            client.experience_user.get(**user)
    faults.delay(0.2)
    begun = time.monotonic()
    client.experience_user.get(**user)
    assert time.monotonic() - begun >= 0.2
    faults.internal(times=5)
    assert faults.left == 5
    faults.clear()
    assert client.experience_user.get(**user)


def test_it_remembers_requests(guestlist_server, guestlist_client):
    guestlist_client.me.get()
    seen = guestlist_server.requests[-1]
    assert (seen.method, seen.path, seen.status) == ("GET", "/me", 200)
    assert seen.time.tzinfo is timezone.utc


def test_it_can_be_made_as_it_was(guestlist_server, guestlist_client, user):
    guestlist_server.reset()
    with pytest.raises(guestlist.GuestlistError) as gone:
        guestlist_client.experience_user.get(**user)
    assert gone.value.message == "Experience user was not found"


def test_more_applications(guestlist_server):
    application, token = guestlist_server.new_application("Other")
    found = guestlist_server.client(token).application.get(applicationId=application)
    assert found["name"] == "Other"


def test_it_ends_with_the_object():
    server = Server()
    client = server.client(retries=0)
    client.me.get()
    del server
    gc.collect()
    with pytest.raises(guestlist.RequestFailed):
        client.me.get()


def test_a_stopped_server_says_so():
    server = Server()
    server.stop()
    server.stop()
    with pytest.raises(ValueError, match="stopped"):
        _ = server.token


EXAMPLE = """
import pytest

@pytest.mark.parametrize("number", range(100))
def test_mine(number, guestlist_server, guestlist_client):
    users = guestlist_client.experience_users
    app = guestlist_server.application_id
    # Nobody else's users are here.
    assert users.get(applicationId=app)["totalCount"] == 0
    users.post(
        applicationId=app,
        experienceUser={"email": "ada@example.com", "password": "correct horse"},
    )
    assert users.get(applicationId=app)["totalCount"] == 1
"""


def test_a_hundred_tests_with_a_server_each(pytester):
    """As a suite of its own, that has nothing but the installed package."""
    pytester.makepyfile(EXAMPLE)
    begun = time.monotonic()
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    took = time.monotonic() - begun
    result.assert_outcomes(passed=100)
    # 3 s in a release build on a machine with nothing else to do; this is neither.
    assert took < 100, f"{took:.1f} s"
