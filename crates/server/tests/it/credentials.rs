//! Credentials end: with what made them, with the password, and with whoever had them.

use crate::world::{PASSWORD, World};
use guestlist::tokens::rows::Principal;
use serde_json::json;

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
