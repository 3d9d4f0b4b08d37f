"""The resources of the API: generated from its OpenAPI document by `cargo xtask generate`.

A key that is always there is in a class whose name starts with an underscore; the class that
takes its name has the keys that may be missing. `NotRequired` would say it in one class, but is
not in the oldest Python that this package is for.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict


class Link(TypedDict):
    """A link to somewhere: a path relative to the server."""

    href: str


_LinkOfAction = TypedDict("_LinkOfAction", {"href": str, "method": str})


class ActionLink(_LinkOfAction, total=False):
    """Something the caller may do with a resource."""

    params: list[str]


class Entity(TypedDict, total=False):
    """What surrounds every resource."""

    _type: str
    _links: dict[str, Link]
    _actions: dict[str, ActionLink]
    _embedded: dict[str, Any]


SortDirection = Literal["asc", "desc"]
Role = Literal["admin", "edit", "collaborate", "view", "none"]
TokenStatus = Literal["active", "inactive"]
AdministratorSort = Literal["email", "id", "creationDate", "lastUpdated"]
AdministratorFilter = Literal["email"]
AdministratorSessionSort = Literal["creationDate", "id", "expirationDate"]
ApplicationSort = Literal[
    "name",
    "id",
    "creationDate",
    "ownerId",
    "lastUpdated",
]
ApplicationFilter = Literal["name"]
ApiTokenSort = Literal[
    "name",
    "status",
    "id",
    "creationDate",
    "lastUpdated",
    "expirationDate",
]
ApiTokenFilter = Literal["name", "status"]
ExperienceUserSort = Literal[
    "firstName",
    "lastName",
    "email",
    "id",
    "creationDate",
    "lastLogin",
    "lastUpdated",
]
ExperienceUserFilter = Literal["firstName", "lastName", "email"]
ExperienceInvitationSort = Literal["creationDate", "id"]
ExperienceInvitationFilter = Literal["email"]
ExperienceMailSort = Literal["creationDate", "id"]
ExperienceMailFilter = Literal["recipient"]
ExperienceGroupSort = Literal["name", "id", "creationDate", "lastUpdated"]
ExperienceGroupFilter = Literal["name"]


class _AddressChangePost(TypedDict):
    email: str
    """The address; the user gets it when the link is used."""


class AddressChangePost(_AddressChangePost, total=False):
    """Lets a user show that an address is theirs."""

    ttl: int
    """How many milliseconds the link lasts; a day unless said."""
    sendMail: bool
    """Whether the link is mailed. It is answered otherwise."""
    linkUrl: str
    """The page of yours that the link leads to."""


class AddressGiven(TypedDict):
    """Somebody says which address is theirs."""

    email: str
    """The address; white space around it does not count."""


class _Administrator(TypedDict):
    id: str
    """Who it is."""
    administratorId: str
    """The same as `id`."""
    creationDate: str
    """When the account was made."""
    lastUpdated: str
    """When it last changed."""
    passwordLastUpdated: str
    """When its password last changed."""
    email: str
    """Its address."""
    fullName: str
    """Given and family name, or the address when there is neither."""
    status: TokenStatus
    """Whether they may sign in, and their sessions and API tokens are good."""


class Administrator(_Administrator, Entity, total=False):
    tokenCutoff: str
    """Sessions and API tokens from before this moment are not good any more."""


class AdministratorPatch(TypedDict, total=False):
    """What changes of an administrator; what is not there stays as it is."""

    status: TokenStatus
    """Whether they may do anything from now on."""
    password: str
    """A new password; their sessions end with the old one, and their API tokens are inactive."""
    currentPassword: str
    """The present password of whoever asks: needed for a new password, unless it was given within
    the last ten minutes to sign in."""


class _Administrators(TypedDict):
    count: int
    """How many items this page has."""
    items: list[Administrator]
    """The items."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class Administrators(_Administrators, Entity, total=False):
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class _AdministratorSession(TypedDict):
    id: str
    """Which session it is."""
    sessionId: str
    """The same as `id`."""
    administratorId: str
    """Whose it is."""
    creationDate: str
    """When it began."""
    scope: list[str]
    """What it may do."""


class AdministratorSession(_AdministratorSession, Entity, total=False):
    signInDate: str
    """When the password was given for it, or for the session that it goes on from; left out for
    one of a time when that was not kept."""
    expirationDate: str
    """When it ends; never, if this is left out."""


class _AdministratorSessions(TypedDict):
    count: int
    """How many items this page has."""
    items: list[AdministratorSession]
    """The items."""
    administratorId: str
    """The administrator."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class AdministratorSessions(_AdministratorSessions, Entity, total=False):
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class _ApiToken(TypedDict):
    id: str
    """Which token it is."""
    apiTokenId: str
    """The same as `id`."""
    ownerId: str
    """The application or the administrator it speaks for."""
    ownerType: Literal["application", "user"]
    """Which of the two."""
    name: str
    """Its name."""
    creationDate: str
    """When it was made."""
    lastUpdated: str
    """When it last changed."""
    scope: list[str]
    """What it may do."""
    status: TokenStatus
    """Whether it is good at present."""


class ApiToken(_ApiToken, Entity, total=False):
    creatorId: str
    """The token or the administrator that made it; left out for one made on the command line."""
    creatorType: Literal["apiToken", "user", "flow"]
    """What made it."""
    creatorName: str
    """The name of what made it."""
    description: str
    """What it is for."""
    expirationDate: str
    """When it ends; never, if this is left out."""
    defaultRole: Role
    """Kept as given: there are no roles here."""
    orgRoles: list[OrgRole]
    """Kept as given: there are no roles here."""
    token: str
    """The token itself, in the answer to the POST that made it."""


class ApiTokenPatch(TypedDict, total=False):
    """What changes of an API token; what is not there stays as it is."""

    name: str
    """Its new name."""
    description: str
    """What it is for."""
    defaultRole: Role
    """Kept as given."""
    orgRoles: list[OrgRole]
    """Kept as given."""
    status: TokenStatus
    """Whether it is good from now on."""


class _ApiTokenPost(TypedDict):
    name: str
    """Its name."""


class ApiTokenPost(_ApiTokenPost, total=False):
    """A new API token."""

    description: str
    """What it is for."""
    expirationDate: str
    """When it ends: no later than the API token that makes it, and with that unless said."""
    defaultRole: Role
    """Kept as given."""
    orgRoles: list[OrgRole]
    """Kept as given."""
    scope: list[str]
    """What it may do; `all.Application` or `all.User` unless said."""
    status: TokenStatus
    """Whether it is good at present; `active` unless said."""


class _ApiTokens(TypedDict):
    count: int
    """How many items this page has."""
    items: list[ApiToken]
    """The items."""
    ownerId: str
    """The owner."""
    ownerType: Literal["application", "user"]
    """What it is."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class ApiTokens(_ApiTokens, Entity, total=False):
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class _Application(TypedDict):
    id: str
    """Which application it is."""
    applicationId: str
    """The same as `id`."""
    creationDate: str
    """When it was made."""
    lastUpdated: str
    """When it last changed."""
    ownerId: str
    """The organization that owns it: this server."""
    ownerType: str
    """Always `organization`."""
    organizationName: str
    """The name of the organization."""
    name: str
    """Its name."""
    summary: ApplicationSummary
    """How much it holds."""


class Application(_Application, Entity, total=False):
    description: str
    """What it is for."""
    expUserTokenCutoff: str
    """Tokens of its users issued before this moment are not good any more."""
    appliedTemplateIds: list[str]
    """Templates it was made from."""
    endpointSlug: str
    """The name of its endpoints' host."""
    endpointDefaultCors: bool
    """Whether its endpoints answer other origins."""
    globals: list[Global]
    """Its globals."""
    ftueTracking: list[FtueTracking]
    """How far its people have come in the tours of the platform's pages."""
    blobUrlTTL: float
    """How long links to its blobs live, in seconds."""


class ApplicationPatch(TypedDict, total=False):
    """What changes of an application; what is not there stays as it is."""

    name: str
    """Its new name."""
    description: str
    """What it is for."""
    endpointSlug: str
    """Kept as given."""
    expUserTokenCutoff: str
    """Tokens of its users issued before this moment are not good any more."""
    endpointDefaultCors: bool
    """Kept as given."""
    globals: list[Global]
    """Kept as given."""
    ftueTracking: list[FtueTracking]
    """Kept as given."""
    blobUrlTTL: float
    """Kept as given."""


class _ApplicationPost(TypedDict):
    name: str
    """Its name."""


class ApplicationPost(_ApplicationPost, total=False):
    """A new application."""

    orgId: str
    """The organization it belongs to: this server's, if it is said."""
    description: str
    """What it is for."""
    appliedTemplateIds: list[str]
    """Templates it was made from, kept as given."""
    endpointSlug: str
    """Kept as given."""
    expUserTokenCutoff: str
    """Tokens of its users issued before this moment are not good."""
    endpointDefaultCors: bool
    """Kept as given."""
    globals: list[Global]
    """Kept as given."""
    blobUrlTTL: float
    """Kept as given."""


class _ApplicationQuotas(TypedDict):
    applicationId: str
    """The application."""
    users: Quota
    """Users."""
    groups: Quota
    """Groups."""
    apiTokens: Quota
    """API tokens."""
    bytes: Quota
    """Bytes of users, groups and tokens, and of who is in which group."""
    answerBytes: Quota
    """Bytes of answers that are stored for a day under an `Idempotency-Key`."""


class ApplicationQuotas(_ApplicationQuotas, Entity, total=False):
    pass


class ApplicationQuotasPatch(TypedDict, total=False):
    """What changes of the quotas of an application; what is not there stays as it is."""

    users: Optional[int]
    """Users."""
    groups: Optional[int]
    """Groups."""
    apiTokens: Optional[int]
    """API tokens."""
    bytes: Optional[int]
    """Bytes of users, groups and tokens, and of who is in which group."""
    answerBytes: Optional[int]
    """Bytes of answers that are stored for a day under an `Idempotency-Key`."""


class _Applications(TypedDict):
    count: int
    """How many items this page has."""
    items: list[Application]
    """The items."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class Applications(_Applications, Entity, total=False):
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class ApplicationSummary(TypedDict, total=False):
    """How much an application holds."""

    apiTokenCount: int
    """How many API tokens."""
    experienceGroupCount: int
    """How many groups."""
    experienceUserCount: int
    """How many users."""


class AuthClient(TypedDict, total=False):
    """From where somebody signs in, as their backend sees it."""

    address: str
    """Their address. Wrong passwords are counted by where they come from: without it all who sign
    in with one address are counted together."""
    device: str
    """What their backend knows their browser by, such as a cookie of a year that nobody can guess.
    Who has signed in with it before does not wait after the wrong passwords of others."""


class _AuthenticatedExperienceUser(TypedDict):
    experienceUser: ExperienceUser2
    """Who it is."""


class AuthenticatedExperienceUser(_AuthenticatedExperienceUser, total=False):
    """Somebody has signed in."""

    token: str
    """The new token, if one was asked for."""
    expires: str
    """When that ends; never, if this is left out."""


class _ChangePassword(TypedDict):
    password: str
    """The present password."""
    newPassword: str
    """The new one."""


class ChangePassword(_ChangePassword, total=False):
    """A new password for the administrator who asks."""

    twoFactorCode: str
    """A second factor; there is none here."""
    invalidateExistingTokens: bool
    """Whether every session that there is ends, and every API token of one's own is inactive."""
    tokenTTL: int
    """How long the new session lasts."""


class DeviceTag(TypedDict, total=False):
    """The key, the value or both of a device's tag."""

    key: str
    """The key."""
    value: str
    """The value."""


class ExperienceBootstrap(TypedDict, total=False):
    """What an experience begins with."""

    replaceExisting: bool
    """Whether what is there under the plain names is replaced, rather than other names taken; it
    is not unless said."""
    createUsers: bool
    """Whether a user is made; one is unless said."""
    createGroups: bool
    """Whether a group is made; one is unless said."""
    slug: str
    """The name of a host; there is none to make here."""


class _ExperienceBootstrapResult(TypedDict):
    resourceSuffix: str
    """What the names of what was made end in; nothing, unless the plain names were taken."""


class ExperienceBootstrapResult(_ExperienceBootstrapResult, total=False):
    """What the beginning of an experience came to."""

    email: str
    """The address of the user that was made."""
    password: str
    """Its password."""


class _ExperienceCredentials(TypedDict):
    mode: Literal[
    "emailPassword",
    "token",
    "tokenEmail",
    "tokenEmailPassword",
]
    """What is given below."""


class ExperienceCredentials(_ExperienceCredentials, total=False):
    """Somebody signs in."""

    email: str
    """The address; white space around it does not count."""
    password: str
    """The password."""
    token: str
    """A token of the user."""
    client: AuthClient
    """From where they sign in."""
    generateToken: bool
    """Whether a new token is answered."""
    maxAge: int
    """How many milliseconds the new token lasts; for ever unless said. A token ends with a
    second."""
    extraData: dict[str, Any]
    """What the new token has in it besides. What a backend wants to find in a token again: a JSON
    object of at most 4 KiB."""
    invalidateExistingTokens: bool
    """Whether every token from before is not good any more."""


class _ExperienceGroup(TypedDict):
    id: str
    """Which group it is."""
    experienceGroupId: str
    """The same as `id`."""
    applicationId: str
    """The application it belongs to."""
    creationDate: str
    """When it was made."""
    lastUpdated: str
    """When it last changed."""
    name: str
    """Its name."""
    experienceEndpointIds: list[str]
    """Endpoints, kept as given: there are none here."""
    groupTags: dict[str, str]
    """Its tags."""
    deviceTags: list[DeviceTag]
    """Device tags, kept as given."""
    parentId: Optional[str]
    """The group it is in, `null` for one at the root."""
    ancestorIds: list[str]
    """Every group above it, from the root down."""


class ExperienceGroup(_ExperienceGroup, Entity, total=False):
    description: str
    """What it is for."""
    experienceUserIds: list[str]
    """Its direct members; not with `excludeMembers`."""
    deviceIds: list[str]
    """Devices, kept as given: there are none here; not with `excludeMembers`."""
    deviceQueryJson: str
    """A device query, kept as given."""
    directUserCount: int
    """How many direct members it has, with `excludeMembers`."""
    hasChildren: bool
    """Whether there are groups in it, with `excludeMembers`."""
    directDeviceCount: int
    """How many distinct devices it names, if that was asked, or with `excludeMembers`."""
    totalDeviceCount: int
    """How many distinct devices it and the groups below it name, if that was asked."""


class ExperienceGroupMembership(TypedDict):
    """Whether a user is a member of a group."""

    member: bool
    """Whether it is: of the group, or of one that this is in."""
    through: Optional[str]
    """The nearest of these that it is a direct member of; `null` where there is none."""


class ExperienceGroupPatch(TypedDict, total=False):
    """What changes of a group; what is not there stays as it is."""

    name: str
    """Its new name."""
    description: str
    """What it is for."""
    experienceUserIds: list[str]
    """All its direct members from now on."""
    experienceEndpointIds: list[str]
    """Endpoints, kept as given."""
    groupTags: dict[str, str]
    """All its tags from now on."""
    deviceIds: list[str]
    """Devices, kept as given."""
    deviceTags: list[DeviceTag]
    """Device tags, kept as given."""
    deviceQueryJson: Optional[str]
    """A device query, kept as given."""
    parentId: Optional[str]
    """The group it moves into; `null` for the root."""


class _ExperienceGroupPost(TypedDict):
    name: str
    """Its name."""


class ExperienceGroupPost(_ExperienceGroupPost, total=False):
    """A new group."""

    description: str
    """What it is for."""
    experienceUserIds: list[str]
    """Its direct members."""
    experienceEndpointIds: list[str]
    """Endpoints, kept as given."""
    groupTags: dict[str, str]
    """Its tags."""
    deviceIds: list[str]
    """Devices, kept as given."""
    deviceTags: list[DeviceTag]
    """Device tags, kept as given."""
    deviceQueryJson: Optional[str]
    """A device query, kept as given."""
    parentId: Optional[str]
    """The group it is in; `null` or nothing for the root."""


class _ExperienceGroups(TypedDict):
    count: int
    """How many items this page has."""
    items: list[ExperienceGroup]
    """The items."""
    applicationId: str
    """The application."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class ExperienceGroups(_ExperienceGroups, Entity, total=False):
    experienceGroupId: str
    """The group that the list was narrowed to, if it was one group."""
    parentId: str
    """The group that the list was narrowed to, if it was one group."""
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class _ExperienceInvitation(TypedDict):
    id: str
    """Which invitation it is."""
    experienceInvitationId: str
    """The same as `id`."""
    applicationId: str
    """The application that asks."""
    creationDate: str
    """When it was made."""
    expirationDate: str
    """When its link ends."""
    email: str
    """Who was asked."""
    userTags: dict[str, str]
    """The tags that they will have."""
    experienceGroupIds: list[str]
    """The groups that they will be in, those that there are by then."""


class ExperienceInvitation(_ExperienceInvitation, Entity, total=False):
    firstName: str
    """Their given name, unless they say another."""
    lastName: str
    """Their family name, unless they say another."""


class _ExperienceInvitationPost(TypedDict):
    email: str
    """Who is asked."""


class ExperienceInvitationPost(_ExperienceInvitationPost, total=False):
    """Asks somebody to become a user."""

    firstName: str
    """Their given name, unless they say another."""
    lastName: str
    """Their family name, unless they say another."""
    userTags: dict[str, str]
    """The tags that they will have."""
    experienceGroupIds: list[str]
    """The groups that they will be in."""
    ttl: int
    """How many milliseconds the link lasts; seven days unless said."""
    sendMail: bool
    """Whether the link is mailed. It is answered otherwise."""
    linkUrl: str
    """The page of yours that the link leads to."""


class _ExperienceInvitations(TypedDict):
    count: int
    """How many items this page has."""
    items: list[ExperienceInvitation]
    """The items."""
    applicationId: str
    """The application."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class ExperienceInvitations(_ExperienceInvitations, Entity, total=False):
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class ExperienceKey(TypedDict):
    """A key that signs the tokens of an application's users, or did, or is going to."""

    kid: str
    """Its name, which its tokens say: its thumbprint (RFC 7638)."""
    alg: str
    """How it signs."""
    state: Literal["next", "current", "retired"]
    """What it does."""
    creationDate: str
    """When it was made."""
    signsFrom: str
    """Since when it signs, or from when on."""


class ExperienceKeyPost(TypedDict, total=False):
    """A new key."""

    immediately: bool
    """Whether it signs at once, as where the present one is known to others, and not only when
    everybody has had time to learn of it."""


class ExperienceKeys(TypedDict):
    """The keys of an application."""

    applicationId: str
    """The application."""
    count: int
    """How many there are."""
    items: list[ExperienceKey]
    """All of them, the newest first."""


class _ExperienceMail(TypedDict):
    id: str
    """Which mail it is."""
    experienceMailId: str
    """The same as `id`."""
    applicationId: str
    """The application that it is from."""
    creationDate: str
    """When it was made."""
    lastUpdated: str
    """When its state last changed, or it was last tried."""
    purpose: Literal[
    "register",
    "invite",
    "reset",
    "verify",
    "changeAddress",
    "addressInUse",
    "addressChanged",
    "passwordChanged",
]
    """What it is for."""
    recipient: str
    """To whom."""
    state: Literal["queued", "sent", "failed"]
    """What has become of it."""
    attempts: int
    """How often it was tried."""


class ExperienceMail(_ExperienceMail, Entity, total=False):
    experienceUserId: str
    """The user that it is about, if there is one."""
    error: str
    """Why it could not be sent when it was last tried."""


class _ExperienceMails(TypedDict):
    count: int
    """How many items this page has."""
    items: list[ExperienceMail]
    """The items."""
    applicationId: str
    """The application."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class ExperienceMails(_ExperienceMails, Entity, total=False):
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class _ExperienceSignIn(TypedDict):
    applicationId: str
    """The application."""
    publicJson: bool
    """Whether programs of the application ask without an API token."""
    pages: bool
    """Whether there are pages for people."""
    register: bool
    """Whether people register by themselves."""
    forgot: bool
    """Whether people who have forgotten their password are sent a link."""
    passwordMinLength: int
    """The shortest password that people may choose, in characters."""
    breachedPasswords: Literal["refuse", "off"]
    """Whether people may choose a password that others have lost, as far as the server has a list
    of those."""
    locales: list[str]
    """The languages that people are spoken to in, the usual one first."""


class ExperienceSignIn(_ExperienceSignIn, Entity, total=False):
    mailFrom: str
    """Whom mails are from, if not from whom the server says."""
    displayName: str
    """What people know the application as, if not by its name."""
    linkUrl: str
    """The page of the application that links in mails lead to."""


class ExperienceSignInPatch(TypedDict, total=False):
    """What changes of what an application offers to people; what is not there stays as it is."""

    publicJson: bool
    """Whether programs of the application ask without an API token."""
    pages: bool
    """Whether there are pages for people."""
    register: bool
    """Whether people register by themselves. It needs `publicJson` or `pages`."""
    forgot: bool
    """Whether people who have forgotten their password are sent a link. It needs `publicJson` or
    `pages`."""
    passwordMinLength: int
    """The shortest password that people may choose, in characters. What a backend sets is not
    measured by it."""
    breachedPasswords: Literal["refuse", "off"]
    """Whether people may choose a password that others have lost, as far as the server has a list
    of those."""
    mailFrom: Optional[str]
    """Whom mails are from; `null` for whom the server says."""
    displayName: Optional[str]
    """What people know the application as; `null` for its name."""
    locales: list[str]
    """The languages that people are spoken to in, the usual one first."""
    linkUrl: Optional[str]
    """The page of the application that links in mails lead to; `null` for none."""


class _ExperienceUser(TypedDict):
    id: str
    """Who it is."""
    experienceUserId: str
    """The same as `id`."""
    applicationId: str
    """The application it belongs to."""
    creationDate: str
    """When it was made."""
    lastUpdated: str
    """When it last changed."""
    passwordLastUpdated: str
    """When its password last changed."""
    email: str
    """Its address, unique in the application whatever the case."""
    avatarUrl: str
    """A picture, found by the address."""
    userTags: dict[str, str]
    """Its tags."""
    experienceGroups: list[GroupRef]
    """The groups it is a direct member of."""


class ExperienceUser(_ExperienceUser, Entity, total=False):
    lastLogin: str
    """When it last signed in."""
    firstName: str
    """Its given name."""
    lastName: str
    """Its family name."""
    tokenCutoff: str
    """Tokens issued before this moment are not good any more."""


class _ExperienceUser2(TypedDict):
    id: str
    """Who it is."""
    experienceUserId: str
    """The same as `id`."""
    applicationId: str
    """The application it belongs to."""
    creationDate: str
    """When it was made."""
    lastUpdated: str
    """When it last changed."""
    passwordLastUpdated: str
    """When its password last changed."""
    email: str
    """Its address, unique in the application whatever the case."""
    avatarUrl: str
    """A picture, found by the address."""
    userTags: dict[str, str]
    """Its tags."""
    experienceGroups: list[GroupRef]
    """The groups it is a direct member of."""


class ExperienceUser2(_ExperienceUser2, total=False):
    """An end user of an application."""

    lastLogin: str
    """When it last signed in."""
    firstName: str
    """Its given name."""
    lastName: str
    """Its family name."""
    tokenCutoff: str
    """Tokens issued before this moment are not good any more."""


class ExperienceUserPatch(TypedDict, total=False):
    """What changes of a user; what is not there stays as it is."""

    email: str
    """Its new address."""
    firstName: str
    """Its new given name."""
    lastName: str
    """Its new family name."""
    password: str
    """Its new password."""
    tokenCutoff: str
    """Tokens issued before this moment are not good any more."""
    userTags: dict[str, str]
    """All its tags from now on."""
    experienceGroupIds: list[str]
    """All the groups it is a direct member of from now on."""


class _ExperienceUserPost(TypedDict):
    email: str
    """Its address."""
    password: str
    """Its password."""


class ExperienceUserPost(_ExperienceUserPost, total=False):
    """A new user."""

    firstName: str
    """Its given name."""
    lastName: str
    """Its family name."""
    tokenCutoff: str
    """Tokens issued before this moment are not good."""
    userTags: dict[str, str]
    """Its tags."""
    experienceGroupIds: list[str]
    """The groups it joins."""


class _ExperienceUsers(TypedDict):
    count: int
    """How many items this page has."""
    items: list[ExperienceUser]
    """The items."""
    applicationId: str
    """The application."""
    perPage: int
    """The most a page holds."""
    page: int
    """Which page this is, counted from 0; 0 for one that a cursor was sent for."""
    sortField: str
    """What the list is sorted by."""
    sortDirection: SortDirection
    """In which direction."""
    totalCount: int
    """How many items all pages have together."""


class ExperienceUsers(_ExperienceUsers, Entity, total=False):
    experienceGroupId: str
    """The group that the list was narrowed to, if it was one group."""
    search: str
    """The words that were searched for, if there were any."""
    filter: str
    """The pattern that the items match, if one was asked for."""
    filterField: str
    """The field that the pattern is matched against, if one was named."""


class _ExperienceUserToken(TypedDict):
    token: str
    """The token."""


class ExperienceUserToken(_ExperienceUserToken, total=False):
    """A token that was made."""

    expires: str
    """When it ends; never, if this is left out."""


class _ExperienceUserTokenFor(TypedDict):
    emailOrId: str
    """The address or the id of the user, told apart by its form; white space around it does not
    count."""


class ExperienceUserTokenFor(_ExperienceUserTokenFor, total=False):
    """A token for a user whom a backend knows by an address or by an id."""

    maxAge: int
    """How many milliseconds it lasts; for ever unless said. A token ends with a second."""
    extraData: dict[str, Any]
    """What it has in it besides. What a backend wants to find in a token again: a JSON object of
    at most 4 KiB."""
    invalidateExistingTokens: bool
    """Whether every token from before is not good any more."""
    treatAsLogin: bool
    """Whether this counts as a sign-in of the user, which `lastLogin` tells."""
    actor: str
    """Who acts for the user with it, which it has as `act` (RFC 8693)."""


class _ExperienceUserTokenOrNone(TypedDict):
    token: Optional[str]
    """The token; `null` where there is no such user."""


class ExperienceUserTokenOrNone(_ExperienceUserTokenOrNone, total=False):
    """A token that was made, if there is such a user."""

    expires: str
    """When it ends; never, if this is left out."""


class ExperienceUserTokenPost(TypedDict, total=False):
    """A token for a user, who need not be there."""

    maxAge: int
    """How many milliseconds it lasts; for ever unless said. A token ends with a second."""
    extraData: dict[str, Any]
    """What it has in it besides. What a backend wants to find in a token again: a JSON object of
    at most 4 KiB."""
    invalidateExistingTokens: bool
    """Whether every token from before is not good any more."""
    treatAsLogin: bool
    """Whether this counts as a sign-in of the user, which `lastLogin` tells."""
    actor: str
    """Who acts for the user with it, which it has as `act` (RFC 8693)."""


class ExperienceUserTokensEnded(TypedDict):
    """All tokens of a user have ended."""

    success: bool
    """Always true."""
    tokenCutoff: str
    """Those from before this moment."""


class FtueTracking(TypedDict):
    """How far someone has come in a tour."""

    name: str
    """The tour."""
    version: float
    """Its version."""
    status: Literal["skipped", "completed"]
    """How it ended."""


class _Global(TypedDict):
    key: str
    """Its name."""
    json: str
    """Its value, as JSON text."""


class Global(_Global, total=False):
    """A value that all of an application's workflows see."""

    cloudOnly: bool
    """Whether it stays off the edge."""
    description: str
    """What it is for."""


class GroupRef(TypedDict):
    """A group, as a user names it."""

    id: str
    """Which group it is."""
    name: str
    """Its name."""
    parentId: Optional[str]
    """The group it is in, `null` for one at the root."""


class _LinkUse(TypedDict):
    token: str
    """The secret of the link."""


class LinkUse(_LinkUse, total=False):
    """What somebody who followed a link says."""

    password: str
    """The password that they choose, where the link is for that."""
    firstName: str
    """The given name of a new user."""
    lastName: str
    """The family name of a new user."""


class _MadeExperienceInvitation(TypedDict):
    id: str
    """Which invitation it is."""
    experienceInvitationId: str
    """The same as `id`."""
    applicationId: str
    """The application that asks."""
    creationDate: str
    """When it was made."""
    expirationDate: str
    """When its link ends."""
    email: str
    """Who was asked."""
    userTags: dict[str, str]
    """The tags that they will have."""
    experienceGroupIds: list[str]
    """The groups that they will be in, those that there are by then."""


class MadeExperienceInvitation(_MadeExperienceInvitation, total=False):
    """An invitation that was made."""

    firstName: str
    """Their given name, unless they say another."""
    lastName: str
    """Their family name, unless they say another."""
    link: str
    """The link, where nothing was mailed."""


class _MadeExperienceLink(TypedDict):
    expirationDate: str
    """When it ends."""


class MadeExperienceLink(_MadeExperienceLink, total=False):
    """A link was made."""

    link: str
    """The link, where nothing was mailed."""


class _Me(TypedDict):
    id: str
    """Who it is."""
    userId: str
    """The same as `id`."""
    creationDate: str
    """When the account was made."""
    lastUpdated: str
    """When it last changed."""
    passwordLastUpdated: str
    """When its password last changed."""
    email: str
    """Its address."""
    fullName: str
    """Given and family name, or the address when there is neither."""
    avatarUrl: str
    """A picture, found by the address."""
    emailVerified: bool
    """Always true: administrators are made on the command line."""
    needsToVerifyEmail: bool
    """Always false."""
    twoFactorAuthEnabled: bool
    """Always false: there is no second factor here."""


class Me(_Me, Entity, total=False):
    tokenCutoff: str
    """Sessions and API tokens from before this moment are not good any more."""
    firstName: str
    """Given name."""
    lastName: str
    """Family name."""
    companyName: str
    """Company."""
    title: str
    """Title."""
    phoneNumber: str
    """Phone number."""
    location: str
    """Place."""
    url: str
    """Web page."""


class MePatch(TypedDict, total=False):
    """What changes of an administrator; what is not there stays as it is."""

    email: str
    """The new address."""
    firstName: str
    """Given name."""
    lastName: str
    """Family name."""
    companyName: str
    """Company."""
    title: str
    """Title."""
    phoneNumber: str
    """Phone number."""
    location: str
    """Place."""
    url: str
    """Web page."""
    password: str
    """The new password."""
    currentPassword: str
    """The present password: needed for a new address or a new password, unless it was given within
    the last ten minutes to sign in."""
    tokenCutoff: str
    """Sessions and API tokens from before this moment are not good any more."""


class _OrgRole(TypedDict):
    orgId: str
    """The organization, or `sandbox`."""
    role: Role
    """The role in it."""


class OrgRole(_OrgRole, total=False):
    """Roles in one organization, kept as given."""

    applicationRoles: list[RoleOf]
    """Roles in some of its applications."""
    dashboardRoles: list[RoleOf]
    """Roles in some of its dashboards."""


class PasswordResetPost(TypedDict, total=False):
    """Lets a user choose a new password."""

    ttl: int
    """How many milliseconds the link lasts; an hour unless said."""
    sendMail: bool
    """Whether the link is mailed. It is answered otherwise."""
    linkUrl: str
    """The page of yours that the link leads to."""


class _Quota(TypedDict):
    used: int
    """How much there is."""
    own: bool
    """Whether the limit is this application's own, and not what the server says for all."""


class Quota(_Quota, total=False):
    """How much there is of something, and how much there may be."""

    limit: int
    """How much there may be; any number, if this is left out."""


class RoleOf(TypedDict):
    """A role in one application or dashboard, kept as given."""

    resourceId: str
    """The application or dashboard."""
    role: Literal["collaborate", "view", "none"]
    """The role in it."""


class Success(TypedDict):
    """The answer of a DELETE."""

    success: bool
    """Always true: a failure is an [`Error`]."""


class UsedExperienceLink(TypedDict):
    """A link was used."""

    experienceUser: ExperienceUser2
    """Its user, as they are now."""


class _UserCredentials(TypedDict):
    email: str
    """The address; white space around it does not count."""
    password: str
    """The password."""


class UserCredentials(_UserCredentials, total=False):
    """An administrator signs in."""

    twoFactorCode: str
    """A second factor; there is none here."""
    requestedScopes: list[str]
    """What the session may do; `all.User` unless said."""
    tokenTTL: int
    """How long the session lasts."""


class _VerifiedExperienceToken(TypedDict):
    active: bool
    """Whether it is good."""


class VerifiedExperienceToken(_VerifiedExperienceToken, total=False):
    """What became of a token that a backend was shown. Of one that is not good there is nothing
    but that."""

    experienceUser: ExperienceUser2
    """Whose it is."""
    extraData: dict[str, Any]
    """What was put into it."""
    claims: dict[str, Any]
    """All that it says."""


class _VerifyToken(TypedDict):
    token: str
    """The token."""


class VerifyToken(_VerifyToken, total=False):
    """A token that a backend was shown."""

    email: str
    """The address that its user has to have."""
