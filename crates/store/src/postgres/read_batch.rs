//! Read batches: lookups that wait at the same time are pipelined. The statements of all are sent before
//! any is waited for, and end together: one round trip, and one implicit transaction. It begins after all
//! of them have come, so that each sees what it must.
//!
//! A job whose statement is not prepared, or that needs more than its rows, is run by itself. So is
//! what was sent behind a statement that is refused: what one job is refused is nothing to the others.

use super::ahead::Visit;
use super::connection::{Connection, ConnectionResult, InFlight, ON_THE_WAY};
use super::fault::{self, Meaning};
use super::role::Role;
use super::wire::ColumnOf;
use crate::job::{self, Job};
use crate::statement::{Rows, Statement};
use postgres_protocol::message::backend::DataRowBody;
use std::sync::Arc;

/// How many are sent together at most: with more, the way to the database and back is no longer what
/// each of them costs, and all wait for the last.
pub(super) const MOST: usize = 16;

/// Jobs, and their statements on the way.
pub(super) struct ReadBatch<'l> {
    link: &'l mut Connection,
    sent: Vec<(Box<dyn Job>, InFlight)>,
}

impl<'l> ReadBatch<'l> {
    pub(super) fn new(link: &'l mut Connection) -> Self {
        Self { link, sent: Vec::with_capacity(MOST) }
    }

    /// Puts the statement of `job` behind what is to be sent, or gives it back if it is to be run by
    /// itself.
    pub(super) fn add(&mut self, job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        let sent = job.lookup().map(|statement| self.put(&statement));
        // What could not be encoded is said when it is run by itself.
        if let Some(Ok(Some(sent))) = sent {
            self.sent.push((job, sent));
            Ok(())
        } else {
            Err(job)
        }
    }

    /// Puts `statement` behind what is to be sent, if it is prepared and there is room: then nothing
    /// but rows comes of it, or a refusal.
    fn put(&mut self, statement: &Statement) -> ConnectionResult<Option<InFlight>> {
        let params = statement.params();
        let bound = self.link.bind(statement.sql(), &params)?;
        if !self.link.is_prepared(&bound) || self.link.waiting() + bound.size() > ON_THE_WAY {
            return Ok(None);
        }
        self.link.run(&bound, &params).map(Some)
    }

    /// Sends all and answers each when its answer comes. Gives back those that are to be run by
    /// themselves, and whether the connection is lost.
    pub(super) fn answer(self) -> (Vec<Box<dyn Job>>, bool) {
        let Self { link, sent } = self;
        let mut again = Vec::new();
        if sent.is_empty() {
            return (again, false);
        }
        // After a refusal the server passes over the others.
        let mut refused = link.sync().and_then(|()| link.send()).is_err().then_some(Meaning::Lost);
        for (mut job, sent) in sent {
            let answered = refused.is_none()
                && match answer(link, sent) {
                    Ok((columns, rows)) => job.take(Rows::new(&mut |each| {
                        let mut visit = Visit::new(each);
                        for row in &rows {
                            visit.row(&columns, row);
                        }
                        visit.end()
                    })),
                    Err(meaning) => {
                        // Anything else is not for the job to hear of: it may do better another time.
                        let told = matches!(meaning, Meaning::Refused(_))
                            && job.take(Rows::new(&mut |_| Err(meaning.to_error())));
                        refused = Some(meaning);
                        told
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

type Answer = (Arc<[ColumnOf]>, Vec<DataRowBody>);

fn answer(link: &mut Connection, sent: InFlight) -> Result<Answer, Meaning> {
    let mut rows = Vec::with_capacity(1);
    match link.answer(sent, |_, row| rows.push(row)) {
        Ok(_) => Ok((link.columns(sent), rows)),
        Err(failure) => Err(fault::meaning(failure, Role::Read)),
    }
}
