"""The types of the compiled half."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

__version__: Final[str]

@final
class Action:
    def __new__(
        cls,
        name: str,
        method: str,
        path: str,
        query: Sequence[str],
        json: Sequence[str],
        body: str | None,
    ) -> Action: ...
    @property
    def path_names(self) -> list[str]: ...

@final
class Pending:
    def cancel(self) -> None: ...

@final
class Outcome:
    def take(self) -> Any: ...

@final
class Core:
    auth_token: str | None
    url: str
    def __new__(
        cls,
        url: str,
        auth_token: str | None,
        timeout: float | None,
        retries: int,
        idempotency_keys: bool | None,
        strict: bool,
    ) -> Core: ...
    def call(self, action: Action, arguments: dict[str, Any]) -> Any: ...
    def call_tagged(self, action: Action, arguments: dict[str, Any]) -> Any: ...
    def start(
        self,
        action: Action,
        arguments: dict[str, Any],
        tagged: bool,
        deliver: Callable[[Outcome], Any],
    ) -> Pending: ...
    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        content: Any,
    ) -> Any: ...
    def start_request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        content: Any,
        deliver: Callable[[Outcome], Any],
    ) -> Pending: ...
    def close(self) -> None: ...
