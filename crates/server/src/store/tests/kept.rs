//! The stores of earlier versions that are kept in `tests/stores`: how they are read, and how one is made of the rows
//! of a store of today, as far as the earlier version had columns for them.

use super::super::StoreUrl;
use super::super::migrations::MIGRATIONS;
use crate::store::tables::TABLES;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use guestlist_store::migrate;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Names a store in a file of SQLite, of whose rows those that are missing are made.
const FROM: &str = "GUESTLIST_KEEP_STORE";

/// A store that is kept.
pub(super) struct Kept {
    pub(super) version: usize,
    /// What makes it in an empty database of PostgreSQL.
    pub(super) postgres: String,
}

fn path(version: usize, ending: &str) -> PathBuf {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/stores");
    stores.join(format!("{version:04}.{ending}"))
}

pub(super) fn asked_for() -> Option<PathBuf> {
    std::env::var_os(FROM).map(PathBuf::from)
}

/// Whether one of this version is kept.
pub(super) fn is(version: usize) -> bool {
    path(version, "sqlite.gz").exists()
}

/// All of them, the oldest first.
pub(super) fn all() -> impl Iterator<Item = Kept> {
    (1..=MIGRATIONS.len()).filter(|version| is(*version)).map(|version| {
        let plain = fs::read_to_string(path(version, "postgres.sql"));
        let postgres = plain.unwrap_or_else(|_| {
            let mut text = String::new();
            let packed = File::open(path(version, "postgres.sql.gz")).unwrap();
            GzDecoder::new(packed).read_to_string(&mut text).unwrap();
            text
        });
        Kept { version, postgres }
    })
}

/// Unpacks the one in a file of SQLite into `directory`.
pub(super) fn unpack(version: usize, directory: &TempDir) -> PathBuf {
    let to = directory.path().join("g.db");
    let mut packed = GzDecoder::new(File::open(path(version, "sqlite.gz")).unwrap());
    io::copy(&mut packed, &mut File::create(&to).unwrap()).unwrap();
    to
}

/// The columns of `table` but for what SQLite numbers and what is generated; none where there is no such table.
pub(super) fn columns(store: &Connection, table: &str) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_info(?1, 'main') WHERE name <> 'number'";
    let mut statement = store.prepare(sql).unwrap();
    statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn pack(bytes: &[u8], to: &Path) {
    let mut encoder = GzEncoder::new(File::create(to).unwrap(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap();
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            let mut text = String::from("'\\x");
            for byte in bytes {
                write!(text, "{byte:02x}").unwrap();
            }
            text + "'"
        }
    }
}

/// Keeps a store of this `version` on both engines, of the rows of the one at `from`.
pub(super) fn write(version: usize, from: &Path) {
    let directory = TempDir::new().unwrap();
    let to = directory.path().join("g.db");
    migrate(&StoreUrl::Sqlite(to.clone()), &MIGRATIONS[..version]).unwrap();
    let store = Connection::open(&to).unwrap();
    store.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    store.execute("ATTACH ?1 AS today", [from.to_str().unwrap()]).unwrap();

    let mut postgres = format!(
        "-- A store as version {version} of the schema had it, in PostgreSQL: README.md says who is in it.\n"
    );
    // As a server does before the first of them, where it may.
    postgres.push_str(
        "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; EXCEPTION WHEN OTHERS THEN NULL; END $$;\n",
    );
    for migration in &MIGRATIONS[..version] {
        let both = migration.both.replace("TEXT", "TEXT COLLATE \"C\"");
        writeln!(postgres, "{both}\n{}", migration.postgres).unwrap();
    }
    writeln!(postgres, "CREATE TABLE guestlist_store (version BIGINT NOT NULL);").unwrap();
    writeln!(postgres, "INSERT INTO guestlist_store VALUES ({version});").unwrap();

    for table in TABLES {
        let columns = columns(&store, table.name);
        if columns.is_empty() {
            continue;
        }
        let (name, list) = (table.name, columns.join(", "));
        // A migration may have begun to count.
        let empty = format!("DELETE FROM {name};");
        store.execute_batch(&empty).unwrap();
        writeln!(postgres, "{empty}").unwrap();
        // What is in a group comes after it.
        let order = if columns.iter().any(|column| column == "parent_id") {
            "parent_id IS NOT NULL, created, id"
        } else {
            "1, 2"
        };
        let all = format!("SELECT {list} FROM today.{name} ORDER BY {order}");
        store.execute_batch(&format!("INSERT INTO main.{name} ({list}) {all}")).unwrap();
        let mut statement = store.prepare(&all).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns.len()).map(|at| literal(&row.get(at).unwrap()));
            let values: Vec<String> = values.collect();
            writeln!(postgres, "INSERT INTO {name} ({list}) VALUES ({});", values.join(", "))
                .unwrap();
        }
    }
    store.execute_batch("DETACH today; PRAGMA wal_checkpoint(TRUNCATE); VACUUM").unwrap();
    store.close().unwrap();
    pack(&fs::read(&to).unwrap(), &path(version, "sqlite.gz"));
    pack(postgres.as_bytes(), &path(version, "postgres.sql.gz"));
}
