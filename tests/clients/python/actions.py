"""Every action that needs a token, as a call of the client: the table behind the access tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from expected import NO_GROUP, NO_TOKEN, NO_USER, NOTHING, Refusal


@dataclass(frozen=True)
class Action:
    name: str
    # How to call it: `call(client, ids)`, where `ids` are the path parameters and more than the
    # action wants (the client passes over the others).
    call: Callable
    # The path parameters, in the order of the path.
    path: tuple[str, ...] = ()
    # What an id that is of nothing gives.
    missing: Refusal | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def in_application(self) -> bool:
        return "applicationId" in self.path

    def nowhere(self, ids: dict) -> dict:
        """The same, but for a last path parameter that names nothing."""
        return {**ids, self.path[-1]: NOTHING}


def _action(resource, verb, path=(), missing=None, **body):
    python = "".join("_" + char.lower() if char.isupper() else char for char in resource)
    method = "".join("_" + char.lower() if char.isupper() else char for char in verb)

    def call(client, ids):
        return getattr(getattr(client, python), method)(**ids, **body)

    return Action(f"{resource}.{verb}", call, tuple(path), missing)


_APP = ["applicationId"]
_USER = [*_APP, "experienceUserId"]
_GROUP = [*_APP, "experienceGroupId"]
_TOKEN = [*_APP, "apiTokenId"]
_NEW_USER = {"email": "new@example.com", "password": "correct horse"}
_CHANGE = {"password": "Correct-Horse-7-Battery", "newPassword": "Another-Horse-8-Battery"}

ACTIONS = [
    _action("experience", "bootstrap", _APP),
    _action("experience", "delete", _APP),
    _action("experienceUsers", "get", _APP),
    _action("experienceUsers", "post", _APP, experienceUser=_NEW_USER),
    _action("experienceUser", "get", _USER, NO_USER),
    _action("experienceUser", "patch", _USER, NO_USER, experienceUser={"firstName": "New"}),
    _action("experienceUser", "delete", _USER, NO_USER),
    _action("experienceGroups", "get", _APP),
    _action("experienceGroups", "post", _APP, experienceGroup={"name": "new"}),
    _action("experienceGroup", "get", _GROUP, NO_GROUP),
    _action("experienceGroup", "patch", _GROUP, NO_GROUP, experienceGroup={"name": "new"}),
    _action("experienceGroup", "delete", _GROUP, NO_GROUP),
    _action("applications", "get"),
    _action("applications", "post", application={"name": "new"}),
    _action("application", "get", _APP),
    _action("application", "patch", _APP, application={"name": "new"}),
    _action("application", "delete", _APP),
    _action("applicationApiTokens", "get", _APP),
    _action("applicationApiTokens", "post", _APP, apiToken={"name": "new"}),
    _action("applicationApiToken", "get", _TOKEN, NO_TOKEN),
    _action("applicationApiToken", "patch", _TOKEN, NO_TOKEN, apiToken={"name": "new"}),
    _action("applicationApiToken", "delete", _TOKEN, NO_TOKEN),
    _action("me", "get"),
    _action("me", "patch", user={"firstName": "New"}),
    _action("me", "changePassword", data=_CHANGE),
    _action("me", "refreshToken"),
    _action("userApiTokens", "get"),
    _action("userApiTokens", "post", apiToken={"name": "new", "scope": ["me.get"]}),
    _action("userApiToken", "get", ["apiTokenId"], NO_TOKEN),
    _action("userApiToken", "patch", ["apiTokenId"], NO_TOKEN, apiToken={"name": "new"}),
    _action("userApiToken", "delete", ["apiTokenId"], NO_TOKEN),
]
