//! The schema: knowing it for ours, and bringing it up to date.

use super::address::Address;
use super::connection::{Connection, ConnectionResult, Failure};
use super::fault::{unusable, why};
use super::pooler;
use crate::migrate::{Migration, OpenError};
use std::time::Duration;

/// How long a migration may take, and how long one waits for another node's.
const PATIENCE: Duration = Duration::from_hours(1);

/// What nodes that start at once lock, one after the other: `GsLs`.
const LOCK: i64 = 0x4773_4c73;

/// Brings the schema at `address` up to date.
///
/// # Errors
/// When it cannot, or the schema is not ours to touch: then it is left as it was.
pub(crate) fn prepare(
    address: &Address,
    migrations: &[Migration<'_>],
    must_exist: bool,
) -> Result<(), OpenError> {
    let failed = |failure| unusable(address, failure);
    let mut link = Connection::open(address, "", PATIENCE).map_err(failed)?;
    // Before anything is said that lasts for a session.
    pooler::check(&mut link, address)?;
    link.warn_if_exposed(address);
    link.command("SET client_min_messages = warning").map_err(failed)?;
    // Looked at before anything is written, and without a lock.
    match version(&mut link, address, migrations.len())? {
        0 if must_exist => return Err(OpenError::Missing(address.to_string())),
        0 => {
            tracing::warn!(at = %address, "there was no store, and a new one is made: it is empty");
        }
        up_to_date if up_to_date == migrations.len() => return Ok(()),
        _ => {}
    }
    // Searching for parts of texts is faster with it, and possible without.
    if link.command("CREATE EXTENSION IF NOT EXISTS pg_trgm").is_err() {
        tracing::info!("pg_trgm is not to be had: searching for parts of texts reads more");
    }
    loop {
        link.command("BEGIN READ WRITE").map_err(failed)?;
        lock(&mut link).map_err(failed)?;
        let done = version(&mut link, address, migrations.len())?;
        let Some(migration) = migrations.get(done) else {
            return link.command("ROLLBACK").map_err(failed);
        };
        let version = done + 1;
        let mark = format!(
            "CREATE TABLE IF NOT EXISTS guestlist_store (version BIGINT NOT NULL);
             DELETE FROM guestlist_store; INSERT INTO guestlist_store VALUES ({version})"
        );
        for sql in [&spell(migration.both), migration.postgres, &mark, "COMMIT"] {
            link.command(sql).map_err(|failure| OpenError::Migration {
                at: address.to_string(),
                version,
                why: why(failure),
            })?;
        }
        tracing::info!(at = %address, version, "migrated the database");
    }
}

/// Waits for other nodes that do the same. Where there is no such lock, two that start on an empty
/// database at once may fail, and do no harm.
fn lock(link: &mut Connection) -> ConnectionResult<()> {
    link.command("SAVEPOINT lock")?;
    match link.command(&format!("SELECT pg_advisory_xact_lock({LOCK})")) {
        Err(Failure::Refused(_)) => link.command("ROLLBACK TO lock"),
        outcome => outcome,
    }
}

/// The version of the schema, 0 where there is nothing yet.
pub(super) fn version(
    link: &mut Connection,
    address: &Address,
    known: usize,
) -> Result<usize, OpenError> {
    let failed = |failure| unusable(address, failure);
    let tables = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema()";
    let ours = "SELECT count(*) FROM pg_catalog.pg_tables
        WHERE schemaname = current_schema() AND tablename = 'guestlist_store'";
    if number(link, tables).map_err(failed)? == 0 {
        return Ok(0);
    }
    if number(link, ours).map_err(failed)? == 0 {
        return Err(OpenError::Foreign(address.to_string()));
    }
    let found = number(link, "SELECT version FROM guestlist_store").map_err(failed)?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > known {
        return Err(OpenError::Newer { at: address.to_string(), found, known });
    }
    Ok(found)
}

/// The number that `sql` finds.
fn number(link: &mut Connection, sql: &str) -> ConnectionResult<i64> {
    let sent = link.run_plain(sql)?;
    link.sync()?;
    link.send()?;
    let mut found = None;
    let answer = link.answer(sent, |_, row| {
        // One row of one column of eight bytes.
        found = row.buffer().last_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes));
    });
    link.settle()?;
    answer?;
    Ok(found.unwrap_or(0))
}

/// A migration as PostgreSQL says it: texts are compared byte by byte, as elsewhere. The word is
/// replaced wherever it is, so a migration keeps it out of its texts and names.
fn spell(sql: &str) -> String {
    sql.replace("TEXT", "TEXT COLLATE \"C\"")
}
