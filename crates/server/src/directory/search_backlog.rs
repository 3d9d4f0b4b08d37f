//! The backlog of the search: users whose entries in its index are out of date. The writer applies it
//! in batches, because each page of the index is written for many of them then.

use crate::error::{Error, Result};
use crate::rows::tuning::Tuning;
use crate::rows::{ChangeScope, Tx, tuning};
use guestlist_store::{Upkeep, UpkeepError};
use std::fmt::Display;
use std::time::Duration;

/// How many users are applied for each page of the FTS5 table that is merged with others then. By
/// itself it would merge rarely, but for a tenth of a second.
const APPLIED_FOR_MERGED: i64 = 8;

/// The index backlog, as the number of the user that is applied next. It goes around, so that
/// meanwhile the neighbours of a user join the backlog as well, who are on the same pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct IndexBacklog(i64);

impl IndexBacklog {
    /// How many users are on the backlog, which there is on SQLite.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn waiting(tx: &mut Tx<'_>) -> Result<u64> {
        let waiting: Option<i64> = tx.first("SELECT count(*) FROM user_search_late", &[])?;
        waiting.map_or(Ok(0), u64::try_from).map_err(Error::internal)
    }

    /// How many of them are beyond what it may hold.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn overdue(tx: &mut Tx<'_>) -> Result<u64> {
        Ok(Self::waiting(tx)?.saturating_sub(tuning::of(tx).search_backlog))
    }

    /// Applies the next users on the backlog to the index: `wanted`, or at least a batch. Says whether
    /// there were any.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn apply(&mut self, tx: &mut Tx<'_>, wanted: u64) -> Result<bool> {
        let most = wanted.max(tuning::of(tx).search_batch);
        let most = i64::try_from(most).map_err(Error::internal)?;
        for first in [self.0, i64::MIN] {
            let last: Option<Option<i64>> = tx.first(
                "SELECT max(number) FROM (SELECT number FROM user_search_late WHERE number >= $1
                    ORDER BY number LIMIT $2) some",
                &[&first, &most],
            )?;
            let Some(last) = last.flatten() else { continue };
            for sql in [
                "DELETE FROM user_search WHERE rowid IN (SELECT d.id
                    FROM user_search_late l CROSS JOIN user_search_docsize d ON d.id = l.number
                    WHERE l.number BETWEEN $1 AND $2)",
                "INSERT INTO user_search (rowid, email, first_name, last_name)
                    SELECT u.number, u.email_key, u.first_name_key, u.last_name_key
                    FROM user_search_late l CROSS JOIN experience_users u ON u.number = l.number
                    WHERE l.number BETWEEN $1 AND $2 ORDER BY l.number",
                "DELETE FROM user_search_late WHERE number BETWEEN $1 AND $2",
            ] {
                // Nobody is found otherwise than before.
                tx.change(ChangeScope::Nothing, sql, &[&first, &last])?;
            }
            let merged = most / APPLIED_FOR_MERGED + 1;
            let merge = "INSERT INTO user_search (user_search, rank) VALUES ('merge', $1)";
            tx.change(ChangeScope::Nothing, merge, &[&merged])?;
            self.0 = last.saturating_add(1);
            return Ok(true);
        }
        Ok(false)
    }
}

/// What the writer does for the search.
pub(crate) struct SearchUpkeep {
    tuning: &'static Tuning,
    /// What is applied next, and what that is once the transaction is committed.
    backlog: IndexBacklog,
    next: IndexBacklog,
}

impl SearchUpkeep {
    pub(crate) fn new(tuning: &'static Tuning) -> Self {
        Self { tuning, backlog: IndexBacklog::default(), next: IndexBacklog::default() }
    }
}

impl Upkeep for SearchUpkeep {
    fn every(&self) -> u64 {
        self.tuning.search_check_every
    }

    fn quiet(&self) -> Duration {
        self.tuning.search_quiet
    }

    fn after_group(&mut self, tx: &mut guestlist_store::Tx<'_>) -> Result<(), UpkeepError> {
        let tx = &mut tx.with_error();
        match IndexBacklog::overdue(tx)? {
            0 => {}
            overdue => drop(self.next.apply(tx, overdue)?),
        }
        Ok(())
    }

    fn while_idle(&mut self, tx: &mut guestlist_store::Tx<'_>) -> Result<bool, UpkeepError> {
        Ok(self.next.apply(&mut tx.with_error(), 0)?)
    }

    fn committed(&mut self) {
        self.backlog = self.next;
    }

    fn undone(&mut self, error: &dyn Display) {
        self.next = self.backlog;
        tracing::warn!(%error, "the search is late");
    }
}
