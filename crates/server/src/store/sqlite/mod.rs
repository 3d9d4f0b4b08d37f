//! SQLite: its connections, its spelling and its errors.

mod disk;
pub(super) mod files;
mod freeze;
pub(super) mod migrate;
mod readers;
mod session;
mod wal;
mod writer;

pub(super) use disk::{Disk, FAILED};
pub(super) use freeze::statements as freeze;
pub(super) use readers::Readers;
pub(super) use session::{Session, place};

use super::freeze::Frozen;
use super::job::{FULL, busy, cannot_write, refused, too_long};
use super::migrate::OpenError;
use super::schema::Schema;
use super::versions::Versions;
use super::{OnDiskFailure, Options, Pools};
use crate::error::Error;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Reads the file, whatever is in it.
const PROBE: &str = "SELECT count(*) FROM sqlite_schema";

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// How a file is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub(super) durability: Durability,
    /// Where there is no store none is made.
    pub(super) must_exist: bool,
    /// The process before this one may have ended because the disk failed.
    pub(super) after_failure: bool,
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
        PRAGMA case_sensitive_like = ON; PRAGMA mmap_size = 68719476736;";
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

/// Whether a commit that failed with `error` may be found all the same: what it wrote to the WAL may
/// have the mark of a commit, whether it is on the disk or not. A full disk is refused before that
/// mark is whole.
fn leaves_doubt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory))
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
            Frozen::from_mark(&message).map_or_else(|| Error::internal(message), Frozen::to_error)
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => busy(),
        (ErrorCode::OperationInterrupted, _) => too_long(),
        (ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly, _)
            if role == Role::Write =>
        {
            tracing::error!(%error, "the store cannot write");
            if cause.code == ErrorCode::DiskFull { refused(FULL) } else { cannot_write() }
        }
        _ => Error::internal(error.to_string()),
    }
}

/// Says so where others on the machine can read or change the files of the store.
fn warn_of_others(path: &Path) {
    let exposed = files::exposed(path);
    if exposed.is_empty() {
        return;
    }
    let names: Vec<String> = exposed.iter().map(|(file, _)| file.display().to_string()).collect();
    let modes: Vec<String> = exposed.iter().map(|(_, mode)| format!("{mode:04o}")).collect();
    tracing::warn!(
        modes = modes.join(" "),
        "others on this machine can read or change the store, and the key that signs tokens is in \
         it: chmod go= {}",
        names.join(" ")
    );
}

/// Brings the database at `path` up to date, made if there is none, and starts its threads.
///
/// # Errors
/// When one of them fails, or the file is not ours to touch.
pub(super) fn start(
    path: &Path,
    schema: &Schema,
    options: &Options,
    durability: Durability,
) -> Result<Pools, OpenError> {
    let opening = Opening {
        durability,
        must_exist: options.must_exist,
        // What another process that serves the store has written is for that to look after.
        after_failure: options.on_disk_failure == OnDiskFailure::EndProcess,
    };
    let path = migrate::prepare(path, schema.migrations, opening)?;
    let (readers, here) = readers::start(&path, options, durability)?;
    warn_of_others(&path);
    // Nobody else knows of what nobody keeps. The readers are connected, so that there is
    // something to look at.
    let versions = match durability {
        Durability::None => Versions::exclusive(),
        Durability::Synced => Versions::shared(&path)
            .map_err(|source| OpenError::File { path: path.clone(), source })?,
    };
    let versions = Arc::new(versions);
    let disk = Disk::watch(&path, Arc::clone(&versions), options.on_disk_failure)
        .map_err(|source| OpenError::File { path: path.clone(), source })?;
    let disk = Arc::new(disk);
    let upkeep = schema.upkeep.map(|upkeep| upkeep(options));
    let writer = writer::start(&path, options, durability, Arc::clone(&versions), &disk, upkeep)?;
    Ok(Pools {
        readers,
        inline_readers: Some(here),
        writer,
        replica: None,
        probe: PROBE,
        probe_write: migrate::mark(),
        versions: Some(versions),
        disk: Some(disk),
    })
}
