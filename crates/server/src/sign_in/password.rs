//! A password that a user gives: who may try, and what it proves.

use super::attempts::{self, Counted};
use super::claimant::Claimant;
use super::rows::{self, Known};
use crate::audit::{Action, Entry};
use crate::auth::hasher::PasswordHash;
use crate::auth::places::Asker;
use crate::error::{Error, Result};
use crate::http::allowance::pause;
use crate::rest::call::Call;
use crate::rows::Tx;
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::store::flows;
use crate::tokens::grant::Grant;
use guestlist_api::id::ExperienceUserId;
use guestlist_api::secret::TypedPassword;
use guestlist_api::time::DateTime;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;

/// The right password of a user, who gave it.
#[derive(Clone)]
pub(super) struct RightPassword {
    /// Who it is.
    pub(super) user: ExperienceUserId,
    email: String,
    hash: PasswordHash,
    changed: Option<DateTime>,
    is_weak: bool,
    who: Claimant,
    counted: Counted,
}

/// A right password whose hash costs less than one does now.
pub(super) struct Weak {
    user: ExperienceUserId,
    hash: PasswordHash,
    password: TypedPassword,
}

/// Looks whether `password` is the one of the user with the address `email`, who comes from `address` with
/// `device`, as far as the backend says so.
///
/// Unknown and wrong are told apart neither by the answer nor by the work: the same statements are run and a
/// hash is made in either case. As for administrators, one whose network the account knows goes on while
/// others have to wait, and looks like them until the password is right. A device is nobody else's, so that who
/// comes with a known one is told the truth.
///
/// # Errors
/// [`Error::BadCredentials`] when it is not; [`Error::AccountLocked`] when too many failed.
pub(super) async fn check(
    call: &Call<Grant>,
    app: AuthorizedApp,
    (email, address, device): (&str, Option<IpAddr>, Option<&str>),
    password: TypedPassword,
) -> Result<(RightPassword, Option<Weak>)> {
    let (began, now) = (Instant::now(), call.now);
    let who = Claimant::new(app.id(), email, (address, device));
    let named = who.clone();
    let standing = call.read(move |tx| {
        let tenant = app.require(tx)?;
        attempts::standing(tx, tenant, &named, now)
    });
    let standing = standing.await?;
    let throttled = || call.log(&Entry::of(Action::UserSignInThrottled).to_user(app.id(), None));
    if let Some(retry_after) = standing.barred() {
        throttled();
        if standing.strange > 0 {
            pause(began).await;
        }
        return Err(Error::AccountLocked { retry_after });
    }
    let asker = match who.mark() {
        Some(mark) if standing.known.is_some() => {
            Asker::Known { application: call.store().flow(), user: flows::known_user(mark) }
        }
        // Those who sign in to one application are to the others as a network of strangers.
        _ => {
            let account = flows::account(&format!("{} {email}", app.id()));
            Asker::Stranger { network: call.store().flow(), account }
        }
    };
    let place = call.app.hasher.place(asker).await?;
    let (tries, given) = (who.clone(), email.to_owned());
    let found = call.write_unkept(move |tx| {
        let tenant = app.require(tx)?;
        let counted = attempts::attempt(tx, tenant, &tries, now)?;
        Ok((counted, rows::by_email(tx, tenant, &given)?))
    });
    let found = found.await;
    if matches!(found, Err(Error::AccountLocked { .. })) {
        throttled();
    }
    let (counted, found) = found?;
    let told = counted.told();
    let user = found.as_ref().map(|known| known.user);
    let hash = found.as_ref().map(|known| known.hash.clone());
    let weak = found.as_ref().filter(|known| call.app.hasher.is_weak(&known.hash));
    let weak = weak.map(|_| password.clone());
    let good = match call.app.hasher.verify_in(place, password, hash).await {
        Ok(good) => good,
        Err(error) => {
            // Nobody has looked at it.
            let take_back =
                move |tx: &mut Tx<'_>| attempts::take_back(tx, app.assume_exists(), &who, &counted);
            call.write_unkept(take_back).await?;
            return Err(error);
        }
    };
    if let Some(Known { user, hash, changed }) = found
        && good
    {
        let (email, is_weak) = (email.to_owned(), weak.is_some());
        let weak = weak.map(|password| Weak { user, hash: hash.clone(), password });
        return Ok((RightPassword { user, email, hash, changed, is_weak, who, counted }, weak));
    }
    call.log(&Entry::of(Action::UserSignInFailed).to_user(app.id(), user));
    if let Some(retry_after) = told {
        pause(began).await;
        return Err(Error::AccountLocked { retry_after });
    }
    Err(Error::BadCredentials)
}

impl RightPassword {
    /// Makes sure that it still is the one of its user, who was locked, and forgets what failed before it.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] when somebody has changed it, or the address, since it was looked at.
    pub(super) fn confirm(&self, tx: &mut Tx<'_>, tenant: Tenant, now: DateTime) -> Result<()> {
        match rows::by_email(tx, tenant, &self.email)? {
            Some(known) if known.user == self.user && self.is_hash_of(&known) => {
                attempts::succeeded(tx, tenant, &self.who, (&self.counted, now))
            }
            _ => Err(Error::BadCredentials),
        }
    }

    /// Whether `known` has the same password. Its hash may be a stronger one by now.
    fn is_hash_of(&self, known: &Known) -> bool {
        known.hash.as_stored() == self.hash.as_stored()
            || (self.is_weak && known.changed == self.changed)
    }
}

impl Weak {
    /// Has a hash made that costs what one does now. Nobody waits for it; where it cannot be made, the next
    /// sign-in tries again.
    pub(super) fn strengthen(self, call: &Call<Grant>, within: AuthorizedApp) {
        let (app, store) = (Arc::clone(&call.app), call.store().clone());
        let Ok(place) = app.hasher.reserve(call.asker()) else { return };
        tokio::spawn(async move {
            let Self { user, hash, password } = self;
            let new = app.hasher.hash_again(place, password).await?;
            let tenant = within.assume_exists();
            store.write(move |tx| rows::rehash(tx, tenant, user, (&hash, &new))).await
        });
    }
}
