"""The actions of the API, as data: what the clients call and what their keywords become."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """One action."""

    method: str
    path: str
    # Keywords that go into the query string as they are.
    query: tuple[str, ...] = ()
    # Keywords that go into the query string as JSON.
    json: tuple[str, ...] = ()
    # The keyword whose value is the body.
    body: str | None = None
    # Whether the answer is a page of a list.
    pages: bool = False
    # Whether the answer is one resource, which has an ETag.
    tagged: bool = False
    # One line for `help()`.
    doc: str = ""


_LIST = ("sortField", "sortDirection", "page", "perPage", "cursor", "filterField", "filter")
_SUMMARY = ("summaryExclude", "summaryInclude")
_COUNTS = ("includeDirectDeviceCount", "includeTotalDeviceCount")
_ME = ("includeRecent", *_SUMMARY)
_CHILDREN = ("withChildren",)
_PARTS = ("keepUsers", "keepGroups", "keepSlugs", "keepDomains", "removeVersions") + (
    "keepViews",
    "keepEndpoints",
    "removeWorkflows",
)

_APP = "/applications/{applicationId}"
_EXPERIENCE = _APP + "/experience"
_USERS = _EXPERIENCE + "/users"
_USER = _USERS + "/{experienceUserId}"
_GROUPS = _EXPERIENCE + "/groups"
_GROUP = _GROUPS + "/{experienceGroupId}"
_INVITATIONS = _EXPERIENCE + "/invitations"
_KEYS = _EXPERIENCE + "/keys"
_SIGN_IN = _EXPERIENCE + "/signIn"
_APP_TOKENS = _APP + "/tokens"
_APP_TOKEN = _APP_TOKENS + "/{apiTokenId}"
_ADMINISTRATORS = "/administrators"
_ADMINISTRATOR = _ADMINISTRATORS + "/{administratorId}"
_SESSIONS = _ADMINISTRATOR + "/sessions"
_MY_TOKENS = "/me/tokens"
_MY_TOKEN = _MY_TOKENS + "/{apiTokenId}"


def _get(path: str, what: str, query: tuple[str, ...] = ()) -> Spec:
    return Spec("GET", path, query, tagged=True, doc=f"Reads {what}.")


def _patch(path: str, body: str, what: str, query: tuple[str, ...] = ()) -> Spec:
    return Spec("PATCH", path, query, body=body, doc=f"Changes {what}; what is not named stays.")


def _delete(path: str, what: str, query: tuple[str, ...] = ()) -> Spec:
    return Spec("DELETE", path, query, doc=f"Deletes {what}.")


def _list(
    path: str, what: str, query: tuple[str, ...] = _LIST, json: tuple[str, ...] = ()
) -> Spec:
    return Spec("GET", path, query, json=json, pages=True, doc=f"Reads a page of {what}.")


def _post(path: str, body: str, what: str, query: tuple[str, ...] = ()) -> Spec:
    return Spec("POST", path, query, body=body, doc=f"Makes {what}.")


RESOURCES: dict[str, dict[str, Spec]] = {
    "administrator": {
        "get": _get(_ADMINISTRATOR, "an administrator"),
        "patch": _patch(_ADMINISTRATOR, "administrator", "an administrator"),
        "delete": _delete(_ADMINISTRATOR, "an administrator, with their sessions and API tokens"),
    },
    "administrators": {
        "get": _list(_ADMINISTRATORS, "the administrators of the server"),
    },
    "administrator_session": {
        "delete": Spec(
            "DELETE", _SESSIONS + "/{sessionId}", doc="Ends a session of an administrator."
        ),
    },
    "administrator_sessions": {
        "get": _list(
            _SESSIONS,
            "the sessions of an administrator",
            ("sortField", "sortDirection", "page", "perPage", "cursor"),
        ),
        "delete": Spec("DELETE", _SESSIONS, doc="Ends all sessions of an administrator."),
    },
    "application": {
        "get": _get(_APP, "an application", _SUMMARY),
        "patch": _patch(_APP, "application", "an application", _SUMMARY),
        "delete": _delete(_APP, "an application and everything in it"),
    },
    "applications": {
        "get": _list("/applications", "applications", (*_LIST, "orgId", *_SUMMARY)),
        "post": _post("/applications", "application", "an application", _SUMMARY),
    },
    "application_api_token": {
        "get": _get(_APP_TOKEN, "an API token of an application"),
        "patch": _patch(_APP_TOKEN, "apiToken", "an API token of an application"),
        "delete": _delete(_APP_TOKEN, "an API token of an application", _CHILDREN),
    },
    "application_api_tokens": {
        "get": _list(_APP_TOKENS, "the API tokens of an application"),
        "post": _post(_APP_TOKENS, "apiToken", "an API token of an application"),
    },
    "auth": {
        "authenticate_user": Spec(
            "POST", "/auth/user", body="credentials", doc="Signs a person in; answers a token."
        ),
        "sso_domain": Spec(
            "GET",
            "/auth/ssoDomain",
            ("email",),
            doc='Says how the domain of an address signs in; "" when it has no way of its own.',
        ),
    },
    "experience": {
        "bootstrap": Spec(
            "PATCH",
            _EXPERIENCE + "/bootstrap",
            body="options",
            doc="Makes a user and a group to begin with; answers the user's password.",
        ),
        "delete": Spec(
            "DELETE",
            _EXPERIENCE,
            _PARTS,
            doc="Deletes all users and groups of an application, but for what is kept.",
        ),
    },
    "experience_address_changes": {
        "post": _post(
            _USER + "/addressChange", "addressChange", "a link by which a user gets an address"
        ),
    },
    "experience_auth": {
        "authenticate": Spec(
            "POST",
            _EXPERIENCE + "/authenticate",
            body="credentials",
            doc="Signs a user in; answers the user and a token.",
        ),
        "verify_group": Spec(
            "GET",
            _USER + "/groups/{experienceGroupId}/verify",
            doc="Tells whether a user is in a group, or in one that this is in.",
        ),
        "verify_token": Spec(
            "POST",
            _EXPERIENCE + "/verifyToken",
            body="token",
            doc="Tells whether a token of a user is good, and whose it is.",
        ),
    },
    "experience_group": {
        "get": _get(_GROUP, "a group", (*_COUNTS, "excludeMembers")),
        "patch": _patch(_GROUP, "experienceGroup", "a group"),
        "delete": _delete(_GROUP, "a group"),
    },
    "experience_groups": {
        "get": _list(
            _GROUPS,
            "the groups of an application",
            (*_LIST, "parentId", "excludeMembers"),
            json=("query",),
        ),
        "post": _post(_GROUPS, "experienceGroup", "a group"),
    },
    "experience_invitation": {
        "delete": _delete(_INVITATIONS + "/{experienceInvitationId}", "an invitation"),
    },
    "experience_invitations": {
        "get": _list(_INVITATIONS, "the invitations that nobody has accepted"),
        "post": _post(_INVITATIONS, "experienceInvitation", "an invitation"),
    },
    "experience_key": {
        "delete": Spec(
            "DELETE",
            _KEYS + "/{kid}",
            doc="Withdraws a key, none of whose tokens is good any more.",
        ),
    },
    "experience_keys": {
        "get": Spec("GET", _KEYS, doc="Reads the keys that sign the tokens of users."),
        "post": _post(_KEYS, "experienceKey", "the key that signs after the present one"),
    },
    "experience_links": {
        "post": Spec(
            "POST",
            _EXPERIENCE + "/links/{purpose}",
            body="link",
            doc="Uses a link that was mailed to somebody; answers its user.",
        ),
    },
    "experience_mails": {
        "get": _list(_EXPERIENCE + "/mails", "what was mailed to users within a month"),
    },
    "experience_password_resets": {
        "post": _post(
            _USER + "/passwordReset", "passwordReset", "a link by which a user chooses a password"
        ),
    },
    "experience_sign_in": {
        "get": _get(_SIGN_IN, "what an application offers to the people who sign in to it"),
        "patch": _patch(
            _SIGN_IN,
            "experienceSignIn",
            "what an application offers to the people who sign in to it",
        ),
    },
    "experience_user": {
        "get": _get(_USER, "a user"),
        "patch": _patch(_USER, "experienceUser", "a user"),
        "delete": _delete(_USER, "a user"),
    },
    "experience_user_tokens": {
        "delete": Spec("DELETE", _USER + "/tokens", doc="Ends all tokens of a user."),
        "post": _post(_USER + "/tokens", "experienceUserToken", "a token for a user"),
        "post_for_email_or_id": _post(
            _EXPERIENCE + "/tokens",
            "experienceUserToken",
            "a token for the user with this address or id, if there is one",
        ),
    },
    "experience_users": {
        "get": _list(
            _USERS,
            "the users of an application",
            (*_LIST, "experienceGroupId", "includeAncestorGroups", "search"),
            json=("query",),
        ),
        "post": _post(_USERS, "experienceUser", "a user"),
    },
    "me": {
        "get": _get("/me", "the person that the token is of", _ME),
        "patch": _patch("/me", "user", "the person that the token is of", _ME),
        "change_password": Spec(
            "PATCH",
            "/me/changePassword",
            body="data",
            doc="Changes one's own password; answers a new token.",
        ),
        "refresh_token": Spec(
            "GET",
            "/me/refreshToken",
            doc="Answers a new token of the same scopes, which lasts for as long again.",
        ),
    },
    "user_api_token": {
        "get": _get(_MY_TOKEN, "one of one's own API tokens"),
        "patch": _patch(_MY_TOKEN, "apiToken", "one of one's own API tokens"),
        "delete": _delete(_MY_TOKEN, "one of one's own API tokens", _CHILDREN),
    },
    "user_api_tokens": {
        "get": _list(_MY_TOKENS, "one's own API tokens"),
        "post": _post(_MY_TOKENS, "apiToken", "an API token of one's own"),
    },
}
