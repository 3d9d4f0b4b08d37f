"""What the tests of the package are given."""

from __future__ import annotations

import os

import pytest

# A proxy of the machine must not see requests to this one.
os.environ["NO_PROXY"] = "*"

pytest_plugins = ["pytester"]


@pytest.fixture
def user(guestlist_server, guestlist_client):
    """A user, and the keywords that name it."""
    made = guestlist_client.experience_users.post(
        applicationId=guestlist_server.application_id,
        experienceUser={"email": "ada@example.com", "password": "correct horse"},
    )
    return {
        "applicationId": guestlist_server.application_id,
        "experienceUserId": made["experienceUserId"],
    }
