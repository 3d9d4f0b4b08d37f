//! Which file is meant, and what is said of one that is of no use.

use super::{MIGRATIONS, Store, settings};
use crate::sqlite::{files, migrate};
use crate::{OpenError, Options, StoreUrl};
use rusqlite::ffi;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[test]
fn a_store_is_a_path_or_one_of_the_known_kinds() {
    let path = |text: &str| match StoreUrl::parse(text) {
        Ok(StoreUrl::Sqlite(path)) => path.display().to_string(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(path("a.db"), "a.db");
    assert_eq!(path("/var/lib/a:b.db"), "/var/lib/a:b.db");
    assert_eq!(path("./mysql:a"), "./mysql:a");
    assert_eq!(path("data/a:b"), "data/a:b");
    assert_eq!(path("1:b"), "1:b");
    assert_eq!(path("sqlite:file:x"), "file:x");
    assert_eq!(path("SQLite:a.db"), "a.db");
    assert_eq!(path("sqlite:///a.db"), "///a.db");
    for text in ["postgres://a@h/d", "POSTGRES://a@h/d", "PostgreSQL://a@h/d"] {
        assert_eq!(StoreUrl::parse(text).unwrap().to_string(), "postgres://a@h:5432/d");
    }
    for (text, kind) in [
        ("mysql://a@h/d", "mysql"),
        ("pg://a@h/d", "pg"),
        ("file:a.db", "file"),
        ("https://h/d", "https"),
        ("postgres+ssl://a@h/d", "postgres+ssl"),
        (r"C:\guests\a.db", "C"),
        ("a.db:1", "a.db"),
    ] {
        let words = StoreUrl::parse(text).unwrap_err();
        assert!(words.contains(&format!("the kind {kind:?}: give sqlite:PATH")), "{words}");
        assert!(words.contains("begins with ./"), "{words}");
    }
    for text in ["", "sqlite:", ":memory:", "sqlite::memory:", "sqlite://a.db", "postgres:a"] {
        assert!(StoreUrl::parse(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_link_is_followed_before_anything_is_named() {
    let scratch = TempDir::new().unwrap();
    let at = |name: &str| scratch.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::create_dir(at("links")).unwrap();
    symlink("../real/g.db", at("links/one.db")).unwrap();
    symlink(at("links/one.db"), at("links/two.db")).unwrap();
    symlink(at("links"), at("more")).unwrap();
    let mut opened = 0;
    // The file that the links lead to is not there at first.
    for name in ["links/one.db", "links/two.db", "more/two.db", "real/g.db"] {
        let store = Store::open(&at(name), &Options::default()).unwrap();
        store.write(move |tx| settings::put(tx, name, b"x")).await.unwrap();
        opened += 1;
        let count = "SELECT count(*) FROM settings WHERE name LIKE '%.db'";
        let kept = store.read(move |tx| tx.first::<i64>(count, &[])).await.unwrap();
        assert_eq!(kept, Some(opened), "{name}");
        let names = |directory: &str| {
            let all = fs::read_dir(at(directory)).unwrap();
            let mut all: Vec<_> = all.map(|entry| entry.unwrap().file_name()).collect();
            all.sort();
            all
        };
        assert_eq!(names("real"), ["g.db", "g.db-shm", "g.db-wal"], "{name}");
        assert_eq!(names("links"), ["one.db", "two.db"], "{name}");
        store.close().await;
    }
    symlink(at("loop.db"), at("loop.db")).unwrap();
    let error = Store::open(&at("loop.db"), &Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

fn prepare(path: &Path) -> Result<PathBuf, OpenError> {
    migrate::prepare(path, MIGRATIONS, super::OPENING)
}

#[test]
fn a_store_that_was_cut_short_is_damaged() {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("g.db");
    prepare(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in [10, 50, 100, 1000, 8192, whole.len() - 4096] {
        let cut = scratch.path().join("cut.db");
        fs::write(&cut, &whole[..length]).unwrap();
        let error = prepare(&cut).unwrap_err();
        assert!(matches!(error, OpenError::Damaged(_)), "{length}: {error:?}");
        assert!(error.to_string().ends_with("is damaged, or was cut short: restore a backup"));
        assert_eq!(fs::read(&cut).unwrap(), &whole[..length]);
    }
    let letter = scratch.path().join("letter");
    fs::write(&letter, "Dear Sir or Madam").unwrap();
    assert!(matches!(prepare(&letter).unwrap_err(), OpenError::NotADatabase(_)));
}

#[test]
fn what_sqlite_says_is_said_once() {
    let said = |code, words: Option<&str>| {
        let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), words.map(Into::into));
        // As the program prints it, with all the causes there are.
        format!("{:#}", anyhow::Error::from(files::unusable(Path::new("/g.db"), &failure)))
    };
    assert_eq!(
        said(ffi::SQLITE_CANTOPEN, Some("unable to open database file")),
        "/g.db cannot be used: unable to open database file"
    );
    let once = said(ffi::SQLITE_PROTOCOL, None);
    assert_eq!(once.to_lowercase().matches("lock").count(), 1, "{once}");
    let full = "there is no room left where /g.db is: make room, and try again";
    assert_eq!(said(ffi::SQLITE_FULL, Some("database or disk is full")), full);
}
