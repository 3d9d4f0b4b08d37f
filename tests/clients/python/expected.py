"""What the server is expected to say: every string, status and set of keys, in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass

ID = re.compile(r"[0-9a-f]{24}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

# Of the form that an id has, and of no thing.
NOTHING = "0123456789abcdef01234567"

GOOD_PASSWORD = "Correct-Horse-7-Battery"
OTHER_PASSWORD = "Another-Horse-8-Battery"


@dataclass(frozen=True)
class Refusal:
    status: int
    type: str
    message: str

    def body(self) -> dict:
        return {"type": self.type, "message": self.message}


def validation(message: str) -> Refusal:
    return Refusal(400, "Validation", message)


def already_exists(email: str) -> Refusal:
    return Refusal(409, "AlreadyExists", f'Email address "{email}" already exists')


def no_route(path: str) -> Refusal:
    return Refusal(404, "NotFound", f"{path} does not exist")


def no_method(method: str) -> Refusal:
    return Refusal(405, "MethodNotAllowed", f"{method} is not allowed")


BAD_TOKEN = Refusal(401, "Unauthorized", "Invalid access token")
EXPIRED_TOKEN = Refusal(401, "Unauthorized", "Access token has expired")
BAD_LOGIN = Refusal(401, "Unauthorized", "Unauthorized")
BAD_OLD_PASSWORD = Refusal(401, "Unauthorized", "Unauthorized")
FORBIDDEN = Refusal(403, "Forbidden", "Access is forbidden")
NO_APPLICATION = Refusal(404, "NotFound", "Application was not found")
NO_USER = Refusal(404, "NotFound", "Experience user was not found")
NO_GROUP = Refusal(404, "NotFound", "Experience group was not found")
NO_TOKEN = Refusal(404, "NotFound", "API token was not found")

SUCCESS = {"success": True}

# The type and status of refusals whose message is free text.
PRECONDITION_FAILED = (412, "PreconditionFailed")
PAYLOAD_TOO_LARGE = (413, "PayloadTooLarge")
KEY_REUSED = 422
BAD_MEDIA_TYPE = 415

USER_SORT_FIELDS = [
    "firstName",
    "lastName",
    "email",
    "id",
    "creationDate",
    "lastLogin",
    "lastUpdated",
]
USER_FILTER_FIELDS = ["firstName", "lastName", "email"]
GROUP_SORT_FIELDS = ["name", "id", "creationDate", "lastUpdated"]
APPLICATION_SORT_FIELDS = ["name", "id", "creationDate", "ownerId", "lastUpdated"]
TOKEN_SORT_FIELDS = ["name", "status", "id", "creationDate", "lastUpdated", "expirationDate"]

DECORATION = {"_type", "_links"}
PAGE = {"items", "count", "totalCount", "page", "perPage", "sortField", "sortDirection"}
ECHOES = {"filter", "filterField"}
TOKEN = {"id", "apiTokenId", "ownerId", "ownerType", "creatorId", "creatorType", "creatorName"} | {
    "name",
    "creationDate",
    "lastUpdated",
    "scope",
    "status",
}

# By `_type`: the keys that are always there, and those that may be.
KEYS = {
    "experienceUser": (
        {"id", "experienceUserId", "applicationId", "creationDate", "lastUpdated"}
        | {"passwordLastUpdated", "email", "avatarUrl", "userTags", "experienceGroups"},
        {"firstName", "lastName", "tokenCutoff", "lastLogin"},
    ),
    "experienceUsers": (PAGE | {"applicationId"}, ECHOES | {"experienceGroupId"}),
    "experienceGroup": (
        {"id", "experienceGroupId", "applicationId", "creationDate", "lastUpdated", "name"}
        | {"parentId", "ancestorIds", "experienceUserIds", "groupTags"},
        {"description", "experienceEndpointIds", "deviceIds", "deviceTags", "deviceQueryJson"}
        | {"directDeviceCount", "totalDeviceCount"},
    ),
    "experienceGroups": (PAGE | {"applicationId"}, ECHOES),
    "application": (
        {"id", "applicationId", "creationDate", "lastUpdated", "name", "ownerId", "ownerType"},
        {"description", "organizationName", "endpointSlug", "expUserTokenCutoff", "globals"}
        | {"endpointDefaultCors", "appliedTemplateIds", "ftueTracking", "archiveConfig"}
        | {"blobUrlTTL", "summary"},
    ),
    "applications": (PAGE, ECHOES),
    "applicationApiToken": (TOKEN, {"description", "expirationDate", "token"}),
    "applicationApiTokens": (PAGE | {"ownerId", "ownerType"}, ECHOES),
    "userApiToken": (TOKEN, {"description", "expirationDate", "token", "defaultRole", "orgRoles"}),
    "userApiTokens": (PAGE | {"ownerId", "ownerType"}, ECHOES),
    "me": (
        {"id", "userId", "creationDate", "lastUpdated", "email"},
        {"passwordLastUpdated", "firstName", "lastName", "companyName", "title", "phoneNumber"}
        | {"location", "url", "tokenCutoff", "emailVerified", "needsToVerifyEmail"}
        | {"twoFactorAuthEnabled", "fullName", "avatarUrl", "limits", "summary", "ssoLinked"},
    ),
}
# The keys that name the same id as `id` does.
OWN_ID = {
    "experienceUser": "experienceUserId",
    "experienceGroup": "experienceGroupId",
    "application": "applicationId",
    "applicationApiToken": "apiTokenId",
    "userApiToken": "apiTokenId",
    "me": "userId",
}
NULLABLE = {"parentId", "deviceQueryJson"}
DATES = {"creationDate", "lastUpdated", "passwordLastUpdated", "lastLogin", "tokenCutoff"} | {
    "expirationDate",
    "expUserTokenCutoff",
}


def entity(
    body: dict, type_: str, href: str, *, more: bool = False, before: bool = False
) -> dict:
    """Checks all of a body but the values that only the test knows, and gives it back."""
    always, sometimes = KEYS[type_]
    keys = set(body)
    assert keys >= always | DECORATION, f"missing: {(always | DECORATION) - keys}"
    assert keys <= always | sometimes | DECORATION, f"unexpected: {keys - always - sometimes}"
    assert body["_type"] == type_
    links = dict(body["_links"])
    for name in ["next"] * more + ["previous"] * before:
        assert links.pop(name)["href"].startswith(f"{href}?")
    assert links == {"self": {"href": href}}
    for key, value in body.items():
        assert value is not None or key in NULLABLE, f"{key} is null"
        if key in DATES:
            assert DATE.fullmatch(value), f"{key}: {value}"
    if type_ in OWN_ID:
        assert ID.fullmatch(body["id"]), body["id"]
        assert body["id"] == body[OWN_ID[type_]]
        assert body["creationDate"] <= body["lastUpdated"]
    return body


def page(body: dict, type_: str, href: str, *, total: int, count: int | None = None) -> list:
    """Checks a collection and gives back its items."""
    items = body["items"]
    assert body["count"] == len(items) == (total if count is None else count)
    seen = body["page"] * body["perPage"] + len(items)
    more, before = bool(items) and seen < total, total > 0 and body["page"] > 0
    entity(body, type_, href, more=more, before=before)
    assert body["totalCount"] == total
    for key in ("count", "totalCount", "page", "perPage"):
        assert type(body[key]) is int, f"{key}: {body[key]!r}"
    return items
