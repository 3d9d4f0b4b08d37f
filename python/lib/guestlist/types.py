"""The types of what goes into a call and what comes out. At run time they are plain dicts.

Those of the resources are made from the API's description; here is what that does not say.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict, Union

from ._resources import *

# Query parameters arrive as text, so each of these is as good as its text.
Flag = Union[bool, Literal["true", "false"]]
Whole = Union[int, str]
# A filter that overrides all others: fields, `$and`, `$or`, `$nor` and the operators of the API.
Query = dict[str, Any]


class _AuthedUser(TypedDict):
    userId: str
    token: str


class AuthedUser(_AuthedUser, total=False):
    """A session has begun; the platform says more of it than a server of ours."""

    needsToVerifyEmail: bool
    orgId: str


class SsoDomain(TypedDict):
    """What the platform says of an address whose company signs in elsewhere."""

    ssoType: str
    ssoRequest: str


class ReadOptions(TypedDict, total=False):
    """Keywords that every action takes."""

    losantdomain: str
    _actions: Flag
    _links: Flag
    _embedded: Flag
    # Seconds to wait for this answer, in the place of the client's.
    timeout: Optional[float]


class PostOptions(ReadOptions, total=False):
    """Keywords of what makes something."""

    # Makes the request safe to repeat; the client makes one up otherwise.
    idempotency_key: str


class WriteOptions(PostOptions, total=False):
    """Keywords of what changes something."""

    # The ETag of what was read: the server refuses with 412 if it has changed since.
    if_match: str
