"""A Guestlist server for the tests, and what the tests ask of it besides the official client."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import losant_rest
import pytest

import expected

# Generous: the first start of a server hashes the passwords of its demo users.
START_SECONDS = 90
STOP_SECONDS = 15


class Server:
    """The server binary, on a port and with a store of its own."""

    def __init__(self, directory: pathlib.Path):
        self.binary = os.environ.get("GUESTLIST_BIN")
        if not self.binary:
            pytest.exit("GUESTLIST_BIN must name the guestlist binary", returncode=2)
        self.store = directory / "guestlist.db"
        self.log = directory / "server.log"
        self._lines: queue.Queue[str | None] = queue.Queue()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [self.binary, "quickstart", "--json"]
                + ["--listen", "127.0.0.1:0", "--store", str(self.store)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        # A thread, so that a server that says nothing is a failure and not a hang.
        threading.Thread(target=self._read, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        self.quickstart = json.loads(self._line(deadline))
        while not json.loads(self._line(deadline)).get("ready"):
            pass
        self.url = self.quickstart["url"].rstrip("/")

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _line(self, deadline: float) -> str:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            line = None
        if line is None:
            self._process.kill()
            raise RuntimeError(f"the server did not start; its log ends\n{self.log_tail()}")
        return line

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """Ends the server as an operator does, and expects it to end well."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        if status != 0:
            raise RuntimeError(f"the server ended with {status}; its log ends\n{self.log_tail()}")

    def admin_create(self, email: str, password: str) -> dict:
        """Makes an administrator on the command line, beside the running server."""
        made = subprocess.run(
            [self.binary, "admin", "create", "--email", email]
            + ["--store", str(self.store), "--json"],
            input=password + "\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)

    def client(self, token: str | None = None) -> losant_rest.Client:
        """The official client, with nothing changed but the URL and the token."""
        return losant_rest.Client(auth_token=token, url=self.url)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        assert self.headers["Content-Type"] == "application/json", self.headers["Content-Type"]
        return json.loads(self.body)


def raw(server: Server, method: str, path: str, *, token=None, json_body=None, body=None, **headers):
    """One HTTP request that is exactly this, for what the client cannot send.

    Header names are given with underscores: `If_Match="..."`.
    """
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent.setdefault("Authorization", f"Bearer {token}")
    if json_body is not None:
        body = json.dumps(json_body).encode()
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


@contextlib.contextmanager
def refused(refusal: expected.Refusal):
    """The client raises its error, with this status and exactly this body."""
    with pytest.raises(losant_rest.LosantError) as caught:
        yield caught
    error = caught.value
    assert (error.status, error.data) == (refusal.status, refusal.body())


@contextlib.contextmanager
def invalid(start: str):
    """The client raises a validation error whose message starts so; where there are several
    problems the first is the message and all are listed."""
    with pytest.raises(losant_rest.LosantError) as caught:
        yield caught
    error = caught.value
    assert error.status == 400, error
    assert error.data["type"] == "Validation", error
    assert error.data["message"].startswith(start), error
    assert set(error.data) <= {"type", "message", "validationErrors"}, error


@dataclass
class World:
    """An application of its own for a test, and ways to put things into it."""

    server: Server
    admin: losant_rest.Client
    app: str
    _count: int = field(default=0)

    @property
    def url(self) -> str:
        return f"/applications/{self.app}"

    def user(self, **fields) -> dict:
        self._count += 1
        fields.setdefault("email", f"user{self._count}@example.com")
        fields.setdefault("password", "correct horse")
        return self.admin.experience_users.post(applicationId=self.app, experienceUser=fields)

    def get_user(self, user_id: str, **params) -> dict:
        return self.admin.experience_user.get(
            applicationId=self.app, experienceUserId=user_id, **params
        )

    def patch_user(self, user_id: str, **fields) -> dict:
        return self.admin.experience_user.patch(
            applicationId=self.app, experienceUserId=user_id, experienceUser=fields
        )

    def users(self, **params) -> dict:
        return self.admin.experience_users.get(applicationId=self.app, **params)

    def group(self, name: str = "group", **fields) -> dict:
        return self.admin.experience_groups.post(
            applicationId=self.app, experienceGroup={"name": name, **fields}
        )

    def get_group(self, group_id: str, **params) -> dict:
        return self.admin.experience_group.get(
            applicationId=self.app, experienceGroupId=group_id, **params
        )

    def patch_group(self, group_id: str, **fields) -> dict:
        return self.admin.experience_group.patch(
            applicationId=self.app, experienceGroupId=group_id, experienceGroup=fields
        )

    def groups(self, **params) -> dict:
        return self.admin.experience_groups.get(applicationId=self.app, **params)

    def token(self, *scope: str, **fields) -> dict:
        if scope:
            fields["scope"] = list(scope)
        fields.setdefault("name", "token")
        return self.admin.application_api_tokens.post(applicationId=self.app, apiToken=fields)

    def client(self, *scope: str) -> losant_rest.Client:
        """A client with an application token that has this scope."""
        return self.server.client(self.token(*scope)["token"])
