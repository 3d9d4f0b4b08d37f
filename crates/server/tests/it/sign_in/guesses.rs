//! Passwords of users that are tried.

use super::{ADA, Backend, WRONG, credentials, with};
use crate::world::{PASSWORD, World};
use serde_json::json;

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
    let from = |password: &str, address: &str| {
        let client = json!({ "client": { "address": address } });
        backend.authenticate(&with(credentials(ADA, password), client))
    };
    from(PASSWORD, "192.0.2.1").expect(200);
    for network in 0..100 {
        from(WRONG, &format!("2001:db8:0:{network}::1")).expect(401);
    }
    let stranger = "2001:db8:ff:1::1";
    let statuses: Vec<u16> = (0..5).map(|_| from(WRONG, stranger).status).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    from(PASSWORD, stranger).expect(429);
    // The owner is at home, where she has signed in before.
    from(PASSWORD, "192.0.2.1").expect(200);
}
