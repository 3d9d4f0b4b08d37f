//! What the store promises, seen from its door; and, where that cannot be, from just inside.

mod counts;
mod cursors;
mod engines;
mod heavy;
mod kept;
mod listed;
mod migrations;
mod moving;
mod plans;
mod query;
mod search;
mod tags;
mod turns;
mod upgrades;

use super::migrations::MIGRATIONS;
use super::{Options, Store, StoreUrl};
use crate::rows::quotas::Quotas;
use crate::rows::tuning::Tuning;
use rusqlite::Connection;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// Thresholds so small that a handful of rows is on either side of each of them.
const SMALL: Tuning = Tuning {
    sort_limit: 10,
    search_most_in_memory: 200,
    search_backlog: 4,
    search_batch: 2,
    search_min_users: 3,
    search_abandon: 3,
    search_share_in_index: 2,
    search_share_in_users: 2,
    search_quiet: Duration::from_millis(10),
    search_check_every: 1,
    quotas: Quotas::NONE,
};

/// What is usual, with such thresholds.
fn small() -> Options {
    Options { extension: &SMALL, steps_per_check: 256, ..Options::default() }
}

/// A database in its own directory.
struct Scratch {
    directory: TempDir,
    options: Options,
}

impl Scratch {
    fn new() -> Self {
        // Groups in these tests gather for as long as the test holds them open, and nothing is late
        // because the machine is busy.
        let options = Options {
            group_time: Duration::from_mins(1),
            read_deadline: Duration::from_mins(1),
            ready_deadline: Duration::from_mins(1),
            close_deadline: Duration::from_mins(1),
            ..small()
        };
        Self { directory: TempDir::new().unwrap(), options }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("guestlist.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.path(), &self.options).unwrap()
    }

    /// Another process, as far as SQLite can tell.
    fn beside(&self) -> Connection {
        let connection = Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }

    /// Brings the database from `version` to the next once more; what came later is there already.
    fn migrate_again(&self, version: usize) {
        let set = |version| {
            self.beside().execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();
        };
        set(version);
        guestlist_store::migrate(&StoreUrl::Sqlite(self.path()), &MIGRATIONS[..=version]).unwrap();
        set(MIGRATIONS.len());
    }
}
