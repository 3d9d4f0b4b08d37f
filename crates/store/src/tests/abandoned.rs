//! What nobody waits for any more: it ends, and is undone where it can be.

use super::fair::soon;
use super::postgres::{few, keys, with_table};
use super::{Error, Result, Scratch, Store, Tx, gate, hold_writer, insert, later, settle};
use crate::Options;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Longer than any test lasts.
pub(super) const HOURS: Duration = Duration::from_hours(3);

const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

fn patient() -> Options {
    Options { read_deadline: HOURS, write_deadline: HOURS, ..few() }
}

/// Has `job` begun, which takes something to say that it runs, and nobody wait for it any more.
async fn leave<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
    job: impl FnOnce(Box<dyn Fn() + Send>) -> F,
) {
    let (running, runs) = std::sync::mpsc::channel();
    let job: JoinHandle<_> = tokio::spawn(job(Box::new(move || {
        let _ = running.send(()); // nobody listens when it runs again
    })));
    tokio::task::spawn_blocking(move || runs.recv().unwrap()).await.unwrap();
    // It is in the middle of a statement by now, or about to begin one.
    settle().await;
    job.abort();
    assert!(job.await.is_err(), "it cannot have ended by itself");
}

fn asks(store: &Store, sql: &'static str) -> impl Future<Output = Result<Vec<i64>>> + use<> {
    let store = store.clone();
    async move { store.read(move |tx| tx.all::<i64>(sql, &[])).await }
}

pub(super) async fn leave_read(store: &Store, sql: &'static str) {
    let store = store.clone();
    leave(move |runs| async move {
        let read = store.read(move |tx| {
            runs();
            tx.all::<i64>(sql, &[])
        });
        read.await
    })
    .await;
}

async fn leave_write(store: &Store, sql: &'static str) {
    let store = store.clone();
    leave(move |runs| async move {
        let write = store.write(move |tx| {
            insert(tx, 7)?;
            runs();
            tx.all::<i64>(sql, &[])
        });
        write.await
    })
    .await;
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_is_interrupted() {
    let mut scratch = Scratch::new();
    (scratch.options.readers, scratch.options.read_deadline) = (1, HOURS);
    let store = scratch.open();
    leave_read(
        &store,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT max(i) FROM n",
    )
    .await;
    assert_eq!(soon(asks(&store, "SELECT count(*) FROM t")).await.unwrap(), [0]);
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_is_cancelled_on_postgres() {
    let database = with_table();
    let store = Store::open_at(&database.place(), &patient()).unwrap();
    let session = "SELECT pg_backend_pid()::bigint";
    let before = asks(&store, session).await.unwrap();
    for _ in 0..3 {
        leave_read(&store, "SELECT 1::bigint FROM pg_sleep(10000)").await;
        assert_eq!(soon(asks(&store, session)).await.unwrap(), before, "it is of use as before");
    }
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_undone() {
    let mut scratch = Scratch::new();
    scratch.options.write_deadline = HOURS;
    let store = scratch.open();
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        INSERT INTO t SELECT i + 1000, NULL FROM n RETURNING k";
    leave_write(&store, endless).await;
    assert_eq!(soon(later(&store, 1)).await.unwrap().unwrap(), 1);
    assert_eq!(scratch.keys(), [1]);
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_takes_none_of_its_group_along() {
    let mut scratch = Scratch::new();
    scratch.options.write_deadline = HOURS;
    let store = scratch.open();
    let first = hold_writer(&store, 1).await;
    let second = later(&store, 2);
    settle().await;
    let left = {
        let store = store.clone();
        let endless = format!("{ENDLESS} INSERT INTO t SELECT i + 1000, NULL FROM n RETURNING k");
        let (wait, runs, go) = gate();
        let job = tokio::spawn(async move {
            let write = store.write(move |tx| {
                wait();
                tx.all::<i64>(&endless, &[])
            });
            write.await
        });
        (job, runs, go)
    };
    settle().await;
    let third = later(&store, 3);
    settle().await;
    let (job, runs, go) = left;
    // The held one runs again too, and is held again.
    first.release.send(()).unwrap();
    first.release.send(()).unwrap();
    tokio::task::spawn_blocking(move || runs.recv().unwrap()).await.unwrap();
    go.send(()).unwrap();
    settle().await;
    job.abort();
    soon(first.job).await.unwrap().unwrap();
    assert_eq!(soon(second).await.unwrap().unwrap(), 1);
    assert_eq!(soon(third).await.unwrap().unwrap(), 1);
    assert_eq!(scratch.keys(), [1, 2, 3]);
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_undone_on_postgres() {
    let database = with_table();
    let store = Store::open_at(&database.place(), &patient()).unwrap();
    leave_write(&store, "SELECT 1::bigint FROM pg_sleep(10000)").await;
    // It waits for whoever has inserted the same.
    assert_eq!(soon(later(&store, 7)).await.unwrap().unwrap(), 1);
}

/// A write whose caller leaves between two statements does not get to the second, and one whose caller
/// leaves after the last is there as a whole.
async fn between_statements(store: &Store) {
    for (more, expected) in [(true, vec![]), (false, vec![1])] {
        let (wait, runs, go) = gate();
        let inner = store.clone();
        let job = tokio::spawn(async move {
            let write = inner.write(move |tx: &mut Tx<'_>| {
                insert(tx, 1)?;
                wait();
                if more { insert(tx, 2) } else { Ok(0) }
            });
            write.await
        });
        tokio::task::spawn_blocking(move || runs.recv().unwrap()).await.unwrap();
        job.abort();
        assert!(job.await.is_err());
        go.send(()).unwrap();
        // Behind it, whichever thread it is on.
        soon(store.write(|tx| tx.run("DELETE FROM t WHERE k = 1 AND v = 9", &[]))).await.unwrap();
        let found = async {
            while keys(store).await != expected {
                settle().await;
            }
        };
        soon(found).await;
    }
}

#[tokio::test]
async fn who_leaves_between_two_statements_undoes_both() {
    between_statements(&Scratch::new().open()).await;
}

#[tokio::test]
async fn who_leaves_between_two_statements_undoes_both_on_postgres() {
    let database = with_table();
    let options = Options { writers: 1, ..patient() };
    between_statements(&Store::open_at(&database.place(), &options).unwrap()).await;
}

#[tokio::test]
async fn a_commit_is_not_cancelled() {
    let database = with_table();
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION slow()";
    database.run(slow).unwrap();
    let store = Store::open_at(&database.place(), &patient()).unwrap();
    let inner = store.clone();
    leave(move |runs| async move {
        let write = inner.write(move |tx| {
            let done = insert(tx, 1);
            runs();
            done
        });
        write.await
    })
    .await;
    let refused = soon(store.write(|tx| insert(tx, 1))).await;
    assert!(matches!(refused, Err(Error::Taken(_))), "{refused:?}");
    assert_eq!(keys(&store).await, [1]);
}
