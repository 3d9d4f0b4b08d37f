//! Passwords of users that are tried.

use super::{ADA, Backend, WRONG, credentials, with};
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};
use std::thread;

#[test]
fn whoever_fails_often_has_to_wait_and_others_do_not() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let from = |email: &str, password: &str, address: &str| {
        let client = json!({ "client": { "address": address } });
        backend.authenticate(&with(credentials(email, password), client))
    };
    let seen = [ADA, "nobody@example.com"].map(|email| {
        let wrong = || from(email, WRONG, "192.0.2.1");
        (0..22).map(|_| wrong()).map(|answer| (answer.status, answer.body)).collect::<Vec<_>>()
    });
    assert_eq!(seen[0], seen[1], "nobody can tell who exists");
    assert_eq!((seen[0][19].0, seen[0][20].0), (401, 429));
    let refused = from(ADA, PASSWORD, "192.0.2.1");
    assert_eq!(refused.header("retry-after"), Some("2"));
    refused.refused(429, "Too many failed sign-ins: try again in 2 s");
    // From elsewhere, and where nobody says from where, it goes on.
    from(ADA, PASSWORD, "198.51.100.1").expect(200);
    backend.sign_in(json!({})).expect(200);
    // The same address is somebody else in another application.
    let other = Backend::new(&world);
    let client = json!({ "client": { "address": "192.0.2.1" } });
    other.sign_in(client).expect(200);
    world.pass(2_000);
    from(ADA, PASSWORD, "192.0.2.1").expect(200);
    from(ADA, WRONG, "192.0.2.1").expect(401);
}

#[test]
fn one_account_is_not_guessed_from_many_networks() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let from = |password: &str, address: &str, device: Option<&str>| {
        let mut client = json!({ "address": address });
        if let Some(device) = device {
            client["device"] = device.into();
        }
        backend.authenticate(&with(credentials(ADA, password), json!({ "client": client })))
    };
    let (cookie, other) = (Some("a cookie of her browser"), Some("a cookie of a stranger"));
    from(PASSWORD, "192.0.2.1", None).expect(200);
    from(PASSWORD, "192.0.2.2", cookie).expect(200);
    for network in 0..100 {
        from(WRONG, &format!("2001:db8:0:{network}::1"), None).expect(401);
    }
    let stranger = "2001:db8:ff:1::1";
    let refused = from(PASSWORD, stranger, None).expect(429);
    assert_eq!(refused.header("retry-after"), Some("900"));
    // The owner is at home, where she has signed in before, or somewhere else with her browser.
    from(PASSWORD, "192.0.2.1", None).expect(200);
    from(WRONG, stranger, cookie).expect(401);
    from(PASSWORD, stranger, cookie).expect(200);
    // Nobody finds out by a guess where that is.
    let told = |address: &str| {
        let answer = from(WRONG, address, None).expect(429);
        (answer.header("retry-after").map(str::to_owned), answer.body)
    };
    let stranger_told = told(stranger);
    thread::scope(|scope| {
        for _ in 0..4 {
            // More than are free, and each is answered late.
            scope.spawn(|| (0..6).for_each(|_| assert_eq!(told("192.0.2.1"), stranger_told)));
        }
    });
    from(PASSWORD, "192.0.2.1", other).expect(429);
    // With a new one she waits as long as she is told, and so does whoever guesses.
    world.pass(899_999);
    from(PASSWORD, stranger, other).expect(429);
    world.pass(1);
    from(WRONG, "2001:db8:0:1::1", None).expect(401);
    from(WRONG, "2001:db8:0:2::1", None).expect(429);
    world.pass(900_000);
    from(PASSWORD, stranger, other).expect(200);
    from(WRONG, "2001:db8:0:2::1", None).expect(401);
}

#[test]
fn guesses_in_an_application_take_nothing_from_administrators() {
    let world = World::new();
    let backend = Backend::new(&world);
    world.administrator("root@example.com");
    let rows = |table: &'static str| {
        let count = format!("SELECT count(*) FROM {table}");
        world.write(move |tx| tx.first::<i64>(&count, &[])).unwrap()
    };
    let body = json!({ "email": "root@example.com", "password": WRONG });
    world.call("", "POST", "/auth/user", &body).expect(401);
    let of_administrators = rows("sign_in_attempts");
    let client = json!({ "client": { "address": "192.0.2.1" } });
    for email in [ADA, "nobody@example.com", "root@example.com"] {
        backend.authenticate(&with(credentials(email, WRONG), client.clone())).expect(401);
    }
    assert_eq!(rows("sign_in_attempts"), of_administrators);
    // Two for each account, and one for the network.
    assert_eq!(rows("user_sign_in_attempts"), 7);
    // They go with the application.
    let application = format!("/applications/{}", backend.application);
    world.call(&backend.token, "DELETE", &application, &Value::Null).expect(200);
    assert_eq!(rows("user_sign_in_attempts"), 0);
}

#[test]
fn an_account_knows_few_and_forgets_them_when_its_password_or_tokens_are_others() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    world.user(backend.application, json!({ "email": "ben@example.com" }), &[]);
    let known = || {
        let count = "SELECT count(*) FROM user_sign_in_attempts WHERE known = 1";
        world.write(move |tx| tx.first::<i64>(count, &[])).unwrap()
    };
    let sign_in = |email: &str, password: &str, device: &str, more: Value| {
        let client = json!({ "client": { "device": device } });
        let body = with(with(credentials(email, password), client), more);
        backend.authenticate(&body).expect(200)
    };
    sign_in("ben@example.com", PASSWORD, "the device of another", json!({}));
    for number in 0..23 {
        world.pass(1);
        sign_in(ADA, PASSWORD, &format!("one of many devices {number}"), json!({}));
    }
    assert_eq!(known(), 1 + 20);
    let ada = backend.of_ada("");
    let patch = |body: Value| {
        backend.ask("PATCH", &ada, &body).expect(200);
    };
    patch(json!({ "firstName": "Ada" }));
    assert_eq!(known(), 1 + 20);
    let again = |email: &str, password: &str| {
        sign_in(email, password, "a device that she still has", json!({}));
        assert_eq!(known(), 1 + 1);
    };
    let alone = json!({ "invalidateExistingTokens": true });
    sign_in(ADA, PASSWORD, "a device that she still has", alone);
    assert_eq!(known(), 1 + 1, "who ends all else is known");
    patch(json!({ "password": "Another-h0rse" }));
    assert_eq!(known(), 1);
    again(ADA, "Another-h0rse");
    backend.ask("DELETE", &backend.of_ada("/tokens"), &Value::Null).expect(200);
    assert_eq!(known(), 1);
    again(ADA, "Another-h0rse");
    patch(json!({ "tokenCutoff": world.now().to_string() }));
    assert_eq!(known(), 1);
    again(ADA, "Another-h0rse");
    patch(json!({ "email": "lady@example.com" }));
    assert_eq!(known(), 1);
    again("lady@example.com", "Another-h0rse");
    backend.ask("DELETE", &ada, &Value::Null).expect(200);
    assert_eq!(known(), 1);
}
