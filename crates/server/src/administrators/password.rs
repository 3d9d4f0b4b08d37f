//! A password that somebody gives: who may try, and what it proves. Whoever changes what an
//! administrator signs in with gives the present one again, or gave it a moment ago.

use super::rows as administrators;
use super::sign_ins::{self, Counted, Throttled};
use crate::audit::{Action, Entry};
use crate::auth::places::Asker;
use crate::error::{Error, Result};
use crate::http::allowance::pause;
use crate::http::reply::Reply;
use crate::rest::call::Call;
use crate::rest::caller::{Anybody, Caller};
use crate::rows::Tx;
use crate::store::flows;
use crate::tokens::grant::Grant;
use crate::tokens::sessions;
use guestlist_api::id::UserId;
use guestlist_api::secret::TypedPassword;
use guestlist_api::time::DateTime;
use tokio::time::{Instant, sleep};

/// How long after it was given the password need not be given again, in milliseconds.
const FRESH: i64 = 10 * 60 * 1000;

/// A password that was looked at.
pub(super) struct Tried {
    /// Whose it is, if it is anybody's.
    user: Option<UserId>,
    /// Whose address it is, if it is anybody's.
    account: Option<UserId>,
    hash: Option<String>,
    counted: Counted,
}

/// Looks whether `password` is the one of whoever has the address `email`, if `who` may try now. What
/// nobody has looked at, because too many wait, does not count.
async fn attempt<C: Caller>(
    call: &Call<C>,
    who: &Throttled,
    asker: Asker,
    email: &str,
    password: TypedPassword,
) -> Result<Tried> {
    let place = call.app.hasher.place(asker).await?;
    let (tries, email, now) = (who.clone(), email.to_owned(), call.now);
    let found = call.store().write(move |tx| {
        let counted = sign_ins::attempt(tx, &tries, now)?;
        Ok((counted, administrators::by_email(tx, &email)?))
    });
    let (counted, found) = found.await?;
    let (user, hash) = found.map(|found| (found.user, found.hash)).unzip();
    let known = hash.as_ref().map(|hash| hash.as_stored().to_owned());
    match call.app.hasher.verify_in(place, password, hash).await {
        Ok(good) => Ok(Tried { user: user.filter(|_| good), account: user, hash: known, counted }),
        Err(error) => {
            call.store().write(move |tx| sign_ins::take_back(tx, &counted)).await?;
            Err(error)
        }
    }
}

/// Somebody who has given the address and the password of an administrator.
#[derive(Clone)]
pub(super) struct SignedIn {
    /// The administrator.
    pub(super) user: UserId,
    who: Throttled,
    counted: Counted,
}

/// Looks whether `password` is the one of whoever has the address `email`, which a stranger says. Who
/// has to wait is refused by a lookup, and nothing is written down for them.
///
/// Where strangers may not try and those of a known network may, it looks to the latter as to the
/// former until they are right: by the answer, and by when it comes. Or else whoever shares a network with
/// an administrator could find out who is one.
///
/// # Errors
/// [`Error::BadCredentials`] when it is not; [`Error::AccountLocked`] when they have to wait, because of
/// what failed for this account, or from their network for any account.
pub(super) async fn sign_in(
    call: &Call<Anybody>,
    email: &str,
    password: TypedPassword,
) -> Result<SignedIn> {
    let (began, now, peer) = (Instant::now(), call.now, call.peer);
    let (failures, who) = (&call.app.sign_in_failures, Throttled::stranger(email, peer));
    let named = who.clone();
    let mut standing = call.store().look_up(move |tx| sign_ins::standing(tx, &named, now)).await?;
    standing.strange = standing.strange.max(failures.wait(peer, now));
    let (barred, strange) = (standing.barred(), standing.strange);
    if let Some(retry_after) = barred {
        call.log(&Entry::of(Action::SignInThrottled));
        if strange > 0 {
            pause(began).await;
        } else {
            sleep(call.app.refusals.turn(peer, now)).await;
        }
        return Err(Error::AccountLocked { retry_after });
    }
    if strange == 0 {
        failures.spend(peer, now);
    }
    // However many strangers there are, they are not in the way of whoever has signed in from there.
    let asker = if standing.known {
        Asker::Holder(flows::known_account(email, peer))
    } else {
        Asker::Stranger { network: call.store().flow(), account: flows::account(email) }
    };
    let tried = match attempt(call, &who, asker, email, password).await {
        Ok(Tried { user: Some(user), counted, .. }) => Ok(SignedIn { user, who, counted }),
        Ok(Tried { account, .. }) => {
            let failed = Entry::of(Action::SignInFailed);
            call.log(&account.map_or(failed.clone(), |account| failed.to_administrator(account)));
            Err(Error::BadCredentials)
        }
        Err(error) => {
            if matches!(error, Error::AccountLocked { .. }) {
                call.log(&Entry::of(Action::SignInThrottled));
            }
            Err(error)
        }
    };
    if strange == 0 {
        if !matches!(tried, Err(Error::BadCredentials)) {
            failures.give_back(peer);
        }
    } else if tried.is_err() {
        pause(began).await;
        return Err(Error::AccountLocked { retry_after: strange });
    }
    tried
}

impl SignedIn {
    /// Forgets what failed before it.
    pub(super) fn forgive(&self, tx: &mut Tx<'_>, now: DateTime) -> Result<()> {
        sign_ins::succeeded(tx, &self.who, &self.counted, now)
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
    let tried = attempt(call, &who, call.asker(), &email, password).await;
    if matches!(tried, Err(Error::AccountLocked { .. })) {
        call.log(&Entry::of(Action::PasswordThrottled).to_administrator(user));
    }
    let tried = tried?;
    if tried.user.is_none() {
        // The same request may have gone through meanwhile, so that its password is the old one.
        let Some(again) = call.replay().await? else {
            call.log(&Entry::of(Action::PasswordRefused).to_administrator(user));
            return Err(Error::BadCredentials);
        };
        call.store().write(move |tx| sign_ins::clear(tx, &who)).await?;
        return Ok(Given::Before(again));
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
