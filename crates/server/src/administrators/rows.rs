//! Administrators of this server: the wire's `user`.

use super::rules::full_name;
use crate::auth::hasher::PasswordHash;
use crate::directory::users::rules::avatar_url;
use crate::error::{Error, Result};
use crate::rows::convert::{email_taken, id, json, key, maybe_moment, moment, to_json};
use crate::rows::list::{Folded, Key, Listed, Order, Paging, Select};
use crate::rows::table::{Table, table, text, whole};
use crate::rows::{FromRow, Row, Tx};
use guestlist_api::administrator::{Administrator, AdministratorSort, AdministratorStatus};
use guestlist_api::id::UserId;
use guestlist_api::time::DateTime;
use guestlist_api::user::{Me, Profile};
use std::sync::LazyLock;

/// Administrators.
pub(crate) const TABLE: Table = table(
    "users",
    1,
    &[
        text("id"),
        text("email"),
        text("email_key").unread(),
        text("password_hash").unread(),
        text("profile"),
        whole("created"),
        whole("updated"),
        whole("password_updated"),
        whole("token_cutoff"),
        whole("disabled"),
    ],
);

impl FromRow<Error> for Me {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let user = id(row, "id")?;
        let email: String = row.get("email")?;
        let profile: Profile = json(row, "profile")?;
        Ok(Self {
            id: user,
            user_id: user,
            creation_date: moment(row, "created")?,
            last_updated: moment(row, "updated")?,
            password_last_updated: moment(row, "password_updated")?,
            full_name: full_name(&profile, &email),
            avatar_url: avatar_url(&email),
            email,
            email_verified: true,
            needs_to_verify_email: false,
            two_factor_auth_enabled: false,
            token_cutoff: maybe_moment(row, "token_cutoff")?,
            profile,
        })
    }
}

impl FromRow<Error> for Administrator {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let Me {
            id,
            creation_date,
            last_updated,
            password_last_updated,
            email,
            full_name,
            token_cutoff,
            ..
        } = Me::from_row(row)?;
        let status = match maybe_moment(row, "disabled")? {
            None => AdministratorStatus::Active,
            Some(_) => AdministratorStatus::Inactive,
        };
        Ok(Self {
            id,
            administrator_id: id,
            creation_date,
            last_updated,
            password_last_updated,
            email,
            full_name,
            status,
            token_cutoff,
        })
    }
}

/// What is read of one.
static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("a"));

/// The statement that adds one.
static INSERT: LazyLock<String> = LazyLock::new(|| TABLE.insert());

/// The administrator `id`.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn get(tx: &mut Tx<'_>, id: UserId) -> Result<Me> {
    one(tx, id, "")
}

/// As [`get`], and nobody else may change the administrator before this transaction ends.
///
/// # Errors
/// As [`get`].
pub fn lock(tx: &mut Tx<'_>, id: UserId) -> Result<Me> {
    one(tx, id, " FOR UPDATE")
}

/// The administrator `id`, as the others see them.
///
/// # Errors
/// As [`get`].
pub fn account(tx: &mut Tx<'_>, id: UserId) -> Result<Administrator> {
    one(tx, id, "")
}

/// As [`account`], locked as by [`lock`].
///
/// # Errors
/// As [`get`].
pub fn lock_account(tx: &mut Tx<'_>, id: UserId) -> Result<Administrator> {
    one(tx, id, " FOR UPDATE")
}

fn one<T: FromRow<Error>>(tx: &mut Tx<'_>, id: UserId, lock: &str) -> Result<T> {
    let columns = COLUMNS.as_str();
    tx.first(&format!("SELECT {columns} FROM users a WHERE a.id = $1{lock}"), &[&id.to_string()])?
        .ok_or(Error::NotFound("User"))
}

/// Which administrators are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those whose address matches.
    pub email: Option<String>,
    /// What they are sorted by.
    pub sort: AdministratorSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the administrators, and how many there are.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &mut Tx<'_>, listing: &Listing) -> Result<Listed<Administrator>> {
    let mut select = Select::from("users a");
    if let Some(glob) = &listing.email {
        select.matching(Folded::short("a.email_key"), glob);
    }
    let key = match listing.sort {
        AdministratorSort::Email => Some(Key::text(Folded::short("a.email_key"))),
        AdministratorSort::Id => None,
        AdministratorSort::CreationDate => Some(Key::moment("a.created")),
        AdministratorSort::LastUpdated => Some(Key::moment("a.updated")),
    };
    select.page(tx, &COLUMNS, Order { key, id: "a.id" }, &listing.paging)
}

/// An administrator and what their password is checked against.
pub struct Credentials {
    /// Who it is.
    pub user: UserId,
    /// The hash of the password.
    pub hash: PasswordHash,
}

impl FromRow<Error> for Credentials {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            user: id(row, "id")?,
            hash: PasswordHash::from_stored(row.get("password_hash")?),
        })
    }
}

/// The credentials of whoever has this address, in any letter case.
///
/// # Errors
/// When the store fails.
pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<Credentials>> {
    tx.first("SELECT id, password_hash FROM users WHERE email_key = $1", &[&key(email)])
}

/// Inserts a new administrator.
///
/// # Errors
/// [`Error::AlreadyExists`] when the address belongs to another.
pub fn add(tx: &mut Tx<'_>, new: &Me, hash: &PasswordHash) -> Result<()> {
    tx.run(
        &INSERT,
        &[
            &new.id.to_string(),
            &new.email,
            &key(&new.email),
            &hash.as_stored(),
            &to_json(&new.profile)?,
            &new.creation_date.millis(),
            &new.last_updated.millis(),
            &new.password_last_updated.millis(),
            &new.token_cutoff.map(DateTime::millis),
            &None::<i64>,
        ],
    )
    .map_err(email_taken(&new.email))?;
    Ok(())
}

/// Updates the administrator to `after`, and `hash` if there is a new one.
///
/// # Errors
/// [`Error::AlreadyExists`] when the address belongs to another.
pub fn put(tx: &mut Tx<'_>, after: &Me, hash: Option<&PasswordHash>) -> Result<()> {
    tx.run(
        "UPDATE users SET email = $2, email_key = $3, profile = $4, updated = $5,
            password_updated = $6, token_cutoff = $7, password_hash = coalesce($8, password_hash)
         WHERE id = $1",
        &[
            &after.id.to_string(),
            &after.email,
            &key(&after.email),
            &to_json(&after.profile)?,
            &after.last_updated.millis(),
            &after.password_last_updated.millis(),
            &after.token_cutoff.map(DateTime::millis),
            &hash.map(PasswordHash::as_stored),
        ],
    )
    .map_err(email_taken(&after.email))?;
    Ok(())
}

/// Gives the administrator `id` a new password, at `now`.
///
/// # Errors
/// When the store fails.
pub fn set_password(tx: &mut Tx<'_>, id: UserId, hash: &PasswordHash, now: DateTime) -> Result<()> {
    tx.run(
        "UPDATE users SET password_hash = $2, password_updated = $3, updated = $3 WHERE id = $1",
        &[&id.to_string(), &hash.as_stored(), &now.millis()],
    )?;
    Ok(())
}

/// Lets the administrator `id` do anything again, or nothing since `disabled`.
///
/// # Errors
/// When the store fails.
pub fn disable(
    tx: &mut Tx<'_>,
    id: UserId,
    disabled: Option<DateTime>,
    now: DateTime,
) -> Result<()> {
    tx.run(
        "UPDATE users SET disabled = $2, updated = $3 WHERE id = $1",
        &[&id.to_string(), &disabled.map(DateTime::millis), &now.millis()],
    )?;
    Ok(())
}

/// Removes the administrator `id`, who was locked, with their sessions and API tokens.
///
/// # Errors
/// When the store fails.
pub fn delete(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    let id = id.to_string();
    tx.run("DELETE FROM api_tokens WHERE owner_id = $1 AND kind <> 'application'", &[&id])?;
    tx.run("DELETE FROM users WHERE id = $1", &[&id])?;
    Ok(())
}
