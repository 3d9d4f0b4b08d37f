//! Changes that wait at the same time on PostgreSQL: kept together, refused apart.

use super::postgres::Scene;
use super::{Error, Result, Store, Tx, gate, insert};
use crate::{RowChange, RowKey, Scope, Statement};
use guestlist_testbed::Fate;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::timeout;

const LOCK: &str = "SELECT v FROM t WHERE k = $1 FOR UPDATE";
const CHANGE: &str = "UPDATE t SET v = $2 WHERE k = $1";

/// Fewer than go together at most.
const FEW: i64 = 9;

/// What stands for the row with `key`.
fn row(key: i64) -> Scope {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&key.to_be_bytes());
    Scope::Row { key: RowKey { kind: 0, ids: [[1; 12], bytes] }, with: None }
}

/// Locks the row with `key`: its value, of which there is none if there is no row.
fn lock(tx: &mut Tx<'_>, key: i64) -> Result<Option<i64>> {
    tx.prefetch(LOCK, &[&key])?;
    tx.first(LOCK, &[&key])
}

/// A change of the row with `key`, which begins with that.
fn change_of(key: i64) -> RowChange {
    RowChange { scope: row(key), lock: Statement::new(LOCK, [key]), ahead: Vec::new() }
}

fn set(tx: &mut Tx<'_>, key: i64, value: i64) -> Result<()> {
    tx.change_deferred(row(key), CHANGE, &[&key, &value], None)
}

/// Adds 1,000 to the value of the row with `key`, and says what it was.
fn bump(tx: &mut Tx<'_>, key: i64) -> Result<i64> {
    let before = lock(tx, key)?.ok_or(Error::NoRow)?;
    set(tx, key, before + 1000)?;
    Ok(before)
}

/// A store with one connection for writes, and the rows from 0 to `FEW`, which have their key as
/// their value.
async fn filled(scene: &mut Scene, open: fn(&Scene) -> Store) -> Store {
    scene.options.writers = 1;
    let store = open(scene);
    let fill = |tx: &mut Tx<'_>| (0..=FEW).try_for_each(|key| insert(tx, key).map(drop));
    store.write(fill).await.unwrap();
    store
}

/// What becomes of a change of each of `keys` that comes while the only thread that writes is kept
/// busy; `meanwhile` happens before it goes on. Without a key it is just any write.
async fn waiting<T: Send + 'static>(
    store: &Store,
    keys: impl IntoIterator<Item = Option<i64>>,
    work: impl Fn(&mut Tx<'_>, i64) -> Result<T> + Clone + Send + 'static,
    meanwhile: impl FnOnce(),
) -> Vec<Result<T>> {
    let (wait, arrived, release) = gate();
    let wait = Mutex::new(wait);
    let busy = store.clone();
    let busy = tokio::spawn(async move {
        busy.write(move |_| {
            wait.lock().unwrap()();
            // Then it says nothing to the database.
            Err::<(), _>(Error::Refused)
        })
        .await
    });
    tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    let all: Vec<_> = (0..)
        .zip(keys)
        .map(|(number, key)| {
            let (store, work) = (store.clone(), work.clone());
            let work = move |tx: &mut Tx<'_>| work(tx, number);
            tokio::spawn(async move { store.write_row(move || key.map(change_of), work).await })
        })
        .collect();
    // One thread runs all tasks, in their order: now each has its job in the queue.
    tokio::task::yield_now().await;
    meanwhile();
    release.send(()).unwrap();
    assert!(matches!(busy.await.unwrap(), Err(Error::Refused)));
    let mut answers = Vec::new();
    for one in all {
        answers.push(timeout(Duration::from_mins(1), one).await.unwrap().unwrap());
    }
    answers
}

/// Each its own.
fn own() -> impl Iterator<Item = Option<i64>> {
    (0..FEW).map(Some)
}

/// The values of all rows, in the order of their keys.
async fn values(store: &Store) -> Vec<i64> {
    store.read(|tx| tx.all("SELECT v FROM t ORDER BY k", &[])).await.unwrap()
}

/// How many transactions have made the rows that were bumped what they are.
async fn commits(store: &Store) -> i64 {
    let count = "SELECT count(DISTINCT xmin::text) FROM t WHERE v >= 1000";
    store.read(|tx| tx.first(count, &[])).await.unwrap().unwrap()
}

#[tokio::test]
async fn changes_that_wait_together_share_a_commit() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::direct).await;
    let answers = waiting(&store, own(), bump, || ()).await;
    for (key, before) in (0..).zip(answers) {
        assert_eq!(before.unwrap(), key);
    }
    let bumped: Vec<i64> = (1000..1000 + FEW).chain([FEW]).collect();
    assert_eq!(values(&store).await, bumped);
    assert_eq!(commits(&store).await, 1);
}

#[tokio::test]
async fn of_those_that_share_a_commit_each_fails_by_itself() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::direct).await;
    scene.database.run("ALTER TABLE t ADD CHECK (v <> 77)").unwrap();
    // Whether the commit is shared after all: what a job wrote takes the others with it.
    for (fails, shared) in [(0, true), (1, true), (2, true), (3, false), (4, false)] {
        let reset = "UPDATE t SET v = k";
        store.write(move |tx| tx.run(reset, &[])).await.unwrap();
        let work = move |tx: &mut Tx<'_>, key: i64| {
            if key != 4 {
                return bump(tx, key);
            }
            let before = lock(tx, key)?;
            match fails {
                0 => return Err(Error::Refused),
                1 => panic!("as it is meant to"),
                // Waits for what others keep, so that it is no part of it.
                2 => {
                    let conflict = Some("it is there");
                    tx.change_deferred(row(key), CHANGE, &[&key, &FEW], conflict)?;
                }
                3 => set(tx, key, 77)?,
                _ => {
                    set(tx, key, 5000)?;
                    return Err(Error::Refused);
                }
            }
            Ok(before.unwrap_or_default())
        };
        let answers = waiting(&store, own(), work, || ()).await;
        for (key, answer) in (0..).zip(answers) {
            match (key, fails, answer) {
                (4, 0 | 4, Err(Error::Refused))
                | (4, 1 | 3, Err(Error::Internal(_)))
                | (4, 2, Err(Error::AlreadyExists(_))) => {}
                (4, _, answer) => panic!("{fails}: {answer:?}"),
                (_, _, answer) => assert_eq!(answer.unwrap(), key, "{fails}"),
            }
        }
        let bumped = (0..=FEW).map(|key| if [4, FEW].contains(&key) { key } else { key + 1000 });
        assert_eq!(values(&store).await, bumped.collect::<Vec<_>>(), "{fails}");
        assert_eq!(commits(&store).await == 1, shared, "{fails}");
    }
}

#[tokio::test]
async fn changes_of_one_row_follow_each_other() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::direct).await;
    let two = own().map(|key| key.map(|key| key % 2));
    let answers = waiting(&store, two, |tx, number| bump(tx, number % 2), || ()).await;
    let mut seen: Vec<i64> = answers.into_iter().map(Result::unwrap).collect();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 1000, 1001, 2000, 2001, 3000, 3001, 4000]);
    assert_eq!(values(&store).await[..3], [5000, 4001, 2]);
}

#[tokio::test]
async fn what_changes_more_than_it_said_is_no_part_of_it() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::direct).await;
    let work = |tx: &mut Tx<'_>, key: i64| match key {
        4 => {
            let before = lock(tx, 4)?.unwrap_or_default();
            set(tx, 5, 88).map(|()| before)
        }
        _ => bump(tx, key),
    };
    let answers = waiting(&store, own(), work, || ()).await;
    let answers: Vec<i64> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [0, 1, 2, 3, 4, 88, 6, 7, 8]);
    assert_eq!(values(&store).await, [1000, 1001, 1002, 1003, 4, 1088, 1006, 1007, 1008, 9]);
}

#[tokio::test]
async fn what_is_asked_beside_is_answered() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::direct).await;
    let work = |tx: &mut Tx<'_>, number: i64| match number {
        2 => lock(tx, 50).map(|found| found.map_or(-1, |_| -2)),
        3 => insert(tx, 60).map(|_| -3),
        // After it has looked at its row, something else.
        4 => {
            lock(tx, 4)?;
            Ok(tx.first("SELECT count(*) FROM t WHERE k < 4", &[])?.unwrap_or_default())
        }
        // After it has changed it.
        5 => {
            bump(tx, 5)?;
            Ok(tx.first(LOCK, &[&5])?.unwrap_or_default())
        }
        // It only looks.
        6 => lock(tx, 6).map(Option::unwrap_or_default),
        _ => bump(tx, number),
    };
    let keys = (0..FEW).map(|number| match number {
        2 => Some(50),
        3 => None,
        _ => Some(number),
    });
    let answers = waiting(&store, keys, work, || ()).await;
    let answers: Vec<i64> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [0, 1, -1, -3, 4, 1005, 6, 7, 8]);
    assert_eq!(values(&store).await, [1000, 1001, 2, 3, 4, 1005, 6, 1007, 1008, 9, 60]);
}

#[tokio::test]
async fn a_row_that_is_locked_holds_up_nobody_else() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::direct).await;
    let (wait, arrived, release) = gate();
    let wait = Mutex::new(wait);
    let beside = scene.direct();
    let beside = tokio::spawn(async move {
        beside
            .write(move |tx| {
                bump(tx, 3)?;
                tx.first::<i64>(LOCK, &[&3])?;
                wait.lock().unwrap()();
                Ok(())
            })
            .await
    });
    tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    let (done, runs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (finished, counted) = (Arc::clone(&done), Arc::clone(&runs));
    let released = tokio::spawn(async move {
        // All others are kept, while one waits.
        while done.load(Ordering::SeqCst) + 1 < usize::try_from(FEW).unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        release.send(()).unwrap();
    });
    let watched = scene.direct();
    let watching = tokio::spawn(async move {
        let count = "SELECT count(*) FROM t WHERE v >= 1000 AND k <> 3";
        loop {
            let kept = watched.read(|tx| tx.first::<i64>(count, &[])).await.unwrap().unwrap();
            finished.store(usize::try_from(kept).unwrap(), Ordering::SeqCst);
            if kept + 1 == FEW {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let work = move |tx: &mut Tx<'_>, key: i64| {
        counted.fetch_add(usize::from(key == 3), Ordering::SeqCst);
        bump(tx, key)
    };
    let answers = waiting(&store, own(), work, || ()).await;
    watching.await.unwrap();
    released.await.unwrap();
    beside.await.unwrap().unwrap();
    for (key, before) in (0..).zip(answers) {
        assert_eq!(before.unwrap(), if key == 3 { 1003 } else { key });
    }
    assert_eq!(values(&store).await[3], 2003);
    assert_eq!(runs.load(Ordering::SeqCst), 1, "it is run by itself, and not before");
}

#[tokio::test]
async fn of_a_commit_of_which_nobody_knows_all_are_told_so() {
    for (fate, kept) in [(Fate::Unsent, false), (Fate::Unanswered, true)] {
        let mut scene = Scene::new();
        let store = filled(&mut scene, Scene::open).await;
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let work = move |tx: &mut Tx<'_>, key: i64| {
            counted.fetch_add(1, Ordering::SeqCst);
            bump(tx, key)
        };
        let answers = waiting(&store, own(), work, || scene.proxy.doom(fate, 1)).await;
        for answer in answers {
            let words = "The database was lost during a commit";
            let Err(Error::Unknown { what, .. }) = answer else { panic!("{fate:?} {answer:?}") };
            assert_eq!(what, words, "{fate:?}");
        }
        assert_eq!(scene.proxy.doomed(), 1);
        assert_eq!(runs.load(Ordering::SeqCst), usize::try_from(FEW).unwrap(), "{fate:?}");
        let now = values(&scene.direct()).await;
        let count = now.into_iter().filter(|value| *value >= 1000).count();
        assert_eq!(count, if kept { runs.load(Ordering::SeqCst) } else { 0 }, "{fate:?}");
    }
}

#[tokio::test]
async fn changes_that_wait_together_outlive_their_connection() {
    let mut scene = Scene::new();
    let store = filled(&mut scene, Scene::open).await;
    let answers = waiting(&store, own(), bump, || scene.proxy.cut()).await;
    for (key, before) in (0..).zip(answers) {
        assert_eq!(before.unwrap(), key);
    }
}
