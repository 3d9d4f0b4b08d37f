//! Stores of earlier versions, in `tests/stores`, brought up to date.

use super::super::migrations::MIGRATIONS;
use super::super::{Options, Store, StoreUrl};
use super::engines::database;
use super::kept::{self, Kept};
use crate::clock::Clock;
use crate::config::{CliArgs, Config, ServerArgs};
use crate::doctor::Examination;
use crate::moving::{Sums, sums};
use crate::store::tables::TABLES;
use guestlist_store::migrate;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::sync::atomic::AtomicU64;
use tempfile::TempDir;

/// Takes the store of this `version` up one version after another, as one would be that is stopped after each.
fn upgrade(place: &StoreUrl, version: usize) {
    for version in version..=MIGRATIONS.len() {
        migrate(place, &MIGRATIONS[..version]).unwrap();
    }
}

fn held(place: &StoreUrl) -> Sums {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store =
        Store::open_at(place, &Options { readers: 1, writers: 1, ..super::small() }).unwrap();
    runtime.block_on(async {
        let sums = store.read(|tx| sums(tx, &AtomicU64::new(0))).await.unwrap();
        store.close().await;
        sums
    })
}

/// What a doctor has to say of the store itself.
fn findings(place: &StoreUrl) -> Vec<String> {
    /// What the machine of a test may be like, which no store can help.
    const OF_THE_MACHINE: [&str; 4] = ["disk", "file system", "limits", "files"];
    let config = Config::read(&CliArgs::default(), &ServerArgs::default()).unwrap();
    let config = Config { store: place.clone(), ..config };
    let now = Clock::System.now();
    let report = Examination { config, backups: None, quick: false, now }.run(&AtomicU64::new(0));
    let findings = report.unwrap().findings.into_iter();
    // A cluster that lives as long as the tests is not synced.
    let of_it =
        findings.filter(|it| !OF_THE_MACHINE.contains(&it.check) && !it.what.ends_with("is off"));
    of_it.map(|finding| format!("{}: {}", finding.check, finding.what)).collect()
}

/// The rows of a table, in the order of all that is in them.
type Rows = Vec<Vec<Value>>;

/// What is in those columns.
fn rows(store: &Connection, table: &str, columns: &[String]) -> Rows {
    let order: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
    let all = format!("SELECT {} FROM {table} ORDER BY {}", columns.join(", "), order.join(", "));
    let mut statement = store.prepare(&all).unwrap();
    let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|at| row.get(at)).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn all_that_a_version_had_is_there_after_each_later_one() {
    for Kept { version, .. } in kept::all() {
        let directory = TempDir::new().unwrap();
        let path = kept::unpack(version, &directory);
        let store = Connection::open(&path).unwrap();
        let tables = TABLES.iter().map(|table| (table.name, kept::columns(&store, table.name)));
        let tables = tables.filter(|(_, columns)| !columns.is_empty());
        let before: Vec<_> = tables
            .map(|(table, columns)| (rows(&store, table, &columns), table, columns))
            .collect();
        let empty: Vec<_> =
            before.iter().filter(|(rows, ..)| rows.is_empty()).map(|(_, name, _)| name).collect();
        assert!(empty.is_empty() || version == 1, "{version}: nothing is in {empty:?}");
        drop(store);
        upgrade(&StoreUrl::Sqlite(path.clone()), version);
        let store = Connection::open(&path).unwrap();
        for (before, table, columns) in before {
            assert_eq!(rows(&store, table, &columns), before, "{version}: {table}");
        }
        drop(store);
        assert_eq!(findings(&StoreUrl::Sqlite(path)), [""; 0], "{version}");
    }
}

#[test]
fn a_version_becomes_the_same_store_on_both_engines() {
    for Kept { version, postgres } in kept::all() {
        let directory = TempDir::new().unwrap();
        let sqlite = StoreUrl::Sqlite(kept::unpack(version, &directory));
        upgrade(&sqlite, version);
        let database = database();
        database.run(&postgres).unwrap();
        upgrade(&database.place(), version);
        let held_by_sqlite = held(&sqlite);
        assert_eq!(held_by_sqlite, held(&database.place()), "{version}");
        assert!(held_by_sqlite.rows() > 20, "{held_by_sqlite:?}");
        assert_eq!(findings(&database.place()), [""; 0], "{version}");
    }
}

#[test]
fn a_store_is_kept_of_every_version() {
    let missing: Vec<usize> =
        (1..=MIGRATIONS.len()).filter(|version| !kept::is(*version)).collect();
    if let Some(from) = kept::asked_for() {
        for version in missing {
            kept::write(version, &from);
        }
        return;
    }
    // The one that is worked on may still change.
    let earlier: Vec<_> = missing.iter().filter(|version| **version < MIGRATIONS.len()).collect();
    assert!(earlier.is_empty(), "`cargo xtask keep-store` keeps those of {earlier:?}");
}
