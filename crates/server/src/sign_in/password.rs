//! A password that a user gives: who may try, and what it proves.

use super::rows::{self, Known};
use crate::administrators::sign_ins::{self, Counted, Throttled};
use crate::audit::{Action, Entry};
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
use tokio::time::Instant;

/// The right password of a user, who gave it.
#[derive(Clone)]
pub(super) struct RightPassword {
    /// Who it is.
    pub(super) user: ExperienceUserId,
    email: String,
    hash: String,
    who: Throttled,
    counted: Counted,
}

/// Looks whether `password` is the one of the user with the address `email`, who comes from `address`.
///
/// Unknown and wrong are told apart neither by the answer nor by the work: the same statements are run and a
/// hash is made in either case. As for administrators, one whose network the account knows goes on while
/// others have to wait, and looks like them until the password is right.
///
/// # Errors
/// [`Error::BadCredentials`] when it is not; [`Error::AccountLocked`] when too many failed.
pub(super) async fn check(
    call: &Call<Grant>,
    app: AuthorizedApp,
    (email, address): (&str, Option<IpAddr>),
    password: TypedPassword,
) -> Result<RightPassword> {
    let (began, now) = (Instant::now(), call.now);
    let who = Throttled::experience_user(app.id(), email, address);
    let named = who.clone();
    let standing = call.read(move |tx| {
        app.require(tx)?;
        sign_ins::standing(tx, &named, now)
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
    let account = format!("{} {email}", app.id());
    let asker = match address {
        Some(address) if standing.known => Asker::Holder(flows::known_account(&account, address)),
        // Those who sign in to one application are to the others as a network of strangers.
        _ => Asker::Stranger { network: call.store().flow(), account: flows::account(&account) },
    };
    let place = call.app.hasher.place(asker).await?;
    let (tries, given) = (who.clone(), email.to_owned());
    let found = call.write_unkept(move |tx| {
        let tenant = app.require(tx)?;
        let counted = sign_ins::attempt(tx, &tries, now)?;
        Ok((counted, rows::by_email(tx, tenant, &given)?))
    });
    let found = found.await;
    if matches!(found, Err(Error::AccountLocked { .. })) {
        throttled();
    }
    let (counted, found) = found?;
    let (user, hash) = found.map(|Known { user, hash }| (user, hash)).unzip();
    let stored = hash.as_ref().map(|hash| hash.as_stored().to_owned());
    let good = match call.app.hasher.verify_in(place, password, hash).await {
        Ok(good) => good,
        Err(error) => {
            // Nobody has looked at it.
            call.write_unkept(move |tx| sign_ins::take_back(tx, &counted)).await?;
            return Err(error);
        }
    };
    if let (Some(user), Some(hash)) = (user, stored)
        && good
    {
        return Ok(RightPassword { user, email: email.to_owned(), hash, who, counted });
    }
    call.log(&Entry::of(Action::UserSignInFailed).to_user(app.id(), user));
    if standing.strange > 0 {
        pause(began).await;
        return Err(Error::AccountLocked { retry_after: standing.strange });
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
            Some(known) if known.user == self.user && known.hash.as_stored() == self.hash => {
                sign_ins::succeeded(tx, &self.who, &self.counted, now)
            }
            _ => Err(Error::BadCredentials),
        }
    }
}
