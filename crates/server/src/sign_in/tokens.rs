//! Tokens of users: made in the transaction that says so, and looked at when a backend shows one.

use super::keys::{self, StoredKey};
use super::rows;
use super::rules::{Cutoffs, Span};
use crate::auth::experience_token::{self, Claims, Verified};
use crate::clock::later;
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rows::Tx;
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::tokens::grant::Grant;
use guestlist_api::experience_auth::{ExtraData, MaxAge};
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::time::DateTime;

/// What is wanted for a user.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Whether a token is made.
    pub(super) token: bool,
    /// How long that lasts, in milliseconds.
    pub(super) max_age: Option<i64>,
    /// Whether those from before are not good any more.
    pub(super) alone: bool,
    /// Whether the user has signed in.
    pub(super) login: bool,
}

/// How many milliseconds `max_age` is.
pub(super) fn millis(max_age: Option<&MaxAge>) -> Option<i64> {
    max_age.and_then(|age| i64::try_from(age.0).ok())
}

/// A token that is only to be signed.
pub(super) struct Draft {
    key: StoredKey,
    span: Span,
}

/// Does what is `wanted` for the user `before`, who was locked, and gives the user after it.
///
/// # Errors
/// [`Error::TokensSuspended`] when a token is wanted, and none would be good.
pub(super) fn issue(
    call: &Call<Grant>,
    tx: &mut Tx<'_>,
    (within, tenant): (AuthorizedApp, Tenant),
    (before, mut cutoffs): (&ExperienceUser, Cutoffs),
    wanted: &Wanted,
) -> Result<(ExperienceUser, Option<Draft>)> {
    let (mut after, now) = (before.clone(), call.now);
    if wanted.alone {
        cutoffs.user = Some(cutoffs.cut(now));
        after.token_cutoff = cutoffs.user;
    }
    if wanted.login {
        after.last_login = Some(now);
    }
    let draft = if wanted.token {
        let issued = cutoffs.issued(now).ok_or(Error::TokensSuspended)?;
        let key = keys::current_or_new(tx, within, &call.app.experience_seal, &call.app.clock)?;
        Some(Draft { key, span: Span::new(issued, wanted.max_age) })
    } else {
        None
    };
    if after != *before {
        after.last_updated = later(before.last_updated, now);
        rows::put(tx, tenant, &after)?;
    }
    Ok((after, draft))
}

impl Draft {
    /// The token of `user`, which says how its user was known, who acts and what is to be found in it again;
    /// and when it ends.
    pub(super) fn sign(
        self,
        call: &Call<Grant>,
        user: &ExperienceUser,
        (methods, actor, extra): (&[&'static str], Option<&str>, Option<&ExtraData>),
    ) -> Result<(String, Option<DateTime>)> {
        let application = user.application_id;
        let key = self.key.open(&call.app.experience_seal, AuthorizedApp::allowed(application))?;
        let claims = Claims {
            issuer: &format!("{}/a/{application}", call.app.public_url),
            user: user.id,
            id: call.app.ids.next(call.now).to_string(),
            issued: self.span.issued,
            expires: self.span.expires,
            methods,
            actor,
            extra: extra.map(|extra| &extra.0),
        };
        Ok((key.mint(&claims)?.expose().to_owned(), self.span.expires))
    }
}

/// A token that was shown, and that a key of the application has signed. Whether it is still good its user
/// tells.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// What it says.
    pub(super) verified: Verified,
    kid: String,
}

impl Shown {
    /// Whether it is good.
    pub(super) fn is_good(&self, cutoffs: Cutoffs, now: DateTime) -> bool {
        let Verified { issued, expires, .. } = self.verified;
        Span { issued, expires }.is_good(cutoffs, now)
    }

    /// Whether the key that has signed it is still there, which it was when it was shown.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn has_key(&self, tx: &mut Tx<'_>, tenant: Tenant) -> Result<bool> {
        Ok(keys::find(tx, tenant, &self.kid)?.is_some())
    }
}

/// Looks at a token that was shown; `None` when it is none of the application's.
///
/// # Errors
/// [`Error::NotFound`] when there is no such application.
pub(super) async fn examine(
    call: &Call<Grant>,
    within: AuthorizedApp,
    text: &str,
) -> Result<Option<Shown>> {
    let kid = experience_token::kid(text);
    let key = call.read(move |tx| {
        let tenant = within.require(tx)?;
        kid.as_ref().map_or(Ok(None), |kid| keys::find(tx, tenant, kid))
    });
    let Some(key) = key.await? else { return Ok(None) };
    let verified = key.open(&call.app.experience_seal, within)?.verify(text);
    Ok(verified.map(|verified| Shown { verified, kid: key.kid }))
}
