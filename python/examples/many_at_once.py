"""Reads all users of an application, and then each of them, many at once."""

from __future__ import annotations

import asyncio
import sys

from guestlist import AsyncClient
from guestlist.types import ExperienceUser


async def read_all(client: AsyncClient, application: str) -> list[ExperienceUser]:
    """Every user, read for itself, at most 20 at a time."""
    turns = asyncio.Semaphore(20)

    async def read(user: str) -> ExperienceUser:
        async with turns:
            return await client.experience_user.get(
                applicationId=application, experienceUserId=user
            )

    found = client.experience_users.iterate(applicationId=application)
    return await asyncio.gather(*[read(user["id"]) async for user in found])


async def main(url: str, token: str, application: str) -> None:
    async with AsyncClient(token, url) as client:
        for user in await read_all(client, application):
            print(user["id"], user["email"])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
