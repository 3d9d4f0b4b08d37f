//! What becomes of a user.

use crate::clock::later;
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserPatch, ExperienceUserPost, GroupRef,
};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use guestlist_api::text::{Tags, Text};
use guestlist_api::time::DateTime;
use md5::{Digest as _, Md5};

/// The picture that gravatar.com has for `email`: the MD5 of the address, trimmed and in lower
/// case, as the wire has it.
#[must_use]
pub fn avatar_url(email: &str) -> String {
    let digest = u128::from_be_bytes(Md5::digest(email.trim().to_lowercase()).into());
    format!("https://secure.gravatar.com/avatar/{digest:032x}?d=retro&s=240")
}

/// A user with an address and a password, who has just come and of whom nothing else is known.
#[must_use]
pub fn blank_user(
    id: ExperienceUserId,
    application_id: ApplicationId,
    email: String,
    now: DateTime,
) -> ExperienceUser {
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
        first_name: None,
        last_name: None,
        token_cutoff: None,
        user_tags: Tags::default(),
        experience_groups: Vec::new(),
    }
}

/// The user that `post` asks for.
#[must_use]
pub fn new_user(
    post: &ExperienceUserPost,
    id: ExperienceUserId,
    application_id: ApplicationId,
    groups: Vec<GroupRef>,
    now: DateTime,
) -> ExperienceUser {
    ExperienceUser {
        first_name: post.first_name.clone().map(Text::into_inner),
        last_name: post.last_name.clone().map(Text::into_inner),
        token_cutoff: post.token_cutoff,
        user_tags: post.user_tags.clone().unwrap_or_default(),
        experience_groups: groups,
        ..blank_user(id, application_id, post.email.clone().into_inner(), now)
    }
}

/// `before` after `patch`. `groups` are those that the patch puts the user in. When nothing
/// differs, and there is no new password, it is `before`.
#[must_use]
pub fn changed_user(
    before: &ExperienceUser,
    patch: &ExperienceUserPatch,
    groups: Option<Vec<GroupRef>>,
    now: DateTime,
) -> ExperienceUser {
    let mut after = before.clone();
    if let Some(email) = &patch.email {
        after.avatar_url = avatar_url(email);
        after.email = email.clone().into_inner();
    }
    if let Some(name) = &patch.first_name {
        after.first_name = Some(name.clone().into_inner());
    }
    if let Some(name) = &patch.last_name {
        after.last_name = Some(name.clone().into_inner());
    }
    if let Some(tags) = &patch.user_tags {
        after.user_tags = tags.clone();
    }
    after.token_cutoff = patch.token_cutoff.or(before.token_cutoff);
    after.experience_groups = groups.unwrap_or(after.experience_groups);
    if patch.password.is_some() || after != *before {
        after.last_updated = later(before.last_updated, now);
    }
    if patch.password.is_some() {
        after.password_last_updated = Some(after.last_updated);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::avatar_url;

    #[test]
    fn the_picture_follows_the_address() {
        let known =
            "https://secure.gravatar.com/avatar/4345e49fcf2ccab8407dacd2c2e93085?d=retro&s=240";
        assert_eq!(avatar_url("system@example.com"), known);
        assert_eq!(avatar_url("System@Example.COM"), known);
        assert_ne!(avatar_url("other@example.com"), known);
    }
}
