"""The types of the clients, which are built at run time from a table."""

from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self

from typing_extensions import Unpack

from ._guestlist import Core
from .types import (
    AddressChangePost,
    Administrator,
    AdministratorFilter,
    AdministratorPatch,
    Administrators,
    AdministratorSession,
    AdministratorSessions,
    AdministratorSessionSort,
    AdministratorSort,
    ApiToken,
    ApiTokenPatch,
    ApiTokenPost,
    ApiTokens,
    ApiTokenSort,
    Application,
    ApplicationPatch,
    ApplicationPost,
    Applications,
    ApplicationSort,
    AuthedUser,
    AuthenticatedExperienceUser,
    ChangePassword,
    ExperienceBootstrap,
    ExperienceBootstrapResult,
    ExperienceCredentials,
    ExperienceGroup,
    ExperienceGroupMembership,
    ExperienceGroupPatch,
    ExperienceGroupPost,
    ExperienceGroups,
    ExperienceGroupSort,
    ExperienceInvitation,
    ExperienceInvitationFilter,
    ExperienceInvitationPost,
    ExperienceInvitations,
    ExperienceInvitationSort,
    ExperienceKey,
    ExperienceKeyPost,
    ExperienceKeys,
    ExperienceMail,
    ExperienceMailFilter,
    ExperienceMails,
    ExperienceMailSort,
    ExperienceSignIn,
    ExperienceSignInPatch,
    ExperienceUser,
    ExperienceUserFilter,
    ExperienceUserPatch,
    ExperienceUserPost,
    ExperienceUsers,
    ExperienceUserSort,
    ExperienceUserToken,
    ExperienceUserTokenFor,
    ExperienceUserTokenOrNone,
    ExperienceUserTokenPost,
    ExperienceUserTokensEnded,
    Flag,
    LinkUse,
    MadeExperienceInvitation,
    MadeExperienceLink,
    Me,
    MePatch,
    PasswordResetPost,
    PostOptions,
    Query,
    ReadOptions,
    SortDirection,
    SsoDomain,
    Success,
    UsedExperienceLink,
    UserCredentials,
    VerifiedExperienceToken,
    VerifyToken,
    Whole,
    WriteOptions,
)

DEFAULT_URL: Final = "http://127.0.0.1:8080"

class _Resource:
    __slots__ = ("_core",)
    def __init__(self, core: Core) -> None: ...

class AdministratorActions(_Resource):
    def get(self, *, administratorId: str, **more: Unpack[ReadOptions]) -> Administrator: ...
    def get_with_etag(
        self,
        *,
        administratorId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[Administrator, str | None]: ...
    def patch(
        self,
        *,
        administratorId: str,
        administrator: AdministratorPatch,
        **more: Unpack[WriteOptions],
    ) -> Administrator: ...
    def delete(self, *, administratorId: str, **more: Unpack[WriteOptions]) -> Success: ...

class AdministratorsActions(_Resource):
    def get(
        self,
        *,
        sortField: AdministratorSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: AdministratorFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Administrators: ...
    def iterate(
        self,
        *,
        sortField: AdministratorSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: AdministratorFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[Administrator]: ...

class AdministratorSessionActions(_Resource):
    def delete(
        self,
        *,
        administratorId: str,
        sessionId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AdministratorSessionsActions(_Resource):
    def get(
        self,
        *,
        administratorId: str,
        sortField: AdministratorSessionSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AdministratorSessions: ...
    def iterate(
        self,
        *,
        administratorId: str,
        sortField: AdministratorSessionSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[AdministratorSession]: ...
    def delete(self, *, administratorId: str, **more: Unpack[WriteOptions]) -> Success: ...

class ApplicationActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Application: ...
    def get_with_etag(
        self,
        *,
        applicationId: str,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> tuple[Application, str | None]: ...
    def patch(
        self,
        *,
        applicationId: str,
        application: ApplicationPatch,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[WriteOptions],
    ) -> Application: ...
    def delete(self, *, applicationId: str, **more: Unpack[WriteOptions]) -> Success: ...

class ApplicationsActions(_Resource):
    def get(
        self,
        *,
        sortField: ApplicationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        orgId: str | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Applications: ...
    def iterate(
        self,
        *,
        sortField: ApplicationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        orgId: str | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[Application]: ...
    def post(
        self,
        *,
        application: ApplicationPost,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[PostOptions],
    ) -> Application: ...

class ApplicationApiTokenActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        **more: Unpack[ReadOptions],
    ) -> ApiToken: ...
    def get_with_etag(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ApiToken, str | None]: ...
    def patch(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        apiToken: ApiTokenPatch,
        **more: Unpack[WriteOptions],
    ) -> ApiToken: ...
    def delete(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        withChildren: Flag | None = None,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class ApplicationApiTokensActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ApiTokens: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[ApiToken]: ...
    def post(
        self,
        *,
        applicationId: str,
        apiToken: ApiTokenPost,
        **more: Unpack[PostOptions],
    ) -> ApiToken: ...

class AuthActions(_Resource):
    def authenticate_user(
        self,
        *,
        credentials: UserCredentials,
        **more: Unpack[ReadOptions],
    ) -> AuthedUser: ...
    def sso_domain(
        self,
        *,
        email: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> SsoDomain | Literal[""]: ...

class ExperienceActions(_Resource):
    def bootstrap(
        self,
        *,
        applicationId: str,
        options: ExperienceBootstrap,
        **more: Unpack[WriteOptions],
    ) -> ExperienceBootstrapResult: ...
    def delete(
        self,
        *,
        applicationId: str,
        keepUsers: str | None = None,
        keepGroups: str | None = None,
        keepSlugs: str | None = None,
        keepDomains: str | None = None,
        removeVersions: str | None = None,
        keepViews: str | None = None,
        keepEndpoints: str | None = None,
        removeWorkflows: str | None = None,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class ExperienceAddressChangesActions(_Resource):
    def post(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        addressChange: AddressChangePost,
        **more: Unpack[PostOptions],
    ) -> MadeExperienceLink: ...

class ExperienceAuthActions(_Resource):
    def authenticate(
        self,
        *,
        applicationId: str,
        credentials: ExperienceCredentials,
        **more: Unpack[PostOptions],
    ) -> AuthenticatedExperienceUser: ...
    def verify_group(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        experienceGroupId: str,
        **more: Unpack[ReadOptions],
    ) -> ExperienceGroupMembership: ...
    def verify_token(
        self,
        *,
        applicationId: str,
        token: VerifyToken,
        **more: Unpack[PostOptions],
    ) -> VerifiedExperienceToken: ...

class ExperienceGroupActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        includeDirectDeviceCount: Flag | None = None,
        includeTotalDeviceCount: Flag | None = None,
        excludeMembers: Flag | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceGroup: ...
    def get_with_etag(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        includeDirectDeviceCount: Flag | None = None,
        includeTotalDeviceCount: Flag | None = None,
        excludeMembers: Flag | None = None,
        **more: Unpack[ReadOptions],
    ) -> tuple[ExperienceGroup, str | None]: ...
    def patch(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        experienceGroup: ExperienceGroupPatch,
        **more: Unpack[WriteOptions],
    ) -> ExperienceGroup: ...
    def delete(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class ExperienceGroupsActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceGroupSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        parentId: str | None = None,
        excludeMembers: Flag | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceGroups: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceGroupSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        parentId: str | None = None,
        excludeMembers: Flag | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[ExperienceGroup]: ...
    def post(
        self,
        *,
        applicationId: str,
        experienceGroup: ExperienceGroupPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceGroup: ...

class ExperienceInvitationActions(_Resource):
    def delete(
        self,
        *,
        applicationId: str,
        experienceInvitationId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class ExperienceInvitationsActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceInvitationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceInvitationFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceInvitations: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceInvitationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceInvitationFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[ExperienceInvitation]: ...
    def post(
        self,
        *,
        applicationId: str,
        experienceInvitation: ExperienceInvitationPost,
        **more: Unpack[PostOptions],
    ) -> MadeExperienceInvitation: ...

class ExperienceKeyActions(_Resource):
    def delete(
        self,
        *,
        applicationId: str,
        kid: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class ExperienceKeysActions(_Resource):
    def get(self, *, applicationId: str, **more: Unpack[ReadOptions]) -> ExperienceKeys: ...
    def post(
        self,
        *,
        applicationId: str,
        experienceKey: ExperienceKeyPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceKey: ...

class ExperienceLinksActions(_Resource):
    def post(
        self,
        *,
        applicationId: str,
        purpose: Literal["register", "invite", "reset", "verify", "changeAddress"],
        link: LinkUse,
        **more: Unpack[PostOptions],
    ) -> UsedExperienceLink: ...

class ExperienceMailsActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceMailSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceMailFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceMails: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceMailSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceMailFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[ExperienceMail]: ...

class ExperiencePasswordResetsActions(_Resource):
    def post(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        passwordReset: PasswordResetPost,
        **more: Unpack[PostOptions],
    ) -> MadeExperienceLink: ...

class ExperienceSignInActions(_Resource):
    def get(self, *, applicationId: str, **more: Unpack[ReadOptions]) -> ExperienceSignIn: ...
    def get_with_etag(
        self,
        *,
        applicationId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ExperienceSignIn, str | None]: ...
    def patch(
        self,
        *,
        applicationId: str,
        experienceSignIn: ExperienceSignInPatch,
        **more: Unpack[WriteOptions],
    ) -> ExperienceSignIn: ...

class ExperienceUserActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[ReadOptions],
    ) -> ExperienceUser: ...
    def get_with_etag(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ExperienceUser, str | None]: ...
    def patch(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        experienceUser: ExperienceUserPatch,
        **more: Unpack[WriteOptions],
    ) -> ExperienceUser: ...
    def delete(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class ExperienceUserTokensActions(_Resource):
    def delete(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[WriteOptions],
    ) -> ExperienceUserTokensEnded: ...
    def post(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        experienceUserToken: ExperienceUserTokenPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceUserToken: ...
    def post_for_email_or_id(
        self,
        *,
        applicationId: str,
        experienceUserToken: ExperienceUserTokenFor,
        **more: Unpack[PostOptions],
    ) -> ExperienceUserTokenOrNone: ...

class ExperienceUsersActions(_Resource):
    def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceUserSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceUserFilter | None = None,
        filter: str | None = None,
        experienceGroupId: str | None = None,
        includeAncestorGroups: Flag | None = None,
        search: str | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceUsers: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceUserSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceUserFilter | None = None,
        filter: str | None = None,
        experienceGroupId: str | None = None,
        includeAncestorGroups: Flag | None = None,
        search: str | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[ExperienceUser]: ...
    def post(
        self,
        *,
        applicationId: str,
        experienceUser: ExperienceUserPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceUser: ...

class MeActions(_Resource):
    def get(
        self,
        *,
        includeRecent: Flag | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Me: ...
    def get_with_etag(
        self,
        *,
        includeRecent: Flag | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> tuple[Me, str | None]: ...
    def patch(
        self,
        *,
        user: MePatch,
        includeRecent: Flag | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[WriteOptions],
    ) -> Me: ...
    def change_password(
        self,
        *,
        data: ChangePassword,
        **more: Unpack[PostOptions],
    ) -> AuthedUser: ...
    def refresh_token(self, **more: Unpack[ReadOptions]) -> AuthedUser: ...

class UserApiTokenActions(_Resource):
    def get(self, *, apiTokenId: str, **more: Unpack[ReadOptions]) -> ApiToken: ...
    def get_with_etag(
        self,
        *,
        apiTokenId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ApiToken, str | None]: ...
    def patch(
        self,
        *,
        apiTokenId: str,
        apiToken: ApiTokenPatch,
        **more: Unpack[WriteOptions],
    ) -> ApiToken: ...
    def delete(
        self,
        *,
        apiTokenId: str,
        withChildren: Flag | None = None,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class UserApiTokensActions(_Resource):
    def get(
        self,
        *,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ApiTokens: ...
    def iterate(
        self,
        *,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Iterator[ApiToken]: ...
    def post(self, *, apiToken: ApiTokenPost, **more: Unpack[PostOptions]) -> ApiToken: ...

class AsyncAdministratorActions(_Resource):
    async def get(self, *, administratorId: str, **more: Unpack[ReadOptions]) -> Administrator: ...
    async def get_with_etag(
        self,
        *,
        administratorId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[Administrator, str | None]: ...
    async def patch(
        self,
        *,
        administratorId: str,
        administrator: AdministratorPatch,
        **more: Unpack[WriteOptions],
    ) -> Administrator: ...
    async def delete(self, *, administratorId: str, **more: Unpack[WriteOptions]) -> Success: ...

class AsyncAdministratorsActions(_Resource):
    async def get(
        self,
        *,
        sortField: AdministratorSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: AdministratorFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Administrators: ...
    def iterate(
        self,
        *,
        sortField: AdministratorSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: AdministratorFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[Administrator]: ...

class AsyncAdministratorSessionActions(_Resource):
    async def delete(
        self,
        *,
        administratorId: str,
        sessionId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncAdministratorSessionsActions(_Resource):
    async def get(
        self,
        *,
        administratorId: str,
        sortField: AdministratorSessionSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AdministratorSessions: ...
    def iterate(
        self,
        *,
        administratorId: str,
        sortField: AdministratorSessionSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[AdministratorSession]: ...
    async def delete(self, *, administratorId: str, **more: Unpack[WriteOptions]) -> Success: ...

class AsyncApplicationActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Application: ...
    async def get_with_etag(
        self,
        *,
        applicationId: str,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> tuple[Application, str | None]: ...
    async def patch(
        self,
        *,
        applicationId: str,
        application: ApplicationPatch,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[WriteOptions],
    ) -> Application: ...
    async def delete(self, *, applicationId: str, **more: Unpack[WriteOptions]) -> Success: ...

class AsyncApplicationsActions(_Resource):
    async def get(
        self,
        *,
        sortField: ApplicationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        orgId: str | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Applications: ...
    def iterate(
        self,
        *,
        sortField: ApplicationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        orgId: str | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[Application]: ...
    async def post(
        self,
        *,
        application: ApplicationPost,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[PostOptions],
    ) -> Application: ...

class AsyncApplicationApiTokenActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        **more: Unpack[ReadOptions],
    ) -> ApiToken: ...
    async def get_with_etag(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ApiToken, str | None]: ...
    async def patch(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        apiToken: ApiTokenPatch,
        **more: Unpack[WriteOptions],
    ) -> ApiToken: ...
    async def delete(
        self,
        *,
        applicationId: str,
        apiTokenId: str,
        withChildren: Flag | None = None,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncApplicationApiTokensActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ApiTokens: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[ApiToken]: ...
    async def post(
        self,
        *,
        applicationId: str,
        apiToken: ApiTokenPost,
        **more: Unpack[PostOptions],
    ) -> ApiToken: ...

class AsyncAuthActions(_Resource):
    async def authenticate_user(
        self,
        *,
        credentials: UserCredentials,
        **more: Unpack[ReadOptions],
    ) -> AuthedUser: ...
    async def sso_domain(
        self,
        *,
        email: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> SsoDomain | Literal[""]: ...

class AsyncExperienceActions(_Resource):
    async def bootstrap(
        self,
        *,
        applicationId: str,
        options: ExperienceBootstrap,
        **more: Unpack[WriteOptions],
    ) -> ExperienceBootstrapResult: ...
    async def delete(
        self,
        *,
        applicationId: str,
        keepUsers: str | None = None,
        keepGroups: str | None = None,
        keepSlugs: str | None = None,
        keepDomains: str | None = None,
        removeVersions: str | None = None,
        keepViews: str | None = None,
        keepEndpoints: str | None = None,
        removeWorkflows: str | None = None,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncExperienceAddressChangesActions(_Resource):
    async def post(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        addressChange: AddressChangePost,
        **more: Unpack[PostOptions],
    ) -> MadeExperienceLink: ...

class AsyncExperienceAuthActions(_Resource):
    async def authenticate(
        self,
        *,
        applicationId: str,
        credentials: ExperienceCredentials,
        **more: Unpack[PostOptions],
    ) -> AuthenticatedExperienceUser: ...
    async def verify_group(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        experienceGroupId: str,
        **more: Unpack[ReadOptions],
    ) -> ExperienceGroupMembership: ...
    async def verify_token(
        self,
        *,
        applicationId: str,
        token: VerifyToken,
        **more: Unpack[PostOptions],
    ) -> VerifiedExperienceToken: ...

class AsyncExperienceGroupActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        includeDirectDeviceCount: Flag | None = None,
        includeTotalDeviceCount: Flag | None = None,
        excludeMembers: Flag | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceGroup: ...
    async def get_with_etag(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        includeDirectDeviceCount: Flag | None = None,
        includeTotalDeviceCount: Flag | None = None,
        excludeMembers: Flag | None = None,
        **more: Unpack[ReadOptions],
    ) -> tuple[ExperienceGroup, str | None]: ...
    async def patch(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        experienceGroup: ExperienceGroupPatch,
        **more: Unpack[WriteOptions],
    ) -> ExperienceGroup: ...
    async def delete(
        self,
        *,
        applicationId: str,
        experienceGroupId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncExperienceGroupsActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceGroupSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        parentId: str | None = None,
        excludeMembers: Flag | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceGroups: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceGroupSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", ""] | None = None,
        filter: str | None = None,
        parentId: str | None = None,
        excludeMembers: Flag | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[ExperienceGroup]: ...
    async def post(
        self,
        *,
        applicationId: str,
        experienceGroup: ExperienceGroupPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceGroup: ...

class AsyncExperienceInvitationActions(_Resource):
    async def delete(
        self,
        *,
        applicationId: str,
        experienceInvitationId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncExperienceInvitationsActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceInvitationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceInvitationFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceInvitations: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceInvitationSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceInvitationFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[ExperienceInvitation]: ...
    async def post(
        self,
        *,
        applicationId: str,
        experienceInvitation: ExperienceInvitationPost,
        **more: Unpack[PostOptions],
    ) -> MadeExperienceInvitation: ...

class AsyncExperienceKeyActions(_Resource):
    async def delete(
        self,
        *,
        applicationId: str,
        kid: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncExperienceKeysActions(_Resource):
    async def get(self, *, applicationId: str, **more: Unpack[ReadOptions]) -> ExperienceKeys: ...
    async def post(
        self,
        *,
        applicationId: str,
        experienceKey: ExperienceKeyPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceKey: ...

class AsyncExperienceLinksActions(_Resource):
    async def post(
        self,
        *,
        applicationId: str,
        purpose: Literal["register", "invite", "reset", "verify", "changeAddress"],
        link: LinkUse,
        **more: Unpack[PostOptions],
    ) -> UsedExperienceLink: ...

class AsyncExperienceMailsActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceMailSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceMailFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceMails: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceMailSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceMailFilter | Literal[""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[ExperienceMail]: ...

class AsyncExperiencePasswordResetsActions(_Resource):
    async def post(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        passwordReset: PasswordResetPost,
        **more: Unpack[PostOptions],
    ) -> MadeExperienceLink: ...

class AsyncExperienceSignInActions(_Resource):
    async def get(self, *, applicationId: str, **more: Unpack[ReadOptions]) -> ExperienceSignIn: ...
    async def get_with_etag(
        self,
        *,
        applicationId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ExperienceSignIn, str | None]: ...
    async def patch(
        self,
        *,
        applicationId: str,
        experienceSignIn: ExperienceSignInPatch,
        **more: Unpack[WriteOptions],
    ) -> ExperienceSignIn: ...

class AsyncExperienceUserActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[ReadOptions],
    ) -> ExperienceUser: ...
    async def get_with_etag(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ExperienceUser, str | None]: ...
    async def patch(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        experienceUser: ExperienceUserPatch,
        **more: Unpack[WriteOptions],
    ) -> ExperienceUser: ...
    async def delete(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncExperienceUserTokensActions(_Resource):
    async def delete(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        **more: Unpack[WriteOptions],
    ) -> ExperienceUserTokensEnded: ...
    async def post(
        self,
        *,
        applicationId: str,
        experienceUserId: str,
        experienceUserToken: ExperienceUserTokenPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceUserToken: ...
    async def post_for_email_or_id(
        self,
        *,
        applicationId: str,
        experienceUserToken: ExperienceUserTokenFor,
        **more: Unpack[PostOptions],
    ) -> ExperienceUserTokenOrNone: ...

class AsyncExperienceUsersActions(_Resource):
    async def get(
        self,
        *,
        applicationId: str,
        sortField: ExperienceUserSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceUserFilter | None = None,
        filter: str | None = None,
        experienceGroupId: str | None = None,
        includeAncestorGroups: Flag | None = None,
        search: str | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> ExperienceUsers: ...
    def iterate(
        self,
        *,
        applicationId: str,
        sortField: ExperienceUserSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: ExperienceUserFilter | None = None,
        filter: str | None = None,
        experienceGroupId: str | None = None,
        includeAncestorGroups: Flag | None = None,
        search: str | None = None,
        query: Query | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[ExperienceUser]: ...
    async def post(
        self,
        *,
        applicationId: str,
        experienceUser: ExperienceUserPost,
        **more: Unpack[PostOptions],
    ) -> ExperienceUser: ...

class AsyncMeActions(_Resource):
    async def get(
        self,
        *,
        includeRecent: Flag | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> Me: ...
    async def get_with_etag(
        self,
        *,
        includeRecent: Flag | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> tuple[Me, str | None]: ...
    async def patch(
        self,
        *,
        user: MePatch,
        includeRecent: Flag | None = None,
        summaryExclude: str | None = None,
        summaryInclude: str | None = None,
        **more: Unpack[WriteOptions],
    ) -> Me: ...
    async def change_password(
        self,
        *,
        data: ChangePassword,
        **more: Unpack[PostOptions],
    ) -> AuthedUser: ...
    async def refresh_token(self, **more: Unpack[ReadOptions]) -> AuthedUser: ...

class AsyncUserApiTokenActions(_Resource):
    async def get(self, *, apiTokenId: str, **more: Unpack[ReadOptions]) -> ApiToken: ...
    async def get_with_etag(
        self,
        *,
        apiTokenId: str,
        **more: Unpack[ReadOptions],
    ) -> tuple[ApiToken, str | None]: ...
    async def patch(
        self,
        *,
        apiTokenId: str,
        apiToken: ApiTokenPatch,
        **more: Unpack[WriteOptions],
    ) -> ApiToken: ...
    async def delete(
        self,
        *,
        apiTokenId: str,
        withChildren: Flag | None = None,
        **more: Unpack[WriteOptions],
    ) -> Success: ...

class AsyncUserApiTokensActions(_Resource):
    async def get(
        self,
        *,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> ApiTokens: ...
    def iterate(
        self,
        *,
        sortField: ApiTokenSort | None = None,
        sortDirection: SortDirection | None = None,
        page: Whole | None = None,
        perPage: Whole | None = None,
        cursor: str | None = None,
        filterField: Literal["name", "status", ""] | None = None,
        filter: str | None = None,
        **more: Unpack[ReadOptions],
    ) -> AsyncIterator[ApiToken]: ...
    async def post(self, *, apiToken: ApiTokenPost, **more: Unpack[PostOptions]) -> ApiToken: ...

class _Base:
    def __init__(
        self,
        auth_token: str | None = None,
        url: str | None = None,
        *,
        timeout: float | None = 30.0,
        retries: int = 3,
        idempotency_keys: bool | None = None,
        strict: bool = True,
    ) -> None: ...
    @property
    def auth_token(self) -> str | None: ...
    @auth_token.setter
    def auth_token(self, token: str | None) -> None: ...
    @property
    def url(self) -> str: ...
    @url.setter
    def url(self, url: str) -> None: ...
    @property
    def sends_idempotency_keys(self) -> bool: ...

class Client(_Base):
    administrator: AdministratorActions
    administrators: AdministratorsActions
    administrator_session: AdministratorSessionActions
    administrator_sessions: AdministratorSessionsActions
    application: ApplicationActions
    applications: ApplicationsActions
    application_api_token: ApplicationApiTokenActions
    application_api_tokens: ApplicationApiTokensActions
    auth: AuthActions
    experience: ExperienceActions
    experience_address_changes: ExperienceAddressChangesActions
    experience_auth: ExperienceAuthActions
    experience_group: ExperienceGroupActions
    experience_groups: ExperienceGroupsActions
    experience_invitation: ExperienceInvitationActions
    experience_invitations: ExperienceInvitationsActions
    experience_key: ExperienceKeyActions
    experience_keys: ExperienceKeysActions
    experience_links: ExperienceLinksActions
    experience_mails: ExperienceMailsActions
    experience_password_resets: ExperiencePasswordResetsActions
    experience_sign_in: ExperienceSignInActions
    experience_user: ExperienceUserActions
    experience_user_tokens: ExperienceUserTokensActions
    experience_users: ExperienceUsersActions
    me: MeActions
    user_api_token: UserApiTokenActions
    user_api_tokens: UserApiTokensActions
    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

class AsyncClient(_Base):
    administrator: AsyncAdministratorActions
    administrators: AsyncAdministratorsActions
    administrator_session: AsyncAdministratorSessionActions
    administrator_sessions: AsyncAdministratorSessionsActions
    application: AsyncApplicationActions
    applications: AsyncApplicationsActions
    application_api_token: AsyncApplicationApiTokenActions
    application_api_tokens: AsyncApplicationApiTokensActions
    auth: AsyncAuthActions
    experience: AsyncExperienceActions
    experience_address_changes: AsyncExperienceAddressChangesActions
    experience_auth: AsyncExperienceAuthActions
    experience_group: AsyncExperienceGroupActions
    experience_groups: AsyncExperienceGroupsActions
    experience_invitation: AsyncExperienceInvitationActions
    experience_invitations: AsyncExperienceInvitationsActions
    experience_key: AsyncExperienceKeyActions
    experience_keys: AsyncExperienceKeysActions
    experience_links: AsyncExperienceLinksActions
    experience_mails: AsyncExperienceMailsActions
    experience_password_resets: AsyncExperiencePasswordResetsActions
    experience_sign_in: AsyncExperienceSignInActions
    experience_user: AsyncExperienceUserActions
    experience_user_tokens: AsyncExperienceUserTokensActions
    experience_users: AsyncExperienceUsersActions
    me: AsyncMeActions
    user_api_token: AsyncUserApiTokenActions
    user_api_tokens: AsyncUserApiTokensActions
    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
