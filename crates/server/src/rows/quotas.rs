//! What an application may hold at most. How much of it it does is counted with its rows
//! (`counts.rs`), in the transaction that writes them, so that no quota is ever passed.
//!
//! Bytes are what rows take with their entries in indexes, about: a fixed part for each row, and what is
//! written in it as often as it is. A disk has somewhat more or less. They are counted in blocks, for each
//! user, group and token by itself, so that a change seldom changes what is counted: where writers work side
//! by side, two who do wait for one another.

use super::counts::Counted;
use super::{Tx, tuning};
use crate::error::{Error, Result};
use guestlist_api::experience_group::ExperienceGroup;
use serde::{Deserialize, Serialize};

/// What an application may hold at most; there is no bound of what is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quotas {
    /// Users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u64>,
    /// API tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Bytes of users, groups, tokens, and of who is in which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Bytes of answers that are stored for a day under an `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_bytes: Option<u64>,
}

impl Quotas {
    /// What a server lets every application hold, unless it is told otherwise. Millions of users are
    /// usual, and take some 10 GB; a million of them that are made with a key leave answers of 1.5 GiB.
    pub const DEFAULT: Self = Self {
        users: None,
        groups: Some(ExperienceGroup::MOST),
        tokens: None,
        bytes: Some(32 << 30),
        answer_bytes: Some(4 << 30),
    };

    /// No bounds.
    pub const NONE: Self =
        Self { users: None, groups: None, tokens: None, bytes: None, answer_bytes: None };

    /// These, or where one is not said that of `server`.
    #[must_use]
    pub const fn or(self, server: Self) -> Self {
        const fn either(own: Option<u64>, server: Option<u64>) -> Option<u64> {
            if own.is_some() { own } else { server }
        }
        Self {
            users: either(self.users, server.users),
            groups: either(self.groups, server.groups),
            tokens: either(self.tokens, server.tokens),
            bytes: either(self.bytes, server.bytes),
            answer_bytes: either(self.answer_bytes, server.answer_bytes),
        }
    }
}

/// Those of an application's own, which the store has as JSON, if it has any.
pub(crate) fn own(json: Option<&str>) -> Result<Quotas> {
    json.map_or(Ok(Quotas::NONE), |json| serde_json::from_str(json).map_err(Error::internal))
}

/// Those of an application that has its own, as JSON, and else those of the server.
pub(crate) fn of(tx: &Tx<'_>, own: Option<&str>) -> Result<Quotas> {
    Ok(self::own(own)?.or(tuning::of(tx).quotas))
}

/// What an application holds, once something was added to it.
pub(super) struct Held {
    /// Rows of the kind that was added to.
    pub(super) rows: i64,
    /// Bytes of all kinds.
    pub(super) bytes: i64,
    /// Its own quotas, as JSON.
    pub(super) own: Option<String>,
}

/// What to do about a quota.
const REMEDY: &str = "delete some, or ask an administrator for a higher quota";

/// Refuses that `rows` of what is `counted`, and `bytes`, were added, if the application now holds more
/// than it may.
///
/// # Errors
/// [`Error::QuotaExceeded`] then.
pub(super) fn check(
    tx: &Tx<'_>,
    counted: Counted,
    (rows, bytes): (i64, i64),
    held: &Held,
) -> Result<()> {
    let quotas = of(tx, held.own.as_deref())?;
    let most = match counted {
        Counted::Users(_) => Some(("users", quotas.users)),
        Counted::Groups(_) => Some(("groups", quotas.groups)),
        Counted::Tokens(_) => Some(("API tokens", quotas.tokens)),
        _ => None,
    };
    let passes = |added: i64, held: i64, most: Option<u64>| {
        let held = u64::try_from(held).unwrap_or_default();
        most.filter(|most| added > 0 && held > *most)
    };
    if let Some((what, most)) = most
        && let Some(limit) = passes(rows, held.rows, most)
    {
        return Err(Error::QuotaExceeded { what, limit, remedy: REMEDY });
    }
    if let Some(limit) = passes(bytes, held.bytes, quotas.bytes) {
        let what = "bytes of users, groups and tokens";
        return Err(Error::QuotaExceeded { what, limit, remedy: REMEDY });
    }
    Ok(())
}

/// What a row takes at least, with what is beside it in indexes.
pub(crate) const ROW: usize = 640;

/// Who is in one group, which is a row of nothing but ids.
pub(crate) const MEMBERSHIP: i64 = 256;

/// The block in which bytes are counted. That of what is there already was filled by a migration.
const BLOCK: usize = 1024;

/// `bytes` in whole blocks.
pub(crate) fn in_blocks(bytes: usize) -> i64 {
    i64::try_from(bytes.next_multiple_of(BLOCK)).unwrap_or(i64::MAX)
}
