//! Writes: kept together, undone apart, refused when they must be.

use super::{Error, Result, Scratch, Store, Tx, hold_writer, insert, later, settle};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

#[tokio::test]
async fn a_write_is_answered_only_after_the_commit_of_its_group() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let first = hold_writer(&store, 1).await;
    let second = later(&store, 2);
    settle().await;
    let (wait, arrived, release) = super::gate();
    let third = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    wait();
                    insert(tx, 3)
                })
                .await
        })
    };
    settle().await;
    first.release.send(()).unwrap();
    tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    settle().await;
    // The first two have run by now, in the transaction that the third holds open.
    assert!(!first.job.is_finished());
    assert!(!second.is_finished());
    assert_eq!(scratch.keys(), [0; 0]);
    release.send(()).unwrap();
    first.job.await.unwrap().unwrap();
    assert_eq!(second.await.unwrap().unwrap(), 1);
    assert_eq!(third.await.unwrap().unwrap(), 1);
    assert_eq!(scratch.keys(), [1, 2, 3]);
}

#[tokio::test]
async fn a_job_that_fails_takes_none_of_its_group_along() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let first = hold_writer(&store, 1).await;
    let fails = |work: fn(&mut Tx<'_>) -> Result<()>| {
        let store = store.clone();
        tokio::spawn(async move { store.write(work).await })
    };
    let second = later(&store, 2);
    let refused = fails(|tx| {
        insert(tx, 30)?;
        Err(Error::Refused)
    });
    let third = later(&store, 3);
    let panics = fails(|tx| {
        insert(tx, 40)?;
        panic!("on purpose")
    });
    let taken = fails(|tx| {
        insert(tx, 50)?;
        insert(tx, 2).map(drop)
    });
    let fourth = later(&store, 4);
    settle().await;
    first.release().await.unwrap();
    for kept in [second, third, fourth] {
        assert_eq!(kept.await.unwrap().unwrap(), 1);
    }
    assert!(matches!(refused.await.unwrap(), Err(Error::Refused)));
    let Err(Error::Internal(panic)) = panics.await.unwrap() else { panic!("not internal") };
    assert!(panic.to_string().contains("on purpose"), "{panic}");
    let Err(Error::Taken(what)) = taken.await.unwrap() else { panic!("not taken") };
    assert_eq!(what, "t.k");
    assert_eq!(scratch.keys(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_lone_job_that_fails_or_panics_is_undone_and_the_next_is_kept() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let failed: Result<()> = store
        .write(|tx| {
            insert(tx, 1)?;
            Err(Error::Refused)
        })
        .await;
    assert!(matches!(failed, Err(Error::Refused)));
    let panicked: Result<()> = store
        .write(|tx| {
            insert(tx, 1)?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(panicked, Err(Error::Internal(_))));
    store.write(|tx| insert(tx, 2)).await.unwrap();
    assert_eq!(scratch.keys(), [2]);
    store.ready().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_keeps_nothing_and_tells_everyone() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let first = hold_writer(&store, 1).await;
    let second = later(&store, 2);
    let dangling = {
        let store = store.clone();
        let work = |tx: &mut Tx<'_>| tx.run("INSERT INTO late (p) VALUES (99)", &[]);
        tokio::spawn(async move { store.write(work).await })
    };
    settle().await;
    assert!(matches!(first.release().await, Err(Error::Internal(_))));
    assert!(matches!(second.await.unwrap(), Err(Error::Internal(_))));
    assert!(matches!(dangling.await.unwrap(), Err(Error::Internal(_))));
    assert_eq!(scratch.keys(), [0; 0]);
    store.write(|tx| insert(tx, 3)).await.unwrap();
    assert_eq!(scratch.keys(), [3]);
}

#[tokio::test]
async fn constraints_are_told_apart() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    let run = |sql: &'static str| store.write(move |tx| tx.run(sql, &[]));
    let Err(Error::Taken(key)) = run("INSERT INTO t VALUES (1, 9)").await else { panic!("key") };
    assert_eq!(key, "t.k");
    let Err(Error::Taken(value)) = run("INSERT INTO t VALUES (2, 1)").await else {
        panic!("value")
    };
    assert_eq!(value, "t.v");
    let returning = "INSERT INTO t VALUES (2, 1) RETURNING k";
    let taken = store.write(move |tx| tx.first::<i64>(returning, &[])).await;
    assert!(matches!(taken, Err(Error::Taken(_))));
    let null = run("INSERT INTO facts (name, value) VALUES ('a', NULL)").await;
    assert!(matches!(null, Err(Error::Internal(_))));
    // Asking for the first row only must not hide it.
    let dangling = "INSERT INTO child VALUES (99) RETURNING p";
    let dangling = store.write(move |tx| tx.first::<i64>(dangling, &[])).await;
    assert!(matches!(dangling, Err(Error::Internal(_))), "{dangling:?}");
    let kind = run("INSERT INTO t VALUES (2, 'two')").await;
    assert!(matches!(kind, Err(Error::Internal(_))));
}

#[tokio::test]
async fn a_write_too_long_is_undone_alone() {
    let mut scratch = Scratch::new();
    scratch.options.write_deadline = Duration::from_secs(1);
    let store = scratch.open();
    let long = |sql: String| {
        let store = store.clone();
        tokio::spawn(async move { store.write(move |tx| tx.all::<i64>(&sql, &[])).await })
    };
    let first = hold_writer(&store, 1).await;
    // One that only looks leaves the transaction as it is; one that writes takes it down, and
    // those before it must run again.
    let looks = long(format!("{ENDLESS} SELECT i FROM n WHERE i < 0"));
    let second = later(&store, 2);
    let writes = long(format!("{ENDLESS} INSERT INTO t SELECT i + 1000, NULL FROM n RETURNING k"));
    let third = later(&store, 3);
    settle().await;
    // The held one runs again too, and is held again.
    first.release.send(()).unwrap();
    first.release.send(()).unwrap();
    first.job.await.unwrap().unwrap();
    for slow in [looks, writes] {
        let Err(Error::Busy { what, .. }) = slow.await.unwrap() else { panic!("not busy") };
        assert_eq!(what, "The query took too long");
    }
    assert_eq!(second.await.unwrap().unwrap(), 1);
    assert_eq!(third.await.unwrap().unwrap(), 1);
    assert_eq!(scratch.keys(), [1, 2, 3]);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_recovers() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let limit = |pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.write(move |tx| tx.first::<i64>(&sql, &[]))
    };
    limit(1).await.unwrap(); // which SQLite takes for "no larger than now"
    let large = "INSERT INTO facts (name, value) VALUES ('large', hex(zeroblob(100000)))";
    let many = "INSERT INTO facts (name, value) WITH RECURSIVE n (i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i, hex(zeroblob(2000)) FROM n";
    // SQLite undoes the whole transaction for the one, and for the other the statement.
    for sql in [large, many] {
        let full = store.write(move |tx| tx.run(sql, &[])).await;
        let Err(Error::Busy { what, .. }) = full else { panic!("{full:?}") };
        assert!(what.starts_with("The store cannot write"), "{what}");
        assert!(store.0.0.refusal().is_some(), "who asks whether it is ready is not told");
    }
    limit(1_000_000).await.unwrap();
    assert_eq!(store.write(move |tx| tx.run(large, &[])).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_the_others_finish() {
    let mut scratch = Scratch::new();
    scratch.options.write_queue = 3;
    let store = scratch.open();
    let held = hold_writer(&store, 1).await;
    let waiting = [later(&store, 2), later(&store, 3), later(&store, 4)];
    settle().await;
    // It would wait for the one that is held.
    let refused = tokio::time::timeout(Duration::from_secs(30), store.write(|tx| insert(tx, 5)));
    let Err(Error::Busy { what, retry_after }) = refused.await.unwrap() else { panic!("kept") };
    assert_eq!((what, retry_after), ("The store is busy", 1));
    held.release().await.unwrap();
    for job in waiting {
        assert_eq!(job.await.unwrap().unwrap(), 1);
    }
    assert_eq!(scratch.keys(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_job_whose_caller_has_gone_never_runs() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let held = hold_writer(&store, 1).await;
    let (left, stayed) = (later(&store, 2), later(&store, 3));
    settle().await;
    left.abort();
    settle().await;
    held.release().await.unwrap();
    stayed.await.unwrap().unwrap();
    assert_eq!(scratch.keys(), [1, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_was_answered_is_read() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut lanes = Vec::new();
    for lane in 0..10 {
        let store = store.clone();
        lanes.push(tokio::spawn(async move {
            for key in (0..100).map(|n| lane * 1000 + n) {
                store.write(move |tx| insert(tx, key)).await.unwrap();
                let sql = "SELECT v FROM t WHERE k = $1";
                let read = store.read(move |tx| tx.first::<i64>(sql, &[&key])).await.unwrap();
                assert_eq!(read, Some(key));
            }
        }));
    }
    for lane in lanes {
        lane.await.unwrap();
    }
    assert_eq!(scratch.keys().len(), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn two_stores_on_one_file_lose_nothing() {
    let scratch = Scratch::new();
    let stores = [scratch.open(), scratch.open()];
    stores[0].write(|tx| insert(tx, 0)).await.unwrap();
    let bumps = |store: Store| async move {
        for _ in 0..200 {
            // Read, then write: lost if both could read the same.
            let bump = |tx: &mut Tx<'_>| {
                let before: Option<i64> = tx.first("SELECT v FROM t WHERE k = 0", &[])?;
                tx.run("UPDATE t SET v = $2 WHERE k = $1", &[&0, &(before.unwrap() + 1)])
            };
            // On a busy machine one may wait for the other longer than it is prepared to.
            while let Err(error) = store.write(bump).await {
                assert!(matches!(error, Error::Busy { .. }), "{error:?}");
            }
        }
    };
    let lanes: Vec<_> = (0..4).map(|n| tokio::spawn(bumps(stores[n % 2].clone()))).collect();
    for lane in lanes {
        lane.await.unwrap();
    }
    let count = stores[1].read(|tx| tx.first::<i64>("SELECT v FROM t WHERE k = 0", &[])).await;
    assert_eq!(count.unwrap(), Some(800));
}

#[tokio::test]
async fn statements_survive_a_change_of_schema_by_another_process() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let all = "SELECT * FROM t WHERE k = $1";
    store.write(|tx| insert(tx, 1)).await.unwrap();
    store.read(move |tx| tx.first::<i64>(all, &[&1])).await.unwrap();
    scratch.beside().execute_batch("ALTER TABLE t ADD COLUMN w INTEGER DEFAULT 7").unwrap();
    let row = store.read(move |tx| tx.first::<(i64, i64, i64)>(all, &[&1])).await.unwrap();
    assert_eq!(row, Some((1, 1, 7)));
    assert_eq!(store.write(|tx| insert(tx, 2)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_database_held_by_another_process_is_busy_for_all_who_wait() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let beside = scratch.beside();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting: Vec<_> = (1..=12).map(|key| later(&store, key)).collect();
    let refusals = async {
        for job in waiting {
            assert!(matches!(job.await.unwrap(), Err(Error::Busy { .. })));
        }
    };
    // One patience of 5 s for all, not one for each, which would be a minute; and another where the
    // table of the search was being told of something.
    tokio::time::timeout(Duration::from_secs(40), refusals).await.unwrap();
    beside.execute_batch("COMMIT").unwrap();
    assert_eq!(store.write(|tx| insert(tx, 40)).await.unwrap(), 1);
    assert_eq!(scratch.keys(), [40]);
}

#[tokio::test]
async fn a_job_that_swallows_the_loss_of_its_transaction_is_not_kept() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let answer: Result<()> = store
        .write(move |tx| {
            counted.fetch_add(1, Ordering::Relaxed);
            insert(tx, 1)?;
            drop(tx.run("INSERT OR ROLLBACK INTO t VALUES (1, 1)", &[]));
            assert!(matches!(insert(tx, 2), Err(Error::Internal(_))));
            Ok(())
        })
        .await;
    assert!(matches!(answer, Err(Error::Busy { .. })), "{answer:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(scratch.keys(), [0; 0]);
}
