//! A password that somebody gives: who may try, and what it proves. Whoever changes what an
//! administrator signs in with gives the present one again, or gave it a moment ago.

use super::rows as administrators;
use super::sign_ins::{self, Attempt, Throttled};
use crate::auth::places::Asker;
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

/// A password that was looked at.
pub(super) struct Tried<'c> {
    /// Whose it would be, if anybody's.
    user: Option<UserId>,
    hash: Option<String>,
    good: bool,
    who: Throttled,
    /// It counts until it is known how it ends.
    _in_flight: Attempt<'c>,
}

/// Looks whether `password` is the one of whoever has the address `email`, if `who` may try now. What
/// nobody has looked at, because too many wait, has not failed.
pub(super) async fn attempt<'c, C: Caller>(
    call: &'c Call<C>,
    who: Throttled,
    asker: Asker,
    email: &str,
    password: TypedPassword,
) -> Result<Tried<'c>> {
    let in_flight = call.app.sign_ins.begin(who.clone());
    let (others, now) = (in_flight.others, call.now);
    let (tries, email) = (who.clone(), email.to_owned());
    let found = call.store().look_up(move |tx| {
        sign_ins::may_try(tx, &tries, others, now)?;
        administrators::by_email(tx, &email)
    });
    let (user, hash) = found.await?.map(|found| (found.user, found.hash)).unzip();
    let known = hash.as_ref().map(|hash| hash.as_stored().to_owned());
    let good = call.app.hasher.verify(asker, password, hash).await?;
    Ok(Tried { user, hash: known, good, who, _in_flight: in_flight })
}

impl Tried<'_> {
    /// Whose password it is, and what is forgotten with that. It counts as a failure if it is nobody's.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] when it is.
    pub(super) async fn user<C: Caller>(self, call: &Call<C>) -> Result<(UserId, Throttled)> {
        match self.user.filter(|_| self.good) {
            Some(user) => Ok((user, self.who)),
            None => Err(self.fail(call).await?),
        }
    }

    /// Counts it as a failure, and says so.
    async fn fail<C: Caller>(self, call: &Call<C>) -> Result<Error> {
        let (who, now) = (self.who.clone(), call.now);
        call.store().write(move |tx| sign_ins::fail(tx, &who, now)).await?;
        Ok(Error::BadCredentials)
    }
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
    let email = call.store().read(move |tx| administrators::get(tx, user)).await?.email;
    let who = Throttled::administrator(user);
    let tried = attempt(call, who.clone(), call.asker(), &email, password).await?;
    if !tried.good {
        // The same request may have gone through meanwhile, so that its password is the old one.
        return match call.replay().await? {
            Some(again) => {
                call.store().write(move |tx| sign_ins::clear(tx, &who)).await?;
                Ok(Given::Before(again))
            }
            None => Err(tried.fail(call).await?),
        };
    }
    Ok(Given::Present(PresentPassword { who, hash: tried.hash }))
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
    let signed_in = call.store().read(move |tx| sessions::signed_in(tx, token)).await?;
    if is_fresh(signed_in, call.now) { Ok(()) } else { Err(Error::ReauthenticationRequired) }
}

fn is_fresh(signed_in: Option<DateTime>, now: DateTime) -> bool {
    signed_in.is_some_and(|at| now < at.plus_millis(FRESH))
}
