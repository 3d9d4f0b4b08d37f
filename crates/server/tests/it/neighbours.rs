//! Those who share a server: what one tenant does, or somebody without any token, is not at the expense
//! of the others.

mod kinds;
mod sign_ins;
mod sockets;

use crate::client::Answer;
use crate::world::{Options, PASSWORD, World};
use flate2::Compression;
use flate2::write::GzEncoder;
use guestlist::store::Store;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Ends those who go on until it is true, also where the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Waits for what others do, without taking their processor.
fn wait_until(done: impl Fn() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_mins(5), "nobody does it");
        thread::sleep(Duration::from_millis(5));
    }
}

/// An application, somebody who may do everything in it, and one of its users.
struct Tenant {
    id: ApplicationId,
    token: String,
    user: String,
}

impl Tenant {
    fn new(world: &World, name: &str) -> Self {
        let id = world.application(name);
        let token = world.token(Principal::Application(id), "all.Application");
        let user = world.user(id, json!({ "email": format!("one@{name}.example") }), &[]);
        let user = format!("/applications/{id}/experience/users/{}", user.id);
        Self { id, token, user }
    }

    fn path(&self, rest: &str) -> String {
        format!("/applications/{}/experience/{rest}", self.id)
    }

    fn patch(&self, world: &World, body: &Value) -> Answer {
        world.call(&self.token, "PATCH", &self.user, body)
    }
}

/// Work in the store that goes on until this is dropped.
struct Going(#[expect(dead_code, reason = "what ends it is that it goes")] Sender<()>);

/// Something to call from inside a transaction: it says that it got there, and waits.
fn going_on() -> (impl Fn() + Send + 'static, impl FnOnce(), Going) {
    let ((here, arrived), (ends, until)) = (channel(), channel());
    let until = Mutex::new(until);
    let wait = move || {
        let _ = here.send(()); // nobody listens when it runs again
        let _ = until.lock().unwrap().recv();
    };
    (wait, move || arrived.recv().unwrap(), Going(ends))
}

impl World {
    /// A query of `store` that takes as long as it is held.
    fn long_read(&self, store: Store) -> Going {
        let (wait, arrived, going) = going_on();
        self.spawn(async move {
            let read = store.read(move |_| {
                wait();
                Ok(())
            });
            drop(read.await);
        });
        arrived();
        going
    }

    /// A change of `store` that takes as long as it is held.
    fn long_write(&self, store: Store) -> Going {
        let (wait, arrived, going) = going_on();
        self.spawn(async move {
            let write = store.write(move |_| {
                wait();
                Ok(())
            });
            drop(write.await);
        });
        arrived();
        going
    }
}

#[test]
fn queries_of_one_tenant_keep_no_other_from_reading() {
    // One thread for what is found by key, and one of the others for each tenant.
    let world = World::new();
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let going = world.long_read(world.app.store.for_application(one.id));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let answer = world.get(&one.token, &one.path("users"));
            done.store(true, Ordering::SeqCst);
            answer
        });
        for round in 0..5 {
            world
                .get(&other.token, &other.path(&format!("users?perPage={}", 5 + round)))
                .expect(200);
            world.get(&other.token, &format!("{}?round={round}", other.user)).expect(200);
            world.get(&one.token, &format!("{}?round={round}", one.user)).expect(200);
            let keyed = world.request("PATCH", &other.user).token(&other.token);
            let name = json!({ "firstName": format!("{round}") });
            keyed.key(&format!("key-{round}")).json(&name).send().expect(200);
            world.get("", "/readyz").expect(200);
        }
        assert!(!done.load(Ordering::SeqCst), "it has no more than its share");
        drop(going);
        waiting.join().unwrap().expect(200);
    });
}

/// A query of so many `users` of `one`. What each is called, in so many `letters`, is compared with all
/// that is named here, at each letter: of 600 users with a thousand that takes a second, more or less.
fn long_query(world: &World, one: &Tenant, users: usize, letters: usize) -> String {
    let name = "q".repeat(letters);
    for number in 0..users {
        let user = json!({ "email": format!("{number}@long.example"), "lastName": name });
        world.user(one.id, user, &[]);
    }
    let part = |number: usize| format!("{}{number}", "q".repeat(9));
    let has = |number: usize| json!({ "lastName": { "$contains": part(number) } });
    // A list has a hundred items at most.
    let [some, others] = [0..100, 100..200].map(|range| range.map(has).collect::<Vec<_>>());
    let query = json!({ "$nor": [{ "$or": some }, { "$or": others }] }).to_string();
    let encoded = query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
    one.path(&format!("users?perPage=1&query={encoded}"))
}

#[test]
fn queries_of_whoever_is_gone_keep_nobody_from_reading() {
    let world = World::new();
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let long = long_query(&world, &one, 600, 1024);
    // It is a query, which a busy machine may not end in time.
    let status = world.get(&one.token, &long).status;
    assert!(matches!(status, 200 | 503), "{status}");
    let going = world.long_read(world.app.store.for_application(other.id));
    // Together they take longer than anybody waits here for an answer.
    for _ in 0..120 {
        drop(world.request("GET", &long).token(&one.token).begin());
    }
    world.get(&one.token, &one.path("users?perPage=7")).expect(200);
    drop(going);
    world.get(&other.token, &other.path("users?perPage=7")).expect(200);
    // Whoever has only closed their own side is answered what takes less than a second, which on a machine
    // that has much to do may be another time.
    let answered = (0..20).any(|_| {
        let mut asked = world.request("GET", &other.user).token(&other.token).begin();
        asked.get_ref().shutdown(Shutdown::Write).unwrap();
        Answer::read(&mut asked, "GET").is_ok_and(|answer| answer.status == 200)
    });
    assert!(answered, "nobody is");
}

#[test]
fn a_query_that_is_too_much_work_is_refused() {
    let world = World::with(&Options { steps_per_second: Some(5_000), ..Options::default() });
    if world.directory().is_none() {
        return; // PostgreSQL counts no steps, and has a deadline alone
    }
    let one = Tenant::new(&world, "one");
    let long = long_query(&world, &one, 200, 10);
    for _ in 0..2 {
        world.get(&one.token, &long).refused(
            400,
            "The request takes more work than one may: ask with fewer conditions, for something that \
             is in an index, or from a cursor on rather than for a page far from the first",
        );
        world.get(&one.token, &one.path("users?perPage=3")).expect(200);
    }
}

#[test]
fn a_condition_that_does_not_hold_takes_no_turn_of_those_who_write() {
    let world = World::new();
    let one = Tenant::new(&world, "one");
    let group = world.group(one.id, json!({ "name": "crowd" }));
    let path = one.path(&format!("groups/{}", group.id));
    // All that write are busy.
    let going: Vec<_> = (0..if world.directory().is_some() { 1 } else { 4 })
        .map(|_| world.long_write(world.app.store.clone()))
        .collect();
    for method in ["PATCH", "DELETE"] {
        let change = world.request(method, &path).token(&one.token).header("If-Match", "\"old\"");
        let change = if method == "PATCH" { change.json(&json!({})) } else { change };
        assert_eq!(change.send().status, 412, "{method}");
    }
    drop(going);
    let tag = world.get(&one.token, &path).expect(200).etag().to_owned();
    let change = || world.request("PATCH", &path).token(&one.token).header("If-Match", &tag);
    change().json(&json!({ "description": "new" })).send().expect(200);
    assert_eq!(change().json(&json!({ "description": "newer" })).send().status, 412);
}

#[test]
fn passwords_of_one_tenant_keep_no_other_from_hashing() {
    let world = World::with(&Options { hash_workers: Some(1), ..Options::default() });
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let (enough, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while !enough.load(Ordering::SeqCst) {
                    if one.patch(&world, &json!({ "password": PASSWORD })).status == 503 {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        let _ends = Ends(&enough);
        wait_until(|| refused.load(Ordering::SeqCst) > 0);
        for _ in 0..10 {
            other.patch(&world, &json!({ "password": PASSWORD })).expect(200);
        }
    });
}

#[test]
fn strangers_keep_nobody_from_signing_in() {
    let world = World::with(&Options { hash_workers: Some(1), ..Options::default() });
    world.administrator("ada@example.com");
    let sign_in = |email: &str, password: &str| {
        let credentials = json!({ "email": email, "password": password });
        world.call("", "POST", "/auth/user", &credentials)
    };
    let (enough, tried) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..24 {
            let (enough, tried) = (&enough, &tried);
            scope.spawn(move || {
                let mut round = 0;
                while !enough.load(Ordering::SeqCst) {
                    let email = format!("{number}.{round}@example.com");
                    // Who fails too often has to wait.
                    let status = sign_in(&email, "a bad password").status;
                    assert!(matches!(status, 401 | 429), "{status}");
                    tried.fetch_add(1, Ordering::SeqCst);
                    round += 1;
                }
            });
        }
        let _ends = Ends(&enough);
        wait_until(|| tried.load(Ordering::SeqCst) >= 24);
        for _ in 0..10 {
            sign_in("ada@example.com", PASSWORD).expect(200);
        }
    });
}

#[test]
fn nobody_has_a_long_body_read_without_a_token() {
    let world = World::new();
    let one = Tenant::new(&world, "one");
    let post = |token: &str| world.request("POST", &one.path("users")).token(token);
    let long = format!("[{}0]", "{\"a\":0},".repeat(100_000));
    let packed = {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(long.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    assert!(packed.len() < 8 << 10);
    for token in ["", "no.good.token"] {
        let asked = || {
            let sent = post(token).body(long.clone()).send();
            let gzip = post(token).header("Content-Encoding", "gzip").body(packed.clone()).send();
            [sent, gzip]
        };
        // As it is answered where nothing is wrong with what was sent.
        let good = post(token).json(&json!({ "email": "a@b.c", "password": PASSWORD })).send();
        for answer in asked() {
            answer.refused(good.status, &good.message());
        }
        // What is wrong with a short one is told first.
        post(token).body("{").send().expect(400);
        post(token).json(&json!([])).send().expect(400);
    }
    post(&one.token).body(long.clone()).send().refused(400, "experienceUser is the wrong type");
    let sign_in = world.request("POST", "/auth/user").body(long).send();
    sign_in.refused(413, "The request body is larger than 16384 bytes");
}
