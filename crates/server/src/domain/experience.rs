//! What an application can begin with: one user and one group, under names that say what they are.
//! The address is of a domain that is nobody's (RFC 2606).

use super::avatar_url;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;

/// The address of the user, when names end in `suffix`.
#[must_use]
pub fn example_address(suffix: &str) -> String {
    format!("example.user{suffix}@example.com")
}

/// The name of the group, when names end in `suffix`.
#[must_use]
pub fn example_group_name(suffix: &str) -> String {
    format!("Example Group{suffix}")
}

/// The user, a member of `groups`.
#[must_use]
pub fn example_user(
    id: ExperienceUserId,
    application_id: ApplicationId,
    suffix: &str,
    groups: Vec<GroupRef>,
    now: DateTime,
) -> ExperienceUser {
    let email = example_address(suffix);
    ExperienceUser {
        id,
        experience_user_id: id,
        application_id,
        creation_date: now,
        last_updated: now,
        password_last_updated: Some(now),
        last_login: None,
        avatar_url: avatar_url(&email),
        email,
        first_name: Some("Example".into()),
        last_name: Some("User".into()),
        token_cutoff: None,
        user_tags: Tags::default(),
        experience_groups: groups,
    }
}

/// The group, at the root.
#[must_use]
pub fn example_group(
    id: ExperienceGroupId,
    application_id: ApplicationId,
    suffix: &str,
    now: DateTime,
) -> ExperienceGroup {
    ExperienceGroup {
        id,
        experience_group_id: id,
        application_id,
        creation_date: now,
        last_updated: now,
        name: example_group_name(suffix),
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
