//! What becomes of a token, and what a session is.

use crate::clock::later;
use crate::error::{Error, Result};
use guestlist_api::api_token::{ApiToken, ApiTokenPatch, ApiTokenPost, OrgRole, TokenStatus};
use guestlist_api::entity::OwnerType;
use guestlist_api::id::{ApiTokenId, ForeignId, UserId};
use guestlist_api::scope::Scopes;
use guestlist_api::time::DateTime;
use guestlist_api::wire::{Problem, Rule};
use std::time::Duration;

/// When the token that `post` asks for ends. One whose maker lasts until `bound` ends no later, and
/// then if nothing is said.
///
/// # Errors
/// [`Error::Invalid`] when it would end before it is made, so that nobody could ever use it and what
/// was meant is another year; or after its maker.
pub fn end(
    post: &ApiTokenPost,
    bound: Option<DateTime>,
    now: DateTime,
) -> Result<Option<DateTime>> {
    let refuse = |why: String| {
        let rule = Rule::Other(why.into());
        Err(Error::Invalid(vec![Problem::new("apiToken.expirationDate", rule)]))
    };
    match (post.expiration_date, bound) {
        (Some(end), _) if end <= now => refuse(format!("must be in the future: it is {now} now")),
        (Some(end), Some(bound)) if end > bound => {
            refuse(format!("must not be after {bound}, when the token that makes it ends"))
        }
        (end, bound) => Ok(end.or(bound)),
    }
}

/// The token that `post` asks for, with the scopes that were found for it.
#[must_use]
pub fn new_token(
    post: &ApiTokenPost,
    id: ApiTokenId,
    owner_id: ForeignId,
    owner_type: OwnerType,
    scope: Scopes,
    now: DateTime,
) -> ApiToken {
    ApiToken {
        id,
        api_token_id: id,
        owner_id,
        owner_type,
        creator_id: None,
        creator_type: None,
        creator_name: None,
        name: post.name.to_string(),
        description: post.description.as_deref().map(str::to_owned),
        creation_date: now,
        last_updated: now,
        expiration_date: post.expiration_date,
        scope,
        status: post.status.unwrap_or(TokenStatus::Active),
        default_role: post.default_role,
        org_roles: post
            .org_roles
            .clone()
            .map(|roles| roles.0.into_iter().map(OrgRole::from).collect()),
        token: None,
    }
}

/// When a session ends that was asked to end at `asked`: no later than `longest` after the password was
/// given for it.
#[must_use]
pub fn session_end(
    asked: Option<DateTime>,
    longest: Option<Duration>,
    signed_in: DateTime,
) -> Option<DateTime> {
    let millis = |longest: Duration| i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
    let bound = longest.map(|longest| signed_in.plus_millis(millis(longest)));
    asked.into_iter().chain(bound).min()
}

/// A session of the administrator `user`.
#[must_use]
pub fn new_session(
    id: ApiTokenId,
    user: UserId,
    scope: Scopes,
    ends: Option<DateTime>,
    now: DateTime,
) -> ApiToken {
    ApiToken {
        id,
        api_token_id: id,
        owner_id: ForeignId(user.0),
        owner_type: OwnerType::User,
        creator_id: None,
        creator_type: None,
        creator_name: None,
        name: "session".into(),
        description: None,
        creation_date: now,
        last_updated: now,
        expiration_date: ends,
        scope,
        status: TokenStatus::Active,
        default_role: None,
        org_roles: None,
        token: None,
    }
}

/// `before` after `patch`. When nothing differs it is `before`.
#[must_use]
pub fn changed_token(before: &ApiToken, patch: &ApiTokenPatch, now: DateTime) -> ApiToken {
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = name.to_string();
    }
    if let Some(description) = &patch.description {
        after.description = Some(description.to_string());
    }
    after.status = patch.status.unwrap_or(before.status);
    after.default_role = patch.default_role.or(before.default_role);
    if let Some(roles) = &patch.org_roles {
        after.org_roles = Some(roles.0.iter().cloned().map(OrgRole::from).collect());
    }
    if after != *before {
        after.last_updated = later(before.last_updated, now);
    }
    after
}
