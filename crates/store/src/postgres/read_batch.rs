//! Read batches: single-statement reads that wait at the same time are pipelined. All are sent before
//! any is waited for, and end together: one round trip, and one implicit transaction. It begins after all of them
//! have come, so that each sees what it must.
//!
//! A job is run twice for that, as any may be: first to see what it asks, and again when the answer
//! is there. One that asks anything else is run by itself. So is what was sent behind a statement that
//! is refused: what one job is refused is nothing to the others.

use super::ahead::Visit;
use super::connection::{Connection, InFlight, ON_THE_WAY, Outcome};
use super::fault::{self, Meaning};
use super::role::Role;
use super::statements::Encoded;
use super::wire::ColumnOf;
use crate::engine::{Change, Dialect, Each, Engine, Query};
use crate::error::Result;
use crate::job::{self, Job, busy};
use crate::value::Param;
use postgres_protocol::message::backend::DataRowBody;
use std::any::Any;
use std::sync::Arc;

/// How many are sent together at most: with more, the way to the database and back is no longer what
/// each of them costs, and all wait for the last.
pub(super) const MOST: usize = 16;

/// Jobs, and what they ask.
pub(super) struct ReadBatch<'l> {
    link: &'l mut Connection,
    extension: &'static (dyn Any + Send + Sync),
    asked: Vec<(Box<dyn Job>, Encoded, InFlight)>,
}

impl<'l> ReadBatch<'l> {
    pub(super) fn new(
        link: &'l mut Connection,
        extension: &'static (dyn Any + Send + Sync),
    ) -> Self {
        Self { link, extension, asked: Vec::with_capacity(MOST) }
    }

    /// Puts what `job` asks behind what is to be sent, or gives it back if it is to be run by
    /// itself.
    pub(super) fn add(&mut self, mut job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        let mut alone = Probe { link: self.link, extension: self.extension, step: Step::Ask };
        job.run(&mut alone);
        match alone.step {
            Step::Asked(bound, sent) => {
                self.asked.push((job, bound, sent));
                Ok(())
            }
            _ => Err(job),
        }
    }

    /// Sends all and answers each when its answer comes. Gives back those that are to be run by
    /// themselves, and whether the connection is lost.
    pub(super) fn answer(self) -> (Vec<Box<dyn Job>>, bool) {
        let Self { link, extension, asked } = self;
        let mut again = Vec::new();
        if asked.is_empty() {
            return (again, false);
        }
        // After a refusal the server passes over the others.
        let mut refused = link.sync().and_then(|()| link.send()).is_err().then_some(Meaning::Lost);
        for (mut job, bound, sent) in asked {
            let answered = refused.is_none() && {
                let answer = answer(link, sent);
                let answer = answer.map_err(|meaning| refused.insert(meaning).to_error());
                // Anything else is not for the job to hear of: it may do better another time.
                let told = matches!(refused, None | Some(Meaning::Refused(_)));
                told && {
                    let mut alone = Probe { link, extension, step: Step::Answered(bound, answer) };
                    job.run(&mut alone);
                    matches!(alone.step, Step::Taken)
                }
            };
            if answered {
                job.finish(job::Outcome::Done);
            } else {
                again.push(job);
            }
        }
        if let Some(Meaning::Again { forget: true }) = refused {
            link.forget_all();
        }
        (again, matches!(refused, Some(Meaning::Lost)))
    }
}

type Rows = (Arc<[ColumnOf]>, Vec<DataRowBody>);

fn answer(link: &mut Connection, sent: InFlight) -> std::result::Result<Rows, Meaning> {
    let mut rows = Vec::with_capacity(1);
    match link.answer(sent, |_, row| rows.push(row)) {
        Ok(_) => Ok((link.columns(sent), rows)),
        Err(failure) => Err(fault::meaning(failure, Role::Read)),
    }
}

/// A transaction of one statement, as its job sees it.
struct Probe<'l> {
    link: &'l mut Connection,
    extension: &'static (dyn Any + Send + Sync),
    step: Step,
}

enum Step {
    /// Nothing is asked.
    Ask,
    /// This is, and nothing else is answered before it.
    Asked(Encoded, InFlight),
    /// And this is the answer.
    Answered(Encoded, Result<Rows>),
    /// Which was looked at.
    Taken,
    /// It is not that simple.
    Other,
}

impl Probe<'_> {
    /// Puts the statement behind what is to be sent, if it is prepared and there is room: then
    /// nothing but rows comes of it, or a refusal.
    fn ask(&mut self, sql: &str, params: &[&dyn Param]) -> Outcome<Step> {
        let bound = self.link.bind(sql, params)?;
        if !self.link.is_prepared(&bound) || self.link.waiting() + bound.size() > ON_THE_WAY {
            return Ok(Step::Other);
        }
        let sent = self.link.run(&bound, params)?;
        Ok(Step::Asked(bound, sent))
    }

    /// What is said to everything but the one statement.
    fn other<T>(&mut self) -> Result<T> {
        if !matches!(self.step, Step::Asked(..)) {
            self.step = Step::Other;
        }
        Err(busy())
    }
}

impl Engine for Probe<'_> {
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool> {
        if query.steps.is_some() {
            return Ok(false);
        }
        if !query.single {
            return self.other();
        }
        match std::mem::replace(&mut self.step, Step::Other) {
            Step::Ask => {
                self.step = self.ask(query.sql, query.params).unwrap_or(Step::Other);
                Err(busy())
            }
            Step::Answered(bound, answer)
                if self.link.bind(query.sql, query.params).is_ok_and(|asked| asked == bound) =>
            {
                self.step = Step::Taken;
                let (columns, rows) = answer?;
                let mut visit = Visit::new(each);
                for row in &rows {
                    visit.row(&columns, row);
                }
                visit.end().map(|()| true)
            }
            step => {
                self.step = step;
                self.other()
            }
        }
    }

    fn run(&mut self, _: &Change<'_>) -> Result<u64> {
        self.other()
    }

    fn prefetch(&mut self, _: &str, _: &[&dyn Param]) -> Result<()> {
        self.other()
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn extension(&self) -> &'static (dyn Any + Send + Sync) {
        self.extension
    }
}
