//! The keys that sign the tokens of users.

use super::{ADA, Backend, credentials, token_of, with};
use crate::world::{PASSWORD, World};
use guestlist::directory::users::rows as users;
use guestlist::rows::tenant::AuthorizedApp;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

const PATH: &str = "/keys";

/// Each key, the newest first, with its state.
fn keys(backend: &Backend<'_>) -> Vec<(String, String)> {
    let told = backend.ask("GET", PATH, &Value::Null).expect(200).json();
    let items = told["items"].as_array().unwrap();
    assert_eq!(
        (&told["count"], &told["applicationId"]),
        (&json!(items.len()), &json!(backend.application.to_string()))
    );
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    items.iter().map(|key| (text(key, "kid"), text(key, "state"))).collect()
}

fn states(backend: &Backend<'_>) -> Vec<String> {
    keys(backend).into_iter().map(|(_, state)| state).collect()
}

fn rotate(backend: &Backend<'_>, body: &Value) -> String {
    let made = backend.ask("POST", PATH, body).expect(201).json();
    made["kid"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_known_before_it_signs_and_what_was_signed_stays_good() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    assert_eq!(keys(&backend), [], "nobody has signed in");
    let old = backend.new_token(json!({}));
    assert_eq!(states(&backend), ["current"]);
    let next = rotate(&backend, &json!({}));
    assert_eq!(rotate(&backend, &json!({})), next, "there is one already");
    assert_eq!(states(&backend), ["next", "current"]);
    // Twice the time that a copy of the keys may be old.
    world.pass(2 * 300_000 - 1);
    assert_eq!(states(&backend), ["next", "current"]);
    let before = backend.new_token(json!({}));
    world.pass(1);
    assert_eq!(states(&backend), ["current", "retired"]);
    let after = backend.new_token(json!({}));
    assert!([&old, &before, &after].into_iter().all(|token| backend.is_active(token)));

    // The one that signs stays; one that is withdrawn takes its tokens with it.
    let [(current, _), (retired, _)] = keys(&backend).try_into().unwrap();
    assert_eq!(current, next);
    let withdraw = |kid: &str| backend.ask("DELETE", &format!("{PATH}/{kid}"), &Value::Null);
    withdraw(&current)
        .refused(409, "This key signs: have another sign first, immediately if need be");
    assert_eq!(withdraw(&retired).expect(200).json(), json!({ "success": true }));
    withdraw(&retired).refused(404, "Experience key was not found");
    let good = [&old, &before, &after].map(|token| backend.is_active(token));
    assert_eq!(good, [false, false, true]);
    backend.authenticate(&json!({ "mode": "token", "token": old })).expect(401);
    let other = Backend::new(&world);
    other.ask("DELETE", &format!("{PATH}/{current}"), &Value::Null).expect(404);
    assert!(backend.is_active(&after));
}

#[test]
fn a_key_that_others_know_is_replaced_at_once() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let stolen = backend.new_token(json!({}));
    let next = rotate(&backend, &json!({}));
    // The next one does not wait any longer.
    assert_eq!(rotate(&backend, &json!({ "immediately": true })), next);
    let [(current, _), (leaked, state)] = keys(&backend).try_into().unwrap();
    assert_eq!((current, state.as_str()), (next, "retired"));
    let good = backend.new_token(json!({}));
    backend.ask("DELETE", &format!("{PATH}/{leaked}"), &Value::Null).expect(200);
    assert_eq!((backend.is_active(&stolen), backend.is_active(&good)), (false, true));
    // Two within a millisecond are one after the other.
    for _ in 0..3 {
        let new = rotate(&backend, &json!({ "immediately": true }));
        assert_eq!(keys(&backend)[0], (new.clone(), "next".into()));
        assert_eq!(rotate(&backend, &json!({ "immediately": true })), new);
        assert_eq!(keys(&backend)[0], (new.clone(), "next".into()));
        backend.ask("DELETE", &format!("{PATH}/{new}"), &Value::Null).expect(200);
    }
    // There are so many at most.
    for count in 1..10 {
        assert_eq!(keys(&backend).len(), count);
        world.pass(1);
        rotate(&backend, &json!({ "immediately": true }));
    }
    backend
        .ask("POST", PATH, &json!({ "immediately": true }))
        .refused(409, "An application has 10 keys at most: withdraw one that is retired");
    let tokens = backend.new_token(json!({}));
    assert!(backend.is_active(&tokens) && backend.is_active(&good));
}

#[test]
fn no_key_is_made_that_nobody_asked_for() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    world.pass(500);
    backend.new_token(json!({}));
    let [(leaked, _)] = keys(&backend).try_into().unwrap();
    let current = rotate(&backend, &json!({ "immediately": true }));
    backend.ask("DELETE", &format!("{PATH}/{leaked}"), &Value::Null).expect(200);
    // As one sees it who began before that, or by another clock.
    world.pass(-1);
    let token = backend.new_token(json!({}));
    assert_eq!(keys(&backend), [(current, "next".into())]);
    assert!(backend.is_active(&token));
}

#[test]
fn a_key_that_is_withdrawn_while_a_password_is_looked_at_lets_nobody_in() {
    let world = World::new();
    if world.directory().is_some() {
        return; // one writes at a time: who keeps the sign-in waiting keeps waiting who withdraws
    }
    let backend = Backend::new(&world);
    let token = backend.new_token(json!({}));
    let (old, _) = keys(&backend).remove(0);
    rotate(&backend, &json!({ "immediately": true }));
    let ((here, arrived), (ends, until)) = (channel(), channel::<()>());
    let until = Mutex::new(until);
    let (store, user) = (world.app.store.clone(), backend.ada.id);
    let application = AuthorizedApp::allowed(backend.application);
    world.spawn(async move {
        let held = store.write(move |tx| {
            users::lock_within(tx, application, user)?;
            let _ = here.send(());
            let _ = until.lock().unwrap().recv();
            Ok(())
        });
        held.await.unwrap();
    });
    arrived.recv().unwrap();
    let body = json!({ "mode": "tokenEmailPassword", "token": token });
    let answer = thread::scope(|scope| {
        let asked = scope.spawn(|| backend.authenticate(&with(credentials(ADA, PASSWORD), body)));
        // It is counted when the token was looked at.
        let tries = "SELECT count(*) FROM user_sign_in_attempts";
        while world.write(move |tx| tx.first::<i64>(tries, &[])) == Some(0) {
            thread::sleep(Duration::from_millis(5));
        }
        backend.ask("DELETE", &format!("{PATH}/{old}"), &Value::Null).expect(200);
        drop(ends);
        asked.join().unwrap()
    });
    answer.refused(401, "Unauthorized");
}

#[test]
fn nobody_is_refused_while_keys_are_rotated() {
    let world = World::new();
    let backend = Backend::new(&world);
    let (begun, over) = (Barrier::new(3), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let path = backend.of_ada("/tokens");
                let make = || token_of(&backend.ask("POST", &path, &json!({})).expect(201));
                make();
                begun.wait();
                // Not for ever, where the other side fails.
                for _ in 0..10_000 {
                    make();
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        begun.wait();
        for _ in 0..20 {
            rotate(&backend, &json!({ "immediately": true }));
            for (kid, _) in keys(&backend).iter().filter(|(_, state)| state == "retired") {
                backend.ask("DELETE", &format!("{PATH}/{kid}"), &Value::Null).expect(200);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    let token = token_of(&backend.ask("POST", &backend.of_ada("/tokens"), &json!({})));
    assert!(backend.is_active(&token));
}
