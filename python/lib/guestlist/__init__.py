"""A client of Guestlist, and of what else speaks the Losant API for experience users.

    from guestlist import Client

    client = Client(auth_token=token, url="http://127.0.0.1:8080")
    user = client.experience_user.get(applicationId=app, experienceUserId=user_id)

Names, keywords and results are those of the official client. `guestlist.types` has the types of
what goes in and comes out, `guestlist.testing` a server for tests.
"""

from ._client import DEFAULT_URL, AsyncClient, Client
from ._errors import (
    ConnectionFailed,
    GuestlistError,
    LosantError,
    MissingArgument,
    RequestFailed,
    TimedOut,
)
from ._guestlist import __version__

__all__ = [
    "DEFAULT_URL",
    "AsyncClient",
    "Client",
    "ConnectionFailed",
    "GuestlistError",
    "LosantError",
    "MissingArgument",
    "RequestFailed",
    "TimedOut",
    "__version__",
]
