//! The file: making it, knowing it for ours, and bringing it up to date.

use super::connect::{Durability, Opening, PATIENCE, Role, connect};
use super::{disk, files};
use crate::migrate::{Migration, OpenError};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// `GsLs`: what says in the head of a file that it is ours.
const OURS: i32 = 0x4773_4c73;

/// Writes in the head of a file that it is ours, which it says already.
pub(super) fn mark() -> String {
    format!("PRAGMA application_id = {OURS}")
}

/// Makes the file at `path` if there is none, brings it up to date, and says where it is.
///
/// # Errors
/// When it cannot, or the file is not ours to touch: then it is left as it was.
pub(crate) fn prepare(
    path: &Path,
    migrations: &[Migration<'_>],
    opening: Opening,
) -> Result<PathBuf, OpenError> {
    let Opening { durability, must_exist, after_failure } = opening;
    let path = files::resolve(path).map_err(|error| files::failed(path, error))?;
    if must_exist && !path.exists() {
        return Err(OpenError::Missing(path.display().to_string()));
    }
    create(&path)?;
    files::check(&path)?;
    let failed = |error: rusqlite::Error| files::unusable(&path, &error);
    let mut connection = connect(&path, Role::Write, durability).map_err(failed)?;
    // Looked at before anything is written, and without a lock: a file that is not ours stays as
    // it is, and one that is up to date opens while another process writes.
    let version = found(&connection, &path, migrations.len(), failed)?;
    if version == 0 && must_exist {
        return Err(OpenError::Missing(path.display().to_string()));
    }
    if after_failure {
        rewrite_wal(&connection, &path)?;
    }
    log_ahead(&connection).map_err(failed)?;
    if version < migrations.len() {
        migrate(&mut connection, &path, migrations)?;
    }
    if version == 0 && durability == Durability::Synced {
        tracing::warn!(path = %path.display(), "there was no store, and a new one was made: it is empty");
    }
    Ok(path)
}

/// Writes what is in the WAL once more, if nobody else may be writing it.
fn rewrite_wal(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let unusable = |error: rusqlite::Error| files::unusable(path, &error);
    connection.busy_timeout(Duration::ZERO).map_err(unusable)?;
    let alone = connection.execute_batch("BEGIN IMMEDIATE").is_ok();
    connection.busy_timeout(PATIENCE).map_err(unusable)?;
    if alone {
        let renewed = disk::rewrite_wal(path);
        connection.execute_batch("ROLLBACK").map_err(unusable)?;
        renewed.map_err(|error| files::failed(path, error))?;
    }
    Ok(())
}

/// Makes an empty file that only its owner can use; SQLite gives those beside it the same mode.
/// The mode of a file that is there already is its owner's business.
fn create(path: &Path) -> Result<(), OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| files::failed(&path, error)
    };
    if path.is_dir() {
        return Err(OpenError::Directory(path.to_owned()));
    }
    let missing: Vec<&Path> =
        path.ancestors().skip(1).take_while(|directory| !directory.exists()).collect();
    for directory in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed(directory)(error));
            }
            _ => sync_parent(directory).map_err(failed(directory))?,
        }
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file.sync_all().and_then(|()| sync_parent(path)).map_err(failed(path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Makes sure that the name of `path` survives a power failure.
fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

/// The version of the database, 0 where there is nothing yet.
pub(super) fn found(
    connection: &Connection,
    path: &Path,
    known: usize,
    failed: impl Fn(rusqlite::Error) -> OpenError,
) -> Result<usize, OpenError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i32>(0)).map_err(&failed);
    // Each of these sees its own moment, and another process may make the database between them.
    // With the mark asked for last, what looks like somebody else's cannot be ours half seen.
    let empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    let version = number("PRAGMA user_version")?;
    match number("PRAGMA application_id")? {
        OURS => {}
        0 if empty && version == 0 => return Ok(0),
        _ => return Err(OpenError::Foreign(path.display().to_string())),
    }
    let found = usize::try_from(version).unwrap_or(usize::MAX);
    if found > known {
        return Err(OpenError::Newer { at: path.display().to_string(), found, known });
    }
    Ok(found)
}

/// Turns the write-ahead log on, which the file remembers.
fn log_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        let set = connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()));
        match &set {
            // SQLite does not wait by itself here for another that does the same.
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && started.elapsed() < PATIENCE =>
            {
                sleep(Duration::from_millis(5));
            }
            _ => return set,
        }
    }
}

/// Runs the migrations that have not run, each in a transaction with its number: another process
/// that starts at the same time finds it either not begun or done.
fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration<'_>],
) -> Result<(), OpenError> {
    let unusable = |error: rusqlite::Error| files::unusable(path, &error);
    // A table is remade by dropping the old one, which must not take along what refers to it; what
    // refers to nothing in the end is looked for instead.
    connection.execute_batch("PRAGMA foreign_keys = OFF").map_err(unusable)?;
    loop {
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(unusable)?;
        let done = found(&tx, path, migrations.len(), unusable)?;
        let Some(migration) = migrations.get(done) else { return Ok(()) };
        let version = done + 1;
        let failed = |error: rusqlite::Error| match unusable(error) {
            OpenError::Sqlite { why, .. } => {
                OpenError::Migration { at: path.display().to_string(), version, why }
            }
            other => other,
        };
        tx.execute_batch(&spell(migration.both))
            .and_then(|()| tx.execute_batch(migration.sqlite))
            .map_err(failed)?;
        if tx
            .prepare("PRAGMA foreign_key_check")
            .and_then(|mut all| all.exists([]))
            .map_err(failed)?
        {
            return Err(OpenError::Dangling { path: path.to_owned(), version });
        }
        tx.execute_batch(&format!(
            "PRAGMA application_id = {OURS}; PRAGMA user_version = {version};"
        ))
        .and_then(|()| tx.commit())
        .map_err(failed)?;
        tracing::info!(path = %path.display(), version, "migrated the database");
    }
}

/// A migration as SQLite says it. The words are replaced wherever they are, so a migration keeps
/// them out of its texts and names; each table ends with `);` on a line of its own. What has no
/// value comes first by itself.
fn spell(sql: &str) -> String {
    sql.replace("BIGINT", "INTEGER")
        .replace("BYTEA", "BLOB")
        .replace(" NULLS FIRST", "")
        .replace("\n);", "\n) STRICT;")
}

/// What a database has that its tables need: a table, an index or a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaObject {
    /// Which of them it is, such as `index`.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// The statement that makes it.
    pub sql: String,
}

/// What is read of the tables, indexes and triggers of a database that are somebody's: SQLite has others of
/// its own.
pub const SCHEMA_OBJECTS: &str = "SELECT type, name, sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

/// What `migrations` make in a new database.
///
/// # Errors
/// When one of them fails.
pub fn schema_objects(migrations: &[Migration<'_>]) -> Result<Vec<SchemaObject>, OpenError> {
    let path = Path::new(":memory:");
    let failed = |error: rusqlite::Error| files::unusable(path, &error);
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    migrate(&mut connection, path, migrations)?;
    let mut all = connection.prepare(SCHEMA_OBJECTS).map_err(failed)?;
    let objects = all.query_map([], |row| {
        Ok(SchemaObject { kind: row.get(0)?, name: row.get(1)?, sql: row.get(2)? })
    });
    objects.and_then(Iterator::collect).map_err(failed)
}
