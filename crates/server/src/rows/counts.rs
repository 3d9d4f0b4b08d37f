//! How many rows there are, counted in the transaction that writes them.
//!
//! Where writers work side by side, whoever has changed a count holds it to the end of their
//! transaction. So a count is touched after the rows, and only when their number changes; and
//! those of groups before those of their application, in the order of their ids.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

use super::table::{Table, derived, text, whole};
use super::{ChangeScope, Param, Tx};
use crate::error::{Error, Result};
use guestlist_api::id::{ApplicationId, ExperienceGroupId};

/// How many rows there are of what is counted.
pub(crate) const TABLE: Table =
    derived("counts", 2, &[text("application_id"), text("counted"), whole("total")]);

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

/// As [`change`], for the `gone` rows that a statement has removed.
pub(crate) fn fewer(tx: &mut Tx<'_>, counted: Counted, gone: u64) -> Result<()> {
    change(tx, counted, -i64::try_from(gone).map_err(Error::internal)?)
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
