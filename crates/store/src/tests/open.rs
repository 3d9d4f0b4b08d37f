//! Opening: new files, old ones, newer ones, and what is not ours.

use super::{MIGRATIONS, OPENING, Scratch, Store, Tx, insert};
use crate::sqlite::{Bounds, Durability, Role, Session, connect, migrate};
use crate::{Migration, OpenError, Options};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const ONE: &str = "CREATE TABLE a (\n    n BIGINT NOT NULL PRIMARY KEY,\n    b BYTEA\n);\n";
const TWO: &str =
    "CREATE TABLE c (\n    n BIGINT REFERENCES a (n)\n);\nINSERT INTO c SELECT n FROM a;";

fn prepare(path: &Path, migrations: &[&str]) -> Result<PathBuf, OpenError> {
    let all = migrations.iter().map(|both| Migration { both, sqlite: "", postgres: "" });
    prepare_all(path, &all.collect::<Vec<_>>())
}

fn prepare_all(path: &Path, migrations: &[Migration<'_>]) -> Result<PathBuf, OpenError> {
    migrate::prepare(path, migrations, OPENING)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn version(path: &Path) -> i64 {
    number(path, "PRAGMA user_version")
}

#[tokio::test]
async fn a_new_database_is_its_owners_alone() {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("one/two/guestlist.db");
    let store = Store::open(&path, &Options::default()).unwrap();
    store.write(|tx| tx.run("CREATE TABLE t (k INTEGER)", &[])).await.unwrap();
    for ending in ["db", "db-wal", "db-shm"] {
        assert_eq!(mode(&path.with_extension(ending)), 0o600, "{ending}");
    }
    assert_eq!(mode(&scratch.path().join("one")), 0o700);
    assert_eq!(mode(&scratch.path().join("one/two")), 0o700);
    assert_eq!(version(&path), i64::try_from(MIGRATIONS.len()).unwrap());
}

#[tokio::test]
async fn connections_are_set_as_promised() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let common = [("foreign_keys", 1), ("trusted_schema", 0), ("busy_timeout", 5000)];
    let write = [("synchronous", 2), ("fullfsync", 1), ("wal_autocheckpoint", 0)];
    for (name, value) in common.into_iter().chain([("query_only", 1)]) {
        let sql = format!("PRAGMA {name}");
        let set = store.read(move |tx| tx.first::<i64>(&sql, &[])).await.unwrap();
        assert_eq!(set, Some(value), "{name}");
    }
    for (name, value) in common.into_iter().chain(write) {
        let sql = format!("PRAGMA {name}");
        let set = store.write(move |tx| tx.first::<i64>(&sql, &[])).await.unwrap();
        assert_eq!(set, Some(value), "{name}");
    }
    let mode = store.write(|tx| tx.first::<String>("PRAGMA journal_mode", &[])).await.unwrap();
    assert_eq!(mode.as_deref(), Some("wal"));
    let like = store.read(|tx| tx.first::<i64>("SELECT 'A' LIKE 'a'", &[])).await.unwrap();
    assert_eq!(like, Some(0));
}

#[test]
fn migrations_run_once_each_from_wherever_the_file_is() {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("g.db");
    prepare(&path, &[ONE]).unwrap();
    assert_eq!(version(&path), 1);
    Connection::open(&path).unwrap().execute_batch("INSERT INTO a VALUES (7, x'00')").unwrap();
    prepare(&path, &[ONE, TWO]).unwrap();
    prepare(&path, &[ONE, TWO]).unwrap();
    assert_eq!(version(&path), 2);
    assert_eq!(number(&path, "SELECT count(*) FROM c WHERE n = 7"), 1);
    let text = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%INTEGER%) STRICT'";
    assert_eq!(number(&path, text), 2);

    let Err(error) = prepare(&path, &[ONE]) else { panic!("opened") };
    let message = error.to_string();
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }));
    assert!(message.contains("g.db has version 2"), "{message}");
    assert!(message.ends_with("upgrade Guestlist or restore a backup"), "{message}");
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("g.db");
    let broken = "CREATE TABLE d (\n    n BIGINT\n);\nnonsense;";
    let error = prepare(&path, &[ONE, broken]);
    assert!(matches!(error, Err(OpenError::Migration { version: 2, .. })), "{error:?}");
    let dangling = format!("{TWO}\nINSERT INTO c VALUES (99);");
    let error = prepare(&path, &[ONE, &dangling]);
    assert!(matches!(error, Err(OpenError::Dangling { version: 2, .. })), "{error:?}");
    assert_eq!(version(&path), 1);
    assert_eq!(number(&path, "SELECT count(*) FROM sqlite_schema WHERE name IN ('c', 'd')"), 0);
}

#[test]
fn a_table_is_remade_without_losing_what_refers_to_it() {
    const REMAKE: &str = "CREATE TABLE a2 (\n    n BIGINT PRIMARY KEY\n);\n
        INSERT INTO a2 SELECT n FROM a; DROP TABLE a; ALTER TABLE a2 RENAME TO a;";
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("g.db");
    let two = TWO.replace("(n)", "(n) ON DELETE CASCADE");
    prepare(&path, &[ONE, &two, "INSERT INTO a VALUES (1, NULL); INSERT INTO c VALUES (1);"])
        .unwrap();
    prepare(&path, &["", "", "", REMAKE]).unwrap();
    assert_eq!(number(&path, "SELECT count(*) FROM c"), 1);
}

#[test]
fn many_may_start_at_once() {
    for _ in 0..10 {
        let scratch = TempDir::new().unwrap();
        let path = scratch.path().join("deep/g.db");
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| prepare(&path, &[ONE, TWO]).map(drop))).collect();
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
        assert_eq!(version(&path), 2);
    }
}

#[test]
fn what_is_not_ours_is_refused_and_untouched() {
    let scratch = TempDir::new().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let refused = |name: &str| prepare(&at(name), &[ONE]).unwrap_err();

    Connection::open(at("foreign")).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    Connection::open(at("marked")).unwrap().execute_batch("PRAGMA application_id = 5").unwrap();
    Connection::open(at("numbered")).unwrap().execute_batch("PRAGMA user_version = 1").unwrap();
    for name in ["foreign", "marked", "numbered"] {
        let before = fs::read(at(name)).unwrap();
        let error = refused(name);
        assert!(matches!(error, OpenError::Foreign(_)), "{name}: {error:?}");
        assert_eq!(fs::read(at(name)).unwrap(), before, "{name}");
        assert!(!at(&format!("{name}-wal")).exists());
    }

    fs::write(at("letter"), "Dear Sir or Madam, ".repeat(500)).unwrap();
    assert!(matches!(refused("letter"), OpenError::NotADatabase(_)));
    fs::create_dir(at("directory")).unwrap();
    assert!(matches!(refused("directory"), OpenError::Directory(_)));
    let error = refused("letter/g.db");
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
    assert!(error.to_string().contains("letter"), "{error}");
    let error = prepare(Path::new("/proc/guestlist.db"), &[ONE]).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

#[test]
fn opening_waits_for_another_that_makes_the_file() {
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let scratch = TempDir::new().unwrap();
        let path = scratch.path().join("g.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch(lock).unwrap();
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| prepare(&path, &[ONE]));
            std::thread::sleep(Duration::from_millis(300));
            assert!(!opening.is_finished(), "{lock}");
            other.execute_batch("COMMIT").unwrap();
            opening.join().unwrap().unwrap();
        });
    }
}

#[tokio::test]
async fn a_name_that_looks_like_a_uri_is_a_name() {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("file:g.db?mode=memory");
    let store = Store::open(&path, &Options::default()).unwrap();
    store.ready().await.unwrap();
    assert!(path.exists());
    // Where it is relative, it is the whole of it that SQLite gets to see.
    let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
    let relative = Path::new(&up).join(path.strip_prefix("/").unwrap());
    assert!(prepare_all(&relative, MIGRATIONS).unwrap().is_absolute());
}

#[tokio::test]
async fn a_database_opens_while_another_process_writes() {
    let scratch = Scratch::new();
    let first = scratch.open();
    first.write(|tx| insert(tx, 1)).await.unwrap();
    let beside = scratch.beside();
    beside.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2, 2)").unwrap();
    let started = std::time::Instant::now();
    let second = Store::open(&scratch.path(), &scratch.options).unwrap();
    // It would wait for five seconds.
    assert!(started.elapsed().as_secs() < 4);
    let count = second.read(|tx| tx.first::<i64>("SELECT count(*) FROM t", &[])).await;
    assert_eq!(count.unwrap(), Some(1));
    beside.execute_batch("COMMIT").unwrap();
    assert_eq!(scratch.keys(), [1, 2]);
}

#[tokio::test]
async fn statements_are_compiled_once() {
    let scratch = Scratch::new();
    scratch.open().close().await;
    let connection = connect(&scratch.path(), Role::Read, Durability::Synced).unwrap();
    let mut session = Session::new(connection, Role::Read, &scratch.options).unwrap();
    session.command("BEGIN").unwrap();
    for key in ["a", "b", "c"] {
        let (found, _) = session.within(Bounds::time(Duration::from_mins(1)), |session| {
            let mut tx: Tx<'_> = Tx::new(session);
            tx.all::<String>(
                "SELECT s.name FROM facts f JOIN settings s ON s.name = f.value
                 WHERE f.name = $1 AND f.value = $1",
                &[&key],
            )?;
            let limit = i64::from(key.as_bytes()[0]);
            tx.all::<String>("SELECT name FROM settings ORDER BY name LIMIT $1", &[&limit])
        });
        assert_eq!(found.unwrap(), Vec::<String>::new());
    }
    assert_eq!(session.compiled_again, 0);
}
