//! Reads on PostgreSQL: by themselves, and those that wait at the same time.

use super::postgres::{Scene, keys};
use super::{All, Error, Result, Store, Tx, insert};
use crate::{FromRow, Lookup, Rows, Statement};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

#[tokio::test]
async fn a_read_sees_one_moment_and_writes_nothing() {
    let scene = Scene::new();
    let (store, beside) = (scene.direct(), scene.direct());
    let runtime = tokio::runtime::Handle::current();
    let seen = tokio::task::spawn_blocking(move || {
        let inner = runtime.clone();
        runtime.block_on(store.read(move |tx| {
            let count = "SELECT count(*) FROM t";
            let before = tx.first::<i64>(count, &[])?;
            inner.block_on(beside.write(|tx| insert(tx, 1)))?;
            let after = tx.first::<i64>(count, &[])?;
            let refused = insert(tx, 2);
            assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
            Ok::<_, Error>((before, after)).and_then(|seen| refused.map(|_| seen))
        }))
    });
    assert!(matches!(seen.await.unwrap(), Err(Error::Internal(_))));
    assert_eq!(keys(&scene.direct()).await, [1]);
}

#[tokio::test]
async fn a_read_of_one_statement_ends_with_its_answer() {
    let scene = Scene::new();
    let (store, beside) = (scene.direct(), scene.direct());
    let runtime = tokio::runtime::Handle::current();
    let seen = tokio::task::spawn_blocking(move || {
        let inner = runtime.clone();
        let read = |ahead: bool| {
            let (inner, beside) = (inner.clone(), beside.clone());
            store.read(move |tx| {
                let (count, next) =
                    ("SELECT count(*) FROM t", "SELECT count(*) FROM t WHERE k > 0");
                if ahead {
                    tx.prefetch(next, &[])?;
                }
                let before = tx.find(&All::<i64>::of(count, None))?;
                inner.block_on(beside.write(|tx| {
                    let key: Option<i64> = tx.first("SELECT count(*) + 1 FROM t", &[])?;
                    insert(tx, key.unwrap_or_default())
                }))?;
                Ok((before, tx.find(&All::<i64>::of(next, None))?))
            })
        };
        let refused = runtime.block_on(store.find(All::<i64>::of("SELECT 1 / 0", None)));
        assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
        (runtime.block_on(read(false)), runtime.block_on(read(true)))
    });
    let (alone, together) = seen.await.unwrap();
    assert_eq!(alone.unwrap(), (vec![0], vec![1]));
    // What was begun by something else goes on.
    assert_eq!(together.unwrap(), (vec![1], vec![1]));
}

/// What is read while the only thread that reads is kept busy; `meanwhile` happens before it goes on.
async fn waiting_together<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
    store: &Store,
    count: i64,
    read: impl Fn(Store, i64) -> F,
    meanwhile: impl FnOnce(),
) -> Vec<Result<T>> {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let busy = store.clone();
    let busy = tokio::spawn(async move {
        busy.read(move |_| {
            // An error is what ends it: there is nobody left who could send.
            assert!(held.lock().unwrap().recv().is_err());
            Ok(())
        })
        .await
    });
    let all: Vec<_> = (0..count).map(|number| tokio::spawn(read(store.clone(), number))).collect();
    // One thread runs all tasks, in their order: now each has its job in the queue.
    tokio::task::yield_now().await;
    meanwhile();
    drop(release);
    busy.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for one in all {
        answers.push(one.await.unwrap());
    }
    answers
}

/// Divides 60 by a number, and says which transaction did: when it began, in microseconds.
const DIVIDE: &str = "SELECT 60 / $1, (extract(epoch FROM now()) * 1000000)::bigint";

/// Such a division, and how often its answer was read.
struct Divide(i64, Arc<[AtomicUsize]>);

impl Lookup<Error> for Divide {
    type Found = (i64, i64);

    fn statement(&self) -> Statement {
        assert_ne!(self.0, 9, "as it is meant to");
        Statement::new(DIVIDE, [self.0])
    }

    fn read(&self, rows: Rows<'_>) -> Result<Option<(i64, i64)>> {
        self.1[usize::try_from(self.0).unwrap()].fetch_add(1, Ordering::SeqCst);
        let mut found = None;
        rows.each::<Error>(|row| <(i64, i64)>::from_row(row).map(|one| found = Some(one)))?;
        match self.0 {
            5 => Ok(None),
            6 => panic!("as it is meant to"),
            _ => Ok(found),
        }
    }

    fn otherwise(&self, tx: &mut Tx<'_>) -> Result<(i64, i64)> {
        let found = tx.first("SELECT count(*), $1 FROM t WHERE k < $1", &[&self.0])?;
        found.ok_or(Error::NoRow)
    }
}

/// A store with one thread that reads, which has prepared how to divide.
async fn dividing(scene: &mut Scene) -> Store {
    scene.options.readers = 1;
    let store = scene.direct();
    assert_eq!(store.find(Divide(1, counts())).await.unwrap().0, 60);
    store
}

fn counts() -> Arc<[AtomicUsize]> {
    (0..12).map(|_| AtomicUsize::new(0)).collect()
}

#[tokio::test]
async fn reads_that_wait_together_are_one_transaction() {
    let mut scene = Scene::new();
    let store = dividing(&mut scene).await;
    let divide =
        |store: Store, number: i64| async move { store.find(Divide(number + 1, counts())).await };
    let answers = waiting_together(&store, 4, divide, || ()).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let moment = answers[0].1;
    assert_eq!(answers, [(60, moment), (30, moment), (20, moment), (15, moment)]);
    // One by one they are not.
    let later = store.find(Divide(1, counts())).await.unwrap();
    assert!(later.1 > moment, "{later:?} {moment}");
}

#[tokio::test]
async fn reads_that_wait_together_are_each_answered_by_itself() {
    let mut scene = Scene::new();
    let store = dividing(&mut scene).await;
    let reads = counts();
    let counted = Arc::clone(&reads);
    let divide = move |store: Store, number: i64| {
        // From the end, where one divides by nothing: what comes after it is read again.
        let lookup = Divide(11 - number, Arc::clone(&counted));
        async move { store.find(lookup).await }
    };
    let answers = waiting_together(&store, 12, divide, || ()).await;
    for (number, answer) in (0..12).rev().zip(answers) {
        match (number, answer) {
            (0 | 6 | 9, Err(Error::Internal(_))) => {}
            (5, Ok(found)) => assert_eq!(found, (0, 5)),
            (_, Ok((sixtieth, _))) => assert_eq!(sixtieth, 60 / number),
            (_, refused) => panic!("{number}: {refused:?}"),
        }
    }
    // Of one the rows were not enough, so that it was run once more, by itself.
    let reads: Vec<usize> = reads.iter().map(|reads| reads.load(Ordering::SeqCst)).collect();
    assert_eq!(reads, [1, 1, 1, 1, 1, 2, 1, 1, 1, 0, 1, 1]);
}

#[tokio::test]
async fn one_that_is_refused_is_nothing_to_those_that_wait_with_it() {
    let mut scene = Scene::new();
    let store = dividing(&mut scene).await;
    let divide =
        |store: Store, number: i64| async move { store.find(Divide(number, counts())).await };
    let answers = waiting_together(&store, 4, divide, || ()).await;
    for (number, answer) in (0..).zip(answers) {
        match (number, answer) {
            (0, answer) => assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}"),
            (_, answer) => assert_eq!(answer.unwrap().0, 60 / number),
        }
    }
}

#[tokio::test]
async fn one_that_takes_too_long_is_nothing_to_those_that_wait_with_it() {
    const SLEEP: &str = "SELECT 'slept' || pg_sleep($1)::text";
    let mut scene = Scene::new();
    (scene.options.readers, scene.options.read_deadline) = (1, Duration::from_secs(2));
    let store = scene.direct();
    let sleep = |store: Store, time: i64| async move {
        store.find(All::<String>::of(SLEEP, Some(time))).await
    };
    sleep(store.clone(), 0).await.unwrap();
    let read = move |store, number: i64| sleep(store, if number == 2 { 60 } else { 0 });
    let answers = waiting_together(&store, 5, read, || ()).await;
    for (number, answer) in (0..).zip(answers) {
        match (number, answer) {
            (2, Err(Error::Busy { what: "The query took too long", .. })) => {}
            (_, answer) => assert_eq!(answer.unwrap(), ["slept"], "{number}"),
        }
    }
}

#[tokio::test]
async fn reads_that_wait_together_outlive_their_connection() {
    const TWICE: &str = "SELECT 2 * $1";
    let mut scene = Scene::new();
    scene.options.readers = 1;
    let store = scene.open();
    let twice = |store: Store, number: i64| async move {
        store.find(All::<i64>::of(TWICE, Some(number))).await
    };
    twice(store.clone(), 1).await.unwrap();
    let answers = waiting_together(&store, 9, twice, || scene.proxy.cut()).await;
    for (number, answer) in (0..).zip(answers) {
        assert_eq!(answer.unwrap(), [2 * number]);
    }
}
