//! The connections that look, and who uses them: threads that take what waits in a queue, and for
//! what is short whoever asks, on the thread that asks.
//!
//! A row found by its key takes some microseconds, and handing the question to another thread and
//! the answer back several times as long when the threads have to be woken. What may take longer
//! would keep a thread of the server from all its other connections. So some connections are only
//! for what is found by key: no query of anybody keeps them.

use super::connect::{Durability, PROBE, Role, connect};
use super::fault::fault;
use super::files;
use super::session::{Bounds, Session};
use crate::error::{Error, Result};
use crate::job::{Outcome, attempt};
use crate::migrate::OpenError;
use crate::options::Options;
use crate::queue::{Jobs, Queue, Room, Service, key_only};
use crate::tx::Tx;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// Connections that look, each used by one thread at a time.
pub(crate) struct Readers {
    sessions: Box<[Mutex<Session>]>,
    /// How many of them, the first, callers may use.
    inline: usize,
    time: Duration,
    steps: u64,
}

/// Connects, and starts the threads that read.
///
/// # Errors
/// When one cannot connect, or the system has no thread to give.
pub(super) fn start(
    path: &Path,
    options: &Options,
    durability: Durability,
) -> Result<(Queue, Arc<Readers>), OpenError> {
    let threads = options.readers.max(1);
    let sessions = (0..threads)
        .map(|_| {
            let connection = connect(path, Role::Read, durability)?;
            connection.query_row(PROBE, [], |_| Ok(()))?;
            Session::new(connection, Role::Read, options).map(Mutex::new)
        })
        .collect::<rusqlite::Result<_>>()
        .map_err(|error| files::unusable(path, &error))?;
    // Where there is one, it is for everything.
    let inline = key_only(threads).max(1);
    let readers = {
        let time = options.read_deadline;
        let steps = time.as_secs().max(1).saturating_mul(options.steps_per_second);
        Arc::new(Readers { sessions, inline, time, steps })
    };
    let services = (0..threads)
        .map(|place| {
            let readers = Arc::clone(&readers);
            Box::new(move |jobs: &Jobs| readers.serve(place, jobs)) as Service
        })
        .collect();
    let room = Room::shared(options.read_queue, threads);
    let queue = Queue::start("store-read", room, services)?;
    Ok((queue, readers))
}

impl Readers {
    /// Runs reads that wait.
    fn serve(&self, place: usize, jobs: &Jobs) {
        while let Ok(mut job) = jobs.next() {
            if job.gone() {
                continue;
            }
            let mut session = self.sessions[place].lock().unwrap_or_else(PoisonError::into_inner);
            let bounds = Bounds { caller: Some(job.caller().clone()), ..self.bounds() };
            let settled = look(&mut session, bounds, |engine| {
                job.run(engine);
            });
            drop(session);
            job.finish(settled.map_or_else(Outcome::NotDone, |()| Outcome::Done));
        }
    }

    /// Runs `work` on this thread, if there is a connection that nobody uses.
    pub(crate) fn run_inline<T, E: From<Error>>(
        &self,
        work: impl Fn(&mut Tx<'_, E>) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let mut session = self.idle()?;
        let done = look(&mut session, self.bounds(), |engine| attempt(&work, engine));
        Some(done.unwrap_or_else(|error| Err(error.into())))
    }

    fn bounds(&self) -> Bounds {
        Bounds { steps: self.steps, ..Bounds::time(self.time) }
    }

    /// A connection of those for what is found by key, that nobody uses: the one that this thread used before if it can be, which has
    /// what is needed at hand.
    fn idle(&self) -> Option<MutexGuard<'_, Session>> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static FIRST: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        let count = self.inline;
        let first = FIRST.with(|first| first % count);
        (0..count).find_map(|step| match self.sessions[(first + step) % count].try_lock() {
            Ok(session) => Some(session),
            Err(TryLockError::Poisoned(session)) => Some(session.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

/// Runs `work` in a transaction, so that all its statements see one moment.
pub(super) fn look<T>(
    session: &mut Session,
    bounds: Bounds,
    work: impl FnOnce(&mut Session) -> T,
) -> Result<T> {
    let done = session.command("BEGIN").map(|()| session.within(bounds, work).0);
    if session.in_transaction() && session.command("COMMIT").is_err() {
        session.undo();
    }
    done.map_err(|error| fault(&error, Role::Read))
}
