//! A copy of a database as it is at one moment, made beside those that use it.

use super::connect::{Durability, PATIENCE, PROBE, Role, connect};
use super::files;
use super::migrate::found;
use crate::migrate::OpenError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::ffi::c_int;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Pages that are copied between two looks at how far it is: some milliseconds of work.
const AT_ONCE: c_int = 1024;

/// Times that many pages are written before they are synced: many at once would keep those waiting who sync a
/// few, as a writer does for each group.
const UNSYNCED: u32 = 4;

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// Pages that are copied.
    pub copied: u64,
    /// Pages that there are.
    pub all: u64,
}

/// Copies the database at `from` to a new file at `to`, which only its owner can use, and syncs it. All
/// of it is of the moment at which it begins; writers go on meanwhile, and the WAL grows by what they
/// write, for no checkpoint passes the copy. `seen` is told how far it is.
///
/// # Errors
/// When there is something at `to`, or `from` has not the version `version`, or one of the two fails.
pub fn copy_database(
    from: &Path,
    to: &Path,
    version: usize,
    mut seen: impl FnMut(Pages),
) -> Result<(), OpenError> {
    let from = &files::resolve(from).map_err(|error| files::failed(from, error))?;
    let reading = |error: rusqlite::Error| files::unusable(from, &error);
    let writing = |error: rusqlite::Error| files::unusable(to, &error);
    let source = connect(from, Role::Read, Durability::Synced).map_err(reading)?;
    // A transaction that has read stays at that moment, and so does a copy within it: without one it
    // would begin anew whenever somebody writes.
    source.execute_batch("BEGIN").map_err(reading)?;
    source.query_row(PROBE, [], |_| Ok(())).map_err(reading)?;
    let found = found(&source, from, version, reading)?;
    if found != version {
        return Err(OpenError::Older { at: from.display().to_string(), found, known: version });
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    // Open until SQLite has closed it: to close a file ends the locks that the process has on it.
    let file = file.map_err(|error| files::failed(to, error))?;
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, access).map_err(writing)?;
    // SQLite need not sync it: who ends before the end leaves a file that is no backup.
    target.execute_batch("PRAGMA synchronous = OFF").map_err(writing)?;
    target.busy_timeout(PATIENCE).map_err(writing)?;
    {
        let mut steps = 0_u32;
        let backup = Backup::new(&source, &mut target).map_err(writing)?;
        loop {
            let step = backup.step(AT_ONCE).map_err(writing)?;
            let progress = backup.progress();
            let pages = |count: c_int| u64::try_from(count).unwrap_or_default();
            let all = pages(progress.pagecount);
            steps += 1;
            if steps.is_multiple_of(UNSYNCED) {
                file.sync_data().map_err(|error| files::failed(to, error))?;
            }
            seen(Pages { copied: all.saturating_sub(pages(progress.remaining)), all });
            match step {
                StepResult::Done => break,
                // Nobody else knows of the target, and whoever reads the source is not in the way.
                _ => std::thread::yield_now(),
            }
        }
    }
    target.close().map_err(|(_, error)| writing(error))?;
    file.sync_all().map_err(|error| files::failed(to, error))
}

/// How many pages the database at `path` has.
///
/// # Errors
/// When it cannot be read.
pub fn count_pages(path: &Path) -> Result<u64, OpenError> {
    let path = &files::resolve(path).map_err(|error| files::failed(path, error))?;
    let failed = |error: rusqlite::Error| files::unusable(path, &error);
    let connection = connect(path, Role::Read, Durability::Synced).map_err(failed)?;
    let count = connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0));
    Ok(u64::try_from(count.map_err(failed)?).unwrap_or_default())
}

/// Reads all of the database at `path`, which nobody else uses: whether its pages and indexes are whole,
/// and rows refer to what there is.
///
/// # Errors
/// [`OpenError::Corrupt`] says what is wrong with it; others, that it cannot be read.
pub fn check_database(path: &Path) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| files::unusable(path, &error);
    let corrupt = |what: String| OpenError::Corrupt { path: path.to_owned(), what };
    let connection = connect(path, Role::Write, Durability::None).map_err(failed)?;
    // One finding is enough to know.
    let told: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if told != "ok" {
        return Err(corrupt(told));
    }
    let mut dangling = connection.prepare("PRAGMA foreign_key_check").map_err(failed)?;
    let mut rows = dangling.query([]).map_err(failed)?;
    match rows.next().map_err(failed)? {
        Some(row) => {
            let table: String = row.get(0).map_err(failed)?;
            Err(corrupt(format!("rows of {table} refer to what is not there")))
        }
        None => Ok(()),
    }
}
