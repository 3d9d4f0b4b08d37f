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
    /// Answers with what it returned, or with what became of its transaction instead.
    fn finish(self: Box<Self>, outcome: Outcome);
}

/// What became of the transaction of a job.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It ended as the job asked, safely kept or undone: the job answers by itself.
    Done,
    /// Nothing of it is there, nor will be found later, whatever happens to the machine.
    NotDone(Error),
    /// Its commit was begun, and nobody knows how it ended: this is what happened.
    Unknown(&'static str),
}

impl Outcome {
    fn into_result(self) -> Result<()> {
        match self {
            Self::Done => Ok(()),
            Self::NotDone(error) => Err(error),
            Self::Unknown(what) => Err(Error::Unknown { what, retry_after: 2 }),
        }
    }
}

/// What is being submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

struct Task<F, T> {
    kind: Kind,
    work: F,
    result: Option<Result<T>>,
    reply: Option<oneshot::Sender<Result<T>>>,
}

impl<F: Fn(&mut Tx<'_>) -> Result<T> + Send, T: Send> Job for Task<F, T> {
    fn gone(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.result.insert(attempt(&self.work, tx)).is_ok()
    }

    fn finish(mut self: Box<Self>, outcome: Outcome) {
        let result = self.result.take();
        let answer = outcome.into_result().and_then(|()| {
            result.unwrap_or_else(|| Err(Error::internal("the store did not run a job")))
        });
        if let Some(reply) = self.reply.take() {
            drop(reply.send(answer)); // fails when the caller has gone: its right
        }
    }
}

impl<F, T> Drop for Task<F, T> {
    /// One that was not answered goes with its thread, which may have been about to commit.
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            let why = match self.result {
                Some(Ok(_)) if self.kind == Kind::Write => {
                    Outcome::Unknown("The store ended during a commit")
                }
                _ => Outcome::NotDone(gone()),
            };
            drop(reply.send(why.into_result().and_then(|()| Err(gone()))));
        }
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
    kind: Kind,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    send: impl FnOnce(Box<dyn Job>) -> Result<()>,
) -> Result<T> {
    let (reply, answer) = oneshot::channel();
    send(Box::new(Task { kind, work, result: None, reply: Some(reply) }))?;
    answer.await.unwrap_or_else(|_| Err(gone()))
}

/// Too much at once, or another process is writing.
pub(super) fn busy() -> Error {
    Error::Busy { what: "The store is busy", retry_after: 1 }
}

/// What is said when the disk is full or failing.
pub(super) const CANNOT_WRITE: &str = "The store cannot write";
pub(super) const FULL: &str = "The store cannot write: its disk is full";

/// The disk is full or failing: only time, or somebody, will help.
pub(super) fn cannot_write() -> Error {
    refused(CANNOT_WRITE)
}

/// No change is taken, because of `what`.
pub(super) fn refused(what: &'static str) -> Error {
    Error::Busy { what, retry_after: 10 }
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
            job.finish(Outcome::NotDone(why));
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
