//! What the engine beneath says of itself, and whether the store is half of something.

use super::Looking;
use super::finding::{Command, Few, Findings};
use crate::error::Error;
use crate::moving::{self, Record, State};
use crate::rows::tuning::Tuning;
use crate::store::StoreUrl;
use crate::store::shared_time;
use guestlist_store::Dialect;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// A WAL that is longer than this was not checkpointed for long: what reads holds it, or nothing does it.
const LONG_WAL: u64 = 256 << 20;

/// How much of a file may be free before that is worth a word, in bytes, and in its parts.
const FREE: (i64, i64) = (64 << 20, 2);

/// How many transactions a database may be old: PostgreSQL refuses all writes at some two billion.
const OLD: i64 = 1_500_000_000;

/// Whether it is half of a move.
pub(super) fn moves(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let found = looking.read(moving::look)?;
    let Some(Record { state, other, .. }) = found else { return Ok(()) };
    let store = findings.store().to_owned();
    let (what, why, command) = match state {
        State::Leaving => (
            format!("the store is being moved to {other}"),
            "it takes no changes until that is done or given up",
            format!(
                "guestlist move --from {store} --to ... again, or guestlist move --abandon --from {store}"
            ),
        ),
        State::Left => (
            format!("the store was moved to {other}"),
            "it takes no changes any more, and what is there now may be newer",
            format!("serve the other one; or guestlist move --abandon --from {store}"),
        ),
        State::Arriving => (
            format!("the store is an unfinished copy of {other}"),
            "nobody can serve half of a store",
            format!(
                "guestlist move --from ... --to {store} again, or guestlist move --abandon --to {store}"
            ),
        ),
    };
    findings.add("move", what, why, Command::Run(command));
    Ok(())
}

pub(super) fn check(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    match (looking.dialect, &looking.of.config.store) {
        (Dialect::Sqlite, StoreUrl::Sqlite(path)) => {
            let path = path.clone();
            sqlite(looking, findings, path)
        }
        _ => postgres(looking, findings),
    }
}

fn sqlite(looking: &mut Looking<'_>, findings: &mut Findings, path: PathBuf) -> Result<(), Error> {
    let (mode, pages, free, size, late) = looking.read(|tx| {
        let number = |tx: &mut crate::rows::Tx<'_>, sql: &str| {
            tx.first::<i64>(sql, &[]).map(Option::unwrap_or_default)
        };
        Ok::<_, Error>((
            tx.first::<String>("PRAGMA journal_mode", &[])?.unwrap_or_default(),
            number(tx, "PRAGMA page_count")?,
            number(tx, "PRAGMA freelist_count")?,
            number(tx, "PRAGMA page_size")?,
            number(tx, "SELECT count(*) FROM user_search_late")?,
        ))
    })?;
    if mode != "wal" {
        findings.add(
            "wal",
            format!("the journal mode of the file is {mode}, and not wal"),
            "whoever reads waits for whoever writes",
            Command::Run(format!("sqlite3 {} 'PRAGMA journal_mode = WAL'", findings.store())),
        );
    }
    let mut wal = OsString::from(path);
    wal.push("-wal");
    let length = fs::metadata(PathBuf::from(wal)).map_or(0, |file| file.len());
    if length > LONG_WAL {
        findings.add(
            "wal",
            format!("the WAL has {length} bytes, and is not checkpointed"),
            "reads and the next start take longer the longer it is, and the disk fills up",
            Command::Run(format!(
                "end what reads for long, such as a backup that hangs; then sqlite3 {} 'PRAGMA \
                 wal_checkpoint(TRUNCATE)'",
                findings.store()
            )),
        );
    }
    let (bytes, part) = FREE;
    if free.saturating_mul(size) > bytes && free > pages / part {
        findings.add(
            "free pages",
            format!("{free} of the {pages} pages of the file are free"),
            "a backup copies them too, and what was deleted is still to be read in them",
            Command::Run(format!("sqlite3 {} VACUUM, with the server stopped", findings.store())),
        );
    }
    let most = i64::try_from(Tuning::DEFAULT.search_backlog).unwrap_or(i64::MAX).saturating_mul(4);
    if late > most {
        findings.add(
            "search",
            format!("{late} users are on the backlog of the search index"),
            "each search compares all of them as well",
            Command::Run(format!(
                "guestlist serve --store {}: it applies them when idle",
                findings.store()
            )),
        );
    }
    Ok(())
}

/// Settings of PostgreSQL that lose what was answered, the value that does, and why.
const SETTINGS: [(&str, &str, &str); 4] = [
    ("fsync", "off", "what was answered is lost with the power, and the database with it"),
    ("full_page_writes", "off", "a page that was half written when the power failed is not mended"),
    ("synchronous_commit", "off", "what was answered in the last moments is lost in a crash"),
    ("data_sync_retry", "on", "after a sync that failed, what was answered may not be on the disk"),
];

fn postgres(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    for (name, bad, why) in SETTINGS {
        let found =
            looking.read(|tx| tx.first::<String>("SELECT current_setting($1, true)", &[&name]))?;
        if found.as_deref() == Some(bad) {
            let good = if bad == "off" { "on" } else { "off" };
            let set = format!(
                "psql {} -c 'ALTER SYSTEM SET {name} = {good}', as its superuser; then restart PostgreSQL",
                findings.store()
            );
            findings.add("postgres", format!("{name} is {bad}"), why, Command::Run(set));
        }
    }
    let now = looking.read(|tx| tx.first::<i64>(shared_time::NOW, &[]))?;
    let apart = now.map_or(0, |now| now - crate::clock::Clock::System.now().millis());
    if apart.abs() > shared_time::MOST {
        findings.add(
            "clock",
            format!("the clock of the database is {apart} ms from that of this machine"),
            "a server goes by the time of the database, and does not start where its own is more than a second off",
            Command::Run("timedatectl set-ntp true, on both".into()),
        );
    }
    let connections = looking.of.config.options.readers + looking.of.config.options.writers;
    let most = looking.read(|tx| {
        tx.first::<i64>(
            "SELECT current_setting('max_connections')::bigint
                - current_setting('superuser_reserved_connections')::bigint",
            &[],
        )
    })?;
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    if connections > most {
        findings.add(
            "postgres",
            format!(
                "a server takes {connections} connections, and the database has {most} to give"
            ),
            "a server that does not get its connections does not start",
            Command::Run(
                "set store-readers and store-writers lower, or max_connections higher".into(),
            ),
        );
    }
    for (sql, why, command) in [
        (
            "SELECT 'PostgreSQL has counted ' || checksum_failures || ' pages that were not as they were written'
             FROM pg_catalog.pg_stat_database
             WHERE datname = current_database() AND checksum_failures > 0",
            "a disk that has changed one page will change others",
            Command::Restore,
        ),
        (
            "SELECT 'the replication slot ' || slot_name || ' holds the WAL, and nobody reads from it'
             FROM pg_catalog.pg_replication_slots WHERE NOT active AND wal_status <> 'reserved'",
            "the WAL grows until the disk is full",
            Command::Run("SELECT pg_drop_replication_slot('...'), if its standby is gone for good".into()),
        ),
    ] {
        let mut some = Few::default();
        looking.ask(sql, &mut some)?;
        findings.add_some("postgres", some, why, command);
    }
    let age = format!(
        "SELECT 'the database is ' || age(datfrozenxid) || ' transactions old' FROM pg_catalog.pg_database
         WHERE datname = current_database() AND age(datfrozenxid) > {OLD}"
    );
    let mut some = Few::default();
    looking.ask(&age, &mut some)?;
    let vacuum = format!("vacuumdb --freeze --dbname {}", findings.store());
    let why = "PostgreSQL refuses all writes when that is two billion";
    findings.add_some("postgres", some, why, Command::Run(vacuum));
    Ok(())
}

/// Whether pages and indexes are whole, as far as the engine can tell beside those that write.
pub(super) fn pages(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let mut some = Few::default();
    if looking.dialect == Dialect::Sqlite {
        looking.read(|tx| {
            tx.each("PRAGMA integrity_check(100)", &[], |row| {
                let said: String = row.get_at(0)?;
                Ok::<_, Error>(said == "ok" || some.add(|| said))
            })
        })?;
    } else if !amcheck(looking, &mut some)? {
        findings.left_out("pages: the extension amcheck is not there, or not for this role");
    }
    let why =
        "what is not whole gets worse with each write, and a backup of it is not whole either";
    findings.add_some("pages", some, why, Command::Restore);
    Ok(())
}

/// Asks `amcheck` of each index, if this role may.
fn amcheck(looking: &mut Looking<'_>, some: &mut Few) -> Result<bool, Error> {
    let may = "SELECT coalesce(bool_or(has_function_privilege(p.oid, 'EXECUTE')), false)
        FROM pg_catalog.pg_proc p WHERE p.proname = 'bt_index_check' AND p.pronargs = 2";
    if looking.read(|tx| tx.first::<bool>(may, &[]))? != Some(true) {
        return Ok(false);
    }
    let all = "SELECT c.relname::text FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_am a ON a.oid = c.relam
        WHERE n.nspname = current_schema() AND a.amname = 'btree' AND i.indisvalid";
    for index in looking.read(|tx| tx.all::<String>(all, &[]))? {
        let check = "SELECT 1 FROM (SELECT bt_index_check($1::text::regclass, true)) checked";
        let checked = looking.read(|tx| tx.first::<i64>(check, &[&index]));
        if let Err(error) = checked {
            some.add(|| format!("the index {index}: {}", super::detail(&error)));
        }
    }
    Ok(true)
}

/// Users who were changed at a time that is yet to come: the clock of this machine is behind what it was.
pub(super) fn clock(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let until = looking.of.now.plus_millis(60_000).millis();
    let sql = format!(
        "SELECT 'user ' || id || ' was changed at ' || updated || ' ms since 1970, which is yet to come'
         FROM experience_users WHERE updated > {until}"
    );
    let mut some = Few::default();
    looking.ask(&sql, &mut some)?;
    let why = "each change of such a user is of that time, and tokens that have ended are good";
    let command =
        "timedatectl set-ntp true; then wait, or change them in a store that was restored";
    findings.add_some("clock", some, why, Command::Run(command.into()));
    Ok(())
}
