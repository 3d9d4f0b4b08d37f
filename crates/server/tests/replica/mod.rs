//! Reading from a standby: what was answered on one node is seen on every other, whatever the standby
//! does, and the standby is what is read.

use guestlist::config::{CliArgs, Config, ServerArgs};
use guestlist::rows::settings;
use guestlist::store::{OpenError, Store};
use guestlist_store::Meter;
use guestlist_testbed::{Cluster, Random, Settings};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A primary and its standby, and no other node.
fn clusters() -> (Cluster, Cluster) {
    let primary = Cluster::start(&Settings::default()).unwrap();
    let standby = primary.standby("standby").unwrap();
    (primary, standby)
}

/// A node, as the configuration makes it.
fn node(primary: &Cluster, replica: &Cluster) -> Result<Store, OpenError> {
    let config = config(primary, replica);
    Store::open_at(&config.store, &config.options)
}

fn config(primary: &Cluster, replica: &Cluster) -> Config {
    let given = CliArgs { store: Some(primary.url()), ..CliArgs::default() };
    let server = ServerArgs { store_replica: Some(replica.url()), ..ServerArgs::default() };
    Config::read(&given, &server).unwrap()
}

/// The metrics of the standby: whether it is read from, and how often it was.
fn told(meter: &Meter, config: &Config) -> (u64, u64) {
    let (mut registry, mut text) = (Registry::default(), String::new());
    meter.register(&mut registry, &config.store, true);
    text::encode(&mut text, &registry).unwrap();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    (value("store_standby_follows "), value("store_standby_reads_total "))
}

/// The number called `name`, and whether a standby said it.
async fn read(node: &Store, name: &str) -> (u64, bool) {
    let name = name.to_owned();
    let found = node.read(move |tx| {
        let follows = tx.first::<bool>("SELECT pg_is_in_recovery()", &[])?;
        Ok((settings::get(tx, &name)?, follows))
    });
    let (value, follows) = found.await.unwrap();
    let number = value.map_or(0, |value| u64::from_be_bytes(value.try_into().unwrap()));
    (number, follows.unwrap())
}

async fn write(node: &Store, name: &str, number: u64) {
    let name = name.to_owned();
    let kept = node.write(move |tx| settings::put(tx, &name, &number.to_be_bytes()));
    kept.await.unwrap();
}

/// Waits until `node` reads from a standby, or from none.
async fn until(node: &Store, follows: bool) {
    let start = Instant::now();
    while read(node, "nothing").await.1 != follows {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_on_one_node_is_seen_on_another() {
    let (primary, standby) = clusters();
    let (one, other) = (node(&primary, &standby).unwrap(), node(&primary, &standby).unwrap());
    until(&one, true).await;
    until(&other, true).await;
    let over = Arc::new(AtomicBool::new(false));
    let counts: Arc<[AtomicU64; 2]> = Arc::default();
    let clients = (0..8).map(|client| {
        let (over, counts) = (Arc::clone(&over), Arc::clone(&counts));
        let nodes = [one.clone(), other.clone()];
        tokio::spawn(async move {
            let name = format!("client {client}");
            let mut number = 0;
            while !over.load(Ordering::Relaxed) {
                number += 1;
                let [one, other] = &nodes;
                let (here, there) = if number % 2 == 0 { (one, other) } else { (other, one) };
                write(here, &name, number).await;
                for node in [there, here, there] {
                    let (seen, follows) = read(node, &name).await;
                    counts[usize::from(follows)].fetch_add(1, Ordering::Relaxed);
                    assert_eq!(seen, number, "on a standby: {follows}");
                }
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let counted = Arc::clone(&counts);
    let breaks = tokio::task::spawn_blocking(move || {
        let mut random = Random::of("GUESTLIST_FAULT_SEED").unwrap();
        let began = Instant::now();
        // A standby that gets no processor follows for moments only: then it takes longer.
        let enough = || counted[1].load(Ordering::Relaxed) > 1000;
        let mut left = 30_u32;
        while left > 0 || (!enough() && began.elapsed() < Duration::from_mins(2)) {
            left = left.saturating_sub(1);
            standby.sql("SELECT pg_wal_replay_pause()").unwrap();
            std::thread::sleep(Duration::from_millis(random.below(150)));
            standby.sql("SELECT pg_wal_replay_resume()").unwrap();
            std::thread::sleep(Duration::from_millis(random.below(500)));
        }
        standby
    });
    let standby = breaks.await.unwrap();
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let [primaries, standbys] = [0, 1].map(|of| counts[of].load(Ordering::Relaxed));
    // What did not happen was not tested.
    assert!(primaries > 500 && standbys > 1000, "{primaries} and {standbys}");
    drop(standby);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_gone_is_missed_by_nobody() {
    let (primary, standby) = clusters();
    let (mut config, meter) = (config(&primary, &standby), Arc::new(Meter::default()));
    config.options.meter = Some(Arc::clone(&meter));
    let node = Store::open_at(&config.store, &config.options).unwrap();
    write(&node, "it", 1).await;
    until(&node, true).await;
    let (follows, reads) = told(&meter, &config);
    assert!((follows, reads > 0) == (1, true));
    standby.kill().unwrap();
    // At once, and ready all the time.
    assert_eq!(read(&node, "it").await, (1, false));
    assert_eq!(told(&meter, &config).0, 0);
    node.ready().await.unwrap();
    write(&node, "it", 2).await;
    assert_eq!(read(&node, "it").await, (2, false));
    standby.begin().unwrap();
    // Whichever of the two is read, it is what was written; and soon it is the standby again.
    assert_eq!(read(&node, "it").await.0, 2);
    until(&node, true).await;
    assert_eq!(read(&node, "it").await.0, 2);
    node.close().await;
}

/// Whether each of several reads at once was answered by a standby; enough of them that every
/// connection is used.
async fn all_follow(node: &Store) -> bool {
    let reads = (0..32).map(|_| {
        let node = node.clone();
        tokio::spawn(async move { read(&node, "it").await })
    });
    let mut all = true;
    for read in reads.collect::<Vec<_>>() {
        let (number, follows) = read.await.unwrap();
        assert_eq!(number, 1);
        all &= follows;
    }
    all
}

/// A standby that was started anew while nobody read has left every kept connection dead. That is no
/// reason to send a read to the primary. A busy machine may give one: so it is tried several times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_was_started_anew_is_read_at_once() {
    let (primary, standby) = clusters();
    let node = node(&primary, &standby).unwrap();
    write(&node, "it", 1).await;
    let mut unnoticed = false;
    for _ in 0..10 {
        let start = Instant::now();
        while !all_follow(&node).await {
            assert!(start.elapsed() < PATIENCE);
        }
        standby.kill().unwrap();
        standby.begin().unwrap();
        unnoticed = all_follow(&node).await;
        if unnoticed {
            break;
        }
    }
    assert!(unnoticed, "the primary was read after each restart of the standby");
    node.close().await;
}

/// The log of the primary that took over is another, and may be behind that of a standby that
/// followed the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_of_a_primary_that_was_is_not_read() {
    let (primary, standby) = clusters();
    let heir = primary.standby("heir").unwrap();
    let hosts = primary.url_through(&[primary.address(), heir.address()], "postgres");
    let given = CliArgs { store: Some(hosts), ..CliArgs::default() };
    let server = ServerArgs { store_replica: Some(standby.url()), ..ServerArgs::default() };
    let config = Config::read(&given, &server).unwrap();
    let node = Store::open_at(&config.store, &config.options).unwrap();
    write(&node, "it", 1).await;
    until(&node, true).await;
    heir.sql("SELECT pg_wal_replay_pause()").unwrap();
    // The heir never has these; the standby does.
    heir.stop().unwrap();
    for number in 2..500 {
        write(&node, "it", number).await;
    }
    assert_eq!(read(&node, "it").await.0, 499);
    until(&node, true).await;
    primary.kill().unwrap();
    heir.begin().unwrap();
    heir.promote().unwrap();
    let start = Instant::now();
    while node.ready().await.is_err() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    write(&node, "it", 1000).await;
    for _ in 0..200 {
        assert_eq!(read(&node, "it").await, (1000, false));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_of_something_else_is_refused() {
    let primary = Cluster::start(&Settings::default()).unwrap();
    let stranger = Cluster::start(&Settings::default()).unwrap();
    let refused = node(&primary, &stranger).unwrap_err().to_string();
    assert!(refused.contains("it is no standby of postgres://"), "{refused}");
    // One that has taken over is no reason to stop: it is only not read as a standby.
    let node = node(&primary, &primary).unwrap();
    write(&node, "it", 1).await;
    assert_eq!(read(&node, "it").await, (1, false));
}
