"""The examples run."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("name", ["people.py", "many_at_once.py"])
def test_it_runs(guestlist_server, guestlist_client, name):
    app = guestlist_server.application_id
    if name == "many_at_once.py":
        for number in range(30):
            guestlist_client.experience_users.post(
                applicationId=app,
                experienceUser={"email": f"u{number}@example.com", "password": "correct horse"},
            )
    done = subprocess.run(
        [sys.executable, "-B", EXAMPLES / name, guestlist_server.url, guestlist_server.token, app],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == (30 if name == "many_at_once.py" else 2)


def test_the_example_of_a_test(pytester):
    for name in ("people.py", "test_my_program.py"):
        pytester.path.joinpath(name).write_text((EXAMPLES / name).read_text())
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)
