//! Tokens for users, whom a backend knows.

use super::{ADA, Backend, credentials, text, token_of};
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};

#[test]
fn a_backend_makes_a_token_for_somebody_who_is_not_there() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let make = |body: Value| {
        let made = backend.ask("POST", &backend.of_ada("/tokens"), &body).expect(201);
        token_of(&made)
    };
    let token = make(json!({ "actor": "support", "maxAge": 1, "extraData": { "ticket": 7 } }));
    let verified = backend.verify(&token);
    assert_eq!(verified["claims"]["act"], json!({ "sub": "support" }));
    assert_eq!(verified["claims"].get("amr"), None);
    assert_eq!(verified["extraData"], json!({ "ticket": 7 }));
    assert_eq!(backend.shown().get("lastLogin"), None);
    let alone = make(json!({ "treatAsLogin": true, "invalidateExistingTokens": true }));
    assert_eq!(backend.shown()["lastLogin"], text(world.now()));
    assert_eq!((backend.is_active(&token), backend.is_active(&alone)), (false, true));
    let nobody = "/users/ffffffffffffffffffffffff/tokens";
    let answer = backend.ask("POST", nobody, &json!({}));
    answer.refused(404, "Experience user was not found");
}

#[test]
fn a_token_is_made_for_an_address_or_an_id() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let other = Backend::new(&world);
    world.user(other.application, json!({ "email": "ben@example.com" }), &[]);
    let make = |who: &str| {
        let body = json!({ "emailOrId": who, "maxAge": 60_000, "actor": "support" });
        backend.ask("POST", "/tokens", &body).expect(200).json()
    };
    let id = backend.ada.id.to_string();
    for who in ["ada@example.com", " ADA@example.com ", &id, &id.to_uppercase()] {
        let answer = make(who);
        let verified = backend.verify(answer["token"].as_str().unwrap());
        assert_eq!(verified["experienceUser"]["id"], id, "{who}");
        assert_eq!(verified["claims"]["act"], json!({ "sub": "support" }));
        assert_eq!(answer["expires"], text(world.now().plus_millis(60_000)));
    }
    let elsewhere = other.ada.id.to_string();
    for nobody in ["ben@example.com", &elsewhere, "ffffffffffffffffffffffff", "nobody"] {
        assert_eq!(make(nobody), json!({ "token": null }), "{nobody}");
    }
    let body = json!({ "emailOrId": ADA, "treatAsLogin": true, "invalidateExistingTokens": true });
    let alone = token_of(&backend.ask("POST", "/tokens", &body));
    assert!(backend.is_active(&alone));
    assert_eq!(backend.shown()["lastLogin"], text(world.now()));
}

#[test]
fn no_answer_with_a_token_is_stored() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let path = format!("/applications/{}/experience", backend.application);
    let send = |rest: &str, body: &Value| {
        let path = format!("{path}{rest}");
        let request = world.request("POST", &path).token(&backend.token).key("a").json(body);
        request.send()
    };
    let tokens = backend.of_ada("/tokens");
    for (rest, body) in [("/authenticate", credentials(ADA, PASSWORD)), (&*tokens, json!({}))] {
        let [one, two] = [(); 2].map(|()| token_of(&send(rest, &body)));
        assert_ne!(one, two, "it is done again");
    }
    let stored: Option<i64> = world.write(|tx| tx.first("SELECT count(*) FROM answers", &[]));
    assert_eq!(stored, Some(0));
}
