//! `experienceGroup` and `experienceGroups`: groups of an application's end users.

use crate::entity::{Cursor, PageNumber, PerPage, SortDirection, filter_has_field};
use crate::experience_user::Glob;
use crate::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ForeignId};
use crate::query::{GroupQuery, Json};
use crate::text::{Key, List, Name, Nullable, Switch, Tags, Text};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A group of an application's users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceGroup")]
pub struct ExperienceGroup {
    /// Which group it is.
    pub id: ExperienceGroupId,
    /// The same as `id`.
    pub experience_group_id: ExperienceGroupId,
    /// The application it belongs to.
    pub application_id: ApplicationId,
    /// When it was made.
    pub creation_date: DateTime,
    /// When it last changed.
    pub last_updated: DateTime,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its direct members; not with `excludeMembers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experience_user_ids: Option<Vec<ExperienceUserId>>,
    /// Endpoints, kept as given: there are none here.
    pub experience_endpoint_ids: Vec<ForeignId>,
    /// Its tags.
    pub group_tags: Tags,
    /// Devices, kept as given: there are none here; not with `excludeMembers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_ids: Option<Vec<ForeignId>>,
    /// Device tags, kept as given.
    pub device_tags: Vec<DeviceTag>,
    /// A device query, kept as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_query_json: Option<String>,
    /// The group it is in, `null` for one at the root.
    pub parent_id: Option<ExperienceGroupId>,
    /// Every group above it, from the root down.
    pub ancestor_ids: Vec<ExperienceGroupId>,
    /// How many direct members it has, with `excludeMembers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_user_count: Option<u64>,
    /// Whether there are groups in it, with `excludeMembers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_children: Option<bool>,
    /// How many distinct devices it names, if that was asked, or with `excludeMembers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_device_count: Option<u64>,
    /// How many distinct devices it and the groups below it name, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_device_count: Option<u64>,
}

impl ExperienceGroup {
    /// How many an application may have unless its operator says otherwise: those of ten million users,
    /// a thousand in each. What is answered of a group may name all that are above or below it.
    pub const MOST: u64 = 10_000;
}

/// The key, the value or both of a device's tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceTag {
    /// The key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

crate::object! {
    /// The key, the value or both of a device's tag, as it is written.
    deny_unknown DeviceTagPost {
        /// The key.
        optional key "key": Key,
        /// The value.
        optional value "value": Text<1, 255>,
    }
}

crate::object! {
    /// A new group.
    deny_unknown ExperienceGroupPost {
        /// Its name.
        required name "name": Name,
        /// What it is for.
        optional description "description": Text<0, 32767>,
        /// Its direct members.
        optional experience_user_ids "experienceUserIds": List<ExperienceUserId, 1000>,
        /// Endpoints, kept as given.
        optional experience_endpoint_ids "experienceEndpointIds": List<ForeignId, 1000>,
        /// Its tags.
        optional group_tags "groupTags": Tags,
        /// Devices, kept as given.
        optional device_ids "deviceIds": List<ForeignId, 1000>,
        /// Device tags, kept as given.
        optional device_tags "deviceTags": List<DeviceTagPost, 100>,
        /// A device query, kept as given.
        optional device_query_json "deviceQueryJson": Nullable<Text<0, 8192>>,
        /// The group it is in; `null` or nothing for the root.
        optional parent_id "parentId": Nullable<ExperienceGroupId>,
    }
}

crate::object! {
    /// What changes of a group; what is not there stays as it is.
    deny_unknown ExperienceGroupPatch {
        /// Its new name.
        optional name "name": Name,
        /// What it is for.
        optional description "description": Text<0, 32767>,
        /// All its direct members from now on.
        optional experience_user_ids "experienceUserIds": List<ExperienceUserId, 1000>,
        /// Endpoints, kept as given.
        optional experience_endpoint_ids "experienceEndpointIds": List<ForeignId, 1000>,
        /// All its tags from now on.
        optional group_tags "groupTags": Tags,
        /// Devices, kept as given.
        optional device_ids "deviceIds": List<ForeignId, 1000>,
        /// Device tags, kept as given.
        optional device_tags "deviceTags": List<DeviceTagPost, 100>,
        /// A device query, kept as given.
        optional device_query_json "deviceQueryJson": Nullable<Text<0, 8192>>,
        /// The group it moves into; `null` for the root.
        optional parent_id "parentId": Nullable<ExperienceGroupId>,
    }
}

crate::object! {
    /// Names one group of an application.
    allow_unknown OneExperienceGroup {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// The group.
        required experience_group_id "experienceGroupId": ExperienceGroupId,
    }
}

crate::object! {
    /// What is counted for a group, and what is left out.
    allow_unknown ExperienceGroupGet {
        /// Whether `experienceUserIds` and `deviceIds` are left out, and `directUserCount`,
        /// `directDeviceCount` and `hasChildren` answered.
        optional exclude_members "excludeMembers": Switch = false,
        /// Whether `directDeviceCount` is answered.
        optional include_direct_device_count "includeDirectDeviceCount": Switch = false,
        /// Whether `totalDeviceCount` is answered.
        optional include_total_device_count "includeTotalDeviceCount": Switch = false,
    }
}

crate::words! {
    /// What a list of groups can be sorted by.
    ExperienceGroupSort {
        /// The name.
        Name "name",
        /// The id.
        Id "id",
        /// When the group was made.
        CreationDate "creationDate",
        /// When the group last changed.
        LastUpdated "lastUpdated",
    }
    /// What a pattern can be matched against in a list of groups or applications.
    NameFilter {
        /// The name.
        Name "name",
    }
}

/// Which groups are listed, by the group they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// Those in this group, and not in one that is in it.
    Of(ExperienceGroupId),
    /// Those in no group.
    None,
}

impl Wire for Parent {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value.as_str() {
            Some("none") => Some(Self::None),
            Some(text) => text.parse().map(Self::Of).map_err(|_| at.push(Rule::Pattern)).ok(),
            None => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Parent {
    fn schema_name() -> Cow<'static, str> {
        "Parent".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^([A-Fa-f\d]{24}|none)$" })
    }
}

crate::object! {
    /// Which groups are listed, and how.
    allow_unknown ExperienceGroupList where filtered {
        /// What they are sorted by; `name` unless said.
        optional sort_field "sortField": ExperienceGroupSort = "name",
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
        /// The group they are in, or `none`.
        optional parent_id "parentId": Parent,
        /// Whether `experienceUserIds` and `deviceIds` are left out, and `directUserCount`,
        /// `directDeviceCount` and `hasChildren` answered.
        optional exclude_members "excludeMembers": Switch = false,
        /// An advanced query, a JSON object written as text. No other condition counts beside it.
        optional query "query": Json<GroupQuery>,
    }
}

fn filtered(list: &ExperienceGroupList, at: &mut Problems) {
    // An advanced query overrides the filter, so that it cannot mislead.
    filter_has_field(
        list.filter.is_some() && list.query.is_none(),
        list.filter_field.is_some(),
        at,
    );
}
