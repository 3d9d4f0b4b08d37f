//! Work on its way to a thread of the store, and the answer on its way back.

use super::Tx;
use super::migrate::OpenError;
use crate::error::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use tokio::sync::{oneshot, watch};

/// Work: run it, settle its transaction, then say so.
pub(super) trait Job: Send {
    /// Whether nobody waits for it any more.
    fn gone(&self) -> bool;
    /// Does it; whether it is to be kept. May be called again after an undoing.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers with what it returned, or with the error in `settled`.
    fn finish(self: Box<Self>, settled: Result<()>);
}

struct Task<F, T> {
    work: F,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F: Fn(&mut Tx<'_>) -> Result<T> + Send, T: Send> Job for Task<F, T> {
    fn gone(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.result.insert(attempt(&self.work, tx)).is_ok()
    }

    fn finish(self: Box<Self>, settled: Result<()>) {
        let Self { result, reply, .. } = *self;
        let answer = settled.and_then(|()| {
            result.unwrap_or_else(|| Err(Error::internal("the store did not run a job")))
        });
        drop(reply.send(answer)); // fails when the caller has gone: its right
    }
}

/// Does `work`; a panic is an error.
pub(super) fn attempt<T>(
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    tx: &mut Tx<'_>,
) -> Result<T> {
    // Unwinding leaves nothing half done that lives on: what `work` did to the database is undone,
    // and statements reset themselves when dropped.
    catch_unwind(AssertUnwindSafe(|| work(tx)))
        .unwrap_or_else(|panic| Err(Error::internal(describe(&*panic))))
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a job of the store panicked: {}", message.unwrap_or("no message"))
}

/// Sends `work` off and waits for its answer.
pub(super) async fn submit<T: Send + 'static>(
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    send: impl FnOnce(Box<dyn Job>) -> Result<()>,
) -> Result<T> {
    let (reply, answer) = oneshot::channel();
    send(Box::new(Task { work, result: None, reply }))?;
    answer.await.unwrap_or_else(|_| Err(gone()))
}

/// Too much at once, or another process is writing.
pub(super) fn busy() -> Error {
    Error::Busy { what: "The store is busy", retry_after: 1 }
}

/// The disk is full or failing: only time, or somebody, will help.
pub(super) fn cannot_write() -> Error {
    Error::Busy { what: "The store cannot write", retry_after: 10 }
}

/// A deadline has passed.
pub(super) fn too_long() -> Error {
    Error::Busy { what: "The query took too long", retry_after: 1 }
}

fn gone() -> Error {
    Error::internal("a thread of the store has ended")
}

/// The jobs that wait for a kind of thread, as seen by those who send them.
pub(super) struct Queue {
    feed: Feed,
    threads: Vec<JoinHandle<()>>,
}

/// A way into a queue. It keeps the queue open: whoever has one ends before the queue does.
#[derive(Clone)]
pub(super) struct Feed {
    jobs: flume::Sender<Box<dyn Job>>,
    waiting: flume::Receiver<Box<dyn Job>>,
    living: watch::Receiver<usize>,
}

impl Feed {
    /// Puts `job` at the end, or gives it back with the reason why not.
    fn send(&self, job: Box<dyn Job>) -> Result<(), (Box<dyn Job>, Error)> {
        self.jobs.try_send(job).map_err(|error| match error {
            flume::TrySendError::Full(job) => (job, busy()),
            flume::TrySendError::Disconnected(job) => (job, gone()),
        })?;
        // Looked at after sending: either we see that the last thread is gone, or it sees the
        // job when it empties the queue. Dropping a job tells its caller.
        if *self.living.borrow() == 0 {
            self.waiting.drain().for_each(drop);
        }
        Ok(())
    }

    /// Puts `job` at the end, or answers it with the reason why not.
    pub(super) fn pass(&self, job: Box<dyn Job>) {
        if let Err((job, why)) = self.send(job) {
            job.finish(Err(why));
        }
    }

    /// Takes out what waits.
    pub(super) fn take_back(&self) -> impl Iterator<Item = Box<dyn Job>> {
        self.waiting.drain()
    }
}

/// The same, as seen by a thread.
pub(super) struct Jobs {
    /// Where they come from.
    pub(super) waiting: flume::Receiver<Box<dyn Job>>,
    living: watch::Sender<usize>,
}

/// What a thread of the store does with its jobs.
pub(super) type Service = Box<dyn FnOnce(&Jobs) + Send>;

impl Queue {
    /// Starts a thread for each of `services`, all fed by one queue of `capacity`.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(
        name: &str,
        capacity: usize,
        services: Vec<Service>,
    ) -> Result<Self, OpenError> {
        // A queue without room would refuse jobs that an idle thread is there to take.
        let (jobs, waiting) = flume::bounded(capacity.max(1));
        let (count, living) = watch::channel(services.len());
        let mut threads = Vec::new();
        for service in services {
            let jobs = Jobs { waiting: waiting.clone(), living: count.clone() };
            let thread = thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || service(&jobs))
                .map_err(OpenError::Thread)?;
            threads.push(thread);
        }
        Ok(Self { feed: Feed { jobs, waiting, living }, threads })
    }

    /// Puts `job` at the end.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is no room; [`Error::Internal`] when nobody serves the queue.
    pub(super) fn send(&self, job: Box<dyn Job>) -> Result<()> {
        self.feed.send(job).map_err(|(_, why)| why)
    }

    /// A way into it for a thread of the store.
    pub(super) fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Whether all its threads live.
    ///
    /// # Errors
    /// [`Error::Internal`] when one does not.
    pub(super) fn intact(&self) -> Result<()> {
        if *self.feed.living.borrow() == self.threads.len() { Ok(()) } else { Err(gone()) }
    }

    /// Takes no more jobs and waits until the last is done and the threads have ended.
    pub(super) async fn end(self) {
        let Self { feed, threads } = self;
        let mut living = feed.living.clone();
        drop(feed);
        // Fails when the counting side is gone, which is to say that the threads are.
        drop(living.wait_for(|count| *count == 0).await);
        for thread in threads {
            drop(thread.join()); // a panic has been reported by its hook
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.living.send_modify(|count| *count = count.saturating_sub(1));
        // A queue keeps its jobs even when nobody is left to take them, and their callers would
        // wait for ever; dropping a job tells its caller.
        if *self.living.borrow() == 0 {
            self.waiting.drain().for_each(drop);
        }
    }
}
