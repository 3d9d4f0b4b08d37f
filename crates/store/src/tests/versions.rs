//! Answers that are kept ready, while several processes write: none is ever out of date, or half
//! of one thing and half of another.

use super::{Result, Scratch, Store};
use crate::{RowKey, Scope, Snapshot};
use proptest::prelude::*;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const USERS: u8 = 6;
/// What all of them belong to, and what has nothing to do with them.
const APPLICATION: RowKey = RowKey { kind: 1, ids: [[1; 12]; 2] };
const TOKEN: RowKey = RowKey { kind: 3, ids: [[2; 12]; 2] };

fn user(key: i64) -> RowKey {
    let mut bytes = [3; 12];
    bytes[4..].copy_from_slice(&key.to_be_bytes());
    RowKey { kind: 0, ids: [[1; 12], bytes] }
}

/// That a row changes, and nothing with it.
fn changes(key: RowKey) -> Scope {
    Scope::Row { key, with: None }
}

/// What a writer says that it changes, when it changes the pair of one user.
#[derive(Debug, Clone, Copy)]
enum Says {
    User,
    Application,
    Everything,
}

/// What everybody together has written and seen.
#[derive(Default)]
struct Record {
    /// The least that a read may see of each user from now on.
    least: [AtomicI64; USERS as usize],
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Record {
    fn of(&self, key: i64) -> &AtomicI64 {
        &self.least[usize::try_from(key).unwrap()]
    }
}

async fn write(store: &Store, key: i64, says: Says) -> i64 {
    let what = match says {
        Says::User => changes(user(key)),
        Says::Application => changes(APPLICATION),
        Says::Everything => Scope::Everything,
    };
    let work = move |tx: &mut super::Tx<'_>| -> Result<i64> {
        tx.change(what, "UPDATE pairs SET a = a + 1 WHERE k = $1", &[&key])?;
        tx.change(what, "UPDATE pairs SET b = b + 1 WHERE k = $1", &[&key])?;
        Ok(tx.first("SELECT a FROM pairs WHERE k = $1", &[&key])?.unwrap())
    };
    store.write(work).await.unwrap()
}

fn write_beside(connection: &Connection, key: i64) -> i64 {
    let sql = "UPDATE pairs SET a = a + 1, b = b + 1 WHERE k = ?1 RETURNING a";
    connection.query_row(sql, [key], |row| row.get(0)).unwrap()
}

type Cache = Mutex<HashMap<i64, (Snapshot, (i64, i64))>>;

/// One read of a user through `cache`.
async fn look(store: &Store, cache: &Cache, record: &Record, key: i64) {
    let least = record.of(key).load(Ordering::SeqCst);
    let kept = cache.lock().unwrap().get(&key).copied();
    let (a, b) = if let Some((_, pair)) = kept.filter(|(snapshot, _)| store.holds(snapshot)) {
        record.hits.fetch_add(1, Ordering::Relaxed);
        pair
    } else {
        record.misses.fetch_add(1, Ordering::Relaxed);
        let snapshot = store.snapshot_of_rows([Some(APPLICATION), Some(user(key)), Some(TOKEN)]);
        let sql = "SELECT a, b FROM pairs WHERE k = $1";
        let pair = store.read(move |tx| tx.first::<(i64, i64)>(sql, &[&key])).await;
        let pair = pair.unwrap().unwrap();
        if let Some(snapshot) = snapshot {
            cache.lock().unwrap().insert(key, (snapshot, pair));
        }
        pair
    };
    assert_eq!(a, b, "half of a change of user {key}");
    assert!(a >= least, "user {key} was {least} already, and is {a} again");
    record.of(key).fetch_max(a, Ordering::SeqCst);
}

/// Two servers and a process of another kind, with all they do taking turns as the machine likes.
async fn play(seed: u64, rounds: u64) -> (u64, u64) {
    let scratch = Scratch::new();
    let first = scratch.open();
    scratch
        .beside()
        .execute_batch("CREATE TABLE pairs (k INTEGER PRIMARY KEY, a INTEGER, b INTEGER) STRICT")
        .unwrap();
    for key in 0..i64::from(USERS) {
        let sql = "INSERT INTO pairs (k, a, b) VALUES (?1, 0, 0)";
        scratch.beside().execute(sql, [key]).unwrap();
    }
    let second = Store::open(&scratch.path(), &scratch.options).unwrap();
    let record = Arc::new(Record::default());
    let mut tasks = Vec::new();
    for (node, store) in [first, second].into_iter().enumerate() {
        let cache = Arc::new(Cache::default());
        for task in 0..4_u64 {
            let (store, cache, record) = (store.clone(), Arc::clone(&cache), Arc::clone(&record));
            let mut random = seed ^ ((node as u64) << 8 | task).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            tasks.push(tokio::spawn(async move {
                for _ in 0..rounds {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let key = i64::try_from((random >> 33) % u64::from(USERS)).unwrap();
                    // One in sixteen writes.
                    let says = match (random >> 50) % 64 {
                        0 | 1 => Says::User,
                        2 => Says::Application,
                        3 => Says::Everything,
                        _ => {
                            look(&store, &cache, &record, key).await;
                            continue;
                        }
                    };
                    let written = write(&store, key, says).await;
                    record.of(key).fetch_max(written, Ordering::SeqCst);
                }
            }));
        }
    }
    let (beside, counted) = (scratch.beside(), Arc::clone(&record));
    tasks.push(tokio::task::spawn_blocking(move || {
        for turn in 0..rounds / 16 {
            let key = i64::try_from(seed.wrapping_add(turn) % u64::from(USERS)).unwrap();
            let written = write_beside(&beside, key);
            counted.of(key).fetch_max(written, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }));
    for task in tasks {
        task.await.unwrap();
    }
    (record.hits.load(Ordering::Relaxed), record.misses.load(Ordering::Relaxed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn no_answer_that_is_kept_is_out_of_date(seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .unwrap();
        let (hits, misses) = runtime.block_on(play(seed, 600));
        prop_assert!(hits > 500 && misses > 100, "{hits} hits, {misses} misses");
    }
}

async fn pairs() -> (Scratch, Store) {
    let scratch = Scratch::new();
    let store = scratch.open();
    scratch
        .beside()
        .execute_batch(
            "CREATE TABLE pairs (k INTEGER PRIMARY KEY, a INTEGER, b INTEGER) STRICT;
             INSERT INTO pairs (k, a, b) VALUES (0, 0, 0), (1, 0, 0);",
        )
        .unwrap();
    write(&store, 1, Says::User).await; // accounts for what was done beside it
    (scratch, store)
}

fn snapshot(store: &Store, key: i64) -> Option<Snapshot> {
    store.snapshot_of_rows([Some(APPLICATION), Some(user(key)), Some(TOKEN)])
}

#[tokio::test]
async fn only_what_changed_is_read_again() {
    let (_scratch, store) = pairs().await;
    let (mine, other) = (snapshot(&store, 0).unwrap(), snapshot(&store, 1).unwrap());
    assert!(store.holds(&mine) && store.holds(&other));
    write(&store, 1, Says::User).await;
    assert!(store.holds(&mine) && !store.holds(&other));
    write(&store, 0, Says::Application).await;
    assert!(!store.holds(&mine));
    let mine = snapshot(&store, 0).unwrap();
    let tokens = |tx: &mut super::Tx<'_>| {
        tx.change(changes(TOKEN), "UPDATE pairs SET a = a WHERE k = 1", &[])
    };
    store.write(tokens).await.unwrap();
    assert!(!store.holds(&mine));
}

#[tokio::test]
async fn a_statement_that_says_nothing_may_have_changed_anything() {
    let (_scratch, store) = pairs().await;
    for sql in ["UPDATE pairs SET a = 9 WHERE k = 1", "UPDATE pairs SET a = 9 WHERE k = 7"] {
        let mine = snapshot(&store, 0).unwrap();
        let touched = store.write(move |tx| tx.run(sql, &[])).await.unwrap();
        assert_eq!(store.holds(&mine), touched == 0, "{sql}");
    }
    let mine = snapshot(&store, 0).unwrap();
    let returning = "UPDATE pairs SET a = 9 WHERE k = 1 RETURNING a";
    store.write(move |tx| tx.first::<i64>(returning, &[])).await.unwrap();
    assert!(!store.holds(&mine));
}

#[tokio::test]
async fn what_another_process_commits_counts() {
    let (scratch, store) = pairs().await;
    let mine = snapshot(&store, 0).unwrap();
    write_beside(&scratch.beside(), 1);
    assert!(!store.holds(&mine));
    // The first to ask finds that out; from then on answers are kept again, though not that one.
    assert!(snapshot(&store, 0).is_none());
    let again = snapshot(&store, 0).unwrap();
    assert!(store.holds(&again) && !store.holds(&mine));
    // What is undone changes nothing.
    let beside = scratch.beside();
    beside.execute_batch("BEGIN IMMEDIATE; UPDATE pairs SET a = 5; ROLLBACK").unwrap();
    assert!(store.holds(&again));
    // Nor does it matter which of the two comes first to be counted.
    write_beside(&beside, 1);
    write(&store, 1, Says::User).await;
    assert!(!store.holds(&again));
    assert!(snapshot(&store, 0).is_some());
}

/// Nor while somebody else finds that out.
#[tokio::test]
async fn what_another_process_has_committed_is_not_taken_for_what_was_before() {
    let (scratch, store) = pairs().await;
    let (beside, done) = (scratch.beside(), Arc::new(AtomicBool::new(false)));
    beside.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let (other, ends) = (store.clone(), Arc::clone(&done));
    let finds_out = std::thread::spawn(move || {
        while !ends.load(Ordering::SeqCst) {
            snapshot(&other, 1);
        }
    });
    let stood = (0..2000).filter(|_| {
        let before = loop {
            if let Some(snapshot) = snapshot(&store, 0) {
                break snapshot;
            }
        };
        write_beside(&beside, 0);
        store.holds(&before)
    });
    let stood = stood.count();
    done.store(true, Ordering::SeqCst);
    finds_out.join().unwrap();
    assert_eq!(stood, 0);
}

#[tokio::test]
async fn nothing_stands_while_it_is_being_changed() {
    let (_scratch, store) = pairs().await;
    let mine = snapshot(&store, 0).unwrap();
    let what = [changes(user(0))];
    let changing = store.0.0.versions.as_ref().unwrap().changing(&what);
    assert!(!store.holds(&mine) && snapshot(&store, 0).is_none());
    assert!(snapshot(&store, 1).is_some());
    drop(changing);
    assert!(!store.holds(&mine) && snapshot(&store, 0).is_some());
}

#[tokio::test]
async fn what_changes_with_a_row_is_read_again_too() {
    let (_scratch, store) = pairs().await;
    let list = RowKey { kind: 2, ids: [[1; 12]; 2] };
    let listed = || store.snapshot_of_rows([Some(list), None, None]).unwrap();
    let before = listed();
    write(&store, 1, Says::User).await;
    assert!(store.holds(&before));
    let what = Scope::Row { key: user(1), with: Some(list) };
    let work =
        move |tx: &mut super::Tx<'_>| tx.change(what, "UPDATE pairs SET a = 9 WHERE k = 1", &[]);
    store.write(work).await.unwrap();
    assert!(!store.holds(&before) && store.holds(&listed()));
}
