//! How many rows there are, counted in the transaction that writes them.
//!
//! Where writers work side by side, whoever has changed a count holds it to the end of their
//! transaction. So a count is touched after the rows, and only when their number changes; and
//! those of groups before those of their application, in the order of their ids.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

use super::quotas::{self, Held};
use super::table::{Table, derived, text, whole};
use super::{ChangeScope, FromRow, Param, Row, Tx};
use crate::error::{Error, Result};
use guestlist_api::id::{ApplicationId, ExperienceGroupId};

/// How many rows there are of what is counted, and what they take of what an application may hold.
pub(crate) const TABLE: Table = derived(
    "counts",
    2,
    &[text("application_id"), text("counted"), whole("total"), whole("bytes")],
);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Applications of the store.
    Applications,
    /// Users of an application.
    Users(ApplicationId),
    /// Groups of an application.
    Groups(ApplicationId),
    /// Tokens of an application.
    Tokens(ApplicationId),
    /// Users of an application that are in at least one group.
    Members(ApplicationId),
    /// How often groups of an application were put into others, not how many rows there are: it only grows.
    Placements(ApplicationId),
    /// Direct members of a group.
    MembersOf(ApplicationId, ExperienceGroupId),
}

impl Counted {
    /// The key of its row.
    fn key(self) -> (String, String) {
        let (application, what) = match self {
            Self::Applications => return (String::new(), "applications".into()),
            Self::MembersOf(application, group) => {
                return (application.to_string(), group.to_string());
            }
            Self::Users(application) => (application, "users"),
            Self::Groups(application) => (application, "groups"),
            Self::Tokens(application) => (application, "tokens"),
            Self::Members(application) => (application, "members"),
            Self::Placements(application) => (application, "placements"),
        };
        (application.to_string(), what.into())
    }
}

/// There are `by` more, or fewer; nobody else may change the count before this transaction ends.
pub(crate) fn change(tx: &mut Tx<'_>, counted: Counted, by: i64) -> Result<()> {
    let (application, what) = counted.key();
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO counts (application_id, counted, total) VALUES ($1, $2, $3)
         ON CONFLICT (application_id, counted) DO UPDATE SET total = counts.total + excluded.total",
        &[&application, &what, &by],
    )?;
    Ok(())
}

/// As [`change`], of what its application may only hold so much of: there are so many `rows` more, or
/// fewer, and `bytes`.
///
/// # Errors
/// [`Error::QuotaExceeded`] when there are more, and they are more than may be.
pub(crate) fn grow(tx: &mut Tx<'_>, counted: Counted, (rows, bytes): (i64, i64)) -> Result<()> {
    let (application, what) = counted.key();
    let params: [&dyn Param; 4] = [&application, &what, &rows, &bytes];
    if rows <= 0 && bytes <= 0 {
        tx.change(ChangeScope::Nothing, GROW, &params)?;
        return Ok(());
    }
    let held: Vec<Held> = tx.change_all(ChangeScope::Nothing, GROW_AND_SHOW, &params)?;
    held.iter().try_for_each(|held| quotas::check(tx, counted, (rows, bytes), held))
}

macro_rules! grow {
    ($shown:literal) => {
        concat!(
            "INSERT INTO counts (application_id, counted, total, bytes) VALUES ($1, $2, $3, $4)
             ON CONFLICT (application_id, counted) DO UPDATE
             SET total = counts.total + excluded.total, bytes = counts.bytes + excluded.bytes",
            $shown
        )
    };
}

const GROW: &str = grow!("");

/// What others add to the other counts meanwhile is not seen before they commit.
const GROW_AND_SHOW: &str = grow!(
    " RETURNING total, bytes, (SELECT CAST(sum(o.bytes) AS BIGINT) FROM counts o
        WHERE o.application_id = $1 AND o.counted <> $2
        AND o.counted IN ('users', 'groups', 'tokens', 'members')) AS others,
      (SELECT a.quotas FROM applications a WHERE a.id = $1) AS own"
);

impl FromRow<Error> for Held {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let others: Option<i64> = row.get("others")?;
        Ok(Self {
            rows: row.get("total")?,
            bytes: row.get::<i64>("bytes")?.saturating_add(others.unwrap_or_default()),
            own: row.get("own")?,
        })
    }
}

/// How many there are.
pub(crate) fn of(tx: &mut Tx<'_>, counted: Counted) -> Result<u64> {
    let (application, what) = counted.key();
    let total: Option<i64> = tx.first(
        "SELECT total FROM counts WHERE application_id = $1 AND counted = $2",
        &[&application, &what],
    )?;
    Ok(total.and_then(|total| u64::try_from(total).ok()).unwrap_or_default())
}

/// There is nothing to count any more.
pub(crate) fn forget(tx: &mut Tx<'_>, counted: Counted) -> Result<()> {
    let (application, what) = counted.key();
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM counts WHERE application_id = $1 AND counted = $2",
        &[&application, &what],
    )?;
    Ok(())
}

/// As [`forget`], for the direct members of groups that a `list` names, whose `params` begin with their
/// application.
pub(crate) fn forget_groups(tx: &mut Tx<'_>, list: &str, params: &[&dyn Param]) -> Result<()> {
    let sql = format!("DELETE FROM counts WHERE application_id = $1 AND counted IN ({list})");
    tx.change(ChangeScope::Nothing, &sql, params)?;
    Ok(())
}

/// No group of the application has members any more, nor does any user belong to one.
pub(crate) fn forget_members(tx: &mut Tx<'_>, application: ApplicationId) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM counts
         WHERE application_id = $1 AND counted NOT IN ('users', 'groups', 'tokens', 'placements')",
        &[&application.to_string()],
    )?;
    Ok(())
}
