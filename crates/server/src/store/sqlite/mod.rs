//! SQLite: its connections, its spelling, its errors, and the threads that read.

mod close;
pub(super) mod migrate;
mod writer;

use super::job::{Jobs, Queue, Service, busy, cannot_write, too_long};
use super::migrate::{MIGRATIONS, OpenError};
use super::moving::Closed;
use super::versions::Versions;
use super::{Cells, Changed, Doors, Engine, Options, Param, Row, Tx};
use crate::error::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, PrepFlags, Statement, ffi};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Reads the file, whatever is in it.
const PROBE: &str = "SELECT count(*) FROM sqlite_schema";

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prepared statements that a connection keeps: above what the store's own functions use, so that
/// those made on the fly push each other out and not them.
const STATEMENTS: usize = 256;

/// Steps of SQLite's machine between two looks at the clock: some 50 us.
const STEPS: u16 = if cfg!(test) { 256 } else { 4096 };

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Looking.
    Read,
    /// Changing, and looking after the file.
    Write,
}

/// What a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It is on the disk.
    Synced,
    /// Nothing beyond the life of the process: nobody misses what is lost with the machine.
    None,
}

/// Connects to the database at `path`, which exists.
pub(super) fn connect(
    path: &Path,
    role: Role,
    durability: Durability,
) -> rusqlite::Result<Connection> {
    // Memory-mapped reads are half as fast again, and mapped pages are not private memory. `LIKE`
    // minds case, as on other engines, which also lets it use an index.
    const COMMON: &str = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
        PRAGMA case_sensitive_like = ON; PRAGMA mmap_size = 1073741824;";
    // A log that grew for a long transaction gives its space back at 64 MiB; 16 MiB of cache keep
    // the pages of a busy group; and when to copy the log is for the writer to say.
    const WRITE: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
        PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;
        PRAGMA wal_autocheckpoint = 0;";
    let access = match role {
        Role::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Role::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    // A connection stays on one thread, so it needs no lock of its own.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Or else a statement with a join or a limit is compiled again, for the plan that is best for
    // the values at hand, whenever it is run: some ten times as long as running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(COMMON)?;
    connection.execute_batch(if role == Role::Read { "PRAGMA query_only = ON" } else { WRITE })?;
    if durability == Durability::None {
        connection.execute_batch("PRAGMA synchronous = OFF")?;
    }
    Ok(connection)
}

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

/// A connection at work: its prepared statements and its deadline.
pub(super) struct Session<'c> {
    connection: &'c Connection,
    role: Role,
    statements: Statements<'c>,
    deadline: Arc<Deadline>,
    /// What the transaction has changed so far.
    changed: Vec<Changed>,
    /// What the next query changes, if it was said.
    declared: Option<Changed>,
}

/// Sets `connection` up to be interrupted, once and for all.
fn interruptible(connection: &mut Connection) -> rusqlite::Result<Arc<Deadline>> {
    let never = || AtomicU64::new(Deadline::NEVER);
    let deadline = Arc::new(Deadline { origin: Instant::now(), at: never(), looks: never() });
    let watched = Arc::clone(&deadline);
    connection
        .progress_handler(STEPS.into(), Some(move || watched.passed() || watched.looked_at()))?;
    Ok(deadline)
}

impl<'c> Session<'c> {
    /// A session on `connection`, whose statements it may interrupt.
    pub(super) fn new(connection: &'c mut Connection, role: Role) -> rusqlite::Result<Self> {
        let deadline = interruptible(connection)?;
        let connection = &*connection;
        let statements =
            Statements { connection, index: HashMap::new(), slots: Vec::new(), clock: 0 };
        Ok(Self { connection, role, statements, deadline, changed: Vec::new(), declared: None })
    }

    /// The connection beneath.
    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Whether a transaction is under way. SQLite ends one by itself when the disk fails or when
    /// a statement that writes is interrupted.
    pub(super) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// What was changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> Vec<Changed> {
        std::mem::take(&mut self.changed)
    }

    /// How often a statement was compiled again to be run with other values.
    #[cfg(test)]
    pub(super) fn compiled_again(&self) -> i32 {
        let of = |slot: &Slot<'_>| slot.statement.get_status(rusqlite::StatementStatus::RePrepare);
        self.statements.slots.iter().map(of).sum()
    }

    /// Runs `sql`, which is about the transaction and has no deadline.
    pub(super) fn command(&mut self, sql: &str) -> rusqlite::Result<()> {
        self.statements.get(sql)?.raw_execute().map(drop)
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
    pub(super) fn within<R>(
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

    /// The statement `sql`, with `params` in place.
    fn statement(&mut self, sql: &str, params: &[&dyn Param]) -> Result<&mut Statement<'c>> {
        // Between statements too: many short ones can be as long as one, and after SQLite ended
        // the transaction each would be kept on its own.
        if self.deadline.passed() {
            return Err(too_long());
        }
        if !self.in_transaction() {
            return Err(Error::internal("a statement after its transaction had ended"));
        }
        let role = self.role;
        let statement = self.statements.get(sql).map_err(|error| fault(&error, role))?;
        if statement.parameter_count() != params.len() {
            let (wanted, given) = (statement.parameter_count(), params.len());
            return Err(Error::internal(format!("{given} parameters for {wanted}: {sql}")));
        }
        for (index, param) in (1..).zip(params) {
            statement.raw_bind_parameter(index, *param).map_err(|error| fault(&error, role))?;
        }
        Ok(statement)
    }
}

impl Engine for Session<'_> {
    fn query(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let changed = self.declared.take().unwrap_or(Changed::Everything);
        let role = self.role;
        let statement = self.statement(sql, params)?;
        let writes = !statement.readonly();
        let outcome = visit(statement.raw_query(), role, each);
        statement.clear_bindings(); // they may be large, and secret
        if writes {
            self.note(changed);
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
        self.deadline.looks.store(steps / u64::from(STEPS), Ordering::Relaxed);
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
        let role = self.role;
        let statement = self.statement(sql, params)?;
        let touched = statement.raw_execute();
        statement.clear_bindings();
        touched
            .map(|count| u64::try_from(count).unwrap_or(u64::MAX))
            .map_err(|error| fault(&error, role))
    }

    fn ahead(&mut self, _: &str, _: &[&dyn Param]) -> Result<()> {
        Ok(()) // there is no way to save
    }

    fn note(&mut self, what: Changed) {
        if self.changed.last() != Some(&what) {
            self.changed.push(what);
        }
    }

    fn declare(&mut self, what: Changed) {
        self.declared = Some(what);
    }

    fn has_user_search(&self) -> bool {
        true
    }

    fn close(&self, tables: &[&str], why: Option<Closed>) -> Vec<String> {
        close::statements(tables, why)
    }
}

fn visit(
    mut rows: rusqlite::Rows<'_>,
    role: Role,
    each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
) -> Result<()> {
    // Leaving early loses nothing: SQLite makes all changes and checks before the first row.
    while let Some(row) = rows.next().map_err(|error| fault(&error, role))? {
        if !each(&Row(Cells::Sqlite(row)))? {
            break;
        }
    }
    Ok(())
}

/// The prepared statements of a connection, found by their text as it was written, so that
/// nothing is spelled twice. The one used longest ago goes first.
struct Statements<'c> {
    connection: &'c Connection,
    index: HashMap<Arc<str>, usize>,
    slots: Vec<Slot<'c>>,
    clock: u64,
}

struct Slot<'c> {
    sql: Arc<str>,
    statement: Statement<'c>,
    used: u64,
}

impl<'c> Statements<'c> {
    fn get(&mut self, sql: &str) -> rusqlite::Result<&mut Statement<'c>> {
        let place = match self.index.get(sql) {
            Some(place) => *place,
            None => self.add(sql)?,
        };
        self.clock += 1;
        let slot = &mut self.slots[place];
        slot.used = self.clock;
        Ok(&mut slot.statement)
    }

    fn add(&mut self, sql: &str) -> rusqlite::Result<usize> {
        let statement = self
            .connection
            .prepare_with_flags(&spell(sql), PrepFlags::SQLITE_PREPARE_PERSISTENT)?;
        let sql: Arc<str> = sql.into();
        let slot = Slot { sql: Arc::clone(&sql), statement, used: self.clock };
        let oldest = if self.slots.len() < STATEMENTS {
            None
        } else {
            self.slots.iter_mut().enumerate().min_by_key(|(_, slot)| slot.used)
        };
        let place = if let Some((place, old)) = oldest {
            self.index.remove(&old.sql);
            *old = slot;
            place
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        self.index.insert(sql, place);
        Ok(place)
    }
}

/// `sql` as SQLite says it: `$1` names a parameter there, `?1` numbers it; and where there is one
/// writer, nobody locks rows. Text in quotes and comments is left alone.
pub(super) fn spell(sql: &str) -> String {
    let mut spelled = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '"', '-', '$', 'F']) {
        let (plain, special) = rest.split_at(at);
        spelled.push_str(plain);
        let end = match special.as_bytes() {
            // A doubled quote ends one text and starts the next, which comes to the same.
            [quote @ (b'\'' | b'"'), text @ ..] => {
                text.iter().position(|byte| byte == quote).map_or(special.len(), |end| end + 2)
            }
            [b'-', b'-', ..] => special.find('\n').unwrap_or(special.len()),
            [b'$', digit, ..] if digit.is_ascii_digit() => {
                spelled.push('?');
                rest = &special[1..];
                continue;
            }
            _ => match lock(special).filter(|_| plain.ends_with([' ', '\n'])) {
                Some(after) => {
                    spelled.truncate(spelled.trim_end().len());
                    rest = after;
                    continue;
                }
                None => 1,
            },
        };
        spelled.push_str(&special[..end]);
        rest = &special[end..];
    }
    spelled.push_str(rest);
    spelled
}

/// What follows the words that lock rows, if `sql` starts with such.
fn lock(sql: &str) -> Option<&str> {
    let after = ["FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE"]
        .into_iter()
        .find_map(|words| sql.strip_prefix(words))?;
    Some(after.strip_prefix(" SKIP LOCKED").unwrap_or(after))
}

/// What `error` means to whoever asked.
pub(super) fn fault(error: &rusqlite::Error, role: Role) -> Error {
    const UNIQUE: &str = "UNIQUE constraint failed: ";
    let Some(cause) = error.sqlite_error() else {
        return Error::internal(error.to_string());
    };
    match (cause.code, cause.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            let message = error.to_string();
            Error::Taken(message.strip_prefix(UNIQUE).unwrap_or(&message).to_owned())
        }
        (_, ffi::SQLITE_CONSTRAINT_TRIGGER) => {
            let message = error.to_string();
            Closed::from_mark(&message).map_or_else(|| Error::internal(message), Closed::to_error)
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => busy(),
        (ErrorCode::OperationInterrupted, _) => too_long(),
        (ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly, _)
            if role == Role::Write =>
        {
            tracing::error!(%error, "the store cannot write");
            cannot_write()
        }
        _ => Error::internal(error.to_string()),
    }
}

/// Brings the database at `path` up to date, made if there is none, and starts its threads.
///
/// # Errors
/// When one of them fails, or the file is not ours to touch.
pub(super) fn start(
    path: &Path,
    options: &Options,
    durability: Durability,
) -> Result<Doors, OpenError> {
    let path = migrate::prepare(path, MIGRATIONS, durability)?;
    let readers = start_readers(&path, options, durability)?;
    // Nobody else knows of what nobody keeps. The readers are connected, so that there is
    // something to look at.
    let versions = match durability {
        Durability::None => Versions::alone(),
        Durability::Synced => Versions::shared(&path)
            .map_err(|source| OpenError::File { path: path.clone(), source })?,
    };
    let versions = Arc::new(versions);
    let writer = writer::start(&path, options, durability, Arc::clone(&versions))?;
    Ok(Doors { readers, writer, replica: None, probe: PROBE, versions: Some(versions) })
}

/// Starts the threads that read.
///
/// # Errors
/// When one cannot connect, or the system has no thread to give.
fn start_readers(
    path: &Path,
    options: &Options,
    durability: Durability,
) -> Result<Queue, OpenError> {
    let time = options.read_deadline;
    let services = (0..options.readers.max(1))
        .map(|_| {
            let mut connection = connect(path, Role::Read, durability)?;
            connection.query_row(PROBE, [], |_| Ok(()))?;
            Ok(Box::new(move |jobs: &Jobs| match Session::new(&mut connection, Role::Read) {
                Ok(mut session) => serve(&mut session, jobs, time),
                Err(error) => tracing::error!(%error, "a reader cannot start"),
            }) as Service)
        })
        .collect::<rusqlite::Result<_>>()
        .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    Queue::start("store-read", options.read_queue, services)
}

/// Runs reads, each in a transaction of its own so that all its statements see one moment.
fn serve(session: &mut Session<'_>, jobs: &Jobs, time: Duration) {
    for mut job in &jobs.waiting {
        if job.gone() {
            continue;
        }
        let settled = session.command("BEGIN").map(|()| {
            session.within(time, |tx| job.run(tx));
        });
        if session.in_transaction() && session.command("COMMIT").is_err() {
            session.undo();
        }
        job.finish(settled.map_err(|error| fault(&error, Role::Read)));
    }
}
