//! Work on its way to a thread of the store, and the answer on its way back.

use crate::engine::Engine;
use crate::error::{Error, JobError, Result};
use crate::flow::{Flow, Lane};
use crate::meter::{Meter, Metered};
use crate::statement::{Lookup, RowChange, Rows, Statement};
use crate::tx::Tx;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;

/// Whoever waits for a job, as those see them who run it. They are gone once nothing is left that
/// could take the answer.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Weak<()>);

impl Caller {
    /// One who waits for as long as the first of these is there.
    pub(crate) fn new() -> (Arc<()>, Self) {
        let waits = Arc::new(());
        let caller = Self(Arc::downgrade(&waits));
        (waits, caller)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// Work: run it, settle its transaction, then say so.
pub(crate) trait Job: Send {
    /// Whose it is.
    fn flow(&self) -> Flow;
    /// How long it may take.
    fn lane(&self) -> Lane;
    /// Who waits for it, to be looked at while it runs.
    fn caller(&self) -> &Caller;
    /// Whether nobody waits for it any more.
    fn gone(&self) -> bool {
        self.caller().is_gone()
    }
    /// Does it; whether it is to be kept. May be called again after an undoing.
    fn run(&mut self, engine: &mut dyn Engine) -> bool;
    /// The statement that it begins with, if its rows may be all that it takes: see [`Job::take`].
    fn lookup(&self) -> Option<Statement> {
        None
    }
    /// Does it with the rows of that statement; whether that was enough.
    fn take(&mut self, _rows: Rows<'_>) -> bool {
        false
    }
    /// What is known of it before it is run, if it changes one row.
    fn row_change(&self) -> Option<RowChange> {
        None
    }
    /// Answers with what it returned, or with what became of its transaction instead.
    fn finish(self: Box<Self>, outcome: Outcome);
}

/// What became of the transaction of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
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

/// What a job does to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What a job does: a closure over a transaction, of which more may be known.
pub(crate) trait Work<E>: Send {
    /// What comes of it.
    type Done: Send;
    /// As [`Job::run`].
    fn run(&self, tx: &mut Tx<'_, E>) -> Result<Self::Done, E>;
    /// As [`Job::lookup`].
    fn lookup(&self) -> Option<Statement> {
        None
    }
    /// What comes of the rows of that statement, if they are enough.
    fn take(&self, _rows: Rows<'_>) -> Result<Option<Self::Done>, E> {
        Ok(None)
    }
    /// As [`Job::row_change`].
    fn row_change(&self) -> Option<RowChange> {
        None
    }
}

impl<F, T, E> Work<E> for F
where
    F: Fn(&mut Tx<'_, E>) -> Result<T, E> + Send,
    T: Send,
{
    type Done = T;

    fn run(&self, tx: &mut Tx<'_, E>) -> Result<T, E> {
        self(tx)
    }
}

/// A lookup.
pub(crate) struct Finding<L>(pub(crate) L);

impl<L: Lookup<E>, E: From<Error>> Work<E> for Finding<L> {
    type Done = L::Found;

    fn run(&self, tx: &mut Tx<'_, E>) -> Result<L::Found, E> {
        tx.find(&self.0)
    }

    fn lookup(&self) -> Option<Statement> {
        Some(self.0.statement())
    }

    fn take(&self, rows: Rows<'_>) -> Result<Option<L::Found>, E> {
        self.0.read(rows)
    }
}

/// A closure that changes one row, and another that says which.
pub(crate) struct ChangingRow<C, F> {
    pub(crate) change: C,
    pub(crate) work: F,
}

impl<C, F, T, E> Work<E> for ChangingRow<C, F>
where
    C: Fn() -> Option<RowChange> + Send,
    F: Fn(&mut Tx<'_, E>) -> Result<T, E> + Send,
    T: Send,
{
    type Done = T;

    fn run(&self, tx: &mut Tx<'_, E>) -> Result<T, E> {
        (self.work)(tx)
    }

    fn row_change(&self) -> Option<RowChange> {
        (self.change)()
    }
}

struct Task<W: Work<E>, E: From<Error>> {
    access: Access,
    flow: Flow,
    lane: Lane,
    caller: Caller,
    work: W,
    metered: Option<Metered>,
    result: Option<Result<W::Done, E>>,
    reply: Option<oneshot::Sender<Result<W::Done, E>>>,
}

impl<W: Work<E>, E: From<Error>> Task<W, E> {
    /// A thread has it.
    fn begin(&self) {
        if let Some(metered) = &self.metered {
            metered.begin();
        }
    }
}

impl<W: Work<E>, E: JobError> Job for Task<W, E> {
    fn flow(&self) -> Flow {
        self.flow
    }

    fn lane(&self) -> Lane {
        self.lane
    }

    fn caller(&self) -> &Caller {
        &self.caller
    }

    fn run(&mut self, engine: &mut dyn Engine) -> bool {
        self.begin();
        self.result.insert(attempt(|tx| self.work.run(tx), engine)).is_ok()
    }

    fn lookup(&self) -> Option<Statement> {
        self.begin();
        known(|| self.work.lookup())
    }

    fn take(&mut self, rows: Rows<'_>) -> bool {
        self.result = catch(|| self.work.take(rows)).transpose();
        self.result.is_some()
    }

    fn row_change(&self) -> Option<RowChange> {
        self.begin();
        known(|| self.work.row_change())
    }

    fn finish(mut self: Box<Self>, outcome: Outcome) {
        if let Some(metered) = &self.metered {
            metered.finish(&outcome);
        }
        let result = self.result.take();
        let answer = outcome.into_result().map_err(E::from).and_then(|()| {
            result.unwrap_or_else(|| Err(Error::internal("the store did not run a job").into()))
        });
        if let Some(reply) = self.reply.take() {
            drop(reply.send(answer)); // fails when the caller has gone: its right
        }
    }
}

impl<W: Work<E>, E: From<Error>> Drop for Task<W, E> {
    /// One that was not answered goes with its thread, which may have been about to commit.
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            let why = match self.result {
                Some(Ok(_)) if self.access == Access::Write => {
                    Outcome::Unknown("The store ended during a commit")
                }
                _ => Outcome::NotDone(gone()),
            };
            let why = why.into_result().err().unwrap_or_else(gone);
            drop(reply.send(Err(why.into())));
        }
    }
}

/// Does `work` in a transaction of `engine`; a panic is an error.
pub(crate) fn attempt<T, E: From<Error>>(
    work: impl FnOnce(&mut Tx<'_, E>) -> Result<T, E>,
    engine: &mut dyn Engine,
) -> Result<T, E> {
    // Unwinding leaves nothing half done that lives on: what `work` did to the database is undone,
    // and statements reset themselves when dropped.
    catch(|| work(&mut Tx::new(engine)))
}

/// What is known of a job before it is run. After a panic it is nothing: the job is run by itself, and
/// panics there.
fn known<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_default()
}

/// Does `work`; a panic is an error.
fn catch<T, E: From<Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Error::internal(describe(&*panic)).into()))
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a job of the store panicked: {}", message.unwrap_or("no message"))
}

/// Sends `work` off and waits for its answer. Who stops waiting lets it go: it is not begun, and broken
/// off where it can be.
pub(crate) async fn submit<W: Work<E> + 'static, E: JobError>(
    access: Access,
    (flow, lane): (Flow, Lane),
    work: W,
    meter: Option<&Arc<Meter>>,
    send: impl FnOnce(Box<dyn Job>) -> Result<()>,
) -> Result<W::Done, E> {
    let (reply, answer) = oneshot::channel();
    let (waits, caller) = Caller::new();
    let (result, reply) = (None, Some(reply));
    let metered = meter.map(|meter| Metered::new(meter, access));
    let queued = send(Box::new(Task { access, flow, lane, caller, work, metered, result, reply }));
    if let (Err(Error::Busy { .. }), Some(meter)) = (&queued, meter) {
        meter.refused(access);
    }
    queued?;
    let answer = answer.await.unwrap_or_else(|_| Err(gone().into()));
    drop(waits);
    answer
}

/// Too much at once, or another process is writing.
pub(crate) fn busy() -> Error {
    Error::Busy { what: "The store is busy", retry_after: 1 }
}

/// What is said when the disk is full or failing.
pub(crate) const CANNOT_WRITE: &str = "The store cannot write";
pub(crate) const FULL: &str = "The store cannot write: its disk is full";

/// The disk is full or failing: only time, or somebody, will help.
pub(crate) fn cannot_write() -> Error {
    refused(CANNOT_WRITE)
}

/// No change is taken, because of `what`.
pub(crate) fn refused(what: &'static str) -> Error {
    Error::Busy { what, retry_after: 10 }
}

/// A deadline has passed.
pub(crate) fn too_long() -> Error {
    Error::Busy { what: "The query took too long", retry_after: 1 }
}

pub(crate) fn gone() -> Error {
    Error::internal("a thread of the store has ended")
}
