"""The real server inside a test.

    from guestlist.testing import Server

    with Server() as server:
        client = server.client()
        client.experience_users.get(applicationId=server.application_id)

It runs on threads of its own in this process, with a store that is gone with it, and takes a few
milliseconds to start. With pytest there is the fixture `guestlist_server`, which gives each test
its own.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional, Union

from . import _guestlist
from ._client import AsyncClient, Client

__all__ = ["PASSWORD", "Clock", "Faults", "Seen", "Server"]

# The password of the administrator, and of every user whom the seed gives none.
PASSWORD = "Test-password-1"

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _millis(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)


class Clock:
    """The clock of a server. It goes with that of the machine until it is set."""

    def __init__(self, server: _guestlist.TestServer) -> None:
        self._server = server

    def now(self) -> datetime:
        """The time there."""
        return _EPOCH + timedelta(milliseconds=self._server.now())

    def set(self, moment: datetime) -> None:
        """Stands still at `moment` from now on."""
        if moment.tzinfo is None:
            raise ValueError("the moment has no time zone: add tzinfo=timezone.utc")
        self._server.set_clock(_millis(moment - _EPOCH))

    def advance(self, by: Union[timedelta, float]) -> None:
        """Lets so much time (a timedelta, or seconds) pass at once."""
        if not isinstance(by, timedelta):
            by = timedelta(seconds=by)
        self._server.advance_clock(_millis(by))

    def run(self) -> None:
        """Goes on from where it is."""
        self._server.run_clock()

    def reset(self) -> None:
        """Goes with the machine's again."""
        self._server.reset_clock()


class Faults:
    """What is to go wrong. Each method adds one fault behind those that are there.

    A fault strikes the next request, or the next `times` that match: with this `method`, and with
    a path that begins with `path`. The first that matches strikes, alone.
    """

    def __init__(self, server: _guestlist.TestServer) -> None:
        self._server = server

    def too_many_requests(
        self,
        retry_after: int = 0,
        *,
        times: int = 1,
        method: Optional[str] = None,
        path: Optional[str] = None,
    ) -> None:
        """A 429 that says to come back after so many seconds; nothing else is done."""
        self._server.add_fault("too_many_requests", retry_after, times, method, path)

    def internal(
        self, *, times: int = 1, method: Optional[str] = None, path: Optional[str] = None
    ) -> None:
        """A 500; nothing else is done."""
        self._server.add_fault("internal", 0, times, method, path)

    def unavailable(
        self,
        retry_after: int = 0,
        *,
        times: int = 1,
        method: Optional[str] = None,
        path: Optional[str] = None,
    ) -> None:
        """A 503 that says to come back after so many seconds; nothing else is done."""
        self._server.add_fault("unavailable", retry_after, times, method, path)

    def delay(
        self,
        seconds: float,
        *,
        times: int = 1,
        method: Optional[str] = None,
        path: Optional[str] = None,
    ) -> None:
        """The request waits before anything is done; then all is as usual."""
        self._server.add_fault("delay", seconds, times, method, path)

    def drop_request(
        self, *, times: int = 1, method: Optional[str] = None, path: Optional[str] = None
    ) -> None:
        """The connection ends before anything is done."""
        self._server.add_fault("drop_request", 0, times, method, path)

    def drop_answer(
        self, *, times: int = 1, method: Optional[str] = None, path: Optional[str] = None
    ) -> None:
        """What was asked is done, and the connection ends without an answer."""
        self._server.add_fault("drop_answer", 0, times, method, path)

    def tear_answer(
        self, *, times: int = 1, method: Optional[str] = None, path: Optional[str] = None
    ) -> None:
        """What was asked is done, and the connection ends in the middle of the answer's body."""
        self._server.add_fault("tear_answer", 0, times, method, path)

    def clear(self) -> None:
        """Forgets all of them."""
        self._server.clear_faults()

    @property
    def left(self) -> int:
        """How many are still to come."""
        return self._server.faults_left()


class Seen(NamedTuple):
    """A request that was made."""

    time: datetime
    method: str
    # Without the query.
    path: str
    # None when the connection broke.
    status: Optional[int]


class Server:
    """A server of the test's own. `seed`, a dict or the path of a JSON file, is in it at first."""

    def __init__(
        self, *, seed: Union[dict[str, Any], str, os.PathLike[str], None] = None
    ) -> None:
        self._server = _guestlist.TestServer(seed)
        self.clock = Clock(self._server)
        self.faults = Faults(self._server)

    @property
    def url(self) -> str:
        """Where it is, such as `http://127.0.0.1:40123`."""
        return self._server.url

    @property
    def token(self) -> str:
        """A token of the administrator, who may do everything."""
        return self._server.token

    @property
    def application_id(self) -> str:
        """The application that is there at first."""
        return self._server.application_id

    @property
    def application_token(self) -> str:
        """A token of that application, for everything in it."""
        return self._server.application_token

    @property
    def email(self) -> str:
        """With which the administrator signs in, and `PASSWORD`."""
        return self._server.email

    def seeded_token(self, name: str) -> str:
        """The token that the seed calls `name`."""
        token = self._server.seeded_token(name)
        if token is None:
            raise KeyError(name)
        return token

    def client(self, auth_token: Optional[str] = None, **options: Any) -> Client:
        """A client of it, with the administrator's token unless another is given."""
        return Client(auth_token or self.token, self.url, **options)

    def async_client(self, auth_token: Optional[str] = None, **options: Any) -> AsyncClient:
        """The same for asyncio."""
        return AsyncClient(auth_token or self.token, self.url, **options)

    def new_application(self, name: str = "Test") -> tuple[str, str]:
        """Makes another application; gives its id, and a token for everything in it."""
        return self._server.new_application(name)

    @property
    def requests(self) -> list[Seen]:
        """The last 1,000 requests, in the order in which they were answered."""
        return [
            Seen(_EPOCH + timedelta(milliseconds=time), method, path, status)
            for time, method, path, status in self._server.requests()
        ]

    @property
    def mails(self) -> list[dict[str, str]]:
        """The last 1,000 mails to users, in the order in which they were sent.

        Each has `purpose`, `recipient`, `subject`, `text`, `html`, and where it has a link, `link` and its
        `token`.
        """
        mails: list[dict[str, str]] = json.loads(self._server.mails())
        return mails

    def reset(self) -> None:
        """Makes everything as it was at first, with the same ids and tokens."""
        self._server.reset()

    def stop(self) -> None:
        """Ends it."""
        self._server.stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Server(url={self.url!r})"
