"""What goes wrong, as exceptions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Optional


class GuestlistError(Exception):
    """The server refused: its status was 400 or more.

    `status` and `data` (the parsed body, or its text when it is not JSON) are those of the
    official client's error. The rest is read from them.
    """

    def __init__(
        self,
        status: int,
        data: Any,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(status, data)
        self.status = status
        self.data = data
        # How many seconds the server asks to wait, if it says so.
        self.retry_after = retry_after

    def _text(self, key: str) -> Optional[str]:
        value = self.data.get(key) if isinstance(self.data, dict) else None
        return value if isinstance(value, str) else None

    @property
    def type(self) -> Optional[str]:
        """What kind of refusal it is: `NotFound`, `Validation`, ..."""
        # What cannot be parsed upstream is answered with `code` in the place of `type`.
        return self._text("type") or self._text("code")

    @property
    def message(self) -> str:
        """What the server says is wrong, for people."""
        text = self._text("message")
        if text is None:
            text = self.data if isinstance(self.data, str) else ""
        return text

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong with each field of the request, by its dotted path.

        A message without a list of problems names one field, which is then the only one.
        """
        if self.type != "Validation":
            return {}
        listed = self.data.get("validationErrors")
        if isinstance(listed, list):
            return {
                problem["field"]: str(problem.get("validationMessage", ""))
                for problem in listed
                if isinstance(problem, dict) and isinstance(problem.get("field"), str)
            }
        field, _, rule = self.message.partition(" ")
        return {field: rule} if rule else {}

    def __str__(self) -> str:
        return f"{self.status} {self.data}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.data, self.retry_after)


# The official client's name for it.
LosantError = GuestlistError


class RequestFailed(OSError):
    """There is no answer. What was asked for may have been done all the same."""


class ConnectionFailed(RequestFailed, ConnectionError):
    """The server could not be reached, or the connection broke."""


class TimedOut(RequestFailed, TimeoutError):
    """The answer did not come in time."""


class MissingArgument(TypeError, KeyError):
    """A call lacks a keyword that the path needs.

    The official client raises `KeyError` here, so this is one too.
    """

    def __str__(self) -> str:
        # That of KeyError would put quotes around the sentence.
        return str(self.args[0]) if self.args else ""


def unknown_keyword(action: str, name: str, known: Iterable[str]) -> TypeError:
    """The error for a keyword that the action does not have."""
    known = sorted(known)
    nearest = difflib.get_close_matches(name, known, n=1)
    if not nearest:
        nearest = [one for one in known if one.lower() == name.lower()]
    hint = f"did you mean `{nearest[0]}`?" if nearest else f"it takes {', '.join(known)}"
    return TypeError(f"{action}() has no keyword `{name}`: {hint}")
