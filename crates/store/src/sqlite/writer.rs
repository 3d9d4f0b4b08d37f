//! The one thread that writes. Writes that wait share a transaction (group commit), and are answered
//! after the commit.

use super::connect::{Durability, Role, connect};
use super::disk::{self, Disk};
use super::fault::{fault, leaves_doubt};
use super::files;
use super::session::{Bounds, Session};
use super::wal::{self, Wal};
use crate::job::{CANNOT_WRITE, Job, Outcome, attempt, busy, cannot_write, refused, too_long};
use crate::migrate::OpenError;
use crate::options::Options;
use crate::queue::{Jobs, NoJob, Queue, Room};
use crate::tx::Tx;
use crate::upkeep::{Upkeep, UpkeepError};
use crate::versions::Versions;
use rusqlite::ErrorCode;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// Starts the thread that writes.
///
/// # Errors
/// When it cannot connect, or the system has no thread to give.
pub(super) fn start(
    path: &Path,
    options: &Options,
    durability: Durability,
    versions: Arc<Versions>,
    disk: &Arc<Disk>,
    upkeep: Option<Box<dyn Upkeep>>,
) -> Result<Queue, OpenError> {
    let failed = |error: rusqlite::Error| files::unusable(path, &error);
    let mut connection = connect(path, Role::Write, durability).map_err(failed)?;
    let (mut wal, checkpointer) =
        Wal::watch(path, &mut connection, durability, options, disk).map_err(failed)?;
    let session = Session::new(connection, Role::Write, options).map_err(failed)?;
    let commits = Arc::clone(&wal.commits);
    let mut writer = Writer {
        session,
        options: options.clone(),
        versions,
        commits,
        disk: Arc::clone(disk),
        // There may be something left from before.
        behind: upkeep.is_some(),
        upkeep,
        looked: 0,
    };
    let service = move |jobs: &Jobs| {
        let name = "store-checkpoint".to_owned();
        let checkpointer = thread::Builder::new().name(name).spawn(checkpointer);
        loop {
            let next = writer.next(jobs);
            match (next, writer.disk.refusal()) {
                (Err(NoJob::Closed), _) => break,
                (Ok(job), Some(what)) => job.finish(Outcome::NotDone(refused(what))),
                (Err(NoJob::Timeout), Some(_)) => {}
                (Ok(first), None) => {
                    writer.group(first, jobs);
                    writer.keep_up();
                }
                (Err(NoJob::Timeout), None) => writer.catch_up(),
            }
            if !writer.disk.has_failed() {
                wal.tend(writer.session.connection());
            }
            if writer.disk.has_failed() {
                writer.disk.end_process();
            }
        }
        drop(wal); // which ends the checkpointer
        if let Ok(checkpointer) = checkpointer {
            drop(checkpointer.join());
        }
        if !writer.disk.has_failed()
            && let Err(error) = wal::checkpoint(writer.session.connection(), "TRUNCATE")
        {
            if disk::is_failed_sync(&error) {
                writer.disk.fail(wal::EITHER, &error);
                writer.disk.end_process();
            } else {
                tracing::warn!(%error, "the log is left to the next start");
            }
        }
        if writer.disk.refusal().is_some() {
            // Or else SQLite checkpoints once more in closing, and removes what is in the place of the WAL.
            std::mem::forget(writer);
        }
    };
    // Of slower jobs a group would be two at most, so nothing is lost when each has a commit of its own.
    let room = Room::single(options.write_queue).timed(options.group_time / 2);
    Queue::start("store-write", room, vec![Box::new(service)])
}

/// What came of running a job, before its transaction is committed.
enum Attempt {
    /// It waits for the commit.
    ToCommit,
    /// It, and only it, was undone.
    Undone,
    /// Its deadline passed or nobody waits for it any more, and SQLite undid the whole transaction.
    Interrupted,
    /// SQLite undid the whole transaction, because it cannot write.
    Lost,
}

/// Why a group is not known to be committed.
enum Uncommitted {
    /// Nothing of it is there.
    NotDone(rusqlite::Error),
    /// It may be found when the log is read again.
    Unknown(rusqlite::Error),
}

impl Uncommitted {
    fn error(&self) -> &rusqlite::Error {
        match self {
            Self::NotDone(error) | Self::Unknown(error) => error,
        }
    }
}

struct Writer {
    session: Session,
    options: Options,
    versions: Arc<Versions>,
    /// Commits that reached the log.
    commits: Arc<AtomicUsize>,
    disk: Arc<Disk>,
    /// What is done beside what is asked.
    upkeep: Option<Box<dyn Upkeep>>,
    /// Whether there may be something to do for it.
    behind: bool,
    /// How many rows had changed when it was last called after a group.
    looked: u64,
}

impl Writer {
    /// The next job; or nothing, when it is time to catch up.
    fn next(&self, jobs: &Jobs) -> Result<Box<dyn Job>, NoJob> {
        match &self.upkeep {
            Some(upkeep) if self.behind => jobs.next_within(upkeep.quiet()),
            _ => jobs.next(),
        }
    }

    /// After a group: does what must not wait until nobody writes.
    fn keep_up(&mut self) {
        let Some(every) = self.upkeep.as_ref().map(|upkeep| upkeep.every()) else { return };
        if self.disk.has_failed() {
            return;
        }
        self.behind = true;
        if self.session.connection().total_changes() < self.looked + every {
            return;
        }
        self.settle(|upkeep, tx| upkeep.after_group(tx).map(|()| true));
        self.looked = self.session.connection().total_changes();
    }

    /// While nobody writes: does some of what is left to do.
    fn catch_up(&mut self) {
        self.behind = self.settle(|upkeep, tx| upkeep.while_idle(tx));
    }

    /// Runs `work` in a transaction of its own, and commits it. Its answer, or `false`: it is tried
    /// again when somebody has written.
    fn settle(
        &mut self,
        work: impl FnOnce(&mut dyn Upkeep, &mut Tx<'_>) -> Result<bool, UpkeepError>,
    ) -> bool {
        let Some(mut upkeep) = self.upkeep.take() else { return false };
        let done = self.session.command("BEGIN IMMEDIATE");
        let done = done.map_err(|error| UpkeepError::from(fault(&error, Role::Write)));
        let done = done.and_then(|()| {
            let work = |tx: &mut Tx<'_, UpkeepError>| work(&mut *upkeep, &mut tx.with_error());
            let bounds = Bounds::time(self.options.write_deadline);
            self.session.within(bounds, |engine| attempt(work, engine)).0
        });
        let done = done.and_then(|more| {
            self.commit().map_err(|failed| fault(failed.error(), Role::Write))?;
            Ok(more)
        });
        let more = match done {
            Ok(more) => {
                upkeep.committed();
                more
            }
            Err(error) => {
                self.session.undo();
                upkeep.undone(&error);
                false
            }
        };
        self.upkeep = Some(upkeep);
        more
    }

    /// Runs `first` and those that wait behind it, commits them with one sync, and answers. A job of a
    /// flow that is slow has a group of its own (`turns.rs`).
    fn group(&mut self, first: Box<dyn Job>, jobs: &Jobs) {
        let started = Instant::now();
        let mut now = started;
        let mut next = VecDeque::from([first]);
        // The jobs whose answer depends on the commit: empty until there is one.
        let mut ran: Vec<Box<dyn Job>> = Vec::new();
        while let Some(mut job) = next.pop_front().or_else(|| {
            let room = ran.len() < self.options.group;
            let time = now.duration_since(started) < self.options.group_time;
            if room && time { jobs.try_next() } else { None }
        }) {
            if job.gone() {
                continue;
            }
            let (attempt, began) = (self.attempt(&mut *job, !ran.is_empty()), now);
            now = Instant::now();
            jobs.took(job.flow(), now.duration_since(began));
            match attempt {
                Ok(Attempt::ToCommit) => ran.push(job),
                // It may have failed because of what another did and has yet to be committed.
                Ok(Attempt::Undone) if !ran.is_empty() => ran.push(job),
                Ok(Attempt::Undone) => job.finish(Outcome::Done),
                Ok(Attempt::Interrupted) => {
                    job.finish(Outcome::NotDone(too_long()));
                    // The others did nothing wrong: once more, from the start, in their order.
                    ran.extend(next.drain(..));
                    next.extend(ran.drain(..));
                }
                Ok(Attempt::Lost) => {
                    ran.push(job);
                    ran.extend(next);
                    for job in ran {
                        job.finish(Outcome::NotDone(cannot_write()));
                    }
                    return;
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
        let began = self.options.meter.is_some().then(Instant::now);
        let committed = self.commit();
        if let (Some(meter), Some(began), Ok(())) = (&self.options.meter, began, &committed) {
            meter.committed(ran.len(), began.elapsed());
        }
        match committed {
            Ok(()) if self.disk.has_failed() => Self::leave_in_doubt(ran),
            Ok(()) => ran.into_iter().for_each(|job| job.finish(Outcome::Done)),
            Err(Uncommitted::NotDone(error)) => self.refuse(&error, ran, jobs),
            Err(Uncommitted::Unknown(_)) => {
                self.session.undo();
                Self::leave_in_doubt(ran);
            }
        }
    }

    fn leave_in_doubt(ran: Vec<Box<dyn Job>>) {
        for job in ran {
            job.finish(Outcome::Unknown(CANNOT_WRITE));
        }
    }

    /// Commits, and sees to it that no answer stands that what is committed has changed.
    fn commit(&mut self) -> Result<(), Uncommitted> {
        let changed = self.session.take_changed();
        let mut changing = self.versions.changing(&changed);
        let before = self.commits.load(Ordering::Relaxed);
        let committed = self.session.command("COMMIT");
        let logged = self.commits.load(Ordering::Relaxed) != before;
        if logged {
            changing.committed();
        }
        committed.map_err(|error| {
            if disk::is_failed_write(&error) {
                self.disk.fail("the WAL", &error);
            }
            if logged || leaves_doubt(&error) {
                tracing::error!(%error, "a commit failed: what it changes may be there or not");
                Uncommitted::Unknown(error)
            } else {
                Uncommitted::NotDone(error)
            }
        })
    }

    /// Runs `job`. The first of a transaction needs no savepoint: to undo it is to undo all.
    fn attempt(&mut self, job: &mut dyn Job, nested: bool) -> rusqlite::Result<Attempt> {
        if !nested {
            self.session.undo();
            drop(self.session.take_changed());
        }
        self.session.command(if nested { "SAVEPOINT job" } else { "BEGIN IMMEDIATE" })?;
        let bounds = Bounds::time(self.options.write_deadline);
        let bounds = Bounds { caller: Some(job.caller().clone()), ..bounds };
        let (succeeded, late) = self.session.within(bounds, |engine| job.run(engine));
        if self.session.sync_failed() {
            self.disk.fail("the WAL", &"a sync before the commit");
        }
        if !self.session.in_transaction() {
            return Ok(if late { Attempt::Interrupted } else { Attempt::Lost });
        }
        if succeeded {
            if nested {
                self.session.command("RELEASE job")?;
            }
            return Ok(Attempt::ToCommit);
        }
        if nested {
            self.session.command("ROLLBACK TO job")?;
            self.session.command("RELEASE job")?;
        } else {
            self.session.command("ROLLBACK")?;
        }
        Ok(Attempt::Undone)
    }

    /// Keeps nothing and tells `ran` why.
    fn refuse(&mut self, error: &rusqlite::Error, mut ran: Vec<Box<dyn Job>>, jobs: &Jobs) {
        self.session.undo();
        // Another process has the database. Those who wait have waited as long as this one did,
        // and must not each do so again.
        if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
            ran.extend(jobs.drain());
            return ran.into_iter().for_each(|job| job.finish(Outcome::NotDone(busy())));
        }
        for job in ran {
            job.finish(Outcome::NotDone(fault(error, Role::Write)));
        }
    }
}
