//! A pooler between the store and its database.

use super::postgres::{cluster, database, few};
use super::{Store, settings};
use crate::{Address, Database, OpenError, Options, StoreUrl};
use guestlist_testbed::{Pooler, Pooling};
use std::net::{SocketAddr, ToSocketAddrs as _};

/// A pooler before the cluster of the tests.
fn pooler(mode: &str, settings: &[(&str, &str)]) -> Pooler {
    let address = Address::parse(&cluster()).unwrap();
    let server = &address.hosts[0];
    let mut places = (server.name.as_str(), server.port).to_socket_addrs().unwrap();
    let target: SocketAddr = places.find(SocketAddr::is_ipv4).unwrap();
    let (user, password) = (&*address.user, &**address.password);
    Pooler::start(&Pooling { target, user, password, mode, more: settings }).unwrap()
}

/// Where `database` is, by way of `pooler`.
fn through(pooler: &Pooler, database: &Database) -> Address {
    let StoreUrl::Postgres(mut address) = database.place() else { panic!("another place") };
    address.hosts[0].name = pooler.address().ip().to_string();
    address.hosts[0].port = pooler.address().port();
    address
}

#[tokio::test]
async fn a_pooler_that_keeps_sessions_is_as_good_as_the_database() {
    let (database, pooler) = (database(), pooler("session", &[]));
    let place = StoreUrl::Postgres(through(&pooler, &database));
    for round in 0..3_u8 {
        let store = Store::open_at(&place, &few()).unwrap();
        store.write(move |tx| settings::put(tx, "x", &[round])).await.unwrap();
        let kept = store.read(|tx| settings::get(tx, "x")).await.unwrap();
        assert_eq!(kept, Some(vec![round]));
        store.close().await;
    }
}

/// Whichever session it gives out next, and however many it has.
#[test]
fn a_pooler_that_shares_sessions_is_refused_with_what_to_do() {
    let database = database();
    for (mode, more) in [
        ("transaction", &[][..]),
        ("transaction", &[("server_round_robin", "1")]),
        ("transaction", &[("default_pool_size", "1")]),
        ("transaction", &[("min_pool_size", "5"), ("server_round_robin", "1")]),
        ("statement", &[]),
    ] {
        let pooler = pooler(mode, more);
        let error = Store::open_at(&StoreUrl::Postgres(through(&pooler, &database)), &few());
        let Err(OpenError::Postgres { at, why }) = error else { panic!("{mode} {more:?}") };
        assert!(at.contains(&pooler.address().to_string()), "{at}");
        assert!(why.contains("pool_mode = session"), "{why}");
    }
    // Nothing was made there, and nothing is left in it that would last for a session.
    let untouched = "DO $$ BEGIN
        IF (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()) > 0 THEN
            RAISE 'there are tables';
        END IF; END $$";
    database.run(untouched).unwrap();
}

#[test]
fn a_standby_behind_one_is_refused_as_well() {
    let (database, pooler) = (database(), pooler("transaction", &[]));
    let replica = Address { may_follow: true, ..through(&pooler, &database) };
    let options = Options { replica: Some(replica), ..few() };
    let error = Store::open_at(&database.place(), &options);
    let Err(OpenError::Postgres { at, why }) = error else { panic!("it was opened") };
    assert!(at.contains(&pooler.address().to_string()), "{at}");
    assert!(why.contains("pool_mode = session"), "{why}");
}
