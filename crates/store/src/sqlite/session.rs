//! A connection at work: its statements, its deadline, and what its transaction has changed.

use super::connect::Role;
use super::disk;
use super::fault::fault;
use super::spell::spell;
use crate::engine::{Change, Dialect, Each, Engine, Environment, Query};
use crate::error::{Error, Result};
use crate::job::{Caller, too_long};
use crate::options::Options;
use crate::row::{Cells, Row};
use crate::scope::Scope;
use crate::value::Param;
use rusqlite::{CachedStatement, Connection};
use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Prepared statements that a connection keeps: above what the store's own functions use, so that
/// those made on the fly push each other out and not them.
const STATEMENTS: usize = 256;

/// What a job may take of a connection.
pub(crate) struct Bounds {
    /// For how long.
    pub(crate) time: Duration,
    /// How many steps of SQLite's machine, about.
    pub(crate) steps: u64,
    /// For whom, if they may leave.
    pub(crate) caller: Option<Caller>,
}

impl Bounds {
    /// So much `time` and no more.
    pub(crate) const fn time(time: Duration) -> Self {
        Self { time, steps: u64::MAX, caller: None }
    }
}

/// When statements are interrupted.
struct Deadline {
    origin: Instant,
    /// After this moment, if there is one.
    at: AtomicU64,
    /// When nobody waits any more, if somebody did.
    caller: Mutex<Option<Caller>>,
    /// When it was looked at so many times more, if that is said.
    looks: AtomicU64,
    /// The same of the one statement that is being run.
    of_statement: AtomicU64,
}

impl Deadline {
    const NEVER: u64 = u64::MAX;

    fn micros(&self, more: Duration) -> u64 {
        u64::try_from((self.origin.elapsed() + more).as_micros()).unwrap_or(Self::NEVER)
    }

    fn caller(&self) -> MutexGuard<'_, Option<Caller>> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passed(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != Self::NEVER
            && (self.micros(Duration::ZERO) >= at
                || self.caller().as_ref().is_some_and(Caller::is_gone))
    }

    /// Whether it has been looked at as often as it may be.
    fn spent(&self) -> bool {
        self.looks.load(Ordering::Relaxed) == 0
    }

    /// Why no statement may go on, if none may.
    fn refusal(&self) -> Option<Error> {
        if self.spent() {
            return Some(Error::TooMuch);
        }
        self.passed().then(too_long)
    }

    /// Looks at it while a statement runs: whether that is to be interrupted.
    fn look(&self) -> bool {
        let spent = [&self.looks, &self.of_statement].map(|looks| {
            let left = looks.load(Ordering::Relaxed);
            if left != Self::NEVER {
                looks.store(left.saturating_sub(1), Ordering::Relaxed);
            }
            left <= 1
        });
        spent.contains(&true) || self.passed()
    }
}

/// What errors of a connection mean, and what they say of the disk.
struct Faults {
    role: Role,
    /// Whether a sync has failed.
    sync: Cell<bool>,
}

impl Faults {
    fn of(&self, error: &rusqlite::Error) -> Error {
        if disk::is_failed_sync(error) {
            self.sync.set(true);
        }
        fault(error, self.role)
    }
}

/// A connection at work: its prepared statements and its deadline.
pub(crate) struct Session {
    connection: Connection,
    faults: Faults,
    extension: &'static (dyn Any + Send + Sync),
    steps_per_check: u16,
    /// What the connection knows its statements by, for each text as it was written.
    spelled: HashMap<Box<str>, Spelled>,
    deadline: Arc<Deadline>,
    /// What the transaction has changed so far.
    changed: Vec<Scope>,
    /// How often a statement was compiled again to be run with other values.
    #[cfg(test)]
    pub(crate) compiled_again: i32,
}

/// A statement as the connection knows it.
struct Spelled {
    text: Box<str>,
    /// What its columns are called: SQLite says so as often as it is asked, but takes its time.
    columns: Box<[Box<str>]>,
}

/// Sets `connection` up to be interrupted, once and for all.
fn interruptible(connection: &mut Connection, steps: u16) -> rusqlite::Result<Arc<Deadline>> {
    let never = || AtomicU64::new(Deadline::NEVER);
    let deadline = Arc::new(Deadline {
        origin: Instant::now(),
        at: never(),
        caller: Mutex::new(None),
        looks: never(),
        of_statement: never(),
    });
    let watched = Arc::clone(&deadline);
    connection.progress_handler(steps.into(), Some(move || watched.look()))?;
    Ok(deadline)
}

impl Session {
    /// A session on `connection`, whose statements it may interrupt.
    pub(crate) fn new(
        mut connection: Connection,
        role: Role,
        options: &Options,
    ) -> rusqlite::Result<Self> {
        let deadline = interruptible(&mut connection, options.steps_per_check)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self {
            connection,
            faults: Faults { role, sync: Cell::new(false) },
            extension: options.extension,
            steps_per_check: options.steps_per_check,
            spelled: HashMap::new(),
            deadline,
            changed: Vec::new(),
            #[cfg(test)]
            compiled_again: 0,
        })
    }

    /// The connection beneath.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether a transaction is under way. SQLite ends one by itself when the disk fails or when
    /// a statement that writes is interrupted.
    pub(super) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Whether a statement failed because a sync did: what does not fit in memory goes to the log
    /// before the commit.
    pub(super) fn sync_failed(&self) -> bool {
        self.faults.sync.get()
    }

    /// What was changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> Vec<Scope> {
        std::mem::take(&mut self.changed)
    }

    /// Runs `sql`, which is about the transaction and has no deadline.
    pub(crate) fn command(&mut self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.raw_execute().map(drop)
    }

    /// Ends whatever transaction is still open, undone.
    pub(super) fn undo(&mut self) {
        if self.in_transaction()
            && let Err(error) = self.command("ROLLBACK")
        {
            tracing::error!(%error, "the store cannot roll back");
        }
    }

    /// Gives `work` the connection within `bounds`; its result, and whether it was too late or nobody
    /// waited any more.
    pub(crate) fn within<R>(
        &mut self,
        bounds: Bounds,
        work: impl FnOnce(&mut Self) -> R,
    ) -> (R, bool) {
        let Bounds { time, steps, caller } = bounds;
        self.deadline.at.store(self.deadline.micros(time), Ordering::Relaxed);
        self.deadline.looks.store(self.looks(steps), Ordering::Relaxed);
        *self.deadline.caller() = caller;
        let result = work(self);
        let late = self.deadline.passed();
        self.deadline.at.store(Deadline::NEVER, Ordering::Relaxed);
        self.deadline.looks.store(Deadline::NEVER, Ordering::Relaxed);
        *self.deadline.caller() = None;
        (result, late)
    }

    /// How often the deadline is looked at in `steps`, and at least once.
    fn looks(&self, steps: u64) -> u64 {
        if steps == u64::MAX {
            return Deadline::NEVER;
        }
        steps / u64::from(self.steps_per_check) + 1
    }

    /// Gives the statement `sql` to `work`, with `params` in place, and what its columns are called.
    fn statement<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        work: impl FnOnce(&mut CachedStatement<'_>, &[Box<str>], &Faults) -> Result<T>,
    ) -> Result<T> {
        // Between statements too: many short ones can be as long as one, and after SQLite ended
        // the transaction each would be committed on its own.
        if let Some(refusal) = self.deadline.refusal() {
            return Err(refusal);
        }
        if !self.in_transaction() {
            return Err(Error::internal("a statement after its transaction had ended"));
        }
        let faults = &self.faults;
        if !self.spelled.contains_key(sql) {
            if self.spelled.len() >= STATEMENTS {
                self.spelled.clear();
            }
            let text = spell(sql);
            let statement =
                self.connection.prepare_cached(&text).map_err(|error| faults.of(&error))?;
            let columns = statement.column_names().map(Box::from).collect();
            self.spelled.insert(sql.into(), Spelled { text: text.into(), columns });
        }
        let Some(Spelled { text, columns }) = self.spelled.get(sql) else {
            return Err(Error::internal("a statement that was not cached"));
        };
        let mut statement =
            self.connection.prepare_cached(text).map_err(|error| faults.of(&error))?;
        if statement.parameter_count() != params.len() {
            let (wanted, given) = (statement.parameter_count(), params.len());
            return Err(Error::internal(format!("{given} parameters for {wanted}: {sql}")));
        }
        for (index, param) in (1..).zip(params) {
            statement.raw_bind_parameter(index, *param).map_err(|error| faults.of(&error))?;
        }
        // What is in place goes with it when it is dropped: it may be large, and secret.
        let done = work(&mut statement, columns, faults);
        #[cfg(test)]
        {
            self.compiled_again += statement.reset_status(rusqlite::StatementStatus::RePrepare);
        }
        done
    }
}

impl Session {
    /// Notes that the transaction changes `what`.
    fn record_change(&mut self, what: Scope) {
        if self.changed.last() != Some(&what) {
            self.changed.push(what);
        }
    }

    /// As [`Engine::query`], with no limit but the deadline.
    fn ask(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<()> {
        let (writes, outcome) =
            self.statement(query.sql, query.params, |statement, columns, faults| {
                Ok((!statement.readonly(), visit(statement.raw_query(), columns, faults, each)))
            })?;
        if writes {
            self.record_change(query.scope);
        }
        match outcome {
            Err(Error::Busy { .. }) if self.deadline.spent() => Err(Error::TooMuch),
            outcome => outcome,
        }
    }
}

impl Engine for Session {
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool> {
        let Some(steps) = query.steps else { return self.ask(query, each).map(|()| true) };
        self.deadline.of_statement.store(self.looks(steps), Ordering::Relaxed);
        let outcome = self.ask(query, each);
        let left = self.deadline.of_statement.swap(Deadline::NEVER, Ordering::Relaxed);
        match outcome {
            Ok(()) => Ok(true),
            // SQLite undoes nothing when a statement that only reads is interrupted.
            Err(Error::Busy { .. }) if left == 0 && self.deadline.refusal().is_none() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn run(&mut self, change: &Change<'_>) -> Result<u64> {
        let touched = self.statement(change.sql, change.params, |statement, _, faults| {
            let touched = statement.raw_execute().map_err(|error| faults.of(&error))?;
            Ok(u64::try_from(touched).unwrap_or(u64::MAX))
        });
        let touched = touched.map_err(|error| error.in_words_of(change.conflict))?;
        if touched > 0 {
            self.record_change(change.scope);
        }
        Ok(touched)
    }

    fn environment(&self) -> Environment {
        Environment { dialect: Dialect::Sqlite, extension: self.extension }
    }
}

fn visit(
    mut rows: rusqlite::Rows<'_>,
    columns: &[Box<str>],
    faults: &Faults,
    each: &mut Each<'_>,
) -> Result<()> {
    // Leaving early loses nothing: SQLite makes all changes and checks before the first row.
    while let Some(row) = rows.next().map_err(|error| faults.of(&error))? {
        if !each(&Row(Cells::Sqlite(row, columns)))? {
            break;
        }
    }
    Ok(())
}
