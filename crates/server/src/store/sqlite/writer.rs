//! The one thread that writes. It commits what waits together, and answers after the commit.

use super::{Durability, PATIENCE, Role, Session, connect, fault};
use crate::store::job::{Job, Jobs, Queue, attempt, busy, cannot_write, too_long};
use crate::store::migrate::OpenError;
use crate::store::search::Late;
use crate::store::versions::Versions;
use crate::store::{Options, Tx};
use flume::RecvTimeoutError;
use rusqlite::{Connection, ErrorCode};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Pages the log grows by between two copyings into the database: 4 MiB, as SQLite does.
const COPY_EVERY: usize = 1000;

/// Pages in the log above which writing pauses, when little is left to copy, until it starts from the
/// front: 48 MiB. Copying alone never gets there while writes keep coming.
const LOG_FULL: usize = 12 * 1024;

/// Pages in the log above which writing pauses however much is left to copy: 64 MiB.
const LOG_BOUND: usize = 16 * 1024;

/// How long such a pause waits for readers, who are what may prevent it.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts the thread that writes.
///
/// # Errors
/// When it cannot connect, or the system has no thread to give.
pub(super) fn start(
    path: &Path,
    options: &Options,
    durability: Durability,
    versions: Arc<Versions>,
) -> Result<Queue, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let mut connection = connect(path, Role::Write, durability).map_err(failed)?;
    let (mut log, copier) = Log::watch(path, &mut connection, durability).map_err(failed)?;
    let session = Session::new(connection, Role::Write, options.tuning).map_err(failed)?;
    let commits = Arc::clone(&log.commits);
    let mut writer = Writer {
        session,
        options: options.clone(),
        versions,
        commits,
        late: Late::default(),
        // There may be something left from before.
        behind: true,
        looked: 0,
    };
    let service = move |jobs: &Jobs| {
        let copier = thread::Builder::new().name("store-copy".to_owned()).spawn(copier);
        loop {
            match writer.next(jobs) {
                Ok(first) => {
                    writer.group(first, jobs);
                    writer.keep_up();
                }
                Err(RecvTimeoutError::Timeout) => writer.catch_up(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            log.tend(writer.session.connection());
        }
        drop(log); // which ends the copier
        if let Ok(copier) = copier {
            drop(copier.join());
        }
        if let Err(error) = checkpoint(writer.session.connection(), "TRUNCATE") {
            tracing::warn!(%error, "the log is left to the next start");
        }
    };
    Queue::start("store-write", options.write_queue, vec![Box::new(service)])
}

/// What became of a job and its transaction.
enum Outcome {
    /// It waits for the commit.
    Kept,
    /// It, and only it, was undone.
    Undone,
    /// Its deadline passed, and SQLite undid the whole transaction.
    Late,
    /// SQLite undid the whole transaction, because it cannot write.
    Lost,
}

struct Writer {
    session: Session,
    options: Options,
    versions: Arc<Versions>,
    /// Commits that reached the log.
    commits: Arc<AtomicUsize>,
    /// What the table of the search is told next.
    late: Late,
    /// Whether there may be something to tell it.
    behind: bool,
    /// How many rows had changed when it was last looked at how late it is.
    looked: u64,
}

impl Writer {
    /// The next job; or nothing, when it is time to catch up.
    fn next(&self, jobs: &Jobs) -> Result<Box<dyn Job>, RecvTimeoutError> {
        if self.behind {
            jobs.waiting.recv_timeout(self.options.tuning.search_quiet)
        } else {
            jobs.waiting.recv().map_err(|_| RecvTimeoutError::Disconnected)
        }
    }

    /// After a group: sees to it that the table of the search is not too late.
    fn keep_up(&mut self) {
        self.behind = true;
        let changed = self.session.connection().total_changes();
        if changed < self.looked + self.options.tuning.search_check_every {
            return;
        }
        self.settle(|late, tx| match Late::excess(tx)? {
            0 => Ok(true),
            excess => late.settle(tx, excess),
        });
        self.looked = self.session.connection().total_changes();
    }

    /// While nobody writes: tells the table of the search some of what it is late with.
    fn catch_up(&mut self) {
        self.behind = self.settle(|late, tx| late.settle(tx, 0));
    }

    /// Runs `work` in a transaction of its own, and keeps it. Its answer, or `false`: it is tried
    /// again when somebody has written, and until then the search only takes longer.
    fn settle(
        &mut self,
        work: impl FnOnce(&mut Late, &mut Tx<'_>) -> crate::error::Result<bool>,
    ) -> bool {
        let mut late = self.late;
        let done =
            self.session.command("BEGIN IMMEDIATE").map_err(|error| fault(&error, Role::Write));
        let done = done.and_then(|()| {
            self.session
                .within(self.options.write_deadline, |tx| attempt(|tx| work(&mut late, tx), tx))
                .0
        });
        let done = done.and_then(|more| {
            self.commit().map_err(|error| fault(&error, Role::Write))?;
            Ok(more)
        });
        match done {
            Ok(more) => {
                self.late = late;
                more
            }
            Err(error) => {
                self.session.undo();
                tracing::warn!(%error, "the search is late");
                false
            }
        }
    }

    /// Runs `first` and those that wait behind it, commits them with one sync, and answers.
    fn group(&mut self, first: Box<dyn Job>, jobs: &Jobs) {
        let started = Instant::now();
        let mut next = VecDeque::from([first]);
        // The jobs whose answer depends on the commit: empty until one is kept.
        let mut ran: Vec<Box<dyn Job>> = Vec::new();
        while let Some(mut job) = next.pop_front().or_else(|| {
            let room = ran.len() < self.options.group;
            let time = started.elapsed() < self.options.group_time;
            if room && time { jobs.waiting.try_recv().ok() } else { None }
        }) {
            if job.gone() {
                continue;
            }
            match self.attempt(&mut *job, !ran.is_empty()) {
                Ok(Outcome::Kept) => ran.push(job),
                // It may have failed because of what another did and the commit has yet to keep.
                Ok(Outcome::Undone) if !ran.is_empty() => ran.push(job),
                Ok(Outcome::Undone) => job.finish(Ok(())),
                Ok(Outcome::Late) => {
                    job.finish(Err(too_long()));
                    // The others did nothing wrong: once more, from the start, in their order.
                    ran.extend(next.drain(..));
                    next.extend(ran.drain(..));
                }
                Ok(Outcome::Lost) => {
                    ran.push(job);
                    ran.extend(next);
                    return ran.into_iter().for_each(|job| job.finish(Err(cannot_write())));
                }
                Err(error) => {
                    ran.push(job);
                    ran.extend(next);
                    return self.refuse(&error, ran, jobs);
                }
            }
        }
        if ran.is_empty() {
            return;
        }
        match self.commit() {
            Ok(()) => ran.into_iter().for_each(|job| job.finish(Ok(()))),
            Err(error) => self.refuse(&error, ran, jobs),
        }
    }

    /// Commits, and sees to it that no answer stands that what is committed has changed.
    fn commit(&mut self) -> rusqlite::Result<()> {
        let changed = self.session.take_changed();
        let mut changing = self.versions.changing(&changed);
        let before = self.commits.load(Ordering::Relaxed);
        let committed = self.session.command("COMMIT");
        if self.commits.load(Ordering::Relaxed) != before {
            changing.committed();
        }
        committed
    }

    /// Runs `job`. The first of a transaction needs no savepoint: to undo it is to undo all.
    fn attempt(&mut self, job: &mut dyn Job, nested: bool) -> rusqlite::Result<Outcome> {
        if !nested {
            self.session.undo();
            drop(self.session.take_changed());
        }
        self.session.command(if nested { "SAVEPOINT job" } else { "BEGIN IMMEDIATE" })?;
        let (kept, late) = self.session.within(self.options.write_deadline, |tx| job.run(tx));
        if !self.session.in_transaction() {
            return Ok(if late { Outcome::Late } else { Outcome::Lost });
        }
        if kept {
            if nested {
                self.session.command("RELEASE job")?;
            }
            return Ok(Outcome::Kept);
        }
        if nested {
            self.session.command("ROLLBACK TO job")?;
            self.session.command("RELEASE job")?;
        } else {
            self.session.command("ROLLBACK")?;
        }
        Ok(Outcome::Undone)
    }

    /// Keeps nothing and tells `ran` why.
    fn refuse(&mut self, error: &rusqlite::Error, mut ran: Vec<Box<dyn Job>>, jobs: &Jobs) {
        self.session.undo();
        // Another process has the database. Those who wait have waited as long as this one did,
        // and must not each do so again.
        if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
            ran.extend(jobs.waiting.drain());
            return ran.into_iter().for_each(|job| job.finish(Err(busy())));
        }
        for job in ran {
            job.finish(Err(fault(error, Role::Write)));
        }
    }
}

/// The write-ahead log, whose growth this keeps in bounds. Another thread copies it into the
/// database, so that those who write do not wait for that.
struct Log {
    pages: Arc<AtomicUsize>,
    commits: Arc<AtomicUsize>,
    copy: flume::Sender<()>,
    /// Held while it is copied: SQLite lets one at a time do so, and turns others away.
    copying: Arc<Mutex<()>>,
    copied: usize,
    restarted: usize,
}

impl Log {
    /// Watches the log that `connection` writes; also what the copying thread is to do.
    fn watch(
        path: &Path,
        connection: &mut Connection,
        durability: Durability,
    ) -> rusqlite::Result<(Self, impl FnOnce() + Send + use<>)> {
        let pages = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pages);
        let commits = Arc::new(AtomicUsize::new(0));
        let numbered = Arc::clone(&commits);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            numbered.fetch_add(1, Ordering::Relaxed);
            counted.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let (copy, asked) = flume::bounded::<()>(1);
        let copier = connect(path, Role::Write, durability)?;
        let file = durable(path, durability);
        let copying = Arc::new(Mutex::new(()));
        let copying_too = Arc::clone(&copying);
        let work = move || {
            for () in asked {
                let turn = copying_too.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = checkpoint(&copier, "PASSIVE") {
                    tracing::warn!(%error, "the log could not be copied");
                }
                drop(turn);
                // SQLite does so only once all of the log is copied, and then it is for the writer
                // to wait for all of it.
                if let Some(Err(error)) = file.map(File::sync_data) {
                    tracing::warn!(%error, "what was copied is not on the disk yet");
                }
            }
        };
        Ok((Self { pages, commits, copy, copying, copied: 0, restarted: 0 }, work))
    }

    /// After a commit: has the log copied, or started anew, if it is time.
    fn tend(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.copied {
            (self.copied, self.restarted) = (0, 0); // it has started from the front
        }
        if pages >= self.copied + COPY_EVERY {
            self.copied = pages;
            let _ = self.copy.try_send(()); // full when one is asked for already
        }
        // Where a reader is in the way, not again for each commit.
        if pages < LOG_FULL.max(self.restarted + LOG_FULL / 8) {
            return;
        }
        let turn = match self.copying.try_lock() {
            Ok(turn) => turn,
            // Soon there is less to copy.
            Err(TryLockError::WouldBlock) if pages < LOG_BOUND.max(self.restarted) => return,
            Err(_) => self.copying.lock().unwrap_or_else(PoisonError::into_inner),
        };
        self.restarted = pages;
        if let Err(error) = restart(connection) {
            tracing::warn!(%error, pages, "the log could not be started anew");
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
                tracing::warn!(%error, "what is copied from the log is left to the writer to sync");
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

/// Copies the log into the database; that readers were in the way of some of it is no error.
fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()))
}
