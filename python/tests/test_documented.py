"""The examples of the documentation of `experienceUser`, as they are printed there."""

from __future__ import annotations

import losant_rest
import platform_double
import pytest
from guestlist.testing import Server

import guestlist

GET = """
result = client.experience_user.get(
    applicationId=my_application_id,
    experienceUserId=my_experience_user_id)

print(result)
"""

PATCH = """
result = client.experience_user.patch(
    applicationId=my_application_id,
    experienceUserId=my_experience_user_id,
    experienceUser=my_experience_user)

print(result)
"""

DELETE = """
result = client.experience_user.delete(
    applicationId=my_application_id,
    experienceUserId=my_experience_user_id)

print(result)
"""

PACKAGES = pytest.mark.parametrize("package", [guestlist, losant_rest], ids=lambda it: it.__name__)


def run(example, names, capsys):
    """Runs the example; gives its result, which it has printed."""
    names = dict(names)
    exec(example, names)
    assert capsys.readouterr().out == f"{names['result']}\n"
    return names["result"]


def run_all(names, capsys):
    """Runs the three. Nothing but their four names has to be defined."""
    patch = names["my_experience_user"]
    read = run(GET, names, capsys)
    assert type(read) is dict
    assert read["_type"] == "experienceUser"
    assert read["id"] == read["experienceUserId"] == names["my_experience_user_id"]
    assert "_actions" not in read
    assert set(read["_links"]) == {"self"}
    changed = run(PATCH, names, capsys)
    assert changed["firstName"] == patch["firstName"]
    assert set(changed) >= set(read)
    assert run(DELETE, names, capsys) == {"success": True}


@PACKAGES
def test_against_guestlist(package, capsys):
    with Server() as server:
        client = package.Client(auth_token=server.token, url=server.url)
        made = client.experience_users.post(
            applicationId=server.application_id,
            experienceUser={"email": "ada@example.com", "password": "correct horse"},
        )
        names = {
            "client": client,
            "my_application_id": server.application_id,
            "my_experience_user_id": made["experienceUserId"],
            "my_experience_user": {"firstName": "Ada", "userTags": {"role": "admin"}},
        }
        run_all(names, capsys)
        with pytest.raises(package.LosantError) as gone:
            exec(GET, names)
        assert gone.value.status == 404
        assert gone.value.data == {"type": "NotFound", "message": "Experience user was not found"}


@PACKAGES
def test_against_the_double_of_the_platform(package, capsys):
    double = platform_double.Double()
    names = {
        "client": package.Client(auth_token=platform_double.TOKEN, url=double.url),
        "my_application_id": platform_double.APPLICATION,
        "my_experience_user_id": platform_double.USER,
        "my_experience_user": {"firstName": "Ada"},
    }
    run_all(names, capsys)
    assert [sent.method for sent in double.sent] == ["GET", "PATCH", "DELETE"]
    double.stop()
