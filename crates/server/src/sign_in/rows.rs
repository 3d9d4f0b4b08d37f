//! What a sign-in asks of a user, and what it leaves there.

use super::rules::Cutoffs;
use crate::auth::hasher::PasswordHash;
use crate::error::{Error, Result};
use crate::rows::convert::{id, key, maybe_moment};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ExperienceUserId;
use guestlist_api::time::DateTime;

/// A user, and the hash of the password.
#[derive(Debug)]
pub struct Known {
    /// Who it is.
    pub user: ExperienceUserId,
    /// The hash.
    pub hash: PasswordHash,
    /// When the password was last changed.
    pub changed: Option<DateTime>,
}

impl FromRow<Error> for Known {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let hash = PasswordHash::from_stored(row.get("password_hash")?);
        Ok(Self { user: id(row, "id")?, hash, changed: maybe_moment(row, "password_updated")? })
    }
}

/// Whoever has the address `email`, if anybody has.
///
/// # Errors
/// When the store fails.
pub fn by_email(tx: &mut Tx<'_>, tenant: Tenant, email: &str) -> Result<Option<Known>> {
    tx.first(
        "SELECT id, password_hash, password_updated FROM experience_users
         WHERE application_id = $1 AND email_key = $2",
        &[&tenant.id().to_string(), &key(email)],
    )
}

struct Cutoff(Option<DateTime>);

impl FromRow<Error> for Cutoff {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        maybe_moment(row, "token_cutoff").map(Self)
    }
}

/// From which moments on tokens of `user` are good.
///
/// # Errors
/// When the store fails.
pub fn cutoffs(tx: &mut Tx<'_>, tenant: Tenant, user: &ExperienceUser) -> Result<Cutoffs> {
    let of_application: Option<Cutoff> = tx.first(
        "SELECT token_cutoff FROM applications WHERE id = $1",
        &[&tenant.id().to_string()],
    )?;
    let application = of_application.and_then(|Cutoff(cutoff)| cutoff);
    Ok(Cutoffs { user: user.token_cutoff, application })
}

/// Writes what a sign-in, or the end of tokens, changes of a user: when it last signed in, and its cutoff.
///
/// # Errors
/// When the store fails.
pub fn put(tx: &mut Tx<'_>, tenant: Tenant, after: &ExperienceUser) -> Result<()> {
    tx.change(
        ChangeScope::User(tenant.id(), after.id),
        "UPDATE experience_users SET updated = $3, last_login = $4, token_cutoff = $5
         WHERE application_id = $1 AND id = $2",
        &[
            &tenant.id().to_string(),
            &after.id.to_string(),
            &after.last_updated.millis(),
            &after.last_login.map(DateTime::millis),
            &after.token_cutoff.map(DateTime::millis),
        ],
    )?;
    Ok(())
}

/// Puts the hash `new` in the place of `old`, of the same password, if the user has that still.
///
/// # Errors
/// When the store fails.
pub fn rehash(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user: ExperienceUserId,
    (old, new): (&PasswordHash, &PasswordHash),
) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "UPDATE experience_users SET password_hash = $4
         WHERE application_id = $1 AND id = $2 AND password_hash = $3",
        &[&tenant.id().to_string(), &user.to_string(), &old.as_stored(), &new.as_stored()],
    )?;
    Ok(())
}

/// It is known at `now` that the address of the user `id` is theirs.
///
/// # Errors
/// When the store fails.
pub fn verified(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ExperienceUserId,
    now: DateTime,
) -> Result<()> {
    tx.change(
        // Nobody is answered it.
        ChangeScope::Nothing,
        "UPDATE experience_users SET email_verified = $3 WHERE application_id = $1 AND id = $2",
        &[&tenant.id().to_string(), &id.to_string(), &now.millis()],
    )?;
    Ok(())
}
