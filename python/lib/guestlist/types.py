"""The types of what goes into a call and what comes out. At run time they are plain dicts.

A key that is always there is in a class whose name starts with an underscore; the class that
takes its name has the keys that may be missing. `NotRequired` would say it in one class, but is
not in the oldest Python that this package is for.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict, Union

# Query parameters arrive as text, so each of these is as good as its text.
Flag = Union[bool, Literal["true", "false"]]
Whole = Union[int, str]
SortDirection = Literal["asc", "desc"]
# A filter that overrides all others: fields, `$and`, `$or`, `$nor` and the operators of the API.
Query = dict[str, Any]


class Link(TypedDict):
    href: str


_LinkOfAction = TypedDict("_LinkOfAction", {"href": str, "method": str})


class ActionLink(_LinkOfAction, total=False):
    params: list[str]


class Entity(TypedDict, total=False):
    """What surrounds every resource."""

    _type: str
    _links: dict[str, Link]
    _actions: dict[str, ActionLink]
    _embedded: dict[str, Any]


class Success(TypedDict):
    success: bool


class _Page(TypedDict):
    count: int
    totalCount: int
    page: int
    perPage: int
    sortField: str
    sortDirection: str


# --- users -------------------------------------------------------------------------------------


class GroupRef(TypedDict):
    id: str
    name: str
    parentId: Optional[str]


class _ExperienceUser(TypedDict):
    id: str
    experienceUserId: str
    applicationId: str
    creationDate: str
    lastUpdated: str
    email: str
    avatarUrl: str
    userTags: dict[str, str]
    experienceGroups: list[GroupRef]


class ExperienceUser(_ExperienceUser, Entity, total=False):
    firstName: str
    lastName: str
    passwordLastUpdated: str
    lastLogin: str
    tokenCutoff: str


class ExperienceUserPatch(TypedDict, total=False):
    email: str
    password: str
    firstName: str
    lastName: str
    tokenCutoff: str
    userTags: dict[str, str]
    experienceGroupIds: list[str]


class _ExperienceUserPost(TypedDict):
    email: str
    password: str


class ExperienceUserPost(_ExperienceUserPost, total=False):
    firstName: str
    lastName: str
    tokenCutoff: str
    userTags: dict[str, str]
    experienceGroupIds: list[str]


class _ExperienceUsers(_Page):
    items: list[ExperienceUser]
    applicationId: str


class ExperienceUsers(_ExperienceUsers, Entity, total=False):
    filter: str
    filterField: str
    experienceGroupId: str
    search: str


ExperienceUserSort = Literal[
    "firstName", "lastName", "email", "id", "creationDate", "lastLogin", "lastUpdated"
]
ExperienceUserFilter = Literal["firstName", "lastName", "email"]

# --- groups ------------------------------------------------------------------------------------


class ExperienceBootstrap(TypedDict, total=False):
    replaceExisting: bool
    createUsers: bool
    createGroups: bool
    slug: str


class _ExperienceBootstrapResult(TypedDict):
    resourceSuffix: str


class ExperienceBootstrapResult(_ExperienceBootstrapResult, total=False):
    email: str
    password: str


class DeviceTag(TypedDict, total=False):
    key: str
    value: str


class _ExperienceGroup(TypedDict):
    id: str
    experienceGroupId: str
    applicationId: str
    creationDate: str
    lastUpdated: str
    name: str
    experienceEndpointIds: list[str]
    groupTags: dict[str, str]
    deviceTags: list[DeviceTag]
    parentId: Optional[str]
    ancestorIds: list[str]


class ExperienceGroup(_ExperienceGroup, Entity, total=False):
    # Not with `excludeMembers`, which has the counts in their place.
    experienceUserIds: list[str]
    deviceIds: list[str]
    directUserCount: int
    hasChildren: bool
    description: str
    deviceQueryJson: str
    directDeviceCount: int
    totalDeviceCount: int


class ExperienceGroupPatch(TypedDict, total=False):
    name: str
    description: str
    experienceUserIds: list[str]
    experienceEndpointIds: list[str]
    groupTags: dict[str, str]
    deviceIds: list[str]
    deviceTags: list[DeviceTag]
    deviceQueryJson: Optional[str]
    parentId: Optional[str]


class _ExperienceGroupPost(TypedDict):
    name: str


class ExperienceGroupPost(_ExperienceGroupPost, total=False):
    description: str
    experienceUserIds: list[str]
    experienceEndpointIds: list[str]
    groupTags: dict[str, str]
    deviceIds: list[str]
    deviceTags: list[DeviceTag]
    deviceQueryJson: Optional[str]
    parentId: Optional[str]


class _ExperienceGroups(_Page):
    items: list[ExperienceGroup]
    applicationId: str


class ExperienceGroups(_ExperienceGroups, Entity, total=False):
    filter: str
    filterField: str
    parentId: str


ExperienceGroupSort = Literal["name", "id", "creationDate", "lastUpdated"]

# --- applications ------------------------------------------------------------------------------


class _Global(TypedDict):
    key: str
    json: str


class Global(_Global, total=False):
    cloudOnly: bool
    description: str


class FtueTracking(TypedDict):
    name: str
    version: float
    status: Literal["skipped", "completed"]


class ApplicationSummary(TypedDict, total=False):
    apiTokenCount: int
    experienceGroupCount: int
    experienceUserCount: int


class _Application(TypedDict):
    id: str
    applicationId: str
    creationDate: str
    lastUpdated: str
    ownerId: str
    ownerType: str
    name: str
    summary: ApplicationSummary


class Application(_Application, Entity, total=False):
    organizationName: str
    description: str
    expUserTokenCutoff: str
    appliedTemplateIds: list[str]
    endpointSlug: str
    endpointDefaultCors: bool
    globals: list[Global]
    ftueTracking: list[FtueTracking]
    blobUrlTTL: float


class ApplicationPatch(TypedDict, total=False):
    name: str
    description: str
    endpointSlug: str
    expUserTokenCutoff: str
    endpointDefaultCors: bool
    globals: list[Global]
    ftueTracking: list[FtueTracking]
    blobUrlTTL: float


class _ApplicationPost(TypedDict):
    name: str


class ApplicationPost(_ApplicationPost, total=False):
    orgId: str
    description: str
    appliedTemplateIds: list[str]
    endpointSlug: str
    expUserTokenCutoff: str
    endpointDefaultCors: bool
    globals: list[Global]
    blobUrlTTL: float


class _Applications(_Page):
    items: list[Application]


class Applications(_Applications, Entity, total=False):
    filter: str
    filterField: str


ApplicationSort = Literal["name", "id", "creationDate", "ownerId", "lastUpdated"]

# --- API tokens --------------------------------------------------------------------------------

Role = Literal["admin", "edit", "collaborate", "view", "none"]
TokenStatus = Literal["active", "inactive"]


class RoleOf(TypedDict):
    resourceId: str
    role: Literal["collaborate", "view", "none"]


class _OrgRole(TypedDict):
    orgId: str
    role: Role


class OrgRole(_OrgRole, total=False):
    applicationRoles: list[RoleOf]
    dashboardRoles: list[RoleOf]


class _ApiToken(TypedDict):
    id: str
    apiTokenId: str
    ownerId: str
    ownerType: str
    name: str
    creationDate: str
    lastUpdated: str
    scope: list[str]
    status: TokenStatus


class ApiToken(_ApiToken, Entity, total=False):
    creatorId: str
    creatorType: Literal["apiToken", "user", "flow"]
    creatorName: str
    description: str
    expirationDate: str
    defaultRole: Role
    orgRoles: list[OrgRole]
    # Answered once, by the call that makes the token.
    token: str


class ApiTokenPatch(TypedDict, total=False):
    name: str
    description: str
    status: TokenStatus
    defaultRole: Role
    orgRoles: list[OrgRole]


class _ApiTokenPost(TypedDict):
    name: str


class ApiTokenPost(_ApiTokenPost, total=False):
    description: str
    expirationDate: str
    scope: list[str]
    status: TokenStatus
    defaultRole: Role
    orgRoles: list[OrgRole]


class _ApiTokens(_Page):
    items: list[ApiToken]
    ownerId: str
    ownerType: str


class ApiTokens(_ApiTokens, Entity, total=False):
    filter: str
    filterField: str


ApiTokenSort = Literal["name", "status", "id", "creationDate", "lastUpdated", "expirationDate"]

# --- people ------------------------------------------------------------------------------------


class _Me(TypedDict):
    id: str
    userId: str
    creationDate: str
    lastUpdated: str
    passwordLastUpdated: str
    email: str
    fullName: str
    avatarUrl: str
    emailVerified: bool
    needsToVerifyEmail: bool
    twoFactorAuthEnabled: bool


class Me(_Me, Entity, total=False):
    tokenCutoff: str
    firstName: str
    lastName: str
    companyName: str
    title: str
    phoneNumber: str
    location: str
    url: str


class MePatch(TypedDict, total=False):
    email: str
    firstName: str
    lastName: str
    companyName: str
    title: str
    phoneNumber: str
    location: str
    url: str
    password: str
    tokenCutoff: str


class _ChangePassword(TypedDict):
    password: str
    newPassword: str


class ChangePassword(_ChangePassword, total=False):
    twoFactorCode: str
    invalidateExistingTokens: bool
    tokenTTL: int


class _UserCredentials(TypedDict):
    email: str
    password: str


class UserCredentials(_UserCredentials, total=False):
    twoFactorCode: str
    requestedScopes: list[str]
    tokenTTL: int


class _AuthedUser(TypedDict):
    userId: str
    token: str


class AuthedUser(_AuthedUser, total=False):
    needsToVerifyEmail: bool
    orgId: str


class SsoDomain(TypedDict):
    ssoType: str
    ssoRequest: str


# --- keywords that every action takes ----------------------------------------------------------


class ReadOptions(TypedDict, total=False):
    losantdomain: str
    _actions: Flag
    _links: Flag
    _embedded: Flag
    # Seconds to wait for this answer, in the place of the client's.
    timeout: Optional[float]


class PostOptions(ReadOptions, total=False):
    # Makes the request safe to repeat; the client makes one up otherwise.
    idempotency_key: str


class WriteOptions(PostOptions, total=False):
    # The ETag of what was read: the server refuses with 412 if it has changed since.
    if_match: str
