//! What the store promises on PostgreSQL: that those who write side by side see each other, and what
//! becomes of a connection that is cut.

use super::{Error, Result, SCHEMA, Store, Tx, insert};
use crate::postgres::migrate;
use crate::{Address, Database, Migration, OpenError, Options, RowKey, Scope, Snapshot, StoreUrl};
use guestlist_testbed::{Fate, Proxy};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A new database in the cluster that is there for tests.
pub(super) fn database() -> Database {
    Database::new(&cluster()).unwrap()
}

/// The same, with all there is of a store and a table beside.
pub(super) fn with_table() -> Database {
    let database = database();
    drop(Store::open_at(&database.place(), &few()).unwrap());
    database.run("CREATE TABLE t (k BIGINT PRIMARY KEY, v BIGINT UNIQUE)").unwrap();
    database
}

pub(super) fn cluster() -> String {
    std::env::var("GUESTLIST_TEST_POSTGRES")
        .expect("GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`")
}

/// As many connections as tests need that run beside many others.
pub(super) fn few() -> Options {
    Options { readers: 2, writers: 2, ..Options::default() }
}

/// A machine that is busy takes its time to make a database: longer than one waits for a connection.
#[test]
fn a_statement_beside_may_take_longer_than_connecting() {
    database().run("SELECT pg_sleep(6)").unwrap();
}

/// A database with a table of its own, a wire that can be cut, and a store behind it.
pub(super) struct Scene {
    pub(super) database: Database,
    pub(super) proxy: Proxy,
    pub(super) options: Options,
}

impl Scene {
    pub(super) fn new() -> Self {
        let address = Address::parse(&cluster()).unwrap();
        let server = &address.hosts[0];
        let mut places = (server.name.as_str(), server.port).to_socket_addrs().unwrap();
        let target: SocketAddr = places.find(SocketAddr::is_ipv4).unwrap();
        let database = with_table();
        let options = few();
        Self { database, proxy: Proxy::start(target).unwrap(), options }
    }

    /// The store, with nothing between.
    pub(super) fn direct(&self) -> Store {
        Store::open_at(&self.database.place(), &self.options).unwrap()
    }

    /// The store behind the wire.
    pub(super) fn open(&self) -> Store {
        let StoreUrl::Postgres(mut address) = self.database.place() else {
            panic!("another place")
        };
        address.hosts[0].name = self.proxy.address().ip().to_string();
        address.hosts[0].port = self.proxy.address().port();
        Store::open_at(&StoreUrl::Postgres(address), &self.options).unwrap()
    }
}

pub(super) async fn keys(store: &Store) -> Vec<i64> {
    store.read(|tx| tx.all("SELECT k FROM t ORDER BY k", &[])).await.unwrap()
}

/// Runs `work` `count` times at once, each in a transaction of its own.
async fn at_once<T: Send + 'static>(
    store: &Store,
    count: usize,
    work: impl Fn(&mut Tx<'_>, usize) -> Result<T> + Clone + Send + 'static,
) -> Vec<Result<T>> {
    let mut all = JoinSet::new();
    for number in 0..count {
        let (store, work) = (store.clone(), work.clone());
        all.spawn(async move { store.write(move |tx| work(tx, number)).await });
    }
    all.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_locked_is_seen_as_it_is() {
    let scene = Scene { options: Options { writers: 4, ..Options::default() }, ..Scene::new() };
    let store = scene.direct();
    store.write(|tx| insert(tx, 0)).await.unwrap();
    let bumps = at_once(&store, 200, |tx, _| {
        let lock = "SELECT v FROM t WHERE k = 0 FOR UPDATE";
        let before: Option<i64> = tx.first(lock, &[])?;
        tx.run("UPDATE t SET v = $1 WHERE k = 0", &[&(before.unwrap_or(0) + 1)])
    });
    assert!(bumps.await.iter().all(Result::is_ok));
    let now = store.read(|tx| tx.first::<i64>("SELECT v FROM t WHERE k = 0", &[])).await;
    assert_eq!(now.unwrap(), Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_wait_for_each_other_one_goes_again() {
    let scene = Scene::new();
    let store = scene.direct();
    store.write(|tx| insert(tx, 1).and_then(|_| insert(tx, 2))).await.unwrap();
    let (both, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&runs);
    let done = at_once(&store, 2, move |tx, number| {
        let bump = "UPDATE t SET v = v + 10 WHERE k = $1";
        let (one, other) = if number == 0 { (1, 2) } else { (2, 1) };
        tx.run(bump, &[&one])?;
        if counted.fetch_add(1, Ordering::SeqCst) < 2 {
            both.wait();
        }
        tx.run(bump, &[&other])
    });
    assert!(done.await.iter().all(Result::is_ok));
    // Whoever goes again may come in the way again.
    assert!(runs.load(Ordering::SeqCst) >= 3);
    let now = store.read(|tx| tx.all::<i64>("SELECT v FROM t ORDER BY k", &[])).await;
    assert_eq!(now.unwrap(), [21, 22]);
}

#[tokio::test]
async fn what_is_sent_ahead_is_found_as_if_it_was_not() {
    let scene = Scene::new();
    let store = scene.direct();
    let found = store.write(|tx| {
        let one = "SELECT v FROM t WHERE k = $1";
        insert(tx, 1)?;
        insert(tx, 2)?;
        tx.prefetch(one, &[&1])?;
        tx.prefetch(one, &[&2])?;
        tx.prefetch("SELECT count(*) FROM t", &[])?;
        let second = tx.first::<i64>(one, &[&2])?;
        let third = tx.first::<i64>(one, &[&3])?;
        let first = tx.first::<i64>(one, &[&1])?;
        // Asked ahead and not taken, it is not what is found after a change.
        tx.run("DELETE FROM t WHERE k = 1", &[])?;
        let left = tx.first::<i64>("SELECT count(*) FROM t", &[])?;
        Ok((first, second, third, left))
    });
    assert_eq!(found.await.unwrap(), (Some(1), Some(2), None, Some(1)));
    assert_eq!(keys(&store).await, [2]);
}

#[tokio::test]
async fn what_is_sent_ahead_for_later_is_of_the_moment_before_the_change() {
    let scene = Scene::new();
    let store = scene.direct();
    for deferred in [false, true] {
        let found = store.write(move |tx| {
            let one = "SELECT v FROM t WHERE k = $1";
            tx.run("DELETE FROM t", &[])?;
            insert(tx, 1)?;
            tx.prefetch_for_later(one, &[&1])?;
            tx.prefetch(one, &[&2])?;
            let sql = "DELETE FROM t WHERE k = 1";
            if deferred {
                tx.change_deferred(Scope::Nothing, sql, &[], None)?;
            } else {
                tx.run(sql, &[])?;
            }
            Ok((tx.first::<i64>(one, &[&1])?, tx.first::<i64>(one, &[&1])?))
        });
        // It is found once; then it is asked.
        assert_eq!(found.await.unwrap(), (Some(1), None), "{deferred}");
    }
}

#[tokio::test]
async fn what_is_told_at_the_end_is_told() {
    let scene = Scene::new();
    let store = scene.direct();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    for more in [false, true] {
        let answer = store.write(move |tx| {
            insert(tx, 7)?;
            let sql = "INSERT INTO t (k, v) VALUES (1, 9)";
            tx.change_deferred(Scope::Nothing, sql, &[], Some("it is there"))?;
            if more { insert(tx, 8).map(drop) } else { Ok(()) }
        });
        assert!(matches!(answer.await, Err(Error::AlreadyExists(_))), "{more}");
    }
    assert_eq!(keys(&store).await, [1]);
}

#[tokio::test]
async fn a_failure_that_is_passed_over_keeps_nothing() {
    let scene = Scene::new();
    let store = scene.direct();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    let answer: Result<()> = store
        .write(|tx| {
            insert(tx, 2)?;
            assert!(matches!(insert(tx, 1), Err(Error::Taken(_))));
            assert!(matches!(insert(tx, 3), Err(Error::Internal(_))));
            Ok(())
        })
        .await;
    assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}");
    assert_eq!(keys(&store).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_for_a_while_is_forgotten_with_its_row() {
    let token = |byte| RowKey { kind: 3, ids: [[byte; 12]; 2] };
    let scope = |byte| Scope::Row { key: RowKey { kind: 3, ids: [[byte; 12]; 2] }, with: None };
    let mut scene = Scene::new();
    scene.options.trust = Duration::from_hours(1);
    let store = scene.direct();
    let stamps = || [1, 2].map(|byte| store.brief_snapshot(token(byte)).unwrap());
    let hold = |stamps: [Snapshot; 2]| stamps.map(|snapshot| store.holds(&snapshot));

    let before = stamps();
    store.write(|tx| insert(tx, 1).map(drop)).await.unwrap();
    assert_eq!(hold(before), [false, false], "anything may have changed");
    let before = stamps();
    let change = "UPDATE t SET v = v + 1";
    let work = move |tx: &mut Tx<'_>| tx.change(scope(1), change, &[]);
    store.write(work).await.unwrap();
    assert_eq!(hold(before), [false, true]);
    let before = stamps();
    let work = move |tx: &mut Tx<'_>| {
        tx.change_all::<i64>(scope(2), "UPDATE t SET v = 1 RETURNING v", &[])
    };
    store.write(work).await.unwrap();
    assert_eq!(hold(before), [true, false]);
    let before = stamps();
    let work = |tx: &mut Tx<'_>| tx.all::<i64>("DELETE FROM t RETURNING v", &[]);
    store.write(work).await.unwrap();
    assert_eq!(hold(before), [false, false]);
    let before = stamps();
    store.write(|tx| tx.all::<i64>("SELECT v FROM t FOR UPDATE", &[])).await.unwrap();
    assert_eq!(hold(before), [true, true], "nothing has changed");

    // Others write too, so that nothing else is kept, and this not for ever.
    assert!(store.snapshot_of_rows([Some(token(1)), None, None]).is_none());
    scene.options.trust = Duration::ZERO;
    let store = scene.direct();
    assert!(!store.holds(&store.brief_snapshot(token(1)).unwrap()));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let mut scene = Scene::new();
    scene.options.read_deadline = Duration::from_millis(200);
    scene.options.lock_deadline = Duration::from_millis(200);
    let store = scene.direct();
    let started = Instant::now();
    let slow = store.read(|tx| tx.all::<String>("SELECT pg_sleep(60)::text", &[])).await;
    assert!(matches!(slow, Err(Error::Busy { what: "The query took too long", .. })), "{slow:?}");
    assert!(started.elapsed() < Duration::from_secs(30));
    store.write(|tx| insert(tx, 1)).await.unwrap();
    let both = Arc::new(Barrier::new(2));
    let done = at_once(&store, 2, move |tx, _| {
        // Here it does not get if it is only run to see what it asks.
        tx.first::<i64>("SELECT count(*) FROM t", &[])?;
        both.wait();
        let touched = tx.run("UPDATE t SET v = v + 1 WHERE k = 1", &[])?;
        tx.all::<String>("SELECT pg_sleep(2)::text", &[])?;
        Ok(touched)
    });
    let done = done.await;
    let busy = done.iter().filter(|answer| matches!(answer, Err(Error::Busy { .. }))).count();
    assert_eq!(busy, 1, "{done:?}");
}

#[tokio::test]
async fn an_idle_connection_that_was_cut_is_made_again() {
    let scene = Scene::new();
    let store = scene.open();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    scene.proxy.cut();
    for key in 2..6 {
        store.write(move |tx| insert(tx, key)).await.unwrap();
        assert_eq!(keys(&store).await.len(), usize::try_from(key).unwrap());
    }
    store.ready().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_away_is_told_at_once_and_comes_back() {
    let scene = Scene::new();
    let store = scene.open();
    scene.proxy.close();
    for _ in 0..20 {
        let refused = tokio::time::timeout(Duration::from_secs(10), store.ready()).await.unwrap();
        assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
        let refused = store.write(|tx| insert(tx, 1)).await;
        assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
    }
    scene.proxy.open();
    let back = async {
        while store.ready().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), back).await.unwrap();
    assert_eq!(keys(&scene.direct()).await, [0; 0]);
}

#[tokio::test]
async fn of_several_servers_the_first_that_answers_is_used() {
    let scene = Scene::new();
    let StoreUrl::Postgres(mut address) = scene.database.place() else { panic!("another place") };
    let good = address.hosts[0].clone();
    address.hosts.insert(0, good);
    address.hosts[0].port = 1; // where nobody listens
    let store = Store::open_at(&StoreUrl::Postgres(address), &scene.options).unwrap();
    store.write(|tx| insert(tx, 1)).await.unwrap();
    assert_eq!(keys(&store).await, [1]);
}

#[tokio::test]
async fn a_commit_of_which_nobody_knows_is_not_made_twice() {
    for (fate, kept) in [(Fate::Unsent, false), (Fate::Unanswered, true), (Fate::Ended, true)] {
        let scene = Scene::new();
        let store = scene.open();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        scene.proxy.doom(fate, 1);
        let answer = store.write(move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            insert(tx, 1)
        });
        let answer = answer.await;
        assert!(matches!(answer, Err(Error::Unknown { .. })), "{fate:?} {answer:?}");
        assert_eq!(runs.load(Ordering::SeqCst), 1, "{fate:?}");
        assert_eq!(keys(&scene.direct()).await.len(), usize::from(kept), "{fate:?}");
    }
}

#[test]
fn many_nodes_may_start_at_once() {
    let database = database();
    std::thread::scope(|scope| {
        let nodes: Vec<_> =
            (0..6).map(|_| scope.spawn(|| Store::open_at(&database.place(), &few()))).collect();
        for node in nodes {
            node.join().unwrap().unwrap();
        }
    });
    let versions = "DO $$ BEGIN ASSERT (SELECT count(*) FROM guestlist_store) = 1; END $$";
    database.run(versions).unwrap();
}

#[tokio::test]
async fn the_server_lists_whose_connections_it_has() {
    let scene = Scene::new();
    let store = scene.direct();
    let name = "SELECT current_setting('application_name')";
    let read = store.read(move |tx| tx.first::<String>(name, &[])).await;
    let written = store.write(move |tx| tx.first::<String>(name, &[])).await;
    assert_eq!([read, written].map(|name| name.unwrap().unwrap()), [SCHEMA.name; 2]);
}

#[test]
fn what_is_not_ours_or_newer_is_refused() {
    let foreign = database();
    foreign.run("CREATE TABLE x (y BIGINT)").unwrap();
    let refused = Store::open_at(&foreign.place(), &few()).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused:?}");
    let untouched = "DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_tables
        WHERE schemaname = 'public') = 1; END $$";
    foreign.run(untouched).unwrap();

    let newer = with_table();
    newer.run("UPDATE guestlist_store SET version = 999").unwrap();
    let refused = Store::open_at(&newer.place(), &few()).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 999, .. }), "{refused:?}");
}

#[test]
fn what_is_refused_says_where_and_never_the_password() {
    let StoreUrl::Postgres(mut address) = database().place() else { panic!("another place") };
    address.password = "very-secret".to_owned().into();
    let refused = Store::open_at(&StoreUrl::Postgres(address.clone()), &few()).unwrap_err();
    let words = format!("{refused} {refused:?}");
    assert!(words.contains(&address.database) && !words.contains("very-secret"), "{words}");
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let database = database();
    let StoreUrl::Postgres(address) = database.place() else { panic!("another place") };
    let migration = |postgres| Migration { both: "CREATE TABLE x (y TEXT);", sqlite: "", postgres };
    let failed = migrate::prepare(&address, &[migration("nonsense")], false).unwrap_err();
    assert!(matches!(failed, OpenError::Migration { version: 1, .. }), "{failed:?}");
    migrate::prepare(&address, &[migration("CREATE INDEX z ON x (y NULLS FIRST)")], false).unwrap();
}
