//! The write-ahead log (WAL): when it is checkpointed, which is to copy it into the database, and when
//! it is restarted from its front.

use super::connect::{Durability, PATIENCE, Role, connect};
use super::disk::{self, Disk};
use crate::meter::Meter;
use crate::options::Options;
use rusqlite::Connection;
use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// What failed, where SQLite does not say which of the two files it was.
pub(super) const EITHER: &str = "the WAL or the database";

/// Pages the WAL grows by between two checkpoints: 4 MiB, as SQLite does.
const CHECKPOINT_EVERY: usize = 1000;

/// Pages in the WAL above which writing pauses, when little is left to checkpoint, until it is restarted
/// from its front: 48 MiB. Checkpoints alone never get there while writes come.
const LOG_FULL: usize = 12 * 1024;

/// Pages in the WAL above which writing pauses however much is left to checkpoint: 64 MiB.
const LOG_BOUND: usize = 16 * 1024;

/// How long such a pause waits for readers, who are what may prevent it.
const PAUSE: Duration = Duration::from_millis(100);

/// The write-ahead log, whose growth this bounds. Another thread checkpoints it, so that those who write
/// do not wait for that.
pub(super) struct Wal {
    pages: Arc<AtomicUsize>,
    /// Commits that reached it.
    pub(super) commits: Arc<AtomicUsize>,
    /// Asks the checkpointer for a checkpoint.
    ask: flume::Sender<()>,
    /// Held during a checkpoint: SQLite lets one at a time do so, and turns others away.
    checkpointing: Arc<Mutex<()>>,
    /// Pages in the WAL when a checkpoint was last asked for.
    asked_at: usize,
    restarted: usize,
    disk: Arc<Disk>,
    meter: Option<Arc<Meter>>,
}

impl Wal {
    /// Watches the WAL that `connection` writes; also what the checkpointer, a thread of its own, is to
    /// do.
    pub(super) fn watch(
        path: &Path,
        connection: &mut Connection,
        durability: Durability,
        options: &Options,
        disk: &Arc<Disk>,
    ) -> rusqlite::Result<(Self, impl FnOnce() + Send + use<>)> {
        let pages = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pages);
        let commits = Arc::new(AtomicUsize::new(0));
        let numbered = Arc::clone(&commits);
        let (metered, timed) = (options.meter.clone(), options.meter.clone());
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: c_int| {
            numbered.fetch_add(1, Ordering::Relaxed);
            counted.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            if let Some(meter) = &metered {
                meter.wal_pages.set(pages.into());
            }
            Ok(())
        }))?;
        let (ask, asked) = flume::bounded::<()>(1);
        let checkpointer = connect(path, Role::Write, durability)?;
        let file = durable(path, durability);
        let checkpointing = Arc::new(Mutex::new(()));
        let (checkpointing_too, disk_too) = (Arc::clone(&checkpointing), Arc::clone(disk));
        let work = move || {
            for () in asked {
                let began = Instant::now();
                let turn = checkpointing_too.lock().unwrap_or_else(PoisonError::into_inner);
                match checkpoint(&checkpointer, "PASSIVE") {
                    Ok(()) => {}
                    Err(error) if disk::is_failed_sync(&error) => disk_too.fail(EITHER, &error),
                    // What was not checkpointed is in the WAL still, and is the next time.
                    Err(error) => tracing::error!(%error, "the WAL could not be checkpointed"),
                }
                drop(turn);
                // SQLite syncs the database only once all of the WAL is checkpointed, and then the
                // writer would wait for all of it.
                if let Some(Err(error)) = file.map(File::sync_data) {
                    disk_too.fail("the database", &error);
                }
                if let Some(meter) = &timed {
                    meter.checkpointed(began.elapsed());
                }
                if disk_too.has_failed() {
                    disk_too.end_process();
                    // Or else SQLite checkpoints once more if this is closed last.
                    return std::mem::forget(checkpointer);
                }
            }
        };
        let (disk, meter) = (Arc::clone(disk), options.meter.clone());
        let (asked_at, restarted) = (0, 0);
        Ok((Self { pages, commits, ask, checkpointing, asked_at, restarted, disk, meter }, work))
    }

    /// After a commit: has the WAL checkpointed, or restarted, if it is time.
    pub(super) fn tend(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.asked_at {
            (self.asked_at, self.restarted) = (0, 0); // it has started from the front
        }
        if pages >= self.asked_at + CHECKPOINT_EVERY {
            self.asked_at = pages;
            let _ = self.ask.try_send(()); // full when one is asked for already
        }
        // Where a reader is in the way, not again for each commit.
        if pages < LOG_FULL.max(self.restarted + LOG_FULL / 8) {
            return;
        }
        let turn = match self.checkpointing.try_lock() {
            Ok(turn) => turn,
            // Soon there is less to checkpoint.
            Err(TryLockError::WouldBlock) if pages < LOG_BOUND.max(self.restarted) => return,
            Err(_) => self.checkpointing.lock().unwrap_or_else(PoisonError::into_inner),
        };
        self.restarted = pages;
        match restart(connection) {
            Ok(()) => {
                if let Some(meter) = &self.meter {
                    meter.wal_restarts.inc();
                }
            }
            Err(error) if disk::is_failed_sync(&error) => self.disk.fail(EITHER, &error),
            Err(error) => tracing::error!(%error, pages, "the WAL could not be restarted"),
        }
        drop(turn);
    }
}

/// The file of the database, to sync it with; nothing where it need not be, or cannot.
///
/// It stays open as long as the process: when a process closes a file, the system drops all the locks
/// that the process has on it, those of SQLite's connections among them.
fn durable(path: &Path, durability: Durability) -> Option<&'static File> {
    match durability {
        Durability::None => None,
        Durability::Synced => {
            let file = OpenOptions::new().read(true).write(true).open(path);
            if let Err(error) = &file {
                tracing::warn!(%error, "what is checkpointed is left to the writer to sync");
            }
            file.ok().map(|file| &*Box::leak(Box::new(file)))
        }
    }
}

fn restart(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PAUSE)?;
    let restarted = checkpoint(connection, "RESTART");
    connection.busy_timeout(PATIENCE)?;
    restarted
}

/// Checkpoints the WAL; that readers were in the way of some of it is no error.
pub(super) fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()))
}
