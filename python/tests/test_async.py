"""The client for asyncio."""

from __future__ import annotations

import asyncio
import time

import pytest

import guestlist
from guestlist import AsyncClient


def test_it_does_what_the_other_does(guestlist_server, user):
    async def work():
        async with guestlist_server.async_client() as client:
            read, etag = await client.experience_user.get_with_etag(**user)
            changed = await client.experience_user.patch(
                **user, experienceUser={"firstName": "Ada"}, if_match=etag
            )
            assert changed["firstName"] == "Ada"
            with pytest.raises(guestlist.GuestlistError) as stale:
                await client.experience_user.delete(**user, if_match=etag)
            assert stale.value.status == 412
            found = client.experience_users.iterate(applicationId=user["applicationId"])
            assert [one["id"] async for one in found] == [read["id"]]
            assert await client.experience_user.delete(**user) == {"success": True}
            assert await client.request("GET", "/me") == await client.me.get(_actions=True)
            assert await client.auth.sso_domain(email="a@example.com") == ""
            with pytest.raises(guestlist.MissingArgument):
                await client.experience_user.get()
        with pytest.raises(ValueError, match="closed"):
            await client.me.get()

    asyncio.run(work())


def test_many_wait_at_once(guestlist_server, user):
    guestlist_server.faults.delay(1, times=20)

    async def work():
        async with guestlist_server.async_client() as client:
            calls = [client.experience_user.get(**user) for _ in range(20)]
            return await asyncio.gather(*calls)

    begun = time.monotonic()
    assert [one["id"] for one in asyncio.run(work())] == [user["experienceUserId"]] * 20
    # One after the other would take twenty seconds.
    assert time.monotonic() - begun < 15


def test_a_cancelled_call_is_let_go(guestlist_server, user):
    async def work():
        async with guestlist_server.async_client() as client:
            guestlist_server.faults.delay(120)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.experience_user.get(**user), 0.2)
            # The client is as good as before.
            return await client.experience_user.get(**user)

    begun = time.monotonic()
    assert asyncio.run(work())["id"] == user["experienceUserId"]
    assert time.monotonic() - begun < 60


def test_a_loop_that_ends_first_is_no_trouble(guestlist_server, user, capfd):
    guestlist_server.faults.delay(0.2)

    async def work():
        client = guestlist_server.async_client()
        asyncio.ensure_future(client.experience_user.get(**user))
        await asyncio.sleep(0.05)

    asyncio.run(work())
    time.sleep(0.4)
    assert capfd.readouterr().err == ""


def test_one_client_serves_several_loops(guestlist_server, user):
    client = guestlist_server.async_client()

    async def work():
        return await client.experience_user.get(**user)

    for _ in range(3):
        assert asyncio.run(work())["id"] == user["experienceUserId"]


def test_both_clients_have_the_same_actions():
    one, other = guestlist.Client(), AsyncClient()
    resources = [name for name in vars(one) if not name.startswith("_")]
    assert resources and resources == [name for name in vars(other) if not name.startswith("_")]
    for name in resources:
        actions = [it for it in dir(getattr(one, name)) if not it.startswith("_")]
        assert actions == [it for it in dir(getattr(other, name)) if not it.startswith("_")]
