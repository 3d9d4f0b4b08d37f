//! How much work a read may be.

use super::{Error, Result, Scratch, Store};

async fn sum(store: &Store, to: i64) -> Result<Option<i64>> {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        SELECT max(i) FROM n";
    store.read(move |tx| tx.first::<i64>(sql, &[&to])).await
}

#[tokio::test]
async fn a_read_takes_so_many_steps_and_no_more() {
    let mut scratch = Scratch::new();
    scratch.options.steps_per_second = 1000; // and it may take a minute
    let store = scratch.open();
    for _ in 0..3 {
        assert_eq!(sum(&store, 1000).await.unwrap(), Some(1000));
        assert!(matches!(sum(&store, 1_000_000).await, Err(Error::TooMuch)));
    }
    // However many statements they are of.
    let many = store.read(|tx| {
        for _ in 0..1_000_000 {
            tx.first::<i64>("SELECT count(*) FROM t", &[])?;
        }
        Ok(())
    });
    assert!(matches!(many.await, Err(Error::TooMuch)));
}

#[tokio::test]
async fn a_write_takes_what_it_takes() {
    let mut scratch = Scratch::new();
    scratch.options.steps_per_second = 1;
    let store = scratch.open();
    let many = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        SELECT i, i FROM n";
    assert_eq!(store.write(move |tx| tx.run(many, &[])).await.unwrap(), 10_000);
}
