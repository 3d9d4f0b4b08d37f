//! `experienceUser` and `experienceUsers`: an application's end users.

use crate::entity::{Cursor, PageNumber, PerPage, SortDirection, filter_has_field};
use crate::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use crate::query::{Json, UserQuery};
use crate::search::Search;
use crate::secret::Password;
use crate::text::{Email, List, PersonName, Switch, Tags, Text};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// An end user of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceUser", transform = has_a_password)]
pub struct ExperienceUser {
    /// Who it is.
    pub id: ExperienceUserId,
    /// The same as `id`.
    pub experience_user_id: ExperienceUserId,
    /// The application it belongs to.
    pub application_id: ApplicationId,
    /// When it was made.
    pub creation_date: DateTime,
    /// When it last changed.
    pub last_updated: DateTime,
    /// When its password last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DateTime")]
    pub password_last_updated: Option<DateTime>,
    /// When it last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login: Option<DateTime>,
    /// Its address, unique in the application whatever the case.
    pub email: String,
    /// Its given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Its family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// A picture, found by the address.
    pub avatar_url: String,
    /// Tokens issued before this moment are not good any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_cutoff: Option<DateTime>,
    /// Its tags.
    pub user_tags: Tags,
    /// The groups it is a direct member of.
    pub experience_groups: Vec<GroupRef>,
}

/// Every user that can be answered was made with a password.
fn has_a_password(schema: &mut Schema) {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.push("passwordLastUpdated".into());
    }
}

/// A group, as a user names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupRef {
    /// Which group it is.
    pub id: ExperienceGroupId,
    /// Its name.
    pub name: String,
    /// The group it is in, `null` for one at the root.
    pub parent_id: Option<ExperienceGroupId>,
}

crate::object! {
    /// A new user.
    deny_unknown ExperienceUserPost {
        /// Its address.
        required email "email": Email,
        /// Its given name.
        optional first_name "firstName": PersonName,
        /// Its family name.
        optional last_name "lastName": PersonName,
        /// Its password.
        required password "password": Password,
        /// Tokens issued before this moment are not good.
        optional token_cutoff "tokenCutoff": DateTime,
        /// Its tags.
        optional user_tags "userTags": Tags,
        /// The groups it joins.
        optional experience_group_ids "experienceGroupIds": List<ExperienceGroupId, 1000>,
    }
}

crate::object! {
    /// What changes of a user; what is not there stays as it is.
    deny_unknown ExperienceUserPatch {
        /// Its new address.
        optional email "email": Email,
        /// Its new given name.
        optional first_name "firstName": PersonName,
        /// Its new family name.
        optional last_name "lastName": PersonName,
        /// Its new password.
        optional password "password": Password,
        /// Tokens issued before this moment are not good any more.
        optional token_cutoff "tokenCutoff": DateTime,
        /// All its tags from now on.
        optional user_tags "userTags": Tags,
        /// All the groups it is a direct member of from now on.
        optional experience_group_ids "experienceGroupIds": List<ExperienceGroupId, 1000>,
    }
}

crate::object! {
    /// Names one user of an application.
    allow_unknown OneExperienceUser {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// The user.
        required experience_user_id "experienceUserId": ExperienceUserId,
    }
}

crate::words! {
    /// What a list of users can be sorted by.
    ExperienceUserSort {
        /// The given name.
        FirstName "firstName",
        /// The family name.
        LastName "lastName",
        /// The address.
        Email "email",
        /// The id.
        Id "id",
        /// When the user was made.
        CreationDate "creationDate",
        /// When the user last signed in.
        LastLogin "lastLogin",
        /// When the user last changed.
        LastUpdated "lastUpdated",
    }
    /// What a pattern can be matched against in a list of users.
    ExperienceUserFilter {
        /// The given name.
        FirstName "firstName",
        /// The family name.
        LastName "lastName",
        /// The address.
        Email "email",
    }
}

/// Which users of an application are listed, by the groups they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Members of this group.
    Of(ExperienceGroupId),
    /// Members of at least one group.
    Any,
    /// Members of no group.
    None,
}

impl Wire for Membership {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value.as_str() {
            Some("any") => Some(Self::Any),
            Some("none") => Some(Self::None),
            Some(text) => text.parse().map(Self::Of).map_err(|_| at.push(Rule::Pattern)).ok(),
            None => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Membership {
    fn schema_name() -> Cow<'static, str> {
        "Membership".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9A-Fa-f]{24}|any|none)$" })
    }
}

/// A pattern: `*` is any run of characters, `?` is one, letter case does not matter.
pub type Glob = Text<0, 4096>;

crate::object! {
    /// Which users are listed, and how.
    allow_unknown ExperienceUserList where filtered {
        /// What they are sorted by; `email` unless said.
        optional sort_field "sortField": ExperienceUserSort = "email",
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
        optional filter_field "filterField": ExperienceUserFilter,
        /// The pattern that `filterField` has to match as a whole.
        optional filter "filter": Glob,
        /// A group they are in, or `any`, or `none`.
        optional experience_group_id "experienceGroupId": Membership,
        /// Whether members of the group's ancestors count as its members.
        optional include_ancestor_groups "includeAncestorGroups": Switch = false,
        /// An advanced query, a JSON object written as text. No other condition counts beside it,
        /// but `search`.
        optional query "query": Json<UserQuery>,
        /// Words that each have to be a part of the address or of one of the names, in any case.
        optional search "search": Search,
    }
}

fn filtered(list: &ExperienceUserList, at: &mut Problems) {
    // An advanced query overrides the filter, so that it cannot mislead.
    filter_has_field(
        list.filter.is_some() && list.query.is_none(),
        list.filter_field.is_some(),
        at,
    );
}
