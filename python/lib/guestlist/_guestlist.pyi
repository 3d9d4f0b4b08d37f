"""The types of the compiled half."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

__all__ = [
    "Action",
    "Core",
    "Mailbox",
    "Outcome",
    "Pending",
    "TestServer",
    "__version__",
    "command",
]

__version__: Final[str]

def command(arguments: Sequence[str]) -> int: ...

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
class Mailbox:
    def __new__(cls) -> Mailbox: ...
    def fileno(self) -> int: ...
    def collect(self) -> list[tuple[int, Outcome]]: ...

@final
class Core:
    auth_token: str | None
    url: str
    @property
    def sends_idempotency_keys(self) -> bool: ...
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
        mailbox: Mailbox,
        number: int,
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
        mailbox: Mailbox,
        number: int,
    ) -> Pending: ...
    def close(self) -> None: ...

@final
class TestServer:
    def __new__(cls, seed: dict[str, Any] | str | os.PathLike[str] | None) -> TestServer: ...
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def application_id(self) -> str: ...
    @property
    def application_token(self) -> str: ...
    @property
    def email(self) -> str: ...
    def seeded_token(self, name: str) -> str | None: ...
    def new_application(self, name: str) -> tuple[str, str]: ...
    def reset(self) -> None: ...
    def now(self) -> int: ...
    def set_clock(self, millis: int) -> None: ...
    def advance_clock(self, millis: int) -> None: ...
    def run_clock(self) -> None: ...
    def reset_clock(self) -> None: ...
    def add_fault(
        self, kind: str, amount: float, times: int, method: str | None, path: str | None
    ) -> None: ...
    def clear_faults(self) -> None: ...
    def faults_left(self) -> int: ...
    def mails(self) -> str: ...
    def requests(self) -> list[tuple[int, str, str, int | None]]: ...
    def stop(self) -> None: ...
