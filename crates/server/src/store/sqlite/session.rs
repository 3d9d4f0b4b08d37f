//! A connection at work: its statements, its deadline, and what its transaction has changed.

use super::{Role, disk, fault, freeze, spell};
use crate::error::{Error, Result};
use crate::store::job::too_long;
use crate::store::moving::Frozen;
use crate::store::{Cells, ChangeScope, Engine, Param, Row, Tuning, Tx};
use rusqlite::{CachedStatement, Connection};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Prepared statements that a connection keeps: above what the store's own functions use, so that
/// those made on the fly push each other out and not them.
const STATEMENTS: usize = 256;

/// When statements are interrupted.
struct Deadline {
    origin: Instant,
    /// After this moment, if there is one.
    at: AtomicU64,
    /// When it was looked at so many times more, if that is said.
    looks: AtomicU64,
}

impl Deadline {
    const NEVER: u64 = u64::MAX;

    fn micros(&self, more: Duration) -> u64 {
        u64::try_from((self.origin.elapsed() + more).as_micros()).unwrap_or(Self::NEVER)
    }

    fn passed(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != Self::NEVER && self.micros(Duration::ZERO) >= at
    }

    /// Whether it has been looked at as often as it may be, counting this time.
    fn looked_at(&self) -> bool {
        let left = self.looks.load(Ordering::Relaxed);
        if left != Self::NEVER {
            self.looks.store(left.saturating_sub(1), Ordering::Relaxed);
        }
        left == 0
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
pub(in crate::store) struct Session {
    connection: Connection,
    faults: Faults,
    tuning: &'static Tuning,
    /// What the connection knows its statements by, for each text as it was written.
    spelled: HashMap<Box<str>, Spelled>,
    deadline: Arc<Deadline>,
    /// What the transaction has changed so far.
    changed: Vec<ChangeScope>,
    /// What the next query changes, if it was said.
    declared: Option<ChangeScope>,
    /// How often a statement was compiled again to be run with other values.
    #[cfg(test)]
    pub(in crate::store) compiled_again: i32,
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
    let deadline = Arc::new(Deadline { origin: Instant::now(), at: never(), looks: never() });
    let watched = Arc::clone(&deadline);
    connection
        .progress_handler(steps.into(), Some(move || watched.passed() || watched.looked_at()))?;
    Ok(deadline)
}

impl Session {
    /// A session on `connection`, whose statements it may interrupt.
    pub(in crate::store) fn new(
        mut connection: Connection,
        role: Role,
        tuning: &'static Tuning,
    ) -> rusqlite::Result<Self> {
        let deadline = interruptible(&mut connection, tuning.steps_per_check)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self {
            connection,
            faults: Faults { role, sync: Cell::new(false) },
            tuning,
            spelled: HashMap::new(),
            deadline,
            changed: Vec::new(),
            declared: None,
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
    pub(super) fn take_changed(&mut self) -> Vec<ChangeScope> {
        std::mem::take(&mut self.changed)
    }

    /// Runs `sql`, which is about the transaction and has no deadline.
    pub(in crate::store) fn command(&mut self, sql: &str) -> rusqlite::Result<()> {
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

    /// Gives `work` the connection for `time`; its result, and whether the time was up.
    pub(in crate::store) fn within<R>(
        &mut self,
        time: Duration,
        work: impl FnOnce(&mut Tx<'_>) -> R,
    ) -> (R, bool) {
        self.deadline.at.store(self.deadline.micros(time), Ordering::Relaxed);
        let result = work(&mut Tx(self));
        let late = self.deadline.passed();
        self.deadline.at.store(Deadline::NEVER, Ordering::Relaxed);
        (result, late)
    }

    /// Gives the statement `sql` to `work`, with `params` in place, and what its columns are called.
    fn statement<T>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        work: impl FnOnce(&mut CachedStatement<'_>, &[Box<str>], &Faults) -> Result<T>,
    ) -> Result<T> {
        // Between statements too: many short ones can be as long as one, and after SQLite ended
        // the transaction each would be kept on its own.
        if self.deadline.passed() {
            return Err(too_long());
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
            return Err(Error::internal("a statement that was not kept"));
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

impl Engine for Session {
    fn query(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let changed = self.declared.take().unwrap_or(ChangeScope::Everything);
        let (writes, outcome) = self.statement(sql, params, |statement, columns, faults| {
            Ok((!statement.readonly(), visit(statement.raw_query(), columns, faults, each)))
        })?;
        if writes {
            self.record_change(changed);
        }
        outcome
    }

    fn try_query(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        steps: u64,
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<bool> {
        self.deadline
            .looks
            .store(steps / u64::from(self.tuning.steps_per_check), Ordering::Relaxed);
        let outcome = self.query(sql, params, each);
        let left = self.deadline.looks.swap(Deadline::NEVER, Ordering::Relaxed);
        match outcome {
            Ok(()) => Ok(true),
            // SQLite undoes nothing when a statement that only reads is interrupted.
            Err(Error::Busy { .. }) if left == 0 && !self.deadline.passed() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn run(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64> {
        self.statement(sql, params, |statement, _, faults| {
            let touched = statement.raw_execute().map_err(|error| faults.of(&error))?;
            Ok(u64::try_from(touched).unwrap_or(u64::MAX))
        })
    }

    fn prefetch(&mut self, _: &str, _: &[&dyn Param]) -> Result<()> {
        Ok(()) // there is no way to save
    }

    fn record_change(&mut self, what: ChangeScope) {
        if self.changed.last() != Some(&what) {
            self.changed.push(what);
        }
    }

    fn expect_change(&mut self, what: ChangeScope) {
        self.declared = Some(what);
    }

    fn has_user_search(&self) -> bool {
        true
    }

    fn tuning(&self) -> &'static Tuning {
        self.tuning
    }

    fn freeze(&self, tables: &[&str], why: Option<Frozen>) -> Vec<String> {
        freeze::statements(tables, why)
    }
}

/// Where in a row whose columns have these `names` the one called `name` is.
pub(in crate::store) fn place(names: &[Box<str>], name: &str) -> Result<usize> {
    let place = names.iter().position(|of| **of == *name);
    place.ok_or_else(|| Error::internal(format!("there is no column {name}")))
}

fn visit(
    mut rows: rusqlite::Rows<'_>,
    columns: &[Box<str>],
    faults: &Faults,
    each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
) -> Result<()> {
    // Leaving early loses nothing: SQLite makes all changes and checks before the first row.
    while let Some(row) = rows.next().map_err(|error| faults.of(&error))? {
        if !each(&Row(Cells::Sqlite(row, columns)))? {
            break;
        }
    }
    Ok(())
}
