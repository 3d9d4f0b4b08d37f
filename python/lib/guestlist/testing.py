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

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Optional, Union

from . import _guestlist
from ._client import AsyncClient, Client

__all__ = ["PASSWORD", "Clock", "Server"]

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


class Server:
    """A server of the test's own. `seed` says what is in it at first."""

    def __init__(self, *, seed: Optional[Mapping[str, Any]] = None) -> None:
        self._server = _guestlist.TestServer(None if seed is None else dict(seed))
        self.clock = Clock(self._server)

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
