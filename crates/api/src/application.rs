//! `application` and `applications`: the tenants.

use crate::entity::{Cursor, PageNumber, PerPage, SortDirection, filter_has_field};
use crate::experience_group::NameFilter;
use crate::experience_user::Glob;
use crate::id::{ApplicationId, ForeignId, OrgId};
use crate::text::{Key, List, Name, Text};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// An application: users, groups and tokens that know nothing of those of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "application")]
pub struct Application {
    /// Which application it is.
    pub id: ApplicationId,
    /// The same as `id`.
    pub application_id: ApplicationId,
    /// When it was made.
    pub creation_date: DateTime,
    /// When it last changed.
    pub last_updated: DateTime,
    /// The organization that owns it: this server.
    pub owner_id: OrgId,
    /// Always `organization`.
    pub owner_type: Cow<'static, str>,
    /// The name of the organization.
    pub organization_name: Cow<'static, str>,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tokens of its users issued before this moment are not good any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_user_token_cutoff: Option<DateTime>,
    /// How much it holds.
    pub summary: ApplicationSummary,
    /// Fields that are stored as they came, for parts of the platform that are not here.
    #[serde(flatten)]
    pub opaque: OpaqueFields,
}

/// Fields that are stored as they came, for parts of the platform that are not here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpaqueFields {
    /// Templates it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_template_ids: Option<Vec<ForeignId>>,
    /// The name of its endpoints' host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_slug: Option<String>,
    /// Whether its endpoints answer other origins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_default_cors: Option<bool>,
    /// Its globals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub globals: Option<Vec<Global>>,
    /// How far its people have come in the tours of the platform's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ftue_tracking: Option<Vec<FtueTracking>>,
    /// How long links to its blobs live, in seconds.
    #[serde(default, rename = "blobUrlTTL", skip_serializing_if = "Option::is_none")]
    pub blob_url_ttl: Option<serde_json::Number>,
}

/// How much an application holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSummary {
    /// How many API tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token_count: Option<u64>,
    /// How many groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experience_group_count: Option<u64>,
    /// How many users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experience_user_count: Option<u64>,
}

/// A value that all of an application's workflows see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Global {
    /// Its name.
    pub key: String,
    /// Its value, as JSON text.
    pub json: String,
    /// Whether it stays off the edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_only: Option<bool>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How far someone has come in a tour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FtueTracking {
    /// The tour.
    pub name: String,
    /// Its version.
    pub version: serde_json::Number,
    /// How it ended.
    pub status: FtueStatus,
}

crate::words! {
    /// How a tour ended.
    FtueStatus {
        /// It was left.
        Skipped "skipped",
        /// It was finished.
        Completed "completed",
    }
    /// What a list of applications can be sorted by.
    ApplicationSort {
        /// The name.
        Name "name",
        /// The id.
        Id "id",
        /// When the application was made.
        CreationDate "creationDate",
        /// The owner, which all of them share.
        OwnerId "ownerId",
        /// When the application last changed.
        LastUpdated "lastUpdated",
    }
}

/// A number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub serde_json::Number);

impl Wire for Number {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self(number)),
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// How long links to blobs live: 3,600 to 604,800 seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobUrlTtl(pub serde_json::Number);

impl Wire for BlobUrlTtl {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Number(number) = Number::read(value, at)?;
        match number.as_f64() {
            Some(seconds) if seconds < 3600.0 => at.refuse(Rule::BelowMinimum),
            Some(seconds) if seconds <= 604_800.0 => Some(Self(number)),
            _ => at.refuse(Rule::AboveMaximum),
        }
    }
}

impl JsonSchema for BlobUrlTtl {
    fn schema_name() -> Cow<'static, str> {
        "BlobUrlTtl".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 3600, "maximum": 604_800 })
    }
}

/// The name of an endpoint's host: 3 to 63 digits, lower-case letters and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(pub String);

impl Wire for Slug {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let text = crate::text::read_text(value, 3, 63, at)?;
        let sound = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-';
        if text.bytes().all(sound) { Some(Self(text)) } else { at.refuse(Rule::Pattern) }
    }
}

impl JsonSchema for Slug {
    fn schema_name() -> Cow<'static, str> {
        "Slug".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 3, "maxLength": 63, "pattern": "^[0-9a-z-]*$" })
    }
}

/// A part of the platform that is not here. It is refused rather than kept, because keeping it
/// would promise that it does something, or would hold somebody's secrets for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHere {}

impl Wire for NotHere {
    fn read(_: Value, at: &mut Problems) -> Option<Self> {
        at.refuse(Rule::Other("is not supported by Guestlist".into()))
    }
}

impl JsonSchema for NotHere {
    fn schema_name() -> Cow<'static, str> {
        "NotHere".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(false)
    }
}

crate::object! {
    /// A global, as it is written.
    deny_unknown GlobalPost {
        /// Its name.
        required key "key": Key,
        /// Its value, as JSON text.
        required json "json": Text<1, 32767>,
        /// Whether it stays off the edge.
        optional cloud_only "cloudOnly": bool,
        /// What it is for.
        optional description "description": Text<0, 1024>,
    }
}

crate::object! {
    /// How far someone has come in a tour, as it is written.
    deny_unknown FtueTrackingPost {
        /// The tour.
        required name "name": Key,
        /// Its version.
        required version "version": Number,
        /// How it ended.
        required status "status": FtueStatus,
    }
}

crate::object! {
    /// A new application.
    deny_unknown ApplicationPost {
        /// The organization it belongs to: this server's, if it is said.
        optional org_id "orgId": OrgId,
        /// A template to make it from.
        optional application_template_id "applicationTemplateId": NotHere,
        /// Its name.
        required name "name": Name,
        /// What it is for.
        optional description "description": Text<0, 1024>,
        /// Templates it was made from, kept as given.
        optional applied_template_ids "appliedTemplateIds": List<ForeignId, 1000>,
        /// Kept as given.
        optional endpoint_slug "endpointSlug": Slug,
        /// Tokens of its users issued before this moment are not good.
        optional exp_user_token_cutoff "expUserTokenCutoff": DateTime,
        /// Kept as given.
        optional endpoint_default_cors "endpointDefaultCors": bool,
        /// Kept as given.
        optional globals "globals": List<GlobalPost, 100>,
        /// Where its data is archived.
        optional archive_config "archiveConfig": NotHere,
        /// Kept as given.
        optional blob_url_ttl "blobUrlTTL": BlobUrlTtl,
    }
}

crate::object! {
    /// What changes of an application; what is not there stays as it is.
    deny_unknown ApplicationPatch {
        /// Its new name.
        optional name "name": Name,
        /// What it is for.
        optional description "description": Text<0, 1024>,
        /// Kept as given.
        optional endpoint_slug "endpointSlug": Slug,
        /// Tokens of its users issued before this moment are not good any more.
        optional exp_user_token_cutoff "expUserTokenCutoff": DateTime,
        /// Kept as given.
        optional endpoint_default_cors "endpointDefaultCors": bool,
        /// Kept as given.
        optional globals "globals": List<GlobalPost, 100>,
        /// Kept as given.
        optional ftue_tracking "ftueTracking": List<FtueTrackingPost, 100>,
        /// Where its data is archived.
        optional archive_config "archiveConfig": NotHere,
        /// Kept as given.
        optional blob_url_ttl "blobUrlTTL": BlobUrlTtl,
    }
}

crate::object! {
    /// Names one application.
    allow_unknown OneApplication {
        /// The application.
        required application_id "applicationId": ApplicationId,
    }
}

crate::object! {
    /// Which parts of the summary are answered.
    allow_unknown SummaryFields {
        /// Comma-separated: all but these.
        optional summary_exclude "summaryExclude": Text<0, 4096>,
        /// Comma-separated: only these.
        optional summary_include "summaryInclude": Text<0, 4096>,
    }
}

crate::object! {
    /// Which applications are listed, and how.
    allow_unknown ApplicationList where filtered {
        /// What they are sorted by; `name` unless said.
        optional sort_field "sortField": ApplicationSort = "name",
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
        optional filter_field "filterField": NameFilter,
        /// The pattern that `filterField` has to match as a whole.
        optional filter "filter": Glob,
        /// Only applications of this organization.
        optional org_id "orgId": OrgId,
        /// Comma-separated: all parts of the summary but these.
        optional summary_exclude "summaryExclude": Text<0, 4096>,
        /// Comma-separated: only these parts of the summary.
        optional summary_include "summaryInclude": Text<0, 4096>,
    }
}

fn filtered(list: &ApplicationList, at: &mut Problems) {
    filter_has_field(list.filter.is_some(), list.filter_field.is_some(), at);
}
