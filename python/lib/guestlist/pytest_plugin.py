"""Fixtures for pytest, which finds this module by itself when the package is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._client import Client
    from .testing import Server


@pytest.fixture
def guestlist_server() -> Iterator[Server]:
    """A Guestlist server of the test's own."""
    # Here, so that runs that do not use it do not load it.
    from .testing import Server

    with Server() as server:
        yield server


@pytest.fixture
def guestlist_client(guestlist_server: Server) -> Iterator[Client]:
    """A client of the test's own server, with the token of its administrator."""
    with guestlist_server.client() as client:
        yield client
