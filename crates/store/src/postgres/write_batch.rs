//! Write batches: single-row changes that wait at the same time share a transaction, which is two round
//! trips and one commit, whatever their number.
//!
//! Its first half locks all their rows, and nothing waits there: a row that another transaction has
//! locked is passed over, so that one that waits does not hold up the others, and no two such groups
//! wait for each other. Its second half has what they change, and the commit. So each must say before
//! it is run which row it changes and how that is locked (a [`RowChange`]), and no two of a group the
//! same: what one changes, another must not have looked at.
//!
//! A job that does anything else, or has to wait, is run by itself, and so is each if all of them are
//! undone: what one is refused is nothing to the others.

use super::ahead::{Ahead, Visit};
use super::ending::Ending;
use super::fault;
use super::session::Session;
use crate::engine::{Change, Each, Engine, Environment, Query};
use crate::error::Result;
use crate::job::{Job, Outcome, busy};
use crate::meter::Meter;
use crate::scope::Scope;
use crate::statement::RowChange;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Jobs, and what they change.
pub(super) struct WriteBatch<'l> {
    session: Session<'l>,
    asked: Vec<Asked>,
    meter: Option<Arc<Meter>>,
}

struct Asked {
    job: Box<dyn Job>,
    row: Scope,
    /// Which of what was sent ahead it asks, of which the first locks the row.
    questions: Range<usize>,
}

impl<'l> WriteBatch<'l> {
    /// One whose transaction is `session`, where nothing has been done.
    pub(super) fn new(session: Session<'l>, meter: Option<Arc<Meter>>) -> Self {
        Self { session, asked: Vec::new(), meter }
    }

    /// Puts what `job` asks behind what is to be sent, or gives it back if it is to be run by
    /// itself.
    pub(super) fn add(&mut self, job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        let sent = job.row_change().and_then(|change| Some((change.scope, self.send(&change)?)));
        match sent {
            Some((row, questions)) => {
                self.asked.push(Asked { job, row, questions });
                Ok(())
            }
            // What it may have locked is let go with the rest.
            None => Err(job),
        }
    }

    /// Sends what `change` asks, if none of the others has the same row and there is room: which of
    /// what was sent ahead it is. A failure is the session's, which tells what to do about it.
    fn send(&mut self, change: &RowChange) -> Option<Range<usize>> {
        if self.asked.iter().any(|other| other.row == change.scope) {
            return None;
        }
        let lock = &change.lock;
        if !self.session.ahead_skipping(lock.sql(), &lock.params()).ok()? {
            return None;
        }
        // The first that was sent may have begun the transaction.
        let first = self.session.count_ahead().checked_sub(1)?;
        for statement in &change.ahead {
            self.session.prefetch(statement.sql(), &statement.params(), false).ok()?;
        }
        Some(first..self.session.count_ahead())
    }

    /// Changes what all of them change and answers them, or none. Gives back those that are to be run
    /// by themselves, and whether the connection is lost.
    pub(super) fn answer(self) -> (Vec<Box<dyn Job>>, bool) {
        let Self { mut session, asked, meter } = self;
        let (mut to_commit, mut again, mut held) = (Vec::new(), Vec::new(), Vec::new());
        let mut answers = Vec::new();
        if !asked.is_empty() {
            // A failure is the session's, which tells what to do about it.
            answers.extend(session.take_ahead().into_iter().flatten().map(Some));
        }
        // Whether anything is changed by a job that is not to be to_commit.
        let mut spoilt = false;
        for Asked { mut job, row, questions } in asked {
            let found = answers.get_mut(questions).unwrap_or_default();
            let found: Vec<Ahead> = found.iter_mut().filter_map(Option::take).collect();
            if spoilt || session.failed() {
                again.push(job);
            } else if found.first().is_none_or(Ahead::is_empty) {
                // Somebody has locked the row, or there is none: who waits for it waits last.
                held.push(job);
            } else {
                let mut member =
                    BatchedTx { session: &mut session, row, found, wrote: false, other: false };
                let done = job.run(&mut member);
                let BatchedTx { wrote, other, .. } = member;
                match done {
                    true if !other => to_commit.push(job),
                    // It is answered by what it found, which is no other's.
                    false if !other && !wrote && !session.failed() => job.finish(Outcome::Done),
                    _ => {
                        spoilt |= wrote;
                        again.push(job);
                    }
                }
            }
        }
        let whole = !to_commit.is_empty() && !spoilt && !session.failed();
        let began = meter.as_ref().map(|_| Instant::now());
        let lost = match session.end(whole) {
            Ending::Settled if whole => {
                if let (Some(meter), Some(began)) = (meter, began) {
                    meter.committed(to_commit.len(), began.elapsed());
                }
                to_commit.drain(..).for_each(|job| job.finish(Outcome::Done));
                false
            }
            Ending::Unknown => {
                to_commit.drain(..).for_each(|job| job.finish(fault::unknown()));
                true
            }
            Ending::Lost => true,
            Ending::Settled | Ending::Refused(_) | Ending::Again => false,
        };
        to_commit.extend(again);
        to_commit.extend(held);
        (to_commit, lost)
    }
}

/// The transaction of a group, as one of its jobs sees it.
struct BatchedTx<'s, 'l> {
    session: &'s mut Session<'l>,
    /// All that it may change, and what it has locked.
    row: Scope,
    /// What was asked ahead and is not yet asked by the job.
    found: Vec<Ahead>,
    /// Whether it has changed anything.
    wrote: bool,
    /// It is not that simple.
    other: bool,
}

impl BatchedTx<'_, '_> {
    /// What is said to everything that is not that simple.
    fn other<T>(&mut self) -> Result<T> {
        self.other = true;
        Err(busy())
    }
}

impl Engine for BatchedTx<'_, '_> {
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool> {
        if query.steps.is_some() {
            return Ok(false);
        }
        let bound = self.session.bind(query.sql, query.params)?;
        match self.found.iter().position(|ahead| ahead.is(&bound)) {
            Some(place) => {
                let mut visit = Visit::new(each);
                self.found.remove(place).show(&mut visit);
                visit.end().map(|()| true)
            }
            None => self.other(),
        }
    }

    fn run(&mut self, change: &Change<'_>) -> Result<u64> {
        let simple = change.deferred && change.conflict.is_none();
        if !simple || self.other {
            return self.other();
        }
        self.wrote = true;
        let touched = self.session.run(change)?;
        self.other |= touched > 0 && self.row != change.scope;
        Ok(touched)
    }

    fn environment(&self) -> Environment {
        self.session.environment()
    }
}
