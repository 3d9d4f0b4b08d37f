"""A test with a server of its own. The fixtures come with the package."""

from __future__ import annotations

from people import rename

from guestlist import Client
from guestlist.testing import Server


def test_a_name_is_changed(guestlist_server: Server, guestlist_client: Client) -> None:
    application = guestlist_server.application_id
    made = guestlist_client.experience_users.post(
        applicationId=application,
        experienceUser={"email": "ada@example.com", "password": "correct horse"},
    )
    # The first change meets a server that is busy. The client tries again.
    guestlist_server.faults.unavailable(method="PATCH")
    changed = rename(guestlist_client, application, made["id"], "Ada")
    assert changed.get("firstName") == "Ada"
