//! A disk that has failed under a store in the process of somebody else's.

use super::{Error, Scratch, insert};
use crate::sqlite::disk::FAILED;
use std::fs;
use std::time::Duration;

#[tokio::test]
async fn a_store_whose_disk_has_failed_refuses_everything_and_leaves_the_wal_as_it_is() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    let wal = scratch.path().with_extension("db-wal");
    let before = fs::read(&wal).unwrap();
    assert!(!before.is_empty());
    let fails = |pools: &crate::pools::Pools| {
        pools.disk.as_ref().unwrap().fail("the WAL", &"on purpose");
        Ok(())
    };
    store.0.0.with_pools(fails).unwrap();
    let look = "SELECT count(*) FROM t";
    let answers = [
        store.write(|tx| insert(tx, 2)).await,
        store.read(move |tx| tx.first::<i64>(look, &[])).await.map(|_| 0),
        store.look_up(move |tx| tx.first::<i64>(look, &[])).await.map(|_| 0),
        store.ready().await.map(|()| 0),
    ];
    for answer in answers {
        let Err(Error::Busy { what, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(what, FAILED);
    }
    tokio::time::timeout(Duration::from_secs(30), store.close()).await.unwrap();
    assert!(fs::read(&wal).unwrap() == before, "a checkpoint in closing");
    scratch.open();
    assert_eq!(scratch.keys(), [1]);
}
