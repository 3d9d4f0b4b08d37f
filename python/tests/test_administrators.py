"""What administrators do to one another."""

from __future__ import annotations

import asyncio

import pytest
from guestlist.testing import PASSWORD

import guestlist


@pytest.fixture
def sign_in(guestlist_server):
    """Begins a session of the administrator, and gives a client with it."""

    def begin():
        stranger = guestlist.Client(url=guestlist_server.url)
        credentials = {"email": guestlist_server.email, "password": PASSWORD}
        session = stranger.auth.authenticate_user(credentials=credentials)
        return guestlist_server.client(session["token"])

    return begin


def test_administrators_are_read_and_changed(guestlist_server, guestlist_client):
    page = guestlist_client.administrators.get(
        sortField="email", filterField="email", filter=guestlist_server.email
    )
    (me,) = page["items"]
    assert (page["totalCount"], me["status"]) == (1, "active")
    assert [one["id"] for one in guestlist_client.administrators.iterate()] == [me["id"]]
    read, etag = guestlist_client.administrator.get_with_etag(administratorId=me["id"])
    assert (read["email"], bool(etag)) == (guestlist_server.email, True)
    new = {"password": "An0ther-password", "currentPassword": PASSWORD}
    changed = guestlist_client.administrator.patch(
        administratorId=me["id"], administrator={"status": "active"}, if_match=etag
    )
    assert changed["status"] == "active"
    with pytest.raises(guestlist.GuestlistError) as oneself:
        guestlist_client.administrator.delete(administratorId=me["id"])
    assert oneself.value.status == 400
    guestlist_client.administrator.patch(administratorId=me["id"], administrator=new)
    with pytest.raises(guestlist.GuestlistError) as inactive:
        guestlist_client.administrators.get()
    assert inactive.value.status == 401


def test_sessions_are_listed_and_ended(guestlist_client, sign_in):
    first, second = sign_in(), sign_in()
    me = first.me.get()["id"]
    of = {"administratorId": me}
    page = guestlist_client.administrator_sessions.get(**of, sortField="creationDate", perPage=1)
    assert (page["totalCount"], page["administratorId"]) == (2, me)
    ids = [one["id"] for one in guestlist_client.administrator_sessions.iterate(**of)]
    assert len(ids) == 2
    guestlist_client.administrator_session.delete(**of, sessionId=ids[0])
    with pytest.raises(guestlist.GuestlistError) as gone:
        guestlist_client.administrator_session.delete(**of, sessionId=ids[0])
    assert gone.value.status == 404
    assert guestlist_client.administrator_sessions.delete(**of) == {"success": True}
    for client in (first, second):
        with pytest.raises(guestlist.GuestlistError) as ended:
            client.me.get()
        assert ended.value.status == 401


def test_asyncio_has_the_same(guestlist_server, sign_in):
    me = sign_in().me.get()["id"]

    async def work():
        async with guestlist_server.async_client() as client:
            sessions = client.administrator_sessions.iterate(administratorId=me)
            (one,) = [session["id"] async for session in sessions]
            await client.administrator_session.delete(administratorId=me, sessionId=one)
            await client.administrator_sessions.delete(administratorId=me)
            assert [one["id"] async for one in client.administrators.iterate()] == [me]
            assert (await client.administrator.get(administratorId=me))["id"] == me

    asyncio.run(work())
