//! Reads on PostgreSQL: by themselves, and those that wait at the same time.

use super::postgres::{Scene, keys};
use super::{Error, Result, Store, Tx, all_single_statement, insert};
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
                let before = all_single_statement::<i64>(tx, count, &[])?;
                inner.block_on(beside.write(|tx| {
                    let key: Option<i64> = tx.first("SELECT count(*) + 1 FROM t", &[])?;
                    insert(tx, key.unwrap_or_default())
                }))?;
                Ok((before, all_single_statement::<i64>(tx, next, &[])?))
            })
        };
        let refused =
            runtime.block_on(store.read(|tx| all_single_statement::<i64>(tx, "SELECT 1 / 0", &[])));
        assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
        (runtime.block_on(read(false)), runtime.block_on(read(true)))
    });
    let (alone, together) = seen.await.unwrap();
    assert_eq!(alone.unwrap(), (vec![0], vec![1]));
    // What was begun by something else goes on.
    assert_eq!(together.unwrap(), (vec![1], vec![1]));
}

/// Whatever is read while the only thread that reads is kept busy; `meanwhile` happens before it
/// goes on.
async fn waiting_together<T: Send + 'static>(
    store: &Store,
    count: i64,
    work: impl Fn(&mut Tx<'_>, i64) -> Result<T> + Clone + Send + 'static,
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
    let all: Vec<_> = (0..count)
        .map(|number| {
            let (store, work) = (store.clone(), work.clone());
            tokio::spawn(async move { store.read(move |tx| work(tx, number)).await })
        })
        .collect();
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

#[tokio::test]
async fn reads_that_wait_together_are_each_answered_by_itself() {
    const DIVIDE: &str = "SELECT 60 / $1";
    let mut scene = Scene::new();
    scene.options.readers = 1;
    let store = scene.direct();
    let prepared = store.read(|tx| all_single_statement::<i64>(tx, DIVIDE, &[&1_i64])).await;
    assert_eq!(prepared.unwrap(), [60]);

    let runs: Arc<[AtomicUsize]> = (0..12).map(|_| AtomicUsize::new(0)).collect();
    let counted = Arc::clone(&runs);
    let work = move |tx: &mut Tx<'_>, number: i64| {
        counted[usize::try_from(number).unwrap()].fetch_add(1, Ordering::SeqCst);
        let alone = all_single_statement::<i64>(tx, DIVIDE, &[&number]);
        match number {
            4 => Ok(vec![alone.is_err().into()]),
            5 => tx.all("SELECT count(*) FROM t WHERE k < $1", &[&number]),
            6 => panic!("as it is meant to"),
            _ => alone,
        }
    };
    let answers = waiting_together(&store, 12, work, || ()).await;
    for (number, answer) in (0..).zip(answers) {
        match (number, answer) {
            (0 | 6, Err(Error::Internal(_))) => {}
            (4 | 5, Ok(rows)) => assert_eq!(rows, [0], "{number}"),
            (_, Ok(rows)) => assert_eq!(rows, [60 / number]),
            (_, refused) => panic!("{number}: {refused:?}"),
        }
    }
    // Once to see what it asks, and once with the answer.
    let runs: Vec<usize> = runs.iter().map(|runs| runs.load(Ordering::SeqCst)).collect();
    assert_eq!((&runs[..4], &runs[7..11]), (&[2; 4][..], &[2; 4][..]), "{runs:?}");
}

#[tokio::test]
async fn one_that_takes_too_long_is_nothing_to_those_that_wait_with_it() {
    const SLEEP: &str = "SELECT 'slept' || pg_sleep($1)::text";
    let mut scene = Scene::new();
    (scene.options.readers, scene.options.read_deadline) = (1, Duration::from_secs(2));
    let store = scene.direct();
    let sleep = |tx: &mut Tx<'_>, time: i64| all_single_statement::<String>(tx, SLEEP, &[&time]);
    store.read(move |tx| sleep(tx, 0)).await.unwrap();
    let work = move |tx: &mut Tx<'_>, number: i64| sleep(tx, if number == 2 { 60 } else { 0 });
    let answers = waiting_together(&store, 5, work, || ()).await;
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
    let work = |tx: &mut Tx<'_>, number: i64| all_single_statement::<i64>(tx, TWICE, &[&number]);
    store.read(move |tx| work(tx, 1)).await.unwrap();
    let answers = waiting_together(&store, 9, work, || scene.proxy.cut()).await;
    for (number, answer) in (0..).zip(answers) {
        assert_eq!(answer.unwrap(), [2 * number]);
    }
}
