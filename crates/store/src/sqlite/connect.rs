//! A connection: what it is for, and what is said to SQLite at first.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Reads the file, whatever is in it.
pub(super) const PROBE: &str = "SELECT count(*) FROM sqlite_schema";

/// How long to wait for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Looking.
    Read,
    /// Changing, and looking after the file.
    Write,
}

/// What a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It is on the disk.
    Synced,
    /// Nothing beyond the life of the process: nobody misses what is lost with the machine.
    None,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) durability: Durability,
    /// Where there is no store none is made.
    pub(crate) must_exist: bool,
    /// The process before this one may have ended because the disk failed.
    pub(crate) after_failure: bool,
}

/// Connects to the database at `path`, which exists.
pub(crate) fn connect(
    path: &Path,
    role: Role,
    durability: Durability,
) -> rusqlite::Result<Connection> {
    // Memory-mapped reads are half as fast again, and mapped pages are not private memory. `LIKE`
    // minds case, as on other engines, which also lets it use an index.
    const COMMON: &str = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
        PRAGMA case_sensitive_like = ON; PRAGMA mmap_size = 68719476736;";
    // A WAL that grew for a long transaction gives its space back at 64 MiB; 16 MiB of cache have room
    // for the pages of a busy group; and when to checkpoint is for the writer to say.
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
