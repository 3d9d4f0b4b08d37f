//! The store: one door to the database.
//!
//! Queries are plain synchronous functions over a [`Tx`]. They run on the store's own threads;
//! [`Store::read`] and [`Store::write`] are the only `async` here, so that composing queries is
//! calling functions inside one closure, and no use case is ever half kept.
//!
//! SQL is written once for every engine, with parameters `$1`, `$2`, … that may come in any order
//! and more than once. What an engine says differently is spelled by its own module alone: SQLite
//! drops what locks rows, such as ` FOR UPDATE`, from statements and replaces column types in
//! migrations. A schema keeps
//! to immediate constraints, because a deferred one would fail at the commit, which a whole group
//! of writes shares.

pub mod administrators;
pub mod api_tokens;
pub mod applications;
pub mod bare_groups;
pub mod ephemeral;
pub mod experience_groups;
pub mod experience_users;
pub mod idempotency;
pub mod list;
pub mod moving;
pub mod search;
pub mod settings;
pub mod sign_ins;
pub mod tenant;

mod backlog;
mod change_scope;
mod convert;
mod counts;
mod engine;
mod filter;
mod freeze;
mod job;
mod memberships;
mod migrate;
mod migrations;
mod postgres;
mod row;
mod schema;
mod scope;
mod scratch;
mod sqlite;
mod table;
mod tag_index;
mod tuning;
mod tx;
mod upkeep;
mod value;
mod versions;

#[cfg(test)]
mod tests;

pub use change_scope::ChangeScope;
pub use engine::{Change, Dialect, Each, Engine, Query};
pub use freeze::Frozen;
pub use migrate::{Migration, OpenError};
pub use postgres::Address;
pub use row::{FromRow, Row};
pub use schema::{MakeUpkeep, Schema};
pub use scope::{RowKey, Scope};
pub use scratch::Ephemeral;
pub use tuning::Tuning;
pub use tx::Tx;
pub use upkeep::Upkeep;
pub use value::{Column, Param};
pub use versions::Snapshot;

use crate::error::{Error, Result};
use job::{Job, Kind, Queue, submit};
use migrations::SCHEMA;
use postgres::Replica;
use scratch::Scratch;
use sqlite::{Disk, Durability, Readers};
use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;
use tokio::time::timeout;
use versions::Versions;

/// Where a [`Store`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file of SQLite.
    Sqlite(PathBuf),
    /// In a database of PostgreSQL.
    Postgres(Address),
}

impl Place {
    /// Reads `postgres://…`, `sqlite:PATH` or a path.
    ///
    /// # Errors
    /// When it is something else; the words say what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = match scheme(text) {
            None => text,
            Some((name, rest)) => match name.to_ascii_lowercase().as_str() {
                "postgres" | "postgresql" => return Address::parse(text).map(Self::Postgres),
                // Who reads it as a host, or as a path from here, would look elsewhere.
                "sqlite" if rest.starts_with("//") && !rest.starts_with("///") => {
                    return Err("two slashes are neither a path nor the start of one: give \
                        sqlite:PATH"
                        .into());
                }
                "sqlite" => rest,
                _ => {
                    return Err(format!(
                        "there are no stores of the kind {name:?}: give sqlite:PATH, a path or \
                         postgres://USER:PASSWORD@HOST:PORT/DATABASE. A path in which a colon \
                         comes this early begins with ./ or /"
                    ));
                }
            },
        };
        match path {
            "" => Err("the path is empty: give sqlite:PATH or a path".into()),
            ":memory:" => Err("a store in memory would be lost: give sqlite:PATH or a path".into()),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// What is in the way of whoever writes to it, as far as that is to be seen on this machine.
    #[must_use]
    pub fn obstacle(&self) -> Option<OpenError> {
        match self {
            Self::Sqlite(path) => sqlite::files::obstacle(path),
            Self::Postgres(_) => None,
        }
    }
}

/// The word before the first colon, if it can be the scheme of a URL, and what comes after.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let word = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    (letter && name.chars().all(word)).then_some((name, rest))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// What happens when the disk under a file of SQLite fails: when what is written to it, or already
/// was, cannot be synced. Nothing is answered as done from then on, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDiskFailure {
    /// The store is closed, and refuses all that is asked of it. What it has open stays so until the
    /// process ends. For those that live in a process of somebody else's.
    CloseStore,
    /// The process ends, with the code 74. The next one starts from what the log has.
    EndProcess,
}

/// How a [`Store`] is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a store that is not there is an error, rather than made.
    pub must_exist: bool,
    /// What happens when the disk fails.
    pub on_disk_failure: OnDiskFailure,
    /// Threads that read; on PostgreSQL each has a connection.
    pub readers: usize,
    /// Threads that write, each with a connection, on PostgreSQL. On SQLite there is one.
    pub writers: usize,
    /// Reads that may wait; one more is refused with [`Error::Busy`].
    pub read_queue: usize,
    /// Writes that may wait; one more is refused with [`Error::Busy`].
    pub write_queue: usize,
    /// Writes that may share a commit.
    pub group: usize,
    /// How long a group may gather before it is committed.
    pub group_time: Duration,
    /// A standby of the database, on PostgreSQL, that is read from while it is up to date.
    pub replica: Option<Address>,
    /// How long one read may run.
    pub read_deadline: Duration,
    /// How long one write may run.
    pub write_deadline: Duration,
    /// How long a statement may wait for another transaction, on PostgreSQL.
    pub lock_deadline: Duration,
    /// How long a brief snapshot is good, on PostgreSQL, where other nodes may change what it is of.
    pub trust: Duration,
    /// How long [`Store::ready`] waits for its answer.
    pub ready_deadline: Duration,
    /// How long [`Store::close`] waits for what is under way.
    pub close_deadline: Duration,
    /// Steps of SQLite's machine between two looks at the clock: some 50 us.
    pub steps_per_check: u16,
    /// What the functions of the schema need to know of how the store is run: `Tx::extension` finds
    /// it. It is a reference because whatever is asked of the store carries it.
    pub extension: &'static (dyn Any + Send + Sync),
}

impl Options {
    /// What is usual for a store at `place`.
    #[must_use]
    pub fn usual(place: &Place) -> Self {
        let usual = Self::default();
        match place {
            Place::Sqlite(_) => usual,
            // They wait rather than compute.
            Place::Postgres(_) => Self { readers: usual.readers.saturating_mul(2), ..usual },
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            must_exist: false,
            on_disk_failure: OnDiskFailure::CloseStore,
            // A read is work for a processor, so more threads than processors only take turns;
            // two at least, so that one long query does not stop all others.
            readers: thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 16)),
            // A commit waits for a disk, or for a standby far away, and others go on meanwhile.
            writers: 8,
            // 20 ms of reads at 50,000 a second.
            read_queue: 1024,
            // About a second of writes on a disk that syncs 250 times a second, grouped: what
            // `retry_after` promises.
            write_queue: 1024,
            // Beyond this the sync is no longer what a write costs.
            group: 128,
            // No more than what a slow disk's sync takes, so gathering never doubles the wait.
            group_time: Duration::from_millis(10),
            replica: None,
            // Clients give up by then.
            read_deadline: Duration::from_secs(10),
            // Deleting an application of a million users is one transaction.
            write_deadline: Duration::from_mins(5),
            // Those who wait for a lock keep others from a connection.
            lock_deadline: Duration::from_secs(5),
            // Half of what is promised.
            trust: Duration::from_millis(500),
            // Below the timeout of a common probe.
            ready_deadline: Duration::from_secs(5),
            // What was answered is safe, so this is only for tidiness: within the 10 s in which a
            // server stops, most of which its requests may take.
            close_deadline: Duration::from_millis(1500),
            steps_per_check: 4096,
            extension: &(),
        }
    }
}

/// The database. Clones share it; its threads end when the last is dropped, or with
/// [`Store::close`].
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    pools: RwLock<Option<Pools>>,
    /// Where the engine can tell what has changed.
    versions: Option<Arc<Versions>>,
    /// Why the disk took no change when that was last heard of, if it did not.
    refused: Mutex<Option<&'static str>>,
    ready_deadline: Duration,
    close_deadline: Duration,
    /// Where the files of an ephemeral store are; the last to go, because they go with it.
    scratch: Option<Scratch>,
}

/// Threads and connections, by what they do. Taking them away is how the store is closed.
struct Pools {
    readers: Queue,
    /// Connections that callers may use on their own threads, where the database is in this process.
    inline_readers: Option<Arc<Readers>>,
    writer: Queue,
    replica: Option<Replica>,
    /// Reads something of the database, whatever is in it; and writes something.
    probe: &'static str,
    probe_write: String,
    versions: Option<Arc<Versions>>,
    /// What the files are on, where the database is in files of ours.
    disk: Option<Arc<Disk>>,
}

/// Whether a store that reads takes changes too.
#[derive(Debug)]
pub enum Writes {
    /// It does.
    Taken,
    /// It does not, because of this.
    Refused(Error),
}

impl Pools {
    fn read(&self, job: Box<dyn Job>) -> Result<()> {
        match &self.replica {
            Some(replica) if replica.follows() => replica.send(job),
            _ => self.readers.send(job),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the database at `place`, brought up to date, and starts its threads.
    ///
    /// # Errors
    /// As [`Store::open`]; or when the database cannot be reached.
    pub fn open_at(place: &Place, options: &Options) -> Result<Self, OpenError> {
        match place {
            Place::Sqlite(path) => Self::open(path, options),
            Place::Postgres(address) => {
                Ok(Self::behind(postgres::start(address, &SCHEMA, options)?, options, None))
            }
        }
    }

    /// Opens the SQLite database at `path`, brought up to date, and starts its threads. Where there
    /// is none it makes one that only its owner can read, and the directories that lead to it.
    ///
    /// # Errors
    /// When the file cannot be made, is not a database of ours or is a newer one, or when a
    /// migration or a thread fails.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        Self::start(path, options, Durability::Synced, None)
    }

    /// Opens a new, empty database that is this store's alone and is gone with it; see
    /// [`Ephemeral`]. The proof that it is one comes along.
    ///
    /// # Errors
    /// When there is no place for its files, or as [`Store::open`].
    pub fn ephemeral(options: &Options) -> Result<(Self, Ephemeral), OpenError> {
        let (scratch, proof) = Scratch::new()?;
        let path = scratch.database();
        Ok((Self::start(&path, options, Durability::None, Some(scratch))?, proof))
    }

    fn start(
        path: &Path,
        options: &Options,
        durability: Durability,
        scratch: Option<Scratch>,
    ) -> Result<Self, OpenError> {
        Ok(Self::behind(sqlite::start(path, &SCHEMA, options, durability)?, options, scratch))
    }

    fn behind(mut pools: Pools, options: &Options, scratch: Option<Scratch>) -> Self {
        let versions = pools.versions.take();
        Self(Arc::new(Shared {
            pools: RwLock::new(Some(pools)),
            versions,
            refused: Mutex::new(None),
            ready_deadline: options.ready_deadline,
            close_deadline: options.close_deadline,
            scratch,
        }))
    }

    /// Whether it is one that [`Store::ephemeral`] opened.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        self.0.scratch.is_some()
    }

    /// Runs `f` where it can only look. All its statements see one moment of the database, which
    /// includes every write that was answered before this call. If the caller stops waiting before
    /// `f` starts, `f` never runs.
    ///
    /// # Errors
    /// Whatever `f` returns; [`Error::Busy`] when too many wait or the deadline passes;
    /// [`Error::Internal`] when `f` panics or the engine fails.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        submit(Kind::Read, f, |job| self.0.with_pools(|pools| pools.read(job))).await
    }

    /// As [`Store::read`], for what finds a few rows by their keys, and so takes no longer than it
    /// takes to hand it to another thread.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn look_up<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut found = None;
        self.0.with_pools(|pools| {
            found = pools.inline_readers.as_ref().and_then(|readers| readers.run_inline(&f));
            Ok(())
        })?;
        match found {
            Some(found) => found,
            None => self.read(f).await,
        }
    }

    /// Runs `f` in a transaction that is kept, safe on disk, if this returns `Ok`, and undone if
    /// not. `f` may run again when another write took its transaction down: hence `Fn`, and
    /// nothing in it but work on the `Tx`. A statement that fails should fail `f`.
    ///
    /// If the caller stops waiting before `f` starts, `f` never runs; after that it may be kept.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the commit was begun and nobody knows how it ended. Whatever else:
    /// nothing was done, and nothing of it is found later. It is what `f` returns; [`Error::Busy`]
    /// when too many wait, the deadline passes, another process holds the database or the disk
    /// cannot take it; [`Error::Internal`] when `f` panics or the engine fails.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done =
            submit(Kind::Write, f, |job| self.0.with_pools(|pools| pools.writer.send(job))).await;
        if let Err(Error::Busy { what: what @ (job::CANNOT_WRITE | job::FULL), .. }) = &done {
            self.0.note_refusal(Some(what));
        }
        done
    }

    /// What an answer that was made of these rows depends on, as they are now. Taken before the read
    /// that the answer is made of begins, it tells later whether the answer stands. `None` while one
    /// of them is changing, and where other processes may change them without a trace.
    #[must_use]
    pub fn snapshot_of_rows(&self, rows: [Option<RowKey>; 3]) -> Option<Snapshot> {
        self.0.versions.as_ref()?.snapshot(rows, false)
    }

    /// As [`Store::snapshot_of_rows`], for what may be out of date for a moment: where other
    /// processes change it without a trace, it is good for [`Options::trust`].
    #[must_use]
    pub fn brief_snapshot(&self, row: RowKey) -> Option<Snapshot> {
        self.0.versions.as_ref()?.snapshot([Some(row), None, None], true)
    }

    /// Whether what was read after `snapshot` was taken is still so: if a write that changed it was
    /// answered before this call, it is not.
    #[must_use]
    pub fn holds(&self, snapshot: &Snapshot) -> bool {
        self.0.versions.as_ref().is_some_and(|versions| versions.hold(snapshot))
    }

    /// Whether reads and writes are being served.
    ///
    /// # Errors
    /// When they are not, or not soon enough.
    pub async fn ready(&self) -> Result<()> {
        match self.serves(self.0.ready_deadline).await? {
            Writes::Taken => Ok(()),
            Writes::Refused(why) => Err(why),
        }
    }

    /// Whether reads are being served, and writes within `patience`: every thread lives, the files
    /// are those that were opened, something can be read, and a transaction that writes can begin.
    /// Where the disk has refused a change, it is also asked to take one.
    ///
    /// # Errors
    /// When reads are not served, or not soon enough; or when nothing will be until somebody sees to
    /// it.
    pub async fn serves(&self, patience: Duration) -> Result<Writes> {
        let (mut probe, mut probe_write) = ("", String::new());
        self.0.with_pools(|pools| {
            (probe, probe_write) = (pools.probe, pools.probe_write.clone());
            pools.readers.intact()?;
            pools.writer.intact()?;
            match pools.disk.as_ref().and_then(|disk| disk.refusal()) {
                Some(what) => Err(job::refused(what)),
                None => Ok(()),
            }
        })?;
        // Of the database itself, which is enough to serve.
        let read = move |tx: &mut Tx<'_>| tx.first::<i64>(probe, &[]).map(drop);
        let read =
            submit(Kind::Read, read, |job| self.0.with_pools(|pools| pools.readers.send(job)));
        timeout(self.0.ready_deadline, read).await.unwrap_or_else(|_| Err(job::busy()))?;
        // A transaction that changes nothing asks nothing of the disk.
        let refused = self.0.refusal().is_some();
        let write = self.write(move |tx| {
            if refused {
                tx.change(Scope::Nothing, &probe_write, &[])?;
            }
            Ok(())
        });
        match timeout(patience, write).await.unwrap_or_else(|_| Err(job::busy())) {
            Ok(()) => {
                if refused {
                    self.0.note_refusal(None);
                }
                Ok(Writes::Taken)
            }
            Err(why @ (Error::Busy { .. } | Error::Unknown { .. })) => Ok(Writes::Refused(why)),
            Err(error) => Err(error),
        }
    }

    /// Refuses what comes from now on, finishes what waits, moves the log into the database and
    /// ends the threads. When that takes too long it returns all the same: what was not answered
    /// by then may not be kept, and what was is safe.
    pub async fn close(self) {
        let pools = self.0.pools.write().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Pools { readers, inline_readers, writer, replica, .. }) = pools else { return };
        // The writer last: who closes last empties the log, and a reader is not allowed to.
        let ended = async {
            // It passes on to the readers what it cannot answer.
            if let Some(replica) = replica {
                replica.end().await;
            }
            readers.end().await;
            drop(inline_readers);
            writer.end().await;
        };
        if timeout(self.0.close_deadline, ended).await.is_err() {
            tracing::warn!("the store is still at work: not waiting for it any longer");
        }
    }
}

impl Shared {
    fn with_pools(&self, through: impl FnOnce(&Pools) -> Result<()>) -> Result<()> {
        // Held while the job is put in its queue, so that none arrives after the last one.
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        let closing = Error::Busy { what: "The store is closing", retry_after: 1 };
        let pools = pools.as_ref().ok_or(closing)?;
        if pools.disk.as_ref().is_some_and(|disk| disk.has_failed()) {
            return Err(job::refused(sqlite::FAILED));
        }
        through(pools)
    }

    /// Why the disk took no change when that was last heard of.
    fn refusal(&self) -> Option<&'static str> {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_refusal(&self, why: Option<&'static str>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}
