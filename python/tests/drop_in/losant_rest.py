"""The package under the name of the official client, for the suite of the official client.

Its tests pass over keywords on purpose, and count the requests that they make.
"""

from __future__ import annotations

import guestlist
from guestlist import LosantError

__all__ = ["Client", "LosantError"]


class Client(guestlist.Client):
    def __init__(self, auth_token: str | None = None, url: str | None = None) -> None:
        super().__init__(auth_token, url, retries=0, strict=False)
