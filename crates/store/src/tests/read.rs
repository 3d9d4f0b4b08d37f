//! Reads; parameters and rows; the end of a store.

use super::{
    Error, Result, Scratch, Store, Writes, hold_reader, hold_writer, insert, later, settle,
};
use crate::flow::Lane;
use crate::job::{Caller, FULL, Job, Outcome};
use crate::sqlite::spell;
use crate::{Engine, Flow, FromRow, Row};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

const COUNT: &str = "SELECT count(*) FROM t";

/// A deadline that is passed soon, and not by reads that are quick, however busy the machine is.
const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_slow_read_is_interrupted() {
    let mut scratch = Scratch::new();
    scratch.options.read_deadline = SHORT;
    scratch.options.readers = 1;
    scratch.options.steps_per_second = u64::MAX; // so that only time ends it
    let store = scratch.open();
    let endless =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let slow = store.read(move |tx| tx.all::<i64>(endless, &[]));
    let slow = tokio::time::timeout(Duration::from_secs(30), slow).await.unwrap();
    let Err(Error::Busy { what, .. }) = slow else { panic!("not busy") };
    assert_eq!(what, "The query took too long");
    // However short the statement that comes too late is.
    let late = store.read(|tx| {
        std::thread::sleep(SHORT + Duration::from_millis(50));
        tx.first::<i64>("SELECT 1", &[])
    });
    assert!(matches!(late.await, Err(Error::Busy { what: "The query took too long", .. })));
    assert_eq!(store.read(|tx| tx.first::<i64>(COUNT, &[])).await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_read_sees_one_moment() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let (wait, arrived, release) = super::gate();
    let read = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .read(move |tx| {
                    let before = tx.first::<i64>(COUNT, &[])?;
                    wait();
                    Ok((before, tx.first::<i64>(COUNT, &[])?))
                })
                .await
        })
    };
    tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    release.send(()).unwrap();
    assert_eq!(read.await.unwrap().unwrap(), (Some(0), Some(0)));
    assert_eq!(store.read(|tx| tx.first::<i64>(COUNT, &[])).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_read_cannot_write() {
    let scratch = Scratch::new();
    let store = scratch.open();
    assert!(matches!(store.read(|tx| insert(tx, 1)).await, Err(Error::Internal(_))));
    assert_eq!(scratch.keys(), [0; 0]);
}

#[tokio::test]
async fn panics_do_not_wear_readers_out() {
    let mut scratch = Scratch::new();
    scratch.options.readers = 2;
    let store = scratch.open();
    for _ in 0..5 {
        let panicked: Result<()> = store.read(|_| panic!("on purpose")).await;
        assert!(matches!(panicked, Err(Error::Internal(_))));
    }
    assert_eq!(store.read(|tx| tx.first::<i64>(COUNT, &[])).await.unwrap(), Some(0));
    store.ready().await.unwrap();
}

#[tokio::test]
async fn too_many_reads_are_refused() {
    let mut scratch = Scratch::new();
    (scratch.options.readers, scratch.options.read_queue) = (1, 1);
    let store = scratch.open();
    let held = hold_reader(&store).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.read(|tx| tx.first::<i64>(COUNT, &[])).await })
    };
    settle().await;
    let refused = store.read(|tx| tx.first::<i64>(COUNT, &[])).await;
    assert!(matches!(refused, Err(Error::Busy { what: "The store is busy", retry_after: 1 })));
    held.release().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Some(0));
}

/// Which thread a look-up runs on.
async fn where_it_is_looked_up(store: &Store) -> ThreadId {
    store.look_up(|_| Ok(std::thread::current().id())).await.unwrap()
}

#[tokio::test]
async fn what_is_short_is_read_by_who_asks_if_a_connection_is_idle() {
    let mut scratch = Scratch::new();
    scratch.options.readers = 1;
    let store = scratch.open();
    let own = std::thread::current().id();
    assert_eq!(where_it_is_looked_up(&store).await, own);
    let held = hold_reader(&store).await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { where_it_is_looked_up(&store).await })
    };
    settle().await;
    held.release().await.unwrap();
    assert_ne!(waiting.await.unwrap(), own);
}

#[tokio::test]
async fn what_is_short_is_read_as_everything_is() {
    let mut scratch = Scratch::new();
    (scratch.options.readers, scratch.options.read_deadline) = (1, SHORT);
    let store = scratch.open();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    let count = || store.look_up(|tx| tx.first::<i64>(COUNT, &[]));
    assert_eq!(count().await.unwrap(), Some(1));
    assert!(matches!(store.look_up(|tx| insert(tx, 2)).await, Err(Error::Internal(_))));
    let panicked: Result<()> = store.look_up(|_| panic!("on purpose")).await;
    assert!(matches!(panicked, Err(Error::Internal(_))));
    let late = store.look_up(|tx| {
        std::thread::sleep(SHORT + Duration::from_millis(50));
        tx.first::<i64>("SELECT 1", &[])
    });
    assert!(matches!(late.await, Err(Error::Busy { what: "The query took too long", .. })));
    store.write(|tx| insert(tx, 3)).await.unwrap();
    assert_eq!(count().await.unwrap(), Some(2));
    store.clone().close().await;
    assert!(matches!(count().await, Err(Error::Busy { what: "The store is closing", .. })));
    // Nobody has the file open any more: the log is gone with the last connection.
    assert!(!scratch.path().with_extension("db-wal").exists());
}

#[tokio::test]
async fn parameters_come_in_any_order_and_more_than_once() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let row = store
        .read(|tx| {
            let sql = "SELECT $2 || $1, $3 + $3, '$1 FOR UPDATE', $1 /* it is */ -- isn't $9
                ORDER BY 1 FOR UPDATE";
            tx.first::<(String, i64, String, String)>(sql, &[&"a", &"b", &21])
        })
        .await;
    let row = row.unwrap().unwrap();
    assert_eq!(row, ("ba".into(), 42, "$1 FOR UPDATE".into(), "a".into()));
    let tenth = store
        .read(|tx| {
            let sql = "SELECT $10, $1, $2, $3, $4, $5, $6, $7, $8, $9";
            tx.first::<(i64, i64)>(sql, &[&1, &2, &3, &4, &5, &6, &7, &8, &9, &10])
        })
        .await;
    assert_eq!(tenth.unwrap(), Some((10, 1)));
    let few = store.read(|tx| tx.first::<i64>("SELECT $1 + $2", &[&1])).await;
    assert!(matches!(few, Err(Error::Internal(_))));
}

#[test]
fn only_what_must_be_is_spelled() {
    for (written, spelled) in [
        ("SELECT $1, $12 FROM a WHERE b = $1", "SELECT ?1, ?12 FROM a WHERE b = ?1"),
        ("SELECT '$1 it''s $2' || $3", "SELECT '$1 it''s $2' || ?3"),
        (r#"SELECT "a $1" - $1"#, r#"SELECT "a $1" - ?1"#),
        ("SELECT b -> '$.c' -- don't $1\n, $2", "SELECT b -> '$.c' -- don't $1\n, ?2"),
        ("SELECT a FROM b\n    FOR UPDATE", "SELECT a FROM b"),
        ("SELECT a FROM b FOR UPDATE LIMIT $1", "SELECT a FROM b LIMIT ?1"),
        ("(SELECT a FROM b FOR UPDATE SKIP LOCKED)", "(SELECT a FROM b)"),
        ("SELECT a FROM b FOR NO KEY UPDATE", "SELECT a FROM b"),
        ("SELECT a FROM b FOR KEY SHARE", "SELECT a FROM b"),
        ("SELECT ' FOR UPDATE', F FROM é", "SELECT ' FOR UPDATE', F FROM é"),
        ("UPDATE a SET b = '", "UPDATE a SET b = '"),
        ("SELECT 'x' '", "SELECT 'x' '"),
    ] {
        assert_eq!(spell(written), spelled);
    }
}

#[derive(Debug, PartialEq)]
struct Fact {
    name: String,
    value: Option<String>,
}

impl FromRow<Error> for Fact {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self { name: row.get("name")?, value: row.get_at(1)? })
    }
}

#[tokio::test]
async fn rows_are_read_by_name_and_by_place() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let written = store.write(|tx| {
        let sql = "INSERT INTO facts (name, value) VALUES ('a', 'b'), ('c', 'd') RETURNING *";
        // The rest of the rows must be written although only the first is asked for.
        let first: Option<Fact> = tx.first(sql, &[])?;
        let touched = tx.run("UPDATE facts SET value = $1 WHERE name <> $2", &[&"e", &"a"])?;
        Ok((first, touched))
    });
    let fact = |name: &str, value: &str| Fact { name: name.into(), value: Some(value.into()) };
    assert_eq!(written.await.unwrap(), (Some(fact("a", "b")), 1));
    let all = "SELECT name, value FROM facts ORDER BY name";
    let facts = store.read(move |tx| tx.all::<Fact>(all, &[])).await.unwrap();
    assert_eq!(facts, [fact("a", "b"), fact("c", "e")]);
    let wrong = store.read(move |tx| tx.all::<i64>(all, &[])).await;
    assert!(matches!(wrong, Err(Error::Internal(_))));
    let none = "SELECT value AS other FROM facts";
    let missing = store.read(move |tx| tx.first::<Fact>(none, &[])).await;
    assert!(matches!(missing, Err(Error::Internal(_))));
}

#[tokio::test]
async fn more_statements_than_are_kept_still_run() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let sum = store.read(|tx| {
        let mut sum = 0;
        for n in (0..1000).chain(0..1000) {
            sum += tx.first::<i64>(&format!("SELECT {n}"), &[])?.unwrap_or(0);
            sum += tx.first::<i64>("SELECT $1", &[&1])?.unwrap_or(0);
        }
        Ok(sum)
    });
    assert_eq!(sum.await.unwrap(), 999 * 1000 + 2000);
}

#[tokio::test]
async fn close_finishes_what_waits_and_empties_the_log() {
    let scratch = Scratch::new();
    let store = scratch.open();
    // Another process keeps SQLite from removing the log when the last of ours closes.
    let beside = scratch.beside();
    beside.execute_batch("SELECT k FROM t").unwrap();
    let held = hold_writer(&store, 1).await;
    let waiting = [later(&store, 2), later(&store, 3)];
    settle().await;
    let (other, closing) = (store.clone(), tokio::spawn(store.close()));
    settle().await;
    let refused = other.write(|tx| insert(tx, 4)).await;
    assert!(matches!(refused, Err(Error::Busy { what: "The store is closing", .. })));
    assert!(other.ready().await.is_err());
    assert!(!closing.is_finished());
    held.release().await.unwrap();
    closing.await.unwrap();
    for job in waiting {
        assert!(job.is_finished());
        job.await.unwrap().unwrap();
    }
    let log = scratch.path().with_extension("db-wal");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
    drop(beside);
    assert_eq!(scratch.keys(), [1, 2, 3]);
    other.close().await; // a second time is nothing
}

#[tokio::test]
async fn close_does_not_wait_for_ever() {
    let mut scratch = Scratch::new();
    scratch.options.close_deadline = Duration::from_millis(100);
    let store = scratch.open();
    let held = hold_writer(&store, 1).await;
    tokio::time::timeout(Duration::from_secs(30), store.close()).await.unwrap();
    held.release().await.unwrap();
}

#[tokio::test]
async fn a_store_with_a_held_writer_is_not_ready() {
    let mut scratch = Scratch::new();
    scratch.options.ready_deadline = SHORT;
    let store = scratch.open();
    store.ready().await.unwrap();
    let held = hold_writer(&store, 1).await;
    assert!(matches!(store.ready().await, Err(Error::Busy { .. })));
    held.release().await.unwrap();
    store.ready().await.unwrap();
}

#[tokio::test]
async fn a_store_that_another_process_writes_reads_and_says_that_it_takes_no_changes() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let beside = scratch.beside();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let serves = store.serves(Duration::from_millis(100)).await.unwrap();
    assert!(matches!(serves, Writes::Refused(Error::Busy { .. })), "{serves:?}");
    assert!(start.elapsed() < Duration::from_secs(4), "it waits for the other");
    beside.execute_batch("COMMIT").unwrap();
    assert!(matches!(store.serves(Duration::from_mins(1)).await.unwrap(), Writes::Taken));
}

#[tokio::test]
async fn a_refusal_of_the_disk_is_known_until_it_takes_a_change() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.0.0.note_refusal(Some(FULL));
    assert!(matches!(store.serves(Duration::from_mins(1)).await.unwrap(), Writes::Taken));
    assert_eq!(store.0.0.refusal(), None);
    // It was asked to write something.
    let log = scratch.path().with_extension("db-wal");
    let before = log.metadata().unwrap().len();
    store.0.0.note_refusal(Some(FULL));
    store.ready().await.unwrap();
    let after = log.metadata().unwrap().len();
    assert!(after > before, "{before} {after}");
    store.ready().await.unwrap();
    assert_eq!(log.metadata().unwrap().len(), after);
    // And what it wrote was there before.
    store.close().await;
    scratch.open().ready().await.unwrap();
}

/// Takes its thread down.
struct Deadly(Caller);

impl Job for Deadly {
    fn flow(&self) -> Flow {
        Flow::OWN
    }
    fn lane(&self) -> Lane {
        Lane::Any
    }
    fn caller(&self) -> &Caller {
        &self.0
    }
    fn gone(&self) -> bool {
        false
    }
    fn run(&mut self, _: &mut dyn Engine) -> bool {
        true
    }
    fn finish(self: Box<Self>, _: Outcome) {
        panic!("on purpose, where nothing catches it");
    }
}

#[tokio::test]
async fn a_dead_thread_is_noticed_and_leaves_nobody_waiting() {
    let mut scratch = Scratch::new();
    scratch.options.group = 2; // so that the third stays in the queue
    let store = scratch.open();
    let held = hold_writer(&store, 1).await;
    store.0.0.with_pools(|pools| pools.writer.send(Box::new(Deadly(Caller::new().1)))).unwrap();
    let behind = later(&store, 2);
    settle().await;
    held.release.send(()).unwrap();
    drop(held.job.await.unwrap());
    let answer = tokio::time::timeout(Duration::from_secs(30), behind).await.unwrap().unwrap();
    assert!(matches!(answer, Err(Error::Internal(_))));
    assert!(matches!(store.ready().await, Err(Error::Internal(_))));
    assert!(matches!(store.write(|tx| insert(tx, 3)).await, Err(Error::Internal(_))));
    assert_eq!(store.read(|tx| tx.first::<i64>("SELECT 1", &[])).await.unwrap(), Some(1));
    tokio::time::timeout(Duration::from_secs(30), store.close()).await.unwrap();
}

#[tokio::test]
async fn one_dead_reader_is_noticed_while_the_others_serve() {
    let mut scratch = Scratch::new();
    scratch.options.readers = 3;
    let store = scratch.open();
    store.0.0.with_pools(|pools| pools.readers.send(Box::new(Deadly(Caller::new().1)))).unwrap();
    assert_eq!(store.read(|tx| tx.first::<i64>(COUNT, &[])).await.unwrap(), Some(0));
    // The thread takes its time to die: it tells where it panicked.
    let noticed = async {
        while !matches!(store.ready().await, Err(Error::Internal(_))) {
            settle().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noticed).await.unwrap();
}

#[tokio::test]
async fn a_dead_thread_for_what_is_long_leaves_nobody_waiting() {
    let mut scratch = Scratch::new();
    // One for what is found by key, and one for everything.
    scratch.options.readers = 2;
    let store = scratch.open();
    store.0.0.with_pools(|pools| pools.readers.send(Box::new(Deadly(Caller::new().1)))).unwrap();
    let read = store.read(|tx| tx.first::<i64>(COUNT, &[]));
    let read = tokio::time::timeout(Duration::from_mins(1), read).await.unwrap();
    assert!(matches!(read, Err(Error::Internal(_))));
    assert_eq!(store.look_up(|tx| tx.first::<i64>(COUNT, &[])).await.unwrap(), Some(0));
}
