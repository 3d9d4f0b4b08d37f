//! Passwords and tokens that are tried: one account's from many networks, many accounts' from one.

use crate::client::Answer;
use crate::world::{Options, PASSWORD, World, forwarded, shared_hash};
use guestlist::administrators::rows as administrators;
use guestlist::administrators::rules::new_me;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::UserId;
use guestlist_api::text::Email;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

/// A server behind a proxy, where time stands still.
fn world() -> World {
    World::with(&Options { ingress: forwarded(), manual_clock: true, ..Options::default() })
}

fn sign_in(world: &World, email: &str, password: &str, from: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    world.request("POST", "/auth/user").header("X-Forwarded-For", from).json(&body).send()
}

/// So many administrators, who all have the same password.
fn administrators(world: &World, count: usize) -> Vec<String> {
    let now = world.now();
    let new: Vec<_> = (0..count)
        .map(|number| {
            let (id, email) = (UserId(world.app.ids.next(now)), format!("{number}@example.com"));
            (new_me(id, Email::parse(&email).unwrap(), now), email)
        })
        .collect();
    let (hash, emails) = (shared_hash(), new.iter().map(|(_, email)| email.clone()).collect());
    world.write(move |tx| new.iter().try_for_each(|(me, _)| administrators::add(tx, me, &hash)));
    emails
}

fn counted(world: &World) -> i64 {
    world.write(|tx| tx.first("SELECT count(*) FROM sign_in_attempts", &[])).unwrap()
}

#[test]
fn one_account_is_not_guessed_from_many_networks() {
    let world = world();
    world.administrator("ada@example.com");
    let (home, stranger, neighbour) = ("192.0.2.1", "2001:db8:ff:1::1", "2001:db8:ff:2::1");
    sign_in(&world, "ada@example.com", PASSWORD, home).expect(200);
    let seen = ["ada@example.com", "nobody@example.com"].map(|email| {
        let wrong = |from: &str| sign_in(&world, email, "Wrong-passw0rd", from);
        for network in 0..100 {
            wrong(&format!("2001:db8:0:{network}::1")).expect(401);
        }
        // Any more have few tries, and share them with their neighbours.
        let told = [stranger, stranger, stranger, stranger, neighbour].map(&wrong);
        // Who has signed in has a lane of their own, which nobody on their network can tell.
        let at_home = [home; 5].map(&wrong);
        told.into_iter().chain(at_home).map(|told| (told.status, told.body)).collect::<Vec<_>>()
    });
    assert_eq!(seen[0], seen[1], "nobody can tell who exists");
    let statuses: Vec<u16> = seen[0].iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429, 401, 401, 401, 429, 429]);
    // It is slowed down and not locked: for a network that is known, and for one that has not failed.
    sign_in(&world, "ada@example.com", PASSWORD, stranger).expect(429);
    sign_in(&world, "ada@example.com", PASSWORD, home).expect(200);
    sign_in(&world, "ada@example.com", PASSWORD, "198.51.100.1").expect(200);
    world.pass(2_000);
    sign_in(&world, "ada@example.com", PASSWORD, stranger).expect(200);
}

#[test]
fn many_accounts_are_not_guessed_from_one_network() {
    let world = world();
    let (here, near) = ("2001:db8:0:1::1", "2001:db8:0:1:ffff::");
    let emails = administrators(&world, 17);
    sign_in(&world, &emails[16], PASSWORD, here).expect(200);
    // What somebody types right is no failure.
    for _ in 0..3 {
        sign_in(&world, &emails[0], PASSWORD, here).expect(200);
    }
    for email in &emails[..15] {
        for _ in 0..20 {
            sign_in(&world, email, "Wrong-passw0rd", here).expect(401);
        }
    }
    let before = counted(&world);
    let refused = sign_in(&world, &emails[15], PASSWORD, near);
    refused.refused(429, "Too many failed sign-ins: try again in 2 s");
    let unknown = sign_in(&world, "nobody@example.com", PASSWORD, here);
    assert_eq!((unknown.status, &unknown.body), (429, &refused.body));
    assert_eq!(counted(&world), before, "nothing is written down for who is refused");
    // Who has signed in from here goes on, and who guesses cannot tell who that is.
    let guessed = sign_in(&world, &emails[16], "Wrong-passw0rd", here);
    assert_eq!((guessed.status, &guessed.body), (429, &refused.body));
    sign_in(&world, &emails[16], PASSWORD, here).expect(200);
    sign_in(&world, &emails[15], PASSWORD, "2001:db8:0:2::1").expect(200);
    world.pass(2_000);
    sign_in(&world, &emails[15], PASSWORD, near).expect(200);
}

#[test]
fn strangers_are_refused_later_and_good_tokens_are_answered_at_once() {
    let world = World::standing_still();
    let id = world.application("one");
    let token = world.token(Principal::Application(id), "all.Application");
    let path = format!("/applications/{id}");
    for number in 0..250 {
        world.get("no.good.token", &format!("{path}?{number}")).expect(401);
        world.get("", &format!("{path}?{number}")).expect(403);
        world.get(&token, &format!("/nowhere/{number}")).expect(404);
        world.call("", "PUT", "/auth/user", &Value::Null).expect(405);
    }
    thread::scope(|scope| {
        let bad = scope.spawn(|| {
            let began = Instant::now();
            // The first waits for 5 ms, and each for 5 ms more than the one before.
            for _ in 0..20 {
                world.get("no.good.token", &path).refused(401, "Invalid access token");
            }
            began.elapsed()
        });
        for number in 0..10 {
            world.get(&token, &format!("{path}?{number}")).expect(200);
        }
        let took = bad.join().unwrap();
        assert!(took >= Duration::from_secs(1), "{took:?}");
    });
    // Whoever is not refused by a look has nothing to do with it.
    world.get("", "/healthz").expect(200);
}
