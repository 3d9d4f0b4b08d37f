//! Several servers of one database, whose machines do not agree on the time.

use crate::world::World;
use guestlist::clock::{Clock, Settable};
use guestlist::server::Server;
use guestlist::tokens::rows::Principal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// More than anybody is off who has asked the database, on a machine that has much to do; and less than the clocks
/// are apart.
const A_MOMENT: Duration = Duration::from_secs(1);

/// The clock of a machine that is so many milliseconds ahead.
fn ahead_by(millis: i64) -> Clock {
    let clock = Settable::running();
    clock.advance(millis);
    Clock::Settable(Arc::new(clock))
}

/// Another server of the same store, on such a machine.
fn beside(world: &World, ahead: i64) -> World {
    World::start(world.config.clone(), ahead_by(ahead), Arc::clone(&world.home))
}

#[test]
fn a_cutoff_ends_what_another_server_has_made_whatever_their_clocks_say() {
    let world = World::new();
    let application = world.application("one");
    let ada = world.user(application, json!({ "email": "ada@example.com" }), &[]);
    let token = world.token(Principal::Application(application), "all.Application");
    let within = format!("/applications/{application}/experience");
    let tokens = format!("{within}/users/{}/tokens", ada.id);
    let (fast, slow) = (beside(&world, 800), beside(&world, -800));
    for (maker, ender) in [(&fast, &slow), (&slow, &fast)] {
        let make = || {
            let made = maker.call(&token, "POST", &tokens, &json!({})).expect(201).json();
            made["token"].as_str().unwrap().to_owned()
        };
        let is_active = |shown: &str, at: &World| {
            let body = json!({ "token": shown });
            let path = format!("{within}/verifyToken");
            at.call(&token, "POST", &path, &body).expect(200).json()["active"] == true
        };
        let before = make();
        assert!(is_active(&before, maker) && is_active(&before, ender));
        thread::sleep(A_MOMENT);
        ender.call(&token, "DELETE", &tokens, &Value::Null).expect(200);
        assert!(!is_active(&before, maker) && !is_active(&before, ender));
        // None that is made after it is before it.
        let after = make();
        assert!(is_active(&after, maker) && is_active(&after, ender));
        thread::sleep(A_MOMENT);
    }
}

#[test]
fn a_server_whose_clock_is_off_does_not_start() {
    let world = World::new();
    let refused = |ahead: i64| {
        let bound = Server::bind(&world.config, ahead_by(ahead));
        world.runtime.block_on(bound).err().map(|error| error.to_string())
    };
    for (ahead, says) in [(2_500, "ahead of"), (-2_500, "behind")] {
        let why = refused(ahead).unwrap();
        assert!(why.starts_with("the clock of this machine is 2") && why.contains(says), "{why}");
    }
    assert_eq!(refused(400), None);
}
