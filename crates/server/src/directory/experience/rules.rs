//! What an application can begin with: one user and one group, under names that say what they are.
//! The address is of a domain that is nobody's (RFC 2606).

use crate::directory::groups::rules::blank_group;
use crate::directory::users::rules::blank_user;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
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
    ExperienceUser {
        first_name: Some("Example".into()),
        last_name: Some("User".into()),
        experience_groups: groups,
        ..blank_user(id, application_id, example_address(suffix), now)
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
    blank_group(id, application_id, example_group_name(suffix), now)
}
