//! Those who share a store: what one of them does is not at the expense of the others.

use super::postgres::{few, with_table};
use super::*;
use crate::Flow;

fn flow(number: u8) -> Flow {
    Flow::new(1, [number; 12])
}

impl Store {
    fn as_flow(&self, number: u8) -> Self {
        Self(self.0.of(flow(number)))
    }
}

/// A long time, if somebody waits for what should not be waited for.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

pub(super) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("nobody keeps it")
}

/// A write that is held when its turn has come.
fn later_held(store: &Store, key: i64) -> JoinHandle<super::Held> {
    let store = store.clone();
    tokio::spawn(async move { hold_writer(&store, key).await })
}

async fn count(store: &Store) -> Option<i64> {
    store.read(|tx| tx.first::<i64>("SELECT count(*) FROM t", &[])).await.unwrap()
}

async fn look_up(store: &Store) -> Option<i64> {
    store.look_up(|tx| tx.first::<i64>("SELECT 1", &[])).await.unwrap()
}

/// One that many share has half of the readers for one of them, and some for nothing but what is found
/// by key.
async fn readers_are_shared(store: &Store, readers: usize) {
    let [one, other] = [1, 2].map(|number| store.as_flow(number));
    let mut held = Vec::new();
    for _ in 0..(readers - readers / 3).div_ceil(2) {
        held.push(hold_reader(&one).await);
    }
    // It has its share, and the next of its reads waits for one of those.
    let next = {
        let one = one.clone();
        tokio::spawn(async move { count(&one).await })
    };
    for _ in 0..3 {
        assert_eq!(soon(count(&other)).await, Some(0));
        assert_eq!(soon(look_up(&one)).await, Some(1));
    }
    assert!(!next.is_finished());
    // Whoever else takes the rest leaves what is found by key to everybody, and readiness.
    while held.len() < readers - readers / 3 {
        held.push(hold_reader(&other).await);
    }
    assert_eq!(soon(look_up(&store.as_flow(3))).await, Some(1));
    soon(store.ready()).await.unwrap();
    for held in held {
        held.release().await.unwrap();
    }
    assert_eq!(next.await.unwrap(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_flow_has_all_readers() {
    let mut scratch = Scratch::new();
    scratch.options.readers = 6;
    readers_are_shared(&scratch.open(), 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_flow_has_all_readers_of_postgres() {
    let database = with_table();
    let options = Options { readers: 6, read_deadline: PATIENCE, ..few() };
    let store = Store::open_at(&database.place(), &options).unwrap();
    readers_are_shared(&store, 6).await;
}

#[tokio::test]
async fn writers_take_turns() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let held = hold_writer(&store.as_flow(1), 0).await;
    let many: Vec<_> = (1..20).map(|key| later(&store.as_flow(1), key)).collect();
    settle().await;
    // The last to come is the second to be served.
    let other = {
        let store = store.as_flow(2);
        tokio::spawn(async move {
            store
                .write(|tx| {
                    let before: Option<i64> = tx.first("SELECT count(*) FROM t", &[])?;
                    insert(tx, 100)?;
                    Ok(before)
                })
                .await
        })
    };
    settle().await;
    held.release().await.unwrap();
    let before = other.await.unwrap().unwrap();
    assert!(before <= Some(2), "{before:?} went before");
    for one in many {
        one.await.unwrap().unwrap();
    }
}

/// Whoever writes little waits for one job of a flow whose jobs take long, and their commit for none.
#[tokio::test]
async fn slow_writes_of_one_are_not_in_the_commits_of_others() {
    let mut scratch = Scratch::new();
    scratch.options.group_time = Duration::from_millis(10);
    let store = scratch.open();
    // It takes so long that its flow is slow after it.
    let first = hold_writer(&store.as_flow(1), 0).await;
    let [second, third] = [1, 2].map(|key| later_held(&store.as_flow(1), key));
    settle().await;
    let others = [later(&store.as_flow(2), 100), later(&store.as_flow(3), 101)];
    settle().await;
    settle().await;
    soon(first.release()).await.unwrap();
    for other in others {
        assert!(soon(other).await.unwrap().is_ok());
    }
    // They were before it, and not with it.
    let second = soon(second).await.unwrap();
    let other = later(&store.as_flow(2), 102);
    settle().await;
    assert_eq!(scratch.keys(), [0, 100, 101]);
    soon(second.release()).await.unwrap();
    assert!(soon(other).await.unwrap().is_ok());
    soon(third).await.unwrap().release().await.unwrap();
    assert_eq!(scratch.keys(), [0, 1, 2, 100, 101, 102]);
}

#[tokio::test]
async fn no_flow_fills_the_queue() {
    let mut scratch = Scratch::new();
    scratch.options.write_queue = 8;
    let store = scratch.open();
    let held = hold_writer(&store, 0).await;
    let many: Vec<_> = (1..=9).map(|key| later(&store.as_flow(1), key)).collect();
    settle().await;
    let other = later(&store.as_flow(2), 100);
    settle().await;
    held.release().await.unwrap();
    assert!(other.await.unwrap().is_ok());
    let mut done = 0;
    for one in many {
        match one.await.unwrap() {
            Ok(_) => done += 1,
            Err(Error::Busy { what: "The store is busy", .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(done, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_flow_has_all_writers_of_postgres() {
    let database = with_table();
    let options = Options { writers: 2, write_deadline: PATIENCE, ..few() };
    let store = Store::open_at(&database.place(), &options).unwrap();
    let held = hold_writer(&store.as_flow(1), 1).await;
    let next = later(&store.as_flow(1), 2);
    assert!(soon(later(&store.as_flow(2), 3)).await.unwrap().is_ok());
    assert!(!next.is_finished());
    held.release().await.unwrap();
    assert!(next.await.unwrap().is_ok());
}
