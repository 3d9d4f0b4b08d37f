//! A password that somebody gives: who may try, and what it proves. Whoever changes what an
//! administrator signs in with gives the present one again, or gave it a moment ago.

use super::rows as administrators;
use super::sign_ins::{self, Throttled};
use crate::auth::hasher::PasswordHash;
use crate::error::{Error, Result};
use crate::http::reply::Reply;
use crate::rest::call::Call;
use crate::rest::caller::Caller;
use crate::rows::Tx;
use crate::tokens::grant::Grant;
use crate::tokens::sessions;
use guestlist_api::id::UserId;
use guestlist_api::secret::TypedPassword;
use guestlist_api::time::DateTime;

/// How long after it was given the password need not be given again, in milliseconds.
const FRESH: i64 = 10 * 60 * 1000;

/// Who has this address and what their password is checked against, if they may try now.
pub(super) async fn find<C: Caller>(
    call: &Call<C>,
    who: &Throttled,
    email: &str,
) -> Result<(Option<UserId>, Option<PasswordHash>)> {
    let (who, email, now) = (who.clone(), email.to_owned(), call.now);
    let found = call.app.store.write(move |tx| {
        sign_ins::attempt(tx, &who, now)?;
        administrators::by_email(tx, &email)
    });
    Ok(found.await?.map(|found| (found.user, found.hash)).unzip())
}

/// The present password of an administrator, who gave it.
#[derive(Clone)]
pub(super) struct PresentPassword {
    who: Throttled,
    hash: Option<String>,
}

/// What became of a password that was given.
pub(super) enum Given {
    /// It is the present one.
    Present(PresentPassword),
    /// It was when this very request was answered before, with this.
    Before(Reply),
}

/// Looks at the `password` that the administrator `user` gives as their own.
///
/// # Errors
/// [`Error::BadCredentials`] when it is not; [`Error::AccountLocked`] when that was so too often.
pub(super) async fn check(
    call: &Call<Grant>,
    user: UserId,
    password: TypedPassword,
) -> Result<Given> {
    let email = call.app.store.read(move |tx| administrators::get(tx, user)).await?.email;
    let who = Throttled::administrator(user);
    let (_, hash) = find(call, &who, &email).await?;
    let known = hash.as_ref().map(|hash| hash.as_stored().to_owned());
    if !call.app.hasher.verify(password, hash).await? {
        // The same request may have gone through meanwhile, so that its password is the old one.
        let again = call.replay().await?.ok_or(Error::BadCredentials)?;
        call.app.store.write(move |tx| sign_ins::clear(tx, &who)).await?;
        return Ok(Given::Before(again));
    }
    Ok(Given::Present(PresentPassword { who, hash: known }))
}

impl PresentPassword {
    /// Makes sure that it still is the one of the administrator with this address, who was locked, and
    /// forgets what was given wrong before it.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] when somebody has changed it since it was looked at.
    pub(super) fn confirm(&self, tx: &mut Tx<'_>, email: &str) -> Result<()> {
        let now = administrators::by_email(tx, email)?;
        if now.map(|found| found.hash.as_stored().to_owned()) != self.hash {
            return Err(Error::BadCredentials);
        }
        sign_ins::clear(tx, &self.who)
    }
}

/// Makes sure that who calls gave the password a moment ago.
///
/// # Errors
/// [`Error::ReauthenticationRequired`] when they did not.
pub(super) async fn require_fresh(call: &Call<Grant>) -> Result<()> {
    let token = call.caller.token;
    let signed_in = call.app.store.read(move |tx| sessions::signed_in(tx, token)).await?;
    if is_fresh(signed_in, call.now) { Ok(()) } else { Err(Error::ReauthenticationRequired) }
}

fn is_fresh(signed_in: Option<DateTime>, now: DateTime) -> bool {
    signed_in.is_some_and(|at| now < at.plus_millis(FRESH))
}
