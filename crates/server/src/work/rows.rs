//! The queue: what is to be done, when, and how often it was tried.
//!
//! # Errors
//! When the store fails.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use crate::error::{Error, Result};
use crate::rows::convert::id;
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::id::{ApplicationId, ObjectId};
use guestlist_api::time::DateTime;

/// What is to be done.
pub(crate) const TABLE: Table = table(
    "work",
    1,
    &[text("id"), text("kind"), text("application_id"), whole("due"), whole("attempts")],
);

/// How long whoever has taken something has it for itself, in milliseconds.
const LEASE: i64 = 10 * 60 * 1000;

/// Something that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Which it is.
    pub id: ObjectId,
    /// Of which kind.
    pub kind: String,
    /// The application that it is for.
    pub application: ApplicationId,
    /// How often it was tried, this time too.
    pub attempts: u32,
}

impl FromRow<Error> for Taken {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: id(row, "id")?,
            kind: row.get("kind")?,
            application: id(row, "application_id")?,
            attempts: u32::try_from(row.get::<i64>("attempts")?).unwrap_or(u32::MAX),
        })
    }
}

/// Has `id` be done from now on.
pub fn add(tx: &mut Tx<'_>, tenant: Tenant, kind: &str, id: ObjectId, now: DateTime) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        &TABLE.insert(),
        &[&id.to_string(), &kind, &tenant.id().to_string(), &now.millis(), &0_i64],
    )?;
    Ok(())
}

/// Whether anything is due at `now`.
pub fn is_due(tx: &mut Tx<'_>, now: DateTime) -> Result<bool> {
    let found: Option<i64> = tx.first(
        "SELECT 1 AS found FROM work WHERE due <= $1 ORDER BY due LIMIT 1",
        &[&now.millis()],
    )?;
    Ok(found.is_some())
}

/// Takes the first `most` that are due at `now`, which nobody else does meanwhile.
pub fn take(tx: &mut Tx<'_>, now: DateTime, most: i64) -> Result<Vec<Taken>> {
    tx.change_all(
        ChangeScope::Nothing,
        "UPDATE work SET due = $2, attempts = attempts + 1 WHERE id IN
            (SELECT id FROM work WHERE due <= $1 ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, kind, application_id, attempts",
        &[&now.millis(), &now.plus_millis(LEASE).millis(), &most],
    )
}

/// What was taken has been done, or is given up.
pub fn done(tx: &mut Tx<'_>, taken: &Taken) -> Result<()> {
    tx.change(ChangeScope::Nothing, "DELETE FROM work WHERE id = $1", &[&taken.id.to_string()])?;
    Ok(())
}

/// What was taken is due again at `due`, unless somebody else has taken it since.
pub fn again(tx: &mut Tx<'_>, taken: &Taken, due: DateTime) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "UPDATE work SET due = $2 WHERE id = $1 AND attempts = $3",
        &[&taken.id.to_string(), &due.millis(), &i64::from(taken.attempts)],
    )?;
    Ok(())
}

/// How many there are, and since when the oldest of them is due.
pub fn waiting(tx: &mut Tx<'_>) -> Result<(i64, Option<DateTime>)> {
    // Not all of a queue that has grown is counted.
    let found: Option<(i64, Option<i64>)> = tx.first(
        "SELECT count(*), min(due) FROM (SELECT due FROM work ORDER BY due LIMIT 10000) w",
        &[],
    )?;
    let (count, oldest) = found.unwrap_or_default();
    Ok((count, oldest.map(DateTime::from_millis)))
}

/// Nothing is to be done any more.
pub(crate) fn delete_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.change(ChangeScope::Nothing, "DELETE FROM work", &[]).map(drop)
}
