//! A transaction on a connection. To wait for an answer is what costs most, so that nothing waits
//! that need not: a transaction begins with its first statement, and what a function says that it
//! is going to ask is asked at once.

use super::ahead::{Ahead, Visit};
use super::connection::{Connection, ConnectionResult, Failure, InFlight, ON_THE_WAY};
use super::ending::Ending;
use super::fault::{self, Meaning};
use super::role::Role;
use super::statements::Encoded;
use super::wire;
use crate::engine::{Change, Dialect, Each, Engine, Environment, Query};
use crate::error::{Error, Result};
use crate::job::too_long;
use crate::scope::Scope;
use crate::value::Param;
use crate::versions::Versions;
use std::any::Any;
use std::collections::VecDeque;
use std::time::Instant;

/// Begins a transaction that writes: at once refused by a server that only follows another.
const BEGIN: &str = "BEGIN READ WRITE";

/// A transaction.
pub(super) struct Session<'l> {
    link: &'l mut Connection,
    role: Role,
    until: Instant,
    extension: &'static (dyn Any + Send + Sync),
    /// What was sent and is not yet taken, in the order of its answers.
    ahead: VecDeque<Ahead>,
    begun: bool,
    /// An answer is being read.
    reading: bool,
    failed: Option<Meaning>,
    /// What is said if that is a conflict.
    conflict: Option<Box<str>>,
    /// What is told of changes, if answers depend on what is changed here.
    versions: Option<&'l Versions>,
    /// What the transaction has changed so far.
    changed: Vec<Scope>,
}

impl<'l> Session<'l> {
    /// A transaction on `link` that may go on `until` then.
    pub(super) fn new(
        link: &'l mut Connection,
        role: Role,
        until: Instant,
        extension: &'static (dyn Any + Send + Sync),
        versions: Option<&'l Versions>,
    ) -> Self {
        Self {
            link,
            role,
            until,
            extension,
            ahead: VecDeque::new(),
            begun: false,
            reading: false,
            failed: None,
            conflict: None,
            versions,
            changed: Vec::new(),
        }
    }

    /// Notes what went wrong, and says it to whoever asked.
    fn fail(&mut self, failure: Failure) -> Error {
        self.ahead.clear();
        self.reading = false;
        let meaning = fault::meaning(failure, self.role);
        let error = meaning.to_error().in_words_of(self.conflict.take().as_deref());
        self.failed.get_or_insert(meaning);
        error
    }

    /// Whether another statement may be run.
    fn check(&self) -> Result<()> {
        if let Some(failed) = &self.failed {
            return Err(match failed {
                Meaning::Refused(_) => {
                    Error::internal("a statement after its transaction had ended")
                }
                other => other.to_error(),
            });
        }
        // Between statements too: many short ones can be as long as one.
        let over = Instant::now() >= self.until || self.link.patience.is_over();
        if over { Err(too_long()) } else { Ok(()) }
    }

    fn begin(&mut self) -> ConnectionResult<()> {
        if self.role == Role::Write && !self.begun {
            let sent = self.link.run_plain(BEGIN)?;
            self.ahead.push_back(Ahead::unasked(sent, None));
        }
        self.begun = true;
        Ok(())
    }

    /// Reads the answers to the first `count` that were sent ahead.
    fn catch_up(&mut self, count: usize) -> ConnectionResult<()> {
        self.reading = true;
        for ahead in self.ahead.iter_mut().take(count).filter(|ahead| ahead.rows.is_none()) {
            let mut rows = Vec::new();
            if let Err(failure) = self.link.answer(ahead.sent, |_, row| rows.push(row)) {
                self.conflict = ahead.conflict.take();
                return Err(failure);
            }
            ahead.rows = Some((self.link.columns(ahead.sent), rows));
        }
        self.reading = false;
        Ok(())
    }

    /// Sends `bound`, of which the answer is the next.
    fn send(&mut self, bound: &Encoded, params: &[&dyn Param]) -> ConnectionResult<InFlight> {
        self.begin()?;
        if !self.fits(bound) {
            self.link.flush()?;
            self.catch_up(self.ahead.len())?;
        }
        let sent = self.link.run(bound, params)?;
        self.link.flush()?;
        self.catch_up(self.ahead.len())?;
        Ok(sent)
    }

    /// Whether `bound` may be on its way with what waits already.
    fn fits(&self, bound: &Encoded) -> bool {
        self.link.waiting() + bound.size() <= ON_THE_WAY
    }

    fn ask(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> ConnectionResult<Result<()>> {
        let bound = self.link.bind(query.sql, query.params)?;
        let mut visit = Visit::new(each);
        let known = self.ahead.iter().position(|ahead| ahead.is(&bound));
        if let Some(place) = known {
            if self.ahead.iter().take(place + 1).any(|ahead| ahead.rows.is_none()) {
                self.link.flush()?;
            }
            self.catch_up(place + 1)?;
            if let Some(ahead) = self.ahead.remove(place) {
                ahead.show(&mut visit);
            }
        } else {
            let sent = self.send(&bound, query.params)?;
            self.reading = true;
            let words = self.link.answer(sent, |columns, row| visit.row(columns, &row))?;
            self.reading = false;
            // A query that changes something says how many rows, and what.
            if !words.starts_with("SELECT") {
                self.record_change(query.scope);
            }
        }
        Ok(visit.end())
    }

    /// Asks `query` in a transaction of its own, which ends with the answer.
    fn ask_single_statement(
        &mut self,
        query: &Query<'_>,
        each: &mut Each<'_>,
    ) -> ConnectionResult<Result<()>> {
        let bound = self.link.bind(query.sql, query.params)?;
        let mut visit = Visit::new(each);
        let sent = self.link.run(&bound, query.params)?;
        self.link.sync()?;
        self.link.send()?;
        self.reading = true;
        self.link.answer(sent, |columns, row| visit.row(columns, &row))?;
        self.reading = false;
        Ok(visit.end())
    }

    /// Notes that the transaction changes `what`.
    fn record_change(&mut self, what: Scope) {
        if self.changed.last() != Some(&what) {
            self.changed.push(what);
        }
    }

    /// Runs `change` and counts the rows it touched, which are some where nobody waits for the answer.
    fn touch(&mut self, change: &Change<'_>) -> ConnectionResult<u64> {
        let bound = self.link.bind(change.sql, change.params)?;
        if change.deferred && self.fits(&bound) {
            return self.touch_deferred(&bound, change).map(|()| 1);
        }
        let sent = self.send(&bound, change.params)?;
        // Prefetched results may be stale after a change: drop them.
        self.ahead.retain(|ahead| ahead.lasts);
        self.reading = true;
        let words = self.link.answer(sent, |_, _| {})?;
        self.reading = false;
        Ok(wire::touched(&words))
    }

    /// Sends `sql` ahead, whose answer is that to `asked` too and `lasts` beyond a change or not, if
    /// there is room: whether there is.
    fn send_ahead(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        asked: Option<Encoded>,
        lasts: bool,
    ) -> ConnectionResult<bool> {
        let bound = self.link.bind(sql, params)?;
        let fits = self.fits(&bound);
        if fits {
            self.begin()?;
            let sent = self.link.run(&bound, params)?;
            let (bound, conflict, rows) = (Some(asked.unwrap_or(bound)), None, None);
            self.ahead.push_back(Ahead { bound, sent, lasts, conflict, rows });
        }
        Ok(fits)
    }

    /// As [`Engine::prefetch`], with a statement that skips rows that others have locked in the
    /// place of `lock`, which waits for them. `false` if there is no room for it.
    pub(super) fn ahead_skipping(&mut self, lock: &str, params: &[&dyn Param]) -> Result<bool> {
        self.check()?;
        let asked = self.bind(lock, params)?;
        let sent = self.send_ahead(&format!("{lock} SKIP LOCKED"), params, Some(asked), false);
        sent.map_err(|failure| self.fail(failure))
    }

    /// How much was sent ahead and is not yet taken.
    pub(super) fn count_ahead(&self) -> usize {
        self.ahead.len()
    }

    /// Waits for what was sent ahead, all at once, and gives it away.
    pub(super) fn take_ahead(&mut self) -> Result<VecDeque<Ahead>> {
        let read = self.link.flush().and_then(|()| self.catch_up(self.ahead.len()));
        read.map_err(|failure| self.fail(failure))?;
        Ok(std::mem::take(&mut self.ahead))
    }

    /// `sql` with `params`, as it is sent.
    pub(super) fn bind(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Encoded> {
        self.link.bind(sql, params).map_err(|failure| self.fail(failure))
    }

    /// Sends a change of which nobody waits for the answer, and for which there is room.
    fn touch_deferred(&mut self, bound: &Encoded, change: &Change<'_>) -> ConnectionResult<()> {
        self.begin()?;
        // Prefetched results may be stale after a change: drop them.
        self.ahead.retain(|ahead| ahead.lasts || ahead.rows.is_none());
        let stale = self.ahead.iter_mut().filter(|ahead| !ahead.lasts);
        stale.for_each(|ahead| ahead.bound = None);
        let sent = self.link.run(bound, change.params)?;
        self.ahead.push_back(Ahead::unasked(sent, change.conflict));
        Ok(())
    }

    /// Whether the server refused a statement or is gone.
    pub(super) fn failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Ends the transaction: commits it, or rolls it back. From here on nobody breaks it off.
    pub(super) fn end(mut self, commit: bool) -> Ending {
        self.link.patience.wait_for(None);
        if self.reading {
            // A panic came between, and nobody knows how much of the answer is left.
            self.link.give_up();
            return Ending::Settled;
        }
        let outcome = match (self.role, &self.failed) {
            (_, Some(Meaning::Lost)) => return Ending::Lost,
            (Role::Read, _) => self.end_read(),
            (Role::Write, None) if commit => return self.commit(),
            (Role::Write, _) => self.undo(),
        };
        if let Err(failure) = outcome {
            tracing::warn!(?failure, "a connection to the database could not be used on");
            self.link.give_up();
        }
        match self.failed {
            Some(Meaning::Refused(_)) if commit => Ending::Refused(Error::internal(
                "a job went on after a statement of its transaction had failed",
            )),
            Some(Meaning::Refused(_)) | None => Ending::Settled,
            Some(Meaning::Again { forget }) => {
                if forget {
                    self.link.forget_all();
                }
                Ending::Again
            }
            Some(Meaning::Lost) => Ending::Lost,
        }
    }

    /// A read has nothing to keep, and nobody waits for its end.
    fn end_read(&mut self) -> ConnectionResult<()> {
        if self.begun {
            self.catch_up(self.ahead.len())?;
            self.link.sync()?;
        }
        Ok(())
    }

    fn undo(&mut self) -> ConnectionResult<()> {
        if self.begun {
            // The first lets a server that has refused something listen again.
            self.link.sync()?;
            self.link.run_plain("ROLLBACK")?;
            self.link.sync()?;
            self.link.settle()?;
        }
        Ok(())
    }

    fn commit(mut self) -> Ending {
        self.link.take_warning();
        let (versions, changed) = (self.versions, std::mem::take(&mut self.changed));
        let _changing = versions.map(|versions| versions.changing(&changed));
        let sent = (|| {
            self.begin()?;
            let sent = self.link.run_plain("COMMIT")?;
            self.link.sync()?;
            self.link.send()?;
            self.catch_up(self.ahead.len())?;
            Ok(sent)
        })();
        // A server that is told to end says so wherever it is: here it may have committed.
        let answering = sent.is_ok();
        let answer = sent.and_then(|sent| self.link.answer(sent, |_, _| {}));
        // What is said after the answer is about the connection, and changes nothing.
        if answer.is_ok() && self.link.settle().is_err() {
            self.link.give_up();
        }
        match answer {
            // It stopped waiting for its standby: the change is there, and is lost with the server.
            Ok(_) if self.link.take_warning() => {
                tracing::error!("the database warned of the change that it committed");
                Ending::Unknown
            }
            Ok(words) if *words == *"COMMIT" => Ending::Settled,
            Ok(_) => Ending::Refused(Error::internal("the database did not commit")),
            Err(Failure::Lost(error)) => {
                tracing::error!(%error, "the database was lost during a commit");
                Ending::Unknown
            }
            Err(refused) => {
                let error = self.fail(refused);
                if answering && matches!(self.failed, Some(Meaning::Lost)) {
                    return Ending::Unknown;
                }
                match self.end(false) {
                    Ending::Settled => Ending::Refused(error),
                    other => other,
                }
            }
        }
    }
}

impl Engine for Session<'_> {
    fn prefetch(&mut self, sql: &str, params: &[&dyn Param], lasts: bool) -> Result<()> {
        self.check()?;
        // It is a hint: where there is no room it is sent when it is asked.
        self.send_ahead(sql, params, None, lasts).map(drop).map_err(|failure| self.fail(failure))
    }

    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool> {
        if query.steps.is_some() {
            return Ok(false);
        }
        self.check()?;
        let visited = if query.single && self.role == Role::Read && !self.begun {
            self.ask_single_statement(query, each)
        } else {
            self.ask(query, each)
        };
        match visited {
            Ok(visited) => visited.map(|()| true),
            Err(failure) => Err(self.fail(failure)),
        }
    }

    fn run(&mut self, change: &Change<'_>) -> Result<u64> {
        self.check()?;
        let touched = match self.touch(change) {
            Ok(touched) => touched,
            Err(failure) => return Err(self.fail(failure).in_words_of(change.conflict)),
        };
        if touched > 0 {
            self.record_change(change.scope);
        }
        Ok(touched)
    }

    fn environment(&self) -> Environment {
        Environment { dialect: Dialect::Postgres, extension: self.extension }
    }
}
