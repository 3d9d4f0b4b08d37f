//! What the store promises, seen from its door; and, where that cannot be, from just inside.

mod counts;
mod cursors;
mod disk;
mod engines;
mod files;
mod group;
mod listed;
mod model;
mod moving;
mod open;
mod plans;
mod pooler;
mod postgres;
mod postgres_group;
mod query;
mod read;
mod search;
mod tls;
mod turns;
mod versions;

use super::migrations::MIGRATIONS;
use super::sqlite::{Durability, Opening, migrate};
use super::{FromRow, Options, Param, Store, Tuning, Tx};
use crate::error::Result;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// As a command opens a file.
const OPENING: Opening =
    Opening { durability: Durability::Synced, must_exist: false, after_failure: false };

impl Tx<'_> {
    /// As [`Tx::all`], where [`Tx::each_single_statement`] is used.
    fn all_single_statement<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each_single_statement(sql, params, |row| T::from_row(row).map(|one| found.push(one)))?;
        Ok(found)
    }
}

/// Thresholds so small that a handful of rows is on either side of each of them.
const SMALL: Tuning = Tuning {
    sort_limit: 10,
    search_kept: 200,
    search_backlog: 4,
    search_batch: 2,
    search_min_users: 3,
    search_abandon: 3,
    search_share_in_index: 2,
    search_share_in_users: 2,
    search_quiet: Duration::from_millis(10),
    search_check_every: 1,
};

/// What is usual, with such thresholds.
fn small() -> Options {
    Options { extension: &SMALL, steps_per_check: 256, ..Options::default() }
}

/// A database with tables of its own beside whatever the migrations make, in its own directory.
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
        let store = Store::open(&self.path(), &self.options).unwrap();
        self.beside()
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v INTEGER UNIQUE) STRICT;
                 CREATE TABLE IF NOT EXISTS facts
                     (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
                 CREATE TABLE IF NOT EXISTS child (p INTEGER REFERENCES t (k)) STRICT;
                 CREATE TABLE IF NOT EXISTS late (p INTEGER REFERENCES t (k)
                     DEFERRABLE INITIALLY DEFERRED) STRICT;",
            )
            .unwrap();
        store
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
        migrate::prepare(&self.path(), &MIGRATIONS[..=version], OPENING).unwrap();
        set(MIGRATIONS.len());
    }

    fn keys(&self) -> Vec<i64> {
        let beside = self.beside();
        let mut all = beside.prepare("SELECT k FROM t ORDER BY k").unwrap();
        all.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

fn insert(tx: &mut Tx<'_>, key: i64) -> Result<u64> {
    tx.run("INSERT INTO t (k, v) VALUES ($1, $1)", &[&key])
}

fn later(store: &Store, key: i64) -> JoinHandle<Result<u64>> {
    let store = store.clone();
    tokio::spawn(async move { store.write(move |tx| insert(tx, key)).await })
}

/// A job that holds its thread until told to go on.
struct Held {
    job: JoinHandle<Result<()>>,
    release: Sender<()>,
}

impl Held {
    async fn release(self) -> Result<()> {
        self.release.send(()).unwrap();
        self.job.await.unwrap()
    }
}

/// Something to call from inside a job: it says that it got there and waits.
fn gate() -> (impl Fn() + Send + 'static, Receiver<()>, Sender<()>) {
    let ((here, arrived), (release, go)) = (channel(), channel());
    let go = Arc::new(Mutex::new(go));
    let wait = move || {
        let _ = here.send(()); // nobody listens when the job runs again
        go.lock().unwrap().recv().unwrap();
    };
    (wait, arrived, release)
}

/// Holds the writer in the middle of a job that has inserted `key`.
async fn hold_writer(store: &Store, key: i64) -> Held {
    let (wait, arrived, release) = gate();
    let store = store.clone();
    let job = tokio::spawn(async move {
        store
            .write(move |tx| {
                insert(tx, key)?;
                wait();
                Ok(())
            })
            .await
    });
    tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    Held { job, release }
}

/// Holds a reader.
async fn hold_reader(store: &Store) -> Held {
    let (wait, arrived, release) = gate();
    let store = store.clone();
    let job = tokio::spawn(async move {
        store
            .read(move |_| {
                wait();
                Ok(())
            })
            .await
    });
    tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    Held { job, release }
}

/// Lets every task that can go on do so.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}
