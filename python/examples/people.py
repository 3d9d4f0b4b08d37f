"""Typed from end to end: `mypy --strict` knows what goes in and what comes out."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from guestlist import Client, GuestlistError
from guestlist.types import ExperienceUser, ExperienceUserPatch


def members(client: Client, application: str, group: str) -> Iterator[str]:
    """The addresses of everybody in a group, or in one above it."""
    users = client.experience_users.iterate(
        applicationId=application,
        experienceGroupId=group,
        includeAncestorGroups=True,
        sortField="email",
    )
    for user in users:
        yield user["email"]


def rename(client: Client, application: str, user: str, first_name: str) -> ExperienceUser:
    """Changes a name, unless somebody else changes the user at the same time."""
    while True:
        read, etag = client.experience_user.get_with_etag(
            applicationId=application, experienceUserId=user
        )
        if read.get("firstName") == first_name or etag is None:
            return read
        change: ExperienceUserPatch = {"firstName": first_name}
        try:
            return client.experience_user.patch(
                applicationId=application,
                experienceUserId=user,
                experienceUser=change,
                if_match=etag,
            )
        except GuestlistError as error:
            if error.status != 412:
                raise


def main(url: str, token: str, application: str) -> None:
    with Client(token, url) as client:
        made = client.experience_users.post(
            applicationId=application,
            experienceUser={"email": "ada@example.com", "password": "correct horse"},
        )
        user = rename(client, application, made["id"], "Ada")
        print(user["id"], user.get("firstName"))
        group = client.experience_groups.post(
            applicationId=application,
            experienceGroup={"name": "Staff", "experienceUserIds": [user["id"]]},
        )
        for email in members(client, application, group["id"]):
            print(email)


if __name__ == "__main__":
    main(*sys.argv[1:4])
