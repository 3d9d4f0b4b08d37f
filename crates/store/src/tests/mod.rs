//! What the store promises, seen from its door; and, where that cannot be, from just inside.

mod abandoned;
mod disk;
mod fair;
mod files;
mod group;
mod login;
mod model;
mod open;
mod pooler;
mod postgres;
mod postgres_group;
mod postgres_reads;
mod read;
mod steps;
mod tls;
mod versions;

use crate::sqlite::{Durability, Opening};
use crate::{
    FromRow, JobError, Lookup, Migration, OpenError, Options, Rows, Schema, Statement, StoreUrl,
};
use rusqlite::Connection;
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// What the jobs of these tests fail with: errors of their own, and those of the store.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
enum Error {
    Refused,
    NoRow,
    AlreadyExists(String),
    Busy { what: &'static str, retry_after: u32 },
    Unknown { what: &'static str },
    TooMuch,
    Taken(String),
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Busy { what, retry_after } => Self::Busy { what, retry_after },
            crate::Error::Unknown { what, .. } => Self::Unknown { what },
            crate::Error::TooMuch => Self::TooMuch,
            crate::Error::Taken(constraint) => Self::Taken(constraint),
            crate::Error::Conflict(words) => Self::AlreadyExists(words),
            crate::Error::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl JobError for Error {
    fn busy(&self) -> Option<&'static str> {
        match self {
            Self::Busy { what, .. } => Some(what),
            _ => None,
        }
    }
}

type Result<T, E = Error> = std::result::Result<T, E>;
type Tx<'a> = crate::Tx<'a, Error>;
type Writes = crate::Writes<Error>;

/// The least that a store can consist of.
const MIGRATIONS: &[Migration<'static>] = &[Migration {
    both: "CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
",
    sqlite: "",
    postgres: "",
}];

pub(crate) const SCHEMA: Schema = Schema {
    name: "tests of the store",
    migrations: MIGRATIONS,
    values: "settings",
    secret: "a value",
    upkeep: None,
};

/// A store with this schema.
#[derive(Debug, Clone)]
struct Store(crate::Store<Error>);

impl Store {
    fn open_at(url: &StoreUrl, options: &Options) -> Result<Self, OpenError> {
        crate::Store::open_at(url, &SCHEMA, options).map(Self)
    }

    fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        crate::Store::open(path, &SCHEMA, options).map(Self)
    }

    async fn close(self) {
        self.0.close().await;
    }
}

impl Deref for Store {
    type Target = crate::Store<Error>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Named values.
mod settings {
    use super::{Result, Tx};

    pub(super) fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
        tx.first("SELECT value FROM settings WHERE name = $1", &[&name])
    }

    pub(super) fn put(tx: &mut Tx<'_>, name: &str, value: &[u8]) -> Result<()> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        tx.run(sql, &[&name, &value]).map(drop)
    }
}

/// As a command opens a file.
const OPENING: Opening =
    Opening { durability: Durability::Synced, must_exist: false, after_failure: false };

/// Looks for every row of a statement with one parameter, or none.
struct All<T>(&'static str, Option<i64>, PhantomData<fn() -> T>);

impl<T> All<T> {
    fn of(sql: &'static str, param: Option<i64>) -> Self {
        Self(sql, param, PhantomData)
    }
}

impl<T: FromRow<Error> + Send + 'static> Lookup<Error> for All<T> {
    type Found = Vec<T>;

    fn statement(&self) -> Statement {
        Statement::new(self.0, self.1)
    }

    fn read(&self, rows: Rows<'_>) -> Result<Option<Vec<T>>> {
        let mut found = Vec::new();
        rows.each(|row| T::from_row(row).map(|one| found.push(one)))?;
        Ok(Some(found))
    }

    fn otherwise(&self, _: &mut Tx<'_>) -> Result<Vec<T>> {
        unreachable!("the rows are all there is to it")
    }
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
            ..Options::default()
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
