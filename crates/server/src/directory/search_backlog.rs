//! The backlog of the search: users whose entries in its index are out of date. The writer applies it
//! in batches, because each page of the index is written for many of them then.

use crate::error::{Error, Result};
use crate::rows::tuning::Tuning;
use crate::rows::{ChangeScope, Tx, tuning};
use guestlist_store::{Upkeep, UpkeepError};
use std::fmt::Display;
use std::time::Duration;

/// How many users the table is told of for each of its pages that is merged with others then. By
/// itself it would merge rarely, but for a tenth of a second.
const TOLD_FOR_MERGED: i64 = 8;
/// Where in the order of their numbers users are that the table is told of next: it comes around to
/// each of them, so that meanwhile their neighbours are late as well, who are on the same pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct IndexBacklog(i64);

impl IndexBacklog {
    /// By how many more than it may be the table is late.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn overdue(tx: &mut Tx<'_>) -> Result<u64> {
        let late: Option<i64> = tx.first("SELECT count(*) FROM user_search_late", &[])?;
        let late = late.map_or(Ok(0), u64::try_from).map_err(Error::internal)?;
        Ok(late.saturating_sub(tuning::of(tx).search_backlog))
    }

    /// Tells the table of the next users it is late with: of `wanted`, or of as many as it is told of
    /// at once; whether there were any.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn settle(&mut self, tx: &mut Tx<'_>, wanted: u64) -> Result<bool> {
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
            let merged = most / TOLD_FOR_MERGED + 1;
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
    /// What the index is told next, and what it is once that is committed.
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
            overdue => drop(self.next.settle(tx, overdue)?),
        }
        Ok(())
    }

    fn while_idle(&mut self, tx: &mut guestlist_store::Tx<'_>) -> Result<bool, UpkeepError> {
        Ok(self.next.settle(&mut tx.with_error(), 0)?)
    }

    fn committed(&mut self) {
        self.backlog = self.next;
    }

    fn undone(&mut self, error: &dyn Display) {
        self.next = self.backlog;
        tracing::warn!(%error, "the search is late");
    }
}
