//! What becomes of a group.

use crate::clock::later;
use guestlist_api::experience_group::{
    DeviceTag, DeviceTagPost, ExperienceGroup, ExperienceGroupPatch, ExperienceGroupPost,
};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use guestlist_api::text::{List, Tags, Text};
use guestlist_api::time::DateTime;

fn device_tags(list: &List<DeviceTagPost, 100>) -> Vec<DeviceTag> {
    list.0
        .iter()
        .map(|tag| DeviceTag {
            key: tag.key.as_deref().map(str::to_owned),
            value: tag.value.as_deref().map(str::to_owned),
        })
        .collect()
}

/// A group that has just been made and of which nothing but the name is known: at the root, and
/// without members.
#[must_use]
pub fn blank_group(
    id: ExperienceGroupId,
    application_id: ApplicationId,
    name: String,
    now: DateTime,
) -> ExperienceGroup {
    ExperienceGroup {
        id,
        experience_group_id: id,
        application_id,
        creation_date: now,
        last_updated: now,
        name,
        description: None,
        experience_user_ids: Some(Vec::new()),
        experience_endpoint_ids: Vec::new(),
        group_tags: Tags::default(),
        device_ids: Some(Vec::new()),
        device_tags: Vec::new(),
        device_query_json: None,
        parent_id: None,
        ancestor_ids: Vec::new(),
        direct_user_count: None,
        has_children: None,
        direct_device_count: None,
        total_device_count: None,
    }
}

/// The group that `post` asks for, with the members and ancestors that were found for it.
#[must_use]
pub fn new_group(
    post: &ExperienceGroupPost,
    id: ExperienceGroupId,
    application_id: ApplicationId,
    members: Vec<ExperienceUserId>,
    ancestors: Vec<ExperienceGroupId>,
    now: DateTime,
) -> ExperienceGroup {
    let query = post.device_query_json.clone().and_then(|query| query.0);
    ExperienceGroup {
        description: post.description.as_deref().map(str::to_owned),
        experience_user_ids: Some(members),
        experience_endpoint_ids: post
            .experience_endpoint_ids
            .clone()
            .map(|list| list.0)
            .unwrap_or_default(),
        group_tags: post.group_tags.clone().unwrap_or_default(),
        device_ids: Some(post.device_ids.clone().map(|list| list.0).unwrap_or_default()),
        device_tags: post.device_tags.as_ref().map(device_tags).unwrap_or_default(),
        device_query_json: query.map(Text::into_inner),
        parent_id: post.parent_id.as_ref().and_then(|parent| parent.0),
        ancestor_ids: ancestors,
        ..blank_group(id, application_id, post.name.to_string(), now)
    }
}

/// `before` after `patch`, with the members and ancestors that were found for it. When nothing
/// differs it is `before`.
#[must_use]
pub fn changed_group(
    before: &ExperienceGroup,
    patch: &ExperienceGroupPatch,
    members: Option<Vec<ExperienceUserId>>,
    ancestors: Option<Vec<ExperienceGroupId>>,
    now: DateTime,
) -> ExperienceGroup {
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = name.to_string();
    }
    if let Some(description) = &patch.description {
        after.description = Some(description.to_string());
    }
    if let Some(endpoints) = &patch.experience_endpoint_ids {
        after.experience_endpoint_ids.clone_from(&endpoints.0);
    }
    if let Some(tags) = &patch.group_tags {
        after.group_tags = tags.clone();
    }
    if let Some(devices) = &patch.device_ids {
        after.device_ids = Some(devices.0.clone());
    }
    if let Some(tags) = &patch.device_tags {
        after.device_tags = device_tags(tags);
    }
    if let Some(query) = &patch.device_query_json {
        after.device_query_json = query.0.as_deref().map(str::to_owned);
    }
    if let Some(parent) = &patch.parent_id {
        after.parent_id = parent.0;
    }
    after.experience_user_ids = members.or(after.experience_user_ids);
    after.ancestor_ids = ancestors.unwrap_or(after.ancestor_ids);
    if after != *before {
        after.last_updated = later(before.last_updated, now);
    }
    after
}
