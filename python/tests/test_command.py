"""The command that the package brings, in the environment that it is in or in another."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

import guestlist

COMMAND = os.environ.get("GUESTLIST_COMMAND") or pathlib.Path(sys.executable).with_name("guestlist")


def run(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=60)


def test_it_is_the_command():
    assert run("--version").stdout == f"guestlist {guestlist.__version__}\n"
    wrong = run("serve", "--nothing")
    assert wrong.returncode == 2 and "--nothing" in wrong.stderr
    missing = run("checksum", "--store", "none.db")
    assert missing.returncode == 1 and "there is no store at none.db" in missing.stderr


def test_a_whole_first_minute(tmp_path):
    arguments = [COMMAND, "quickstart", "--listen", "127.0.0.1:0", "--store", "a.db", "--json"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        try:
            demo = json.loads(server.stdout.readline())
            users = f"/applications/{demo['applicationId']}/experience/users"
            client = guestlist.Client(auth_token=demo["token"], url=demo["url"])
            listed = client.experience_users.get(applicationId=demo["applicationId"])
            assert listed["totalCount"] == 4, users
        finally:
            # As Ctrl-C has it.
            server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0
