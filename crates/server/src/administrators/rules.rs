//! What becomes of an administrator.

use crate::clock::later;
use crate::directory::users::rules::avatar_url;
use guestlist_api::id::UserId;
use guestlist_api::text::Email;
use guestlist_api::time::DateTime;
use guestlist_api::user::{Me, MePatch, Profile};

/// Given and family name, or the address when there is neither.
#[must_use]
pub fn full_name(profile: &Profile, email: &str) -> String {
    let names: Vec<&str> = [&profile.first_name, &profile.last_name]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if names.is_empty() { email.to_owned() } else { names.join(" ") }
}

/// A new administrator.
#[must_use]
pub fn new_me(id: UserId, email: Email, now: DateTime) -> Me {
    let email = email.into_inner();
    Me {
        id,
        user_id: id,
        creation_date: now,
        last_updated: now,
        password_last_updated: now,
        full_name: full_name(&Profile::default(), &email),
        avatar_url: avatar_url(&email),
        email,
        email_verified: true,
        needs_to_verify_email: false,
        two_factor_auth_enabled: false,
        token_cutoff: None,
        profile: Profile::default(),
    }
}

/// `before` after `patch`. When nothing differs, and there is no new password, it is `before`.
#[must_use]
pub fn changed_me(before: &Me, patch: &MePatch, now: DateTime) -> Me {
    let mut after = before.clone();
    if let Some(email) = &patch.email {
        after.avatar_url = avatar_url(email);
        after.email = email.clone().into_inner();
    }
    let profile = &mut after.profile;
    for (to, from) in [
        (&mut profile.first_name, patch.first_name.as_deref()),
        (&mut profile.last_name, patch.last_name.as_deref()),
        (&mut profile.company_name, patch.company_name.as_deref()),
        (&mut profile.title, patch.title.as_deref()),
        (&mut profile.phone_number, patch.phone_number.as_deref()),
        (&mut profile.location, patch.location.as_deref()),
        (&mut profile.url, patch.url.as_deref()),
    ] {
        if let Some(text) = from {
            *to = Some(text.to_owned());
        }
    }
    after.token_cutoff = patch.token_cutoff.or(before.token_cutoff);
    after.full_name = full_name(&after.profile, &after.email);
    if patch.password.is_some() {
        after = with_new_password(&after, now);
    } else if after != *before {
        after.last_updated = later(before.last_updated, now);
    }
    after
}

/// `before` when its password has changed at `now`.
#[must_use]
pub fn with_new_password(before: &Me, now: DateTime) -> Me {
    let moment = later(before.last_updated, now);
    Me { last_updated: moment, password_last_updated: moment, ..before.clone() }
}
