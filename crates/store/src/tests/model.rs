//! The store against a map, on whatever proptest thinks of.

use super::{Error, Result, Scratch, Store, Tx, hold_writer};
use crate::Options;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::time::Duration;

type Model = BTreeMap<i64, i64>;

#[derive(Debug, Clone)]
enum Step {
    Insert(i64, i64),
    Update(i64, i64),
    Delete(i64),
}

#[derive(Debug, Clone)]
enum Ending {
    Well,
    Refused,
    Panic,
}

#[derive(Debug, Clone)]
struct Work {
    steps: Vec<Step>,
    ending: Ending,
}

fn step() -> impl Strategy<Value = Step> {
    let (key, value) = (2..12_i64, 0..12_i64);
    prop_oneof![
        (key.clone(), value.clone()).prop_map(|(k, v)| Step::Insert(k, v)),
        (key.clone(), value).prop_map(|(k, v)| Step::Update(k, v)),
        key.prop_map(Step::Delete),
    ]
}

fn work() -> impl Strategy<Value = Work> {
    let ending =
        prop_oneof![4 => Just(Ending::Well), 1 => Just(Ending::Refused), 1 => Just(Ending::Panic)];
    (prop::collection::vec(step(), 1..5), ending).prop_map(|(steps, ending)| Work { steps, ending })
}

fn do_it(tx: &mut Tx<'_>, work: &Work) -> Result<u64> {
    let mut touched = 0;
    for step in &work.steps {
        touched += match step {
            Step::Insert(k, v) => tx.run("INSERT INTO t (v, k) VALUES ($2, $1)", &[k, v])?,
            Step::Update(k, v) => tx.run("UPDATE t SET v = $2 WHERE k = $1", &[k, v])?,
            Step::Delete(k) => tx.run("DELETE FROM t WHERE k = $1", &[k])?,
        };
    }
    match work.ending {
        Ending::Well => Ok(touched),
        Ending::Refused => Err(Error::Refused),
        Ending::Panic => std::panic::resume_unwind(Box::new("on purpose, without a word")),
    }
}

/// What `work` does to `model`, or the name of the error that leaves it alone.
fn imagine(model: &mut Model, work: &Work) -> Result<u64, &'static str> {
    let mut after = model.clone();
    let mut touched = 0;
    for step in &work.steps {
        let taken = |v: &i64, but: Option<&i64>| {
            after.iter().any(|(key, value)| value == v && Some(key) != but)
        };
        match step {
            Step::Insert(k, v) if after.contains_key(k) || taken(v, None) => return Err("taken"),
            Step::Insert(k, v) => {
                after.insert(*k, *v);
                touched += 1;
            }
            Step::Update(k, v) if after.contains_key(k) && taken(v, Some(k)) => {
                return Err("taken");
            }
            Step::Update(k, v) => {
                if let Some(value) = after.get_mut(k) {
                    *value = *v;
                    touched += 1;
                }
            }
            Step::Delete(k) => touched += u64::from(after.remove(k).is_some()),
        }
    }
    match work.ending {
        Ending::Well => {
            *model = after;
            Ok(touched)
        }
        Ending::Refused => Err("refused"),
        Ending::Panic => Err("internal"),
    }
}

fn name(error: &Error) -> &'static str {
    match error {
        Error::Taken(_) => "taken",
        Error::Refused => "refused",
        Error::Internal(_) => "internal",
        _ => "another",
    }
}

async fn contents(store: &Store) -> Model {
    let all = "SELECT k, v FROM t";
    store.read(move |tx| tx.all::<(i64, i64)>(all, &[])).await.unwrap().into_iter().collect()
}

/// Runs `batch` as one group if `together`, else as it comes.
async fn run(store: &Store, batch: Vec<Work>, together: bool, model: &mut Model) {
    const HELD: i64 = 1000; // beyond every key and value there is
    let held = if together { Some(hold_writer(store, HELD).await) } else { None };
    // On a runtime of one thread, tasks start in the order they were made.
    let jobs: Vec<_> = batch
        .iter()
        .cloned()
        .map(|work| {
            let store = store.clone();
            tokio::spawn(async move { store.write(move |tx| do_it(tx, &work)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    if let Some(held) = held {
        held.release().await.unwrap();
    }
    for (job, work) in jobs.into_iter().zip(&batch) {
        let answer = job.await.unwrap().map_err(|error| name(&error));
        assert_eq!(answer, imagine(model, work), "{work:?}");
    }
    if together {
        store.write(|tx| tx.run("DELETE FROM t WHERE k = $1", &[&HELD])).await.unwrap();
    }
    assert_eq!(&contents(store).await, model);
}

/// The same where each job has its own transaction, one after the other.
#[test]
fn the_store_is_a_map_on_postgres() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = super::postgres::with_table();
    let options = Options { readers: 1, writers: 1, ..Options::default() };
    let batches =
        prop::collection::vec((prop::collection::vec(work(), 1..12), any::<bool>()), 1..8);
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() };
    let outcome = TestRunner::new(config).run(&batches, |batches| {
        database.run("TRUNCATE t").unwrap();
        runtime.block_on(async {
            let store = Store::open_at(&database.place(), &options).unwrap();
            let mut model = Model::new();
            for (batch, together) in batches {
                run(&store, batch, together, &mut model).await;
            }
            store.close().await;
        });
        Ok(())
    });
    outcome.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_map(
        batches in prop::collection::vec(
            (prop::collection::vec(work(), 1..12), any::<bool>(), 0..4_u8), 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scratch = Scratch::new();
            let mut store = scratch.open();
            let mut model = Model::new();
            for (batch, together, reopen) in batches {
                run(&store, batch, together, &mut model).await;
                match reopen {
                    0 => {
                        store.close().await;
                        store = scratch.open();
                    }
                    1 => store = scratch.open(), // the old one dropped, not closed
                    _ => {}
                }
                assert_eq!(contents(&store).await, model);
            }
        });
    }
}
