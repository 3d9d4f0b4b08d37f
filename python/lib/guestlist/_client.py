"""The two clients. What they can do is in `_actions`; the work is done in Rust."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import os
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

from . import _guestlist
from ._actions import RESOURCES, Spec

# Where `guestlist serve` listens unless it is told otherwise.
DEFAULT_URL = "http://127.0.0.1:8080"


def _action(resource: str, name: str, spec: Spec) -> _guestlist.Action:
    return _guestlist.Action(
        f"{resource}.{name}", spec.method, spec.path, spec.query, spec.json, spec.body
    )


class _Resource:
    """The actions of one resource, of one client."""

    __slots__ = ("_core",)

    def __init__(self, core: _guestlist.Core) -> None:
        self._core = core


class _Inbox:
    """What an event loop waits for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.mailbox = _guestlist.Mailbox()
        self.numbers = itertools.count()
        self.waiting: dict[int, asyncio.Future[_guestlist.Outcome]] = {}
        loop.add_reader(self.mailbox.fileno(), self._collect)

    def _collect(self) -> None:
        for number, outcome in self.mailbox.collect():
            future = self.waiting.pop(number, None)
            if future is not None and not future.done():
                future.set_result(outcome)


# One for each event loop, which goes with it.
_INBOXES: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Inbox] = (
    weakref.WeakKeyDictionary()
)


async def _wait(start: Callable[[_guestlist.Mailbox, int], _guestlist.Pending]) -> Any:
    """Waits for what `start` begins, and lets go of it when the waiting is cancelled."""
    loop = asyncio.get_running_loop()
    inbox = _INBOXES.get(loop)
    if inbox is None:
        inbox = _INBOXES[loop] = _Inbox(loop)
    number = next(inbox.numbers)
    pending = start(inbox.mailbox, number)
    # Nothing arrives before the loop runs again.
    future: asyncio.Future[_guestlist.Outcome] = loop.create_future()
    inbox.waiting[number] = future
    try:
        outcome = await future
    except BaseException:
        # Cancelled, or the loop is going away and the coroutine is closed.
        inbox.waiting.pop(number, None)
        pending.cancel()
        raise
    return outcome.take()


def _first(arguments: dict[str, Any]) -> dict[str, Any]:
    """What asks for the page that a list begins with."""
    if arguments.get("cursor"):
        return arguments
    return {**arguments, "page": int(arguments.get("page") or 0)}


def _next(asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any] | None:
    """What asks for the page after the one that `asked` was answered with, if there is one."""
    link = (answer.get("_links") or {}).get("next") or {}
    cursors = parse_qs(urlsplit(link.get("href", "")).query).get("cursor")
    if cursors:
        # Where this page ended, whatever has come and gone before it since.
        return {**{name: asked[name] for name in asked if name != "page"}, "cursor": cursors[0]}
    page = asked.get("page")
    if page is None or not answer["items"]:
        return None
    last = (page + 1) * answer["perPage"] >= answer["totalCount"]
    return None if last else {**asked, "page": page + 1}


def _call(action: _guestlist.Action) -> Callable[..., Any]:
    def call(self: _Resource, **arguments: Any) -> Any:
        return self._core.call(action, arguments)

    return call


def _call_tagged(action: _guestlist.Action) -> Callable[..., Any]:
    def call(self: _Resource, **arguments: Any) -> Any:
        return self._core.call_tagged(action, arguments)

    return call


def _iterate(action: _guestlist.Action) -> Callable[..., Any]:
    def iterate(self: _Resource, **arguments: Any) -> Iterator[Any]:
        asked: dict[str, Any] | None = _first(arguments)
        while asked is not None:
            answer = self._core.call(action, asked)
            yield from answer["items"]
            asked = _next(asked, answer)

    return iterate


def _call_async(action: _guestlist.Action) -> Callable[..., Any]:
    async def call(self: _Resource, **arguments: Any) -> Any:
        return await _wait(functools.partial(self._core.start, action, arguments, False))

    return call


def _call_tagged_async(action: _guestlist.Action) -> Callable[..., Any]:
    async def call(self: _Resource, **arguments: Any) -> Any:
        return await _wait(functools.partial(self._core.start, action, arguments, True))

    return call


def _iterate_async(action: _guestlist.Action) -> Callable[..., Any]:
    async def iterate(self: _Resource, **arguments: Any) -> AsyncIterator[Any]:
        asked: dict[str, Any] | None = _first(arguments)
        while asked is not None:
            answer = await _wait(functools.partial(self._core.start, action, asked, False))
            for item in answer["items"]:
                yield item
            asked = _next(asked, answer)

    return iterate


def _signature(action: _guestlist.Action, spec: Spec) -> inspect.Signature:
    """What `help()` and editors show: the keywords of the action, then those of every action."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    needed = [*action.path_names, *([spec.body] if spec.body else [])]
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [inspect.Parameter(name, keyword) for name in needed]
    parameters += [
        inspect.Parameter(name, keyword, default=None) for name in (*spec.query, *spec.json)
    ]
    parameters.append(inspect.Parameter("more", inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)


def _resource(prefix: str, resource: str, specs: dict[str, Spec], wait: bool) -> type[_Resource]:
    """The class of a resource: one method an action."""
    name = prefix + "".join(word.title() for word in resource.split("_")) + "Actions"
    body: dict[str, Any] = {"__slots__": (), "__module__": __name__, "__doc__": None}

    def add(method: str, function: Any, action: _guestlist.Action, spec: Spec, doc: str) -> None:
        function.__name__ = method
        function.__qualname__ = f"{name}.{method}"
        function.__doc__ = doc
        function.__signature__ = _signature(action, spec)
        body[method] = function

    for method, spec in specs.items():
        action = _action(resource, method, spec)
        add(method, (_call if wait else _call_async)(action), action, spec, spec.doc)
        if spec.tagged:
            tagged = (_call_tagged if wait else _call_tagged_async)(action)
            doc = f"{spec.doc[:-1]}, and its ETag, to be given back as `if_match`."
            add(f"{method}_with_etag", tagged, action, spec, doc)
        if spec.pages:
            iterate = (_iterate if wait else _iterate_async)(action)
            doc = f"{spec.doc.replace('Reads a page of', 'Goes through all')[:-1]}, page by page."
            add("iterate", iterate, action, spec, doc)
    body["__doc__"] = f"The actions of `{resource}`: {', '.join(specs)}."
    return type(name, (_Resource,), body)


_SYNC = {name: _resource("", name, specs, wait=True) for name, specs in RESOURCES.items()}
_ASYNC = {name: _resource("Async", name, specs, wait=False) for name, specs in RESOURCES.items()}
# Under their names, where `help()` and the types look for them.
globals().update({one.__name__: one for one in (*_SYNC.values(), *_ASYNC.values())})


class _Base:
    """What both clients have."""

    _resources: dict[str, type[_Resource]]

    def __init__(
        self,
        auth_token: Optional[str] = None,
        url: Optional[str] = None,
        *,
        timeout: Optional[float] = 30.0,
        retries: int = 3,
        idempotency_keys: Optional[bool] = None,
        strict: bool = True,
    ) -> None:
        url = url or os.environ.get("GUESTLIST_URL") or DEFAULT_URL
        self._core = _guestlist.Core(url, auth_token, timeout, retries, idempotency_keys, strict)
        for name, resource in self._resources.items():
            setattr(self, name, resource(self._core))

    @property
    def auth_token(self) -> Optional[str]:
        """The token that calls are made with; it may be set at any time."""
        return self._core.auth_token

    @auth_token.setter
    def auth_token(self, token: Optional[str]) -> None:
        self._core.auth_token = token

    @property
    def url(self) -> str:
        """Where the server is; it may be set at any time."""
        return self._core.url

    @url.setter
    def url(self, url: str) -> None:
        self._core.url = url

    @property
    def sends_idempotency_keys(self) -> bool:
        """Whether writes carry a key that makes them safe to repeat."""
        return self._core.sends_idempotency_keys

    def __repr__(self) -> str:
        # Not the token: what is printed ends up in logs.
        return f"{type(self).__name__}(url={self.url!r})"


class Client(_Base):
    """Calls the API and waits for the answer. One client serves any number of threads."""

    _resources = _SYNC

    def request(
        self,
        method: str,
        path: str,
        params: Optional[dict[str, Any]] = None,
        headers: Optional[dict[str, str]] = None,
        body: Any = None,
    ) -> Any:
        """Sends a request that has no action here."""
        return self._core.request(method, path, params, headers, body)

    def close(self) -> None:
        """Closes the connections. A call after this raises `ValueError`."""
        self._core.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Base):
    """The same as `Client`, for asyncio: every action is awaited."""

    _resources = _ASYNC

    async def request(
        self,
        method: str,
        path: str,
        params: Optional[dict[str, Any]] = None,
        headers: Optional[dict[str, str]] = None,
        body: Any = None,
    ) -> Any:
        """Sends a request that has no action here."""
        start = self._core.start_request
        return await _wait(functools.partial(start, method, path, params, headers, body))

    async def close(self) -> None:
        """Closes the connections. A call after this raises `ValueError`."""
        self._core.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._core.close()
