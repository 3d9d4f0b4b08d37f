//! Credentials end: with what made them, with the password, and with whoever had them.

use crate::client::Answer;
use crate::world::{Options, PASSWORD, World};
use guestlist::tokens::rows::Principal;
use guestlist_api::api_token::TokenStatus;
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn guesses_at_ones_password_count_together_whichever_token_makes_them() {
    let world = World::standing_still();
    let user = world.administrator("a@example.com");
    let all = world.token(Principal::User(user), "all.User");
    let guess = |token: &str| {
        let body = json!({ "password": "not the password", "newPassword": "Battery-staple-2" });
        world.call(token, "PATCH", "/me/changePassword", &body)
    };
    for _ in 0..4 {
        let body = json!({ "name": "guesses", "scope": ["me.changePassword"] });
        let made = world.call(&all, "POST", "/me/tokens", &body).expect(201).json();
        let token = made["token"].as_str().unwrap();
        for _ in 0..5 {
            guess(token).refused(401, "Unauthorized");
        }
    }
    let body = json!({ "name": "another", "scope": ["me.changePassword"] });
    let made = world.call(&all, "POST", "/me/tokens", &body).expect(201).json();
    let token = made["token"].as_str().unwrap();
    guess(token).refused(429, "Too many failed sign-ins: try again in 2 s");
    // Whoever signs in types the same password elsewhere, and is not kept out.
    let right = json!({ "email": "a@example.com", "password": PASSWORD });
    world.call("", "POST", "/auth/user", &right).expect(200);
    world.pass(2_000);
    let right = json!({ "password": PASSWORD, "newPassword": "Battery-staple-2" });
    world.call(token, "PATCH", "/me/changePassword", &right).expect(200);
}

/// What `answer` says of a token: its id, and itself.
fn made(answer: Answer) -> (String, String) {
    let made = answer.expect(201).json();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

#[test]
fn a_token_ends_no_later_than_the_one_that_made_it() {
    let world = World::standing_still();
    let user = Principal::User(world.administrator("a@example.com"));
    let own = world.application("own");
    for (owner, path, widest) in [
        (Principal::Application(own), format!("/applications/{own}/tokens"), "all.Application"),
        (user, "/me/tokens".to_owned(), "all.User"),
    ] {
        let end = world.now().plus_millis(60_000);
        let mut parent = world.record(owner, widest);
        parent.expiration_date = Some(end);
        let parent = world.keep(&parent);
        let post = |maker: &str, ends: Value| {
            let mut body = json!({ "name": "child" });
            if !ends.is_null() {
                body["expirationDate"] = ends;
            }
            world.call(maker, "POST", &path, &body)
        };
        let later = end.plus_millis(1);
        post(&parent, json!(later)).refused(
            400,
            &format!(
                "apiToken.expirationDate must not be after {end}, when the token that makes it ends"
            ),
        );
        // Without a word it ends with its maker, and so does what it makes in turn.
        let child = post(&parent, Value::Null).expect(201).json();
        assert_eq!(child["expirationDate"], json!(end));
        let child = child["token"].as_str().unwrap();
        assert_eq!(post(child, Value::Null).expect(201).json()["expirationDate"], json!(end));
        let sooner = end.plus_millis(-1);
        let sooner = post(&parent, json!(sooner)).expect(201).json();
        world.get(child, &path).expect(200);
        world.pass(60_000);
        for ended in [&parent, child, sooner["token"].as_str().unwrap()] {
            world.get(ended, &path).refused(401, "Access token has expired");
        }
    }
}

#[test]
fn what_is_made_in_a_session_lasts_because_an_administrator_does() {
    let world = World::standing_still();
    world.administrator("a@example.com");
    let own = world.application("own");
    let path = format!("/applications/{own}/tokens");
    let credentials = json!({ "email": "a@example.com", "password": PASSWORD, "tokenTTL": 60_000 });
    let session = world.call("", "POST", "/auth/user", &credentials).expect(200).json();
    let session = session["token"].as_str().unwrap();
    let answer = world.call(session, "POST", &path, &json!({ "name": "lasts" })).expect(201);
    assert_eq!(answer.json()["expirationDate"], Value::Null);
    let lasts = made(answer).1;
    world.pass(60_000);
    world.get(session, "/me").refused(401, "Access token has expired");
    world.get(&lasts, &path).expect(200);
}

#[test]
fn a_token_is_not_switched_on_for_longer_than_who_does_it() {
    let world = World::standing_still();
    let own = Principal::Application(world.application("own"));
    let end = world.now().plus_millis(60_000);
    let mut who = world.record(own, "all.Application");
    who.expiration_date = Some(end);
    let who = world.keep(&who);
    for (ends, may) in [(None, false), (Some(end.plus_millis(1)), false), (Some(end), true)] {
        let mut off = world.record(own, "all.Application");
        off.status = TokenStatus::Inactive;
        off.expiration_date = ends;
        world.keep(&off);
        let path = format!("/applications/{}/tokens/{}", own.id(), off.id);
        let switch = |status: &str| world.call(&who, "PATCH", &path, &json!({ "status": status }));
        if may {
            switch("active").expect(200);
        } else {
            switch("active").refused(403, "Access is forbidden");
        }
        // To switch off, or to say again what is, grants nothing.
        switch("inactive").expect(200);
    }
}

#[test]
fn a_token_is_revoked_alone_or_with_all_that_came_of_it() {
    let world = World::new();
    let user = Principal::User(world.administrator("a@example.com"));
    let own = world.application("own");
    let root = world.token(user, "all.User");
    let path = format!("/applications/{own}/tokens");
    let make = |maker: &str, path: &str, scope: &str| {
        made(world.call(maker, "POST", path, &json!({ "name": "made", "scope": [scope] })))
    };
    let good = |token: &str| world.get(token, &path).status == 200;
    let count = || world.get(&root, &path).expect(200).json()["totalCount"].clone();
    for alone in [true, false] {
        let mine = make(&root, "/me/tokens", "all.User");
        let child = make(&mine.1, &path, "all.Application");
        let grandchild = make(&child.1, &path, "all.Application");
        let other = make(&root, &path, "all.Application");
        assert!([&mine, &child, &grandchild, &other].iter().all(|token| good(&token.1)));
        let query = if alone { "" } else { "?withChildren=true" };
        let one = format!("/me/tokens/{}{query}", mine.0);
        world.call(&root, "DELETE", &one, &Value::Null).expect(200);
        assert!(!good(&mine.1) && good(&other.1));
        assert_eq!([good(&child.1), good(&grandchild.1)], [alone; 2]);
        assert_eq!(count(), if alone { 3 } else { 1 });
        for token in [&child, &other] {
            let one = format!("{path}/{}?withChildren=true", token.0);
            let status = if alone || token == &other { 200 } else { 404 };
            world.call(&root, "DELETE", &one, &Value::Null).expect(status);
        }
        assert!(!good(&grandchild.1));
        assert_eq!(count(), 0);
    }
    let query = format!("{path}/{}?withChildren=perhaps", "0".repeat(24));
    world
        .call(&root, "DELETE", &query, &Value::Null)
        .refused(400, "withChildren must be one of: true, 1, yes, false, 0, no");
}

#[test]
fn who_makes_tokens_while_being_revoked_leaves_none() {
    let world = World::new();
    let own = world.application("own");
    let root = world.token(Principal::Application(own), "all.Application");
    let path = format!("/applications/{own}/tokens");
    for _ in 0..20 {
        let parent = made(world.call(&root, "POST", &path, &json!({ "name": "parent" })));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    let make = || world.call(&parent.1, "POST", &path, &json!({ "name": "child" }));
                    while make().status == 201 {}
                });
            }
            let one = format!("{path}/{}?withChildren=true", parent.0);
            world.call(&root, "DELETE", &one, &Value::Null).expect(200);
        });
        let left = world.get(&root, &path).expect(200).json();
        assert_eq!(left["totalCount"], 1, "{left}");
    }
}

/// The token of a new session of the administrator.
fn sign_in(world: &World, password: &str) -> String {
    let credentials = json!({ "email": "a@example.com", "password": password });
    let session = world.call("", "POST", "/auth/user", &credentials).expect(200).json();
    session["token"].as_str().unwrap().to_owned()
}

const OTHER: &str = "Battery-staple-2";

#[test]
fn a_new_password_ends_all_that_there_is_when_it_is_to() {
    let world = World::standing_still();
    world.administrator("a@example.com");
    let own = world.application("own");
    let session = sign_in(&world, PASSWORD);
    let mine = made(world.call(&session, "POST", "/me/tokens", &json!({ "name": "mine" })));
    let path = format!("/applications/{own}/tokens");
    let of_own = made(world.call(&session, "POST", &path, &json!({ "name": "of the shop" })));
    world.pass(1_000);
    let change = |token: &str, from: &str, to: &str, all: bool| {
        let body = json!({ "password": from, "newPassword": to, "invalidateExistingTokens": all });
        let answer = world.call(token, "PATCH", "/me/changePassword", &body).expect(200).json();
        answer["token"].as_str().unwrap().to_owned()
    };
    let second = change(&session, PASSWORD, OTHER, false);
    for token in [&session, &mine.1, &second] {
        world.get(token, "/me").expect(200);
    }
    // Asked with the very token that ends.
    let third = change(&mine.1, OTHER, PASSWORD, true);
    for token in [&session, &mine.1, &second] {
        world.get(token, "/me").refused(401, "Invalid access token");
    }
    let one = format!("/me/tokens/{}", mine.0);
    let shown = world.get(&third, &one).expect(200).json();
    assert_eq!(
        (&shown["status"], &shown["lastUpdated"]),
        (&json!("inactive"), &json!(world.now()))
    );
    // It is the application's, not theirs.
    world.get(&of_own.1, &path).expect(200);
    world.call(&third, "PATCH", &one, &json!({ "status": "active" })).expect(200);
    world.get(&mine.1, "/me").expect(200);
}

#[test]
fn a_cutoff_is_for_api_tokens_too() {
    let world = World::standing_still();
    world.administrator("a@example.com");
    let session = sign_in(&world, PASSWORD);
    let mine = made(world.call(&session, "POST", "/me/tokens", &json!({ "name": "mine" })));
    world.get(&mine.1, "/me").expect(200);
    world.pass(2_000);
    let cutoff = json!({ "tokenCutoff": world.now() });
    world.call(&mine.1, "PATCH", "/me", &cutoff).expect(200);
    for token in [&session, &mine.1] {
        world.get(token, "/me").refused(401, "Invalid access token");
    }
    let session = sign_in(&world, PASSWORD);
    let one = format!("/me/tokens/{}", mine.0);
    // To switch it on does not bring it back.
    for status in ["inactive", "active"] {
        world.call(&session, "PATCH", &one, &json!({ "status": status })).expect(200);
    }
    world.get(&mine.1, "/me").refused(401, "Invalid access token");
    let later = made(world.call(&session, "POST", "/me/tokens", &json!({ "name": "later" })));
    world.get(&later.1, "/me").expect(200);
}

#[test]
fn what_signs_in_is_changed_by_who_gives_the_password_or_did_a_moment_ago() {
    let world = World::standing_still();
    world.administrator("a@example.com");
    let session = sign_in(&world, PASSWORD);
    let mine = made(world.call(&session, "POST", "/me/tokens", &json!({ "name": "mine" })));
    let patch = |token: &str, body: Value| world.call(token, "PATCH", "/me", &body);
    let again = "Give the present password as currentPassword, or sign in again";
    let refused = |token: &str, body: Value| {
        let answer = patch(token, body);
        answer.refused(401, again);
        assert_eq!(answer.json()["type"], "ReauthenticationRequired");
    };
    refused(&mine.1, json!({ "password": OTHER }));
    refused(&mine.1, json!({ "email": "b@example.com" }));
    // Who says what is there already changes nothing of it.
    patch(&mine.1, json!({ "email": "a@example.com", "firstName": "Ada" })).expect(200);
    patch(&mine.1, json!({ "password": OTHER, "currentPassword": OTHER }))
        .refused(401, "Unauthorized");
    let known = json!({ "email": "b@example.com", "currentPassword": PASSWORD });
    patch(&mine.1, known).expect(200);
    patch(&session, json!({ "email": "a@example.com" })).expect(200);
    world.pass(10 * 60_000 - 1);
    patch(&session, json!({ "password": OTHER })).expect(200);
    world.pass(1);
    refused(&session, json!({ "password": PASSWORD }));
    // A session that goes on is as old as the one that it goes on from.
    let on = world.get(&session, "/me/refreshToken").expect(200).json();
    refused(on["token"].as_str().unwrap(), json!({ "email": "b@example.com" }));
    patch(&session, json!({ "password": PASSWORD, "currentPassword": OTHER })).expect(200);
    let change = json!({ "password": PASSWORD, "newPassword": OTHER });
    let answer = world.call(&mine.1, "PATCH", "/me/changePassword", &change).expect(200).json();
    let fresh = answer["token"].as_str().unwrap();
    patch(fresh, json!({ "email": "b@example.com" })).expect(200);
}

#[test]
fn guesses_in_a_patch_count_with_the_others_and_a_repeated_one_is_answered_again() {
    let world = World::standing_still();
    let user = world.administrator("a@example.com");
    let token = world.token(Principal::User(user), "all.User");
    let body = json!({ "password": OTHER, "currentPassword": PASSWORD });
    let ask = world.request("PATCH", "/me").token(&token).json(&body).key("key");
    let first = ask.send().expect(200);
    // By now the password in the request is wrong, which must not matter.
    assert_eq!(ask.send().expect(200).body, first.body);
    for guess in 0..20 {
        let wrong = "not the password";
        let answer = if guess % 2 == 0 {
            let body = json!({ "firstName": "Ada", "currentPassword": wrong });
            world.call(&token, "PATCH", "/me", &body)
        } else {
            let body = json!({ "password": wrong, "newPassword": PASSWORD });
            world.call(&token, "PATCH", "/me/changePassword", &body)
        };
        answer.refused(401, "Unauthorized");
    }
    let right = json!({ "firstName": "Ada", "currentPassword": OTHER });
    world
        .call(&token, "PATCH", "/me", &right)
        .refused(429, "Too many failed sign-ins: try again in 2 s");
}

#[test]
fn a_session_lasts_no_longer_than_it_is_let_however_it_goes_on() {
    let longest = Some(Duration::from_mins(1));
    let world =
        World::with(&Options { manual_clock: true, max_session: longest, ..Options::default() });
    world.administrator("a@example.com");
    let begin = |ttl: Value| {
        let mut credentials = json!({ "email": "a@example.com", "password": PASSWORD });
        if !ttl.is_null() {
            credentials["tokenTTL"] = ttl;
        }
        let session = world.call("", "POST", "/auth/user", &credentials).expect(200).json();
        session["token"].as_str().unwrap().to_owned()
    };
    let bounded = [begin(Value::Null), begin(json!(0)), begin(json!(3_600_000))];
    let short = begin(json!(10_000));
    world.pass(10_000);
    world.get(&short, "/me").refused(401, "Access token has expired");
    world.pass(30_000);
    let on = world.get(&bounded[0], "/me/refreshToken").expect(200).json();
    let on = on["token"].as_str().unwrap();
    let change = json!({ "password": PASSWORD, "newPassword": OTHER });
    let changed = world.call(on, "PATCH", "/me/changePassword", &change).expect(200).json();
    let changed = changed["token"].as_str().unwrap();
    world.pass(19_999);
    for token in bounded.iter().map(String::as_str).chain([on, changed]) {
        world.get(token, "/me").expect(200);
    }
    world.pass(1);
    for token in bounded.iter().map(String::as_str).chain([on]) {
        world.get(token, "/me").refused(401, "Access token has expired");
    }
    // Another password was given for this one.
    world.get(changed, "/me").expect(200);
    world.pass(40_000);
    world.get(changed, "/me").refused(401, "Access token has expired");
}
