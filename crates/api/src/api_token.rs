//! `applicationApiToken(s)` and `userApiToken(s)`: tokens for programs.

use crate::entity::{Cursor, OwnerType, PageNumber, PerPage, SortDirection, filter_has_field};
use crate::experience_user::Glob;
use crate::id::{ApiTokenId, ApplicationId, ForeignId};
use crate::scope::Scopes;
use crate::text::{List, Name, Switch, Text};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// An API token. The token itself is answered once, by the POST that makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "apiToken")]
pub struct ApiToken {
    /// Which token it is.
    pub id: ApiTokenId,
    /// The same as `id`.
    pub api_token_id: ApiTokenId,
    /// The application or the administrator it speaks for.
    pub owner_id: ForeignId,
    /// Which of the two.
    pub owner_type: OwnerType,
    /// The token or the administrator that made it; left out for one made on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator_id: Option<ForeignId>,
    /// What made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator_type: Option<CreatorType>,
    /// The name of what made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator_name: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made.
    pub creation_date: DateTime,
    /// When it last changed.
    pub last_updated: DateTime,
    /// When it ends; never, if this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<DateTime>,
    /// What it may do.
    pub scope: Scopes,
    /// Whether it is good at present.
    pub status: TokenStatus,
    /// Kept as given: there are no roles here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_role: Option<Role>,
    /// Kept as given: there are no roles here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_roles: Option<Vec<OrgRole>>,
    /// The token itself, in the answer to the POST that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

crate::words! {
    /// What made a token.
    CreatorType {
        /// Another token.
        ApiToken "apiToken",
        /// An administrator.
        User "user",
        /// A workflow; there are none here.
        Flow "flow",
    }
    /// Whether a token is good at present.
    TokenStatus {
        /// It is.
        Active "active",
        /// It is not.
        Inactive "inactive",
    }
    /// A role in an organization.
    Role {
        /// May do everything.
        Admin "admin",
        /// May change things.
        Edit "edit",
        /// May work with others.
        Collaborate "collaborate",
        /// May look.
        View "view",
        /// May do nothing.
        None "none",
    }
    /// A role in one application or dashboard.
    ResourceRole {
        /// May work with others.
        Collaborate "collaborate",
        /// May look.
        View "view",
        /// May do nothing.
        None "none",
    }
    /// What a list of tokens can be sorted by.
    ApiTokenSort {
        /// The name.
        Name "name",
        /// Whether the token is active.
        Status "status",
        /// The id.
        Id "id",
        /// When the token was made.
        CreationDate "creationDate",
        /// When the token last changed.
        LastUpdated "lastUpdated",
        /// When the token ends.
        ExpirationDate "expirationDate",
    }
    /// What a pattern can be matched against in a list of tokens.
    ApiTokenFilter {
        /// The name.
        Name "name",
        /// Whether the token is active.
        Status "status",
    }
}

/// Roles in one organization, kept as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrgRole {
    /// The organization, or `sandbox`.
    pub org_id: String,
    /// The role in it.
    pub role: Role,
    /// Roles in some of its applications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_roles: Option<Vec<RoleOf>>,
    /// Roles in some of its dashboards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard_roles: Option<Vec<RoleOf>>,
}

/// A role in one application or dashboard, kept as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleOf {
    /// The application or dashboard.
    pub resource_id: ForeignId,
    /// The role in it.
    pub role: ResourceRole,
}

/// The id of an organization, or `sandbox`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgIdOrSandbox(pub String);

impl Wire for OrgIdOrSandbox {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        if value.as_str() == Some("sandbox") {
            return Some(Self("sandbox".into()));
        }
        ForeignId::read(value, at).map(|id| Self(id.to_string()))
    }
}

impl JsonSchema for OrgIdOrSandbox {
    fn schema_name() -> Cow<'static, str> {
        "OrgIdOrSandbox".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9A-Fa-f]{24}|sandbox)$" })
    }
}

crate::object! {
    /// A role in one application or dashboard, as it is written.
    deny_unknown RoleOfPost {
        /// The application or dashboard.
        required resource_id "resourceId": ForeignId,
        /// The role in it.
        required role "role": ResourceRole,
    }
}

crate::object! {
    /// Roles in one organization, as they are written.
    deny_unknown OrgRolePost {
        /// The organization, or `sandbox`.
        required org_id "orgId": OrgIdOrSandbox,
        /// The role in it.
        required role "role": Role,
        /// Roles in some of its applications.
        optional application_roles "applicationRoles": List<RoleOfPost, 100>,
        /// Roles in some of its dashboards.
        optional dashboard_roles "dashboardRoles": List<RoleOfPost, 100>,
    }
}

impl From<OrgRolePost> for OrgRole {
    fn from(post: OrgRolePost) -> Self {
        let roles = |list: List<RoleOfPost, 100>| {
            let role = |post: RoleOfPost| RoleOf { resource_id: post.resource_id, role: post.role };
            list.0.into_iter().map(role).collect()
        };
        Self {
            org_id: post.org_id.0,
            role: post.role,
            application_roles: post.application_roles.map(roles),
            dashboard_roles: post.dashboard_roles.map(roles),
        }
    }
}

crate::object! {
    /// A new API token.
    deny_unknown ApiTokenPost {
        /// Its name.
        required name "name": Name,
        /// What it is for.
        optional description "description": Text<0, 32767>,
        /// When it ends: no later than the API token that makes it, and with that unless said.
        optional expiration_date "expirationDate": DateTime,
        /// Kept as given.
        optional default_role "defaultRole": Role,
        /// Kept as given.
        optional org_roles "orgRoles": List<OrgRolePost, 25>,
        /// What it may do; `all.Application` or `all.User` unless said.
        optional scope "scope": Scopes,
        /// Whether it is good at present; `active` unless said.
        optional status "status": TokenStatus = "active",
    }
}

crate::object! {
    /// What changes of an API token; what is not there stays as it is.
    deny_unknown ApiTokenPatch {
        /// Its new name.
        optional name "name": Name,
        /// What it is for.
        optional description "description": Text<0, 32767>,
        /// Kept as given.
        optional default_role "defaultRole": Role,
        /// Kept as given.
        optional org_roles "orgRoles": List<OrgRolePost, 25>,
        /// Whether it is good from now on.
        optional status "status": TokenStatus,
    }
}

crate::object! {
    /// Names one token of an application.
    allow_unknown OneApplicationApiToken {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// The token.
        required api_token_id "apiTokenId": ApiTokenId,
    }
}

crate::object! {
    /// Names one token of the administrator who asks.
    allow_unknown OneUserApiToken {
        /// The token.
        required api_token_id "apiTokenId": ApiTokenId,
    }
}

crate::object! {
    /// What goes with a token that is revoked.
    allow_unknown ApiTokenDelete {
        /// Whether the tokens that it has made go too, those that they have made, and so on; they stay
        /// unless said.
        optional with_children "withChildren": Switch = false,
    }
}

crate::object! {
    /// Which tokens are listed, and how.
    allow_unknown ApiTokenList where filtered {
        /// What they are sorted by; `name` unless said.
        optional sort_field "sortField": ApiTokenSort = "name",
        /// In which direction; `asc` unless said.
        optional sort_direction "sortDirection": SortDirection = "asc",
        /// Which page; 0 unless said.
        optional page "page": PageNumber = 0,
        /// How many a page; 100 unless said.
        optional per_page "perPage": PerPage = 100,
        /// Where to go on, instead of `page`: from `_links.next` of the page before, or from
        /// `_links.previous` of the page after.
        optional cursor "cursor": Cursor,
        /// What `filter` is matched against.
        optional filter_field "filterField": ApiTokenFilter,
        /// The pattern that `filterField` has to match as a whole.
        optional filter "filter": Glob,
    }
}

fn filtered(list: &ApiTokenList, at: &mut Problems) {
    filter_has_field(list.filter.is_some(), list.filter_field.is_some(), at);
}

/// When a token that is minted now ends: a moment, or after a number of milliseconds.
pub type Millis = crate::text::Whole<0, { crate::text::MAX_EXACT }>;

/// The longest a time to live may be: what keeps every moment inside the calendar.
const LONGEST: u64 = 1000 * 365 * 24 * 3600 * 1000;

/// A time to live in milliseconds, at most 1,000 years; 0 is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenTtl(Option<i64>);

impl TokenTtl {
    /// The moment it ends, counted from `now`; `None` is never.
    #[must_use]
    pub fn ends(self, now: DateTime) -> Option<DateTime> {
        self.0.map(|millis| now.plus_millis(millis))
    }
}

impl Wire for TokenTtl {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        if !value.is_number() {
            return at.refuse(Rule::WrongType);
        }
        match Millis::read(value, at)?.0 {
            0 => Some(Self(None)),
            millis if millis > LONGEST => at.refuse(Rule::AboveMaximum),
            millis => Some(Self(i64::try_from(millis).ok())),
        }
    }
}

impl JsonSchema for TokenTtl {
    fn schema_name() -> Cow<'static, str> {
        "TokenTtl".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": LONGEST })
    }
}
