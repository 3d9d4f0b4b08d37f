//! The sessions that signing in begins: tokens of administrators that nobody lists among the API
//! tokens.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::rows::{COLUMNS, SESSION, insert, scopes};
use crate::error::{Error, Result};
use crate::rows::convert::{id, maybe_moment, moment};
use crate::rows::list::{Key, Listed, Order, Paging, Select};
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::administrator::{AdministratorSession, AdministratorSessionSort};
use guestlist_api::api_token::ApiToken;
use guestlist_api::id::{ApiTokenId, UserId};
use guestlist_api::time::DateTime;

/// How many sessions an administrator may have; beyond that the oldest end.
const MOST: i64 = 1000;

/// Inserts a new session, for which the password was given at `signed_in` if that is known, and deletes
/// those of the same administrator that have ended or that are too many.
///
/// # Errors
/// [`Error::BadCredentials`] when there is no such administrator, or they are disabled.
pub fn begin(tx: &mut Tx<'_>, session: &ApiToken, signed_in: Option<DateTime>) -> Result<()> {
    let owner = session.owner_id.to_string();
    // One sign-in after the other, or those who come at once would not count each other's.
    let found: Option<i64> = tx.first(
        "SELECT 1 AS found FROM users WHERE id = $1 AND disabled IS NULL FOR NO KEY UPDATE",
        &[&owner],
    )?;
    found.ok_or(Error::BadCredentials)?;
    tx.run(
        "DELETE FROM api_tokens WHERE owner_id = $1 AND kind = 'session' AND expires <= $2",
        &[&owner, &session.creation_date.millis()],
    )?;
    tx.run(
        "DELETE FROM api_tokens WHERE owner_id = $1 AND kind = 'session' AND id NOT IN
            (SELECT id FROM api_tokens WHERE owner_id = $1 AND kind = 'session'
             ORDER BY created DESC, id DESC LIMIT $2)",
        &[&owner, &(MOST - 1)],
    )?;
    insert(tx, session, SESSION, signed_in)
}

struct SignedIn(Option<DateTime>);

impl FromRow<Error> for SignedIn {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self(maybe_moment(row, "signed_in")?))
    }
}

/// When the password was given for the session `id`, or for the one that it goes on from; `None` if it
/// is a token, or that is not known.
pub fn signed_in(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<Option<DateTime>> {
    let found = tx.first("SELECT signed_in FROM api_tokens WHERE id = $1", &[&id.to_string()])?;
    Ok(found.and_then(|SignedIn(at)| at))
}

impl FromRow<Error> for AdministratorSession {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let session = id(row, "id")?;
        Ok(Self {
            id: session,
            session_id: session,
            administrator_id: id(row, "owner_id")?,
            creation_date: moment(row, "created")?,
            sign_in_date: maybe_moment(row, "signed_in")?,
            expiration_date: maybe_moment(row, "expires")?,
            scope: scopes(row)?,
        })
    }
}

/// Which sessions are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// What they are sorted by.
    pub sort: AdministratorSessionSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the sessions of the administrator `user`, and how many there are, ended ones that nobody
/// has removed yet among them.
pub fn list(
    tx: &mut Tx<'_>,
    user: UserId,
    listing: &Listing,
) -> Result<Listed<AdministratorSession>> {
    let mut select = Select::from("api_tokens t");
    let (user, kind) = (select.bind(user.to_string()), select.bind(SESSION));
    select.only(format!("t.owner_id = {user} AND t.kind = {kind}"));
    let key = match listing.sort {
        AdministratorSessionSort::CreationDate => Some(Key::moment("t.created")),
        AdministratorSessionSort::Id => None,
        AdministratorSessionSort::ExpirationDate => Some(Key::moment("t.expires").or_nothing()),
    };
    select.page(tx, &COLUMNS, Order { key, id: "t.id" }, &listing.paging)
}

/// The session `id` of the administrator `user`; nobody else may end it before this transaction ends.
///
/// # Errors
/// [`Error::NotFound`] when they have no such session.
pub fn lock(tx: &mut Tx<'_>, user: UserId, id: ApiTokenId) -> Result<AdministratorSession> {
    let columns = COLUMNS.as_str();
    tx.first(
        &format!(
            "SELECT {columns} FROM api_tokens t
             WHERE t.id = $1 AND t.owner_id = $2 AND t.kind = $3 FOR UPDATE"
        ),
        &[&id.to_string(), &user.to_string(), &SESSION],
    )?
    .ok_or(Error::NotFound("Session"))
}

/// Ends the session `id`.
pub fn end(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<()> {
    tx.change(
        ChangeScope::Token(id),
        "DELETE FROM api_tokens WHERE id = $1 AND kind = 'session'",
        &[&id.to_string()],
    )?;
    Ok(())
}

/// Ends every session of the administrator.
pub fn end_all(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.run(
        "DELETE FROM api_tokens WHERE owner_id = $1 AND kind = 'session'",
        &[&user.to_string()],
    )?;
    Ok(())
}
