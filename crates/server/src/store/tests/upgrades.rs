//! Stores of earlier versions, in `tests/stores`, brought up to date.

use super::super::migrations::MIGRATIONS;
use super::super::{Options, Store, StoreUrl};
use super::engines::database;
use crate::moving::{Sums, sums};
use flate2::read::GzDecoder;
use guestlist_store::migrate;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use tempfile::TempDir;

/// The first version of the schema.
const FIRST: usize = 1;

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/stores").join(name)
}

/// Takes the store up one version after another, as one would be that is stopped after each.
fn upgrade(place: &StoreUrl) {
    for version in FIRST..=MIGRATIONS.len() {
        migrate(place, &MIGRATIONS[..version]).unwrap();
    }
}

/// Unpacks the first store into `directory`.
fn unpack(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("g.db");
    let mut packed = GzDecoder::new(File::open(kept("0001.sqlite.gz")).unwrap());
    io::copy(&mut packed, &mut File::create(&path).unwrap()).unwrap();
    path
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

/// The columns of a table.
type Columns = Vec<String>;
/// Its rows, in the order of all that is in them.
type Rows = Vec<Vec<Value>>;

/// The tables of the store at `path`, each with its columns.
fn tables(path: &Path) -> BTreeMap<String, Columns> {
    let store = Connection::open(path).unwrap();
    let all = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' ORDER BY 1, c.cid";
    let mut statement = store.prepare(all).unwrap();
    let mut tables = BTreeMap::<_, Columns>::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        tables.entry(row.get(0).unwrap()).or_default().push(row.get(1).unwrap());
    }
    tables
}

/// What is in those columns.
fn rows(path: &Path, table: &str, columns: &Columns) -> Rows {
    let store = Connection::open(path).unwrap();
    let order: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
    let all = format!("SELECT {} FROM {table} ORDER BY {}", columns.join(", "), order.join(", "));
    let mut statement = store.prepare(&all).unwrap();
    let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|at| row.get(at)).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn all_that_the_first_version_had_is_there_after_each_later_one() {
    let directory = TempDir::new().unwrap();
    let path = unpack(&directory);
    let before: Vec<_> = tables(&path)
        .into_iter()
        .map(|(table, columns)| (rows(&path, &table, &columns), table, columns))
        .collect();
    assert!(before.iter().filter(|(rows, ..)| !rows.is_empty()).count() >= 7, "it is not empty");
    upgrade(&StoreUrl::Sqlite(path.clone()));
    for (before, table, columns) in before {
        assert_eq!(rows(&path, &table, &columns), before, "{table}");
    }
}

#[test]
fn the_first_version_becomes_the_same_store_on_both_engines() {
    let directory = TempDir::new().unwrap();
    let sqlite = StoreUrl::Sqlite(unpack(&directory));
    upgrade(&sqlite);
    let database = database();
    database.run(&fs::read_to_string(kept("0001.postgres.sql")).unwrap()).unwrap();
    upgrade(&database.place());
    let held_by_sqlite = held(&sqlite);
    assert_eq!(held_by_sqlite, held(&database.place()));
    assert!(held_by_sqlite.rows() > 20, "{held_by_sqlite:?}");
}
