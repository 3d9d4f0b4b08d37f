//! Several nodes on PostgreSQL, and what is promised of them, put to the test: the primary is
//! killed and its standby takes over, nodes are killed, and connections are cut in the middle of a
//! commit, all while many clients read and write.
//!
//! What was answered is there; what was not is there as a whole or not at all; no address is there
//! twice; nobody is told what is older than their own write; and all answers together could have
//! come from one server that does one thing after the other.
//!
//! `GUESTLIST_FAULT_SEED` makes everything that can be decided be decided as in a run that printed
//! it: who does what, and what is broken when. How far each had come by then is up to the machine.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod agree;
mod client;
mod site;
mod user;
mod verdict;

use client::{Client, Scene, Tally};
use guestlist_testbed::http::Request;
use guestlist_testbed::{Cluster, Fate, Random};
use serde_json::json;
use site::{NODES, Site};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 12;
/// Few, so that many write to the same at once.
const USERS: usize = 6;

#[test]
fn the_primary_is_killed_and_its_standby_takes_over() {
    let tally = run(|site, random| {
        pause(random, 3000, 2000);
        site.primary.kill().expect("it is killed");
        pause(random, 0, 1500);
        site.standby.promote().expect("it takes over");
        site.recovered();
        pause(random, 3000, 2000);
        &site.standby
    });
    assert!(tally.unanswered > 10, "{tally:?}");
}

/// Whoever waits for a standby that does not come must not be told that all is well.
#[test]
fn the_standby_is_lost_before_the_primary() {
    let tally = run(|site, random| {
        pause(random, 2000, 1000);
        site.standby.kill().expect("it is killed");
        // Long enough for whoever waits to lose patience.
        pause(random, 8000, 1000);
        site.primary.kill().expect("it is killed");
        site.standby.begin().expect("it starts");
        site.standby.promote().expect("it takes over");
        site.recovered();
        pause(random, 3000, 1000);
        &site.standby
    });
    assert!(tally.unanswered > 10, "{tally:?}");
}

/// PostgreSQL lets whoever waits for a standby be told to stop waiting, and then says that the
/// change is kept, with a warning. It is lost with the primary.
#[test]
fn a_change_that_no_standby_has_is_not_answered() {
    let site = Site::new();
    let scene = scene(&site);
    site.standby.kill().expect("it is killed");
    let answer = thread::scope(|scope| {
        let path = site.path(&format!("experience/users/{}", scene.users[0]));
        let fields = user::fields(1, &scene.groups);
        let request = Request::new("PATCH", path, Some(fields));
        let mut client = site.client(0).expect("it serves");
        let asked = scope.spawn(move || client.send(&request).expect("an answer"));
        let waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while site.primary.sql(&format!("SELECT count(*) {waiting}")).expect("an answer") == "0" {
            assert!(!asked.is_finished(), "it waits");
        }
        let cancel = format!("SELECT pg_cancel_backend(pid) {waiting}");
        site.primary.sql(&cancel).expect("an answer");
        asked.join().expect("an answer")
    });
    assert_eq!(answer.status, 503, "{}", answer.body);
}

#[test]
fn nodes_are_killed_and_started() {
    let tally = run(|site, random| {
        for _ in 0..12 {
            pause(random, 200, 1000);
            let node = random.one_of(&site.nodes).expect("there are some");
            node.kill();
            pause(random, 0, 500);
            node.start();
        }
        pause(random, 500, 500);
        &site.primary
    });
    assert!(tally.unanswered > 10, "{tally:?}");
}

#[test]
fn connections_are_cut_in_the_middle_of_a_commit() {
    let tally = run(|site, random| {
        let mut doomed = 0;
        for _ in 0..100 {
            let wire = &random.one_of(&site.nodes).expect("there are some").wires[0];
            let fates = [Fate::Unsent, Fate::Raced, Fate::Unanswered];
            match random.below(16) {
                0 => wire.cut(),
                1 => wire.half_close(),
                2 => {
                    wire.close();
                    pause(random, 50, 300);
                    wire.open();
                }
                3 => {
                    wire.stall();
                    pause(random, 50, 1000);
                    wire.open();
                }
                _ => {
                    let (before, start) = (wire.doomed(), Instant::now());
                    wire.doom(random.one_of(fates).expect("there are some"), 1);
                    // Until a commit comes by; nobody may be asking this node just now.
                    while wire.doomed() == before && start.elapsed() < Duration::from_secs(2) {
                        thread::sleep(Duration::from_millis(2));
                    }
                    doomed += wire.doomed() - before;
                    pause(random, 20, 100);
                }
            }
        }
        assert!(doomed > 20, "only {doomed} commits were cut off");
        &site.primary
    });
    assert!(tally.unanswered > 10 && tally.replayed > 5, "{tally:?}");
}

/// Somewhere from `least` to `more` milliseconds after that.
fn pause(random: &mut Random, least: u64, more: u64) {
    thread::sleep(Duration::from_millis(least + random.below(more)));
}

/// Puts nodes under load while `breaks` breaks things and tells which cluster is left, and judges
/// what came of it.
fn run(breaks: impl for<'s> FnOnce(&'s Site, &mut Random) -> &'s Cluster) -> Tally {
    let mut random = Random::of("GUESTLIST_FAULT_SEED").expect("a seed");
    let site = Site::new();
    let scene = scene(&site);
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client::new(number + 1, random.fork(number))).collect();
    let left = thread::scope(|scope| {
        for client in &mut clients {
            let scene = &scene;
            scope.spawn(move || {
                // A client that found a fault ends the test for all.
                let _over = Over(&scene.over);
                client.work(scene);
            });
        }
        let _over = Over(&scene.over);
        breaks(&site, &mut random)
    });
    site.recovered();
    verdict::judge(&scene, &mut clients, left);

    let mut sum = Tally::default();
    for Client { tally, .. } in &clients {
        sum.answered += tally.answered;
        sum.unanswered += tally.unanswered;
        sum.refused += tally.refused;
        sum.replayed += tally.replayed;
        sum.made += tally.made;
        sum.taken += tally.taken;
    }
    let _ = writeln!(std::io::stdout(), "{sum:?}");
    // What did not happen was not tested.
    assert!(sum.answered > 500 && sum.refused > 10 && sum.made > 10 && sum.taken > 10, "{sum:?}");
    sum
}

/// Says that it is over when it goes.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Groups, and users that hold nothing yet.
fn scene(site: &Site) -> Scene<'_> {
    let mut client = site.client(NODES - 1).expect("it serves");
    let mut make = |what: &str, body| {
        let answer = client.send(&Request::new("POST", site.path(what), Some(body)));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["id"].as_str().expect("an id").to_owned()
    };
    let groups = ["a", "b", "c"].map(|name| make("experience/groups", json!({ "name": name })));
    let mut scene = Scene {
        site,
        groups,
        users: Vec::new(),
        time: AtomicU64::new(0),
        rivals: AtomicU64::new(0),
        over: AtomicBool::new(false),
    };
    for number in 0..USERS {
        let mut body = user::fields(verdict::INITIAL, scene.groups_of(number));
        body["email"] = json!(format!("register-{number}@guests.test"));
        body["password"] = json!("password");
        scene.users.push(make("experience/users", body));
    }
    scene
}
