//! The door to the database.

use crate::error::{Error, JobError, Result};
use crate::flow::{Flow, Lane};
use crate::job::{self, Access, ChangingRow, Finding, Work, submit};
use crate::meter::Meter;
use crate::migrate::{Migration, OpenError};
use crate::options::Options;
use crate::pools::Pools;
use crate::schema::Schema;
use crate::scope::{RowKey, Scope};
use crate::scratch::{Ephemeral, Scratch};
use crate::sqlite::connect::{Durability, Opening};
use crate::sqlite::disk;
use crate::statement::{Lookup, RowChange};
use crate::tx::Tx;
use crate::url::StoreUrl;
use crate::versions::{Snapshot, Versions};
use crate::{postgres, sqlite};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::timeout;

/// Brings the database at `url` up to date with `migrations`, made if there is none, and starts
/// nothing.
///
/// # Errors
/// As [`Store::open_at`].
pub fn migrate(url: &StoreUrl, migrations: &[Migration<'_>]) -> Result<(), OpenError> {
    match url {
        StoreUrl::Sqlite(path) => {
            let opening =
                Opening { durability: Durability::Synced, must_exist: false, after_failure: false };
            sqlite::migrate::prepare(path, migrations, opening).map(drop)
        }
        StoreUrl::Postgres(address) => postgres::migrate::prepare(address, migrations, false),
    }
}

/// The database. Clones share it; its threads end when the last is dropped, or with
/// [`Store::close`].
pub struct Store<E = Error>(pub(crate) Arc<Shared>, Flow, PhantomData<fn() -> E>);

impl<E> Clone for Store<E> {
    fn clone(&self) -> Self {
        self.of(self.1)
    }
}

impl<E> Store<E> {
    /// Who uses it.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.1
    }

    /// The same store, as `flow` uses it: what is read and written through it takes turns with what
    /// others do, and cannot take what is theirs.
    #[must_use]
    pub fn of(&self, flow: Flow) -> Self {
        Self(Arc::clone(&self.0), flow, PhantomData)
    }
}

pub(crate) struct Shared {
    pools: RwLock<Option<Pools>>,
    /// Where the engine can tell what has changed.
    pub(crate) versions: Option<Arc<Versions>>,
    /// Why the disk took no change when that was last heard of, if it did not.
    refused: Mutex<Option<&'static str>>,
    meter: Option<Arc<Meter>>,
    ready_deadline: Duration,
    close_deadline: Duration,
    /// Where the files of an ephemeral store are; the last to go, because they go with it.
    pub(crate) scratch: Option<Scratch>,
}

/// Whether a store that reads takes changes too.
#[derive(Debug)]
pub enum Writes<E = Error> {
    /// It does.
    Taken,
    /// It does not, because of this.
    Refused(E),
}

impl<E> fmt::Debug for Store<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl<E: JobError> Store<E> {
    /// Opens the database at `url`, brought up to date, and starts its threads.
    ///
    /// # Errors
    /// As [`Store::open`]; or when the database cannot be reached.
    pub fn open_at(url: &StoreUrl, schema: &Schema, options: &Options) -> Result<Self, OpenError> {
        match url {
            StoreUrl::Sqlite(path) => Self::open(path, schema, options),
            StoreUrl::Postgres(address) => {
                let pools = postgres::start::start(address, schema, options)?;
                Ok(Self::behind(pools, options, None))
            }
        }
    }

    /// Opens the SQLite database at `path`, brought up to date, and starts its threads. Where there
    /// is none it makes one that only its owner can read, and the directories that lead to it.
    ///
    /// # Errors
    /// When the file cannot be made, is not a database of ours or is a newer one, or when a
    /// migration or a thread fails.
    pub fn open(path: &Path, schema: &Schema, options: &Options) -> Result<Self, OpenError> {
        let pools = sqlite::start::start(path, schema, options, Durability::Synced)?;
        Ok(Self::behind(pools, options, None))
    }

    /// Opens a new, empty database that is this store's alone and is gone with it; see
    /// [`Ephemeral`]. The proof that it is one comes along.
    ///
    /// # Errors
    /// When there is no place for its files, or as [`Store::open`].
    pub fn ephemeral(schema: &Schema, options: &Options) -> Result<(Self, Ephemeral), OpenError> {
        let (scratch, proof) = Scratch::new()?;
        let pools = sqlite::start::start(&scratch.database(), schema, options, Durability::None)?;
        Ok((Self::behind(pools, options, Some(scratch)), proof))
    }

    fn behind(mut pools: Pools, options: &Options, scratch: Option<Scratch>) -> Self {
        let versions = pools.versions.take();
        let shared = Shared {
            pools: RwLock::new(Some(pools)),
            versions,
            refused: Mutex::new(None),
            meter: options.meter.clone(),
            ready_deadline: options.ready_deadline,
            close_deadline: options.close_deadline,
            scratch,
        };
        Self(Arc::new(shared), Flow::OWN, PhantomData)
    }

    /// Whether it is one that [`Store::ephemeral`] opened.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        self.0.scratch.is_some()
    }

    /// Runs `f` where it can only look. All its statements see one moment of the database, which
    /// includes every write that was answered before this call. If the caller stops waiting before
    /// `f` starts, `f` never runs; after that its statements are broken off.
    ///
    /// # Errors
    /// Whatever `f` returns; [`Error::Busy`] when too many wait or the deadline passes;
    /// [`Error::Internal`] when `f` panics or the engine fails.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_, E>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.read_in(Lane::Any, f).await
    }

    /// As [`Store::read`], for what finds a few rows by their keys, and so takes no longer than it
    /// takes to hand it to another thread. No read that takes longer keeps it waiting.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn look_up<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_, E>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        match self.run_inline(&f)? {
            Some(found) => found,
            None => self.read_in(Lane::Key, f).await,
        }
    }

    /// As [`Store::look_up`], of what one statement finds. On PostgreSQL lookups that wait at the same
    /// time are sent together.
    ///
    /// # Errors
    /// As [`Store::read`], and what the lookup says.
    pub async fn find<L: Lookup<E>>(&self, lookup: L) -> Result<L::Found, E> {
        if let Some(found) = self.run_inline(|tx| tx.find(&lookup))? {
            return found;
        }
        self.read_in(Lane::Key, Finding(lookup)).await
    }

    async fn read_in<W: Work<E> + 'static>(&self, lane: Lane, work: W) -> Result<W::Done, E> {
        let send = |job| self.0.with_pools(|pools| pools.read(job));
        submit(Access::Read, (self.1, lane), work, self.0.meter.as_ref(), send).await
    }

    /// Runs `f` on this thread, if there is a connection for it that nobody uses.
    fn run_inline<T>(
        &self,
        f: impl Fn(&mut Tx<'_, E>) -> Result<T, E>,
    ) -> Result<Option<Result<T, E>>, E> {
        let mut found = None;
        self.0.with_pools(|pools| {
            found = pools.inline_readers.as_ref().and_then(|readers| readers.run_inline(f));
            Ok(())
        })?;
        if let (Some(_), Some(meter)) = (&found, &self.0.meter) {
            meter.inline_reads.inc();
        }
        Ok(found)
    }

    /// Runs `f` in a transaction that is kept, safe on disk, if this returns `Ok`, and undone if
    /// not. `f` may run again when another write took its transaction down: hence `Fn`, and
    /// nothing in it but work on the `Tx`. A statement that fails should fail `f`.
    ///
    /// If the caller stops waiting before `f` starts, `f` never runs. After that it is broken off and
    /// undone, or kept, as a whole, if the caller leaves too late for that.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the commit was begun and nobody knows how it ended. Whatever else:
    /// nothing was done, and nothing of it is found later. It is what `f` returns; [`Error::Busy`]
    /// when too many wait, the deadline passes, another process holds the database or the disk
    /// cannot take it; [`Error::Internal`] when `f` panics or the engine fails.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_, E>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.0.write(self.1, f).await
    }

    /// As [`Store::write`], of an `f` that changes one row if `change` says so. That is called where it
    /// is of use: on PostgreSQL changes of different rows that wait at the same time share a transaction.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_row<T: Send + 'static>(
        &self,
        change: impl Fn() -> Option<RowChange> + Send + 'static,
        f: impl Fn(&mut Tx<'_, E>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.0.write(self.1, ChangingRow { change, work: f }).await
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
    pub async fn ready(&self) -> Result<(), E> {
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
    pub async fn serves(&self, patience: Duration) -> Result<Writes<E>, E> {
        Ok(match self.0.serves(patience).await? {
            Writes::Taken => Writes::Taken,
            Writes::Refused(why) => Writes::Refused(why.into()),
        })
    }

    /// How many reads and how many writes wait.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn waiting(&self) -> Result<(usize, usize)> {
        let pools = self.0.pools.read().unwrap_or_else(PoisonError::into_inner);
        let pools = pools.as_ref().ok_or_else(job::gone)?;
        Ok((pools.readers.waiting(), pools.writer.waiting()))
    }

    /// Refuses what comes from now on, finishes what waits, checkpoints the WAL on SQLite and ends
    /// the threads. When that takes too long it returns all the same: what was not answered
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
    async fn write<W: Work<E> + 'static, E: JobError>(
        &self,
        flow: Flow,
        work: W,
    ) -> Result<W::Done, E> {
        let send = |job| self.with_pools(|pools| pools.writer.send(job));
        let done = submit(Access::Write, (flow, Lane::Any), work, self.meter.as_ref(), send);
        let done = done.await;
        if let Some(what @ (job::CANNOT_WRITE | job::FULL)) =
            done.as_ref().err().and_then(JobError::busy)
        {
            self.note_refusal(Some(what));
        }
        done
    }

    async fn serves(&self, patience: Duration) -> Result<Writes> {
        let (mut probe, mut probe_write) = ("", String::new());
        self.with_pools(|pools| {
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
        let send = |job| self.with_pools(|pools| pools.readers.send(job));
        let read = submit(Access::Read, (Flow::OWN, Lane::Key), read, self.meter.as_ref(), send);
        timeout(self.ready_deadline, read).await.unwrap_or_else(|_| Err(job::busy()))?;
        // A transaction that changes nothing asks nothing of the disk.
        let refused = self.refusal().is_some();
        let write = self.write(Flow::OWN, move |tx: &mut Tx<'_>| -> Result<()> {
            if refused {
                tx.change(Scope::Nothing, &probe_write, &[])?;
            }
            Ok(())
        });
        match timeout(patience, write).await.unwrap_or_else(|_| Err(job::busy())) {
            Ok(()) => {
                if refused {
                    self.note_refusal(None);
                }
                Ok(Writes::Taken)
            }
            Err(why @ (Error::Busy { .. } | Error::Unknown { .. })) => Ok(Writes::Refused(why)),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn with_pools(&self, through: impl FnOnce(&Pools) -> Result<()>) -> Result<()> {
        // Held while the job is put in its queue, so that none arrives after the last one.
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        let closing = Error::Busy { what: "The store is closing", retry_after: 1 };
        let pools = pools.as_ref().ok_or(closing)?;
        if pools.disk.as_ref().is_some_and(|disk| disk.has_failed()) {
            return Err(job::refused(disk::FAILED));
        }
        through(pools)
    }

    /// Why the disk took no change when that was last heard of.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_refusal(&self, why: Option<&'static str>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}
