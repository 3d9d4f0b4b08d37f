//! The clusters themselves, with the PostgreSQL of this machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use guestlist_testbed::{Cluster, Fate, Programs, Proxy, Settings};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What `psql` says about a statement sent through `proxy`, and whether it was content.
fn through(proxy: &Proxy, cluster: &Cluster, statements: &[&str]) -> (bool, String) {
    let mut psql = Command::new(Programs::find().unwrap().path("psql"));
    psql.arg(cluster.url_through(&[proxy.address()], "postgres"));
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]).stdin(Stdio::null());
    for statement in statements {
        psql.args(["-c", statement]);
    }
    let output = psql.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_gone(address: std::net::SocketAddr) -> bool {
    TcpStream::connect(address).is_err()
}

#[test]
fn what_a_killed_server_has_answered_is_there_when_it_is_back() {
    let cluster = Cluster::start(&Settings::default()).unwrap();
    assert!(cluster.version() >= 14);
    cluster.sql("CREATE TABLE t (n BIGINT)").unwrap();
    cluster.sql("INSERT INTO t VALUES (7)").unwrap();
    cluster.kill().unwrap();
    assert!(is_gone(cluster.address()));
    cluster.sql("SELECT 1").unwrap_err();
    cluster.begin().unwrap();
    assert_eq!(cluster.sql("SELECT n FROM t").unwrap(), "7");
    assert!(cluster.log().contains("database system was not properly shut down"));
    cluster.stop().unwrap();
    cluster.stop().unwrap();
    assert!(is_gone(cluster.address()));
    let address = cluster.address();
    drop(cluster);
    assert!(is_gone(address));
}

#[test]
fn a_standby_has_what_was_answered_and_can_take_over() {
    let primary = Cluster::start(&Settings::default()).unwrap();
    primary.sql("CREATE TABLE t (n BIGINT)").unwrap();
    let standby = primary.standby("second").unwrap();
    primary.wait_for(Some("second")).unwrap();
    assert_eq!(standby.sql("SELECT pg_is_in_recovery()").unwrap(), "t");
    primary.sql("INSERT INTO t VALUES (1), (2)").unwrap();
    primary.kill().unwrap();
    standby.promote().unwrap();
    assert_eq!(standby.sql("SELECT count(*) FROM t").unwrap(), "2");
    standby.sql("INSERT INTO t VALUES (3)").unwrap();
    // Again, from the one that took over.
    let third = standby.standby("third").unwrap();
    standby.wait_for(Some("third")).unwrap();
    standby.sql("INSERT INTO t VALUES (4)").unwrap();
    standby.kill().unwrap();
    third.promote().unwrap();
    assert_eq!(third.sql("SELECT count(*) FROM t").unwrap(), "4");
}

#[test]
fn a_commit_has_the_fate_that_was_chosen() {
    let cluster = Cluster::start(&Settings::default()).unwrap();
    let proxy = Proxy::start(cluster.address()).unwrap();
    cluster.sql("CREATE TABLE t (n BIGINT)").unwrap();
    let there = |n: u32| {
        let count = format!("SELECT count(*) FROM t WHERE n = {n}");
        // It may take a moment until a server has noticed.
        thread::sleep(Duration::from_millis(200));
        cluster.sql(&count).unwrap() == "1"
    };
    let write = |n: u32| {
        let insert = format!("INSERT INTO t VALUES ({n})");
        through(&proxy, &cluster, &["BEGIN", &insert, "COMMIT"]).0
    };
    assert!(write(1) && there(1));

    proxy.doom(Fate::Unsent, 1);
    assert!(!write(2) && !there(2));
    proxy.doom(Fate::Unanswered, 1);
    assert!(!write(3) && there(3));
    proxy.doom(Fate::Raced, 1);
    // The answer may be quicker than the cut; then it is true.
    assert!(!write(4) || there(4));
    assert_eq!(proxy.doomed(), 3);

    // Without an explicit transaction, and not the first.
    proxy.doom(Fate::Unanswered, 2);
    assert_eq!(through(&proxy, &cluster, &["INSERT INTO t VALUES (5)", "SELECT 1"]).1, "1");
    assert!(!through(&proxy, &cluster, &["INSERT INTO t VALUES (6)"]).0);
    assert!(there(5) && there(6));
    assert!(write(7) && there(7));
}

#[test]
fn a_wire_can_be_cut_held_back_and_led_elsewhere() {
    let cluster = Cluster::start(&Settings::default()).unwrap();
    let other = Cluster::start(&Settings::default()).unwrap();
    let proxy = Proxy::start(cluster.address()).unwrap();
    let quick = || through(&proxy, &cluster, &["SELECT 1"]);
    assert_eq!(quick(), (true, "1".to_owned()));

    proxy.close();
    assert!(!quick().0);
    proxy.open();
    assert!(quick().0);

    thread::scope(|scope| {
        let slow = scope.spawn(|| through(&proxy, &cluster, &["SELECT pg_sleep(60)"]));
        thread::sleep(Duration::from_millis(500));
        proxy.cut();
        assert!(!slow.join().unwrap().0);

        let slow = scope.spawn(|| through(&proxy, &cluster, &["SELECT pg_sleep(60)"]));
        thread::sleep(Duration::from_millis(500));
        proxy.half_close();
        assert!(!slow.join().unwrap().0);

        proxy.stall();
        let start = Instant::now();
        let held = scope.spawn(quick);
        thread::sleep(Duration::from_millis(500));
        proxy.open();
        assert!(held.join().unwrap().0);
        assert!(start.elapsed() >= Duration::from_millis(500));
    });

    // Another password there, so that it is known who answered.
    proxy.lead_to(other.address());
    assert!(!quick().0);
}

/// A process with a cluster, which is then killed.
#[test]
fn a_cluster_does_not_outlive_whoever_started_it() {
    if std::env::var_os("TESTBED_IS_TO_BE_KILLED").is_some() {
        let cluster = Cluster::start(&Settings::default()).unwrap();
        writeln!(std::io::stdout(), "at {}", cluster.address()).unwrap();
        thread::sleep(Duration::from_mins(1));
        return;
    }
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_cluster_does_not_outlive_whoever_started_it", "--nocapture"])
        .env("TESTBED_IS_TO_BE_KILLED", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains("at 127.")).unwrap();
    let address = line.split("at ").nth(1).unwrap().parse().unwrap();
    assert!(!is_gone(address));
    process.kill().unwrap();
    process.wait().unwrap();
    let patience = Instant::now();
    while !is_gone(address) {
        assert!(patience.elapsed() < Duration::from_secs(30), "it is still there");
        thread::sleep(Duration::from_millis(20));
    }
}
