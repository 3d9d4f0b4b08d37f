//! `me.refreshToken`: a session goes on in another one.

use crate::world::World;
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist::tokens::sessions;
use serde_json::{Value, json};

/// What a token says of itself.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn refreshed(world: &World, token: &str) -> String {
    let answer = world.get(token, "/me/refreshToken").expect(200).json();
    let token = answer["token"].as_str().unwrap().to_owned();
    assert_eq!(answer, json!({ "userId": answer["userId"], "token": token }));
    token
}

#[test]
fn a_session_goes_on_for_as_long_again_and_may_do_no_more() {
    let world = World::standing_still();
    world.administrator("a@example.com");
    let credentials = json!({
        "email": "a@example.com", "password": crate::world::PASSWORD,
        "tokenTTL": 60_000, "requestedScopes": ["me.*"],
    });
    let session = world.call("", "POST", "/auth/user", &credentials).expect(200).json();
    let first = session["token"].as_str().unwrap().to_owned();
    world.pass(40_000);
    let second = refreshed(&world, &first);
    assert_ne!(first, second);
    assert_eq!(claims(&second)["scope"], claims(&first)["scope"]);
    world.get(&second, "/applications").refused(403, "Access is forbidden");
    // The first goes on to its own end, so that an answer that is lost can be asked for again.
    world.get(&first, "/me").expect(200);
    world.pass(30_000);
    world.get(&first, "/me/refreshToken").refused(401, "Access token has expired");
    let third = refreshed(&world, &second);
    world.pass(59_000);
    world.get(&third, "/me").expect(200);
    world.pass(2_000);
    world.get(&third, "/me").refused(401, "Access token has expired");
}

#[test]
fn one_without_an_end_has_none_and_all_end_together() {
    let world = World::new();
    let user = world.administrator("a@example.com");
    let credentials = json!({ "email": "a@example.com", "password": crate::world::PASSWORD });
    let session = world.call("", "POST", "/auth/user", &credentials).expect(200).json();
    let first = session["token"].as_str().unwrap();
    let second = refreshed(&world, first);
    assert!(claims(&second)["exp"].is_null());
    world.write(move |tx| sessions::end_all(tx, user));
    for token in [first, &second] {
        world.get(token, "/me/refreshToken").refused(401, "Invalid access token");
    }
}

#[test]
fn an_api_token_stays_what_it_is() {
    let world = World::new();
    let user = Principal::User(world.administrator("a@example.com"));
    let record = world.record(user, "me.refreshToken userApiTokens.get");
    let token = world.keep(&record);
    assert_eq!(refreshed(&world, &token), token);
    let listed = world.get(&token, "/me/tokens").expect(200).json();
    assert_eq!(listed["totalCount"], 1);
    world.write(move |tx| tokens::delete(tx, &record));
    world.get(&token, "/me/refreshToken").refused(401, "Invalid access token");
}
