//! A token is made by whoever may do all that it may do, and by nobody else.

use crate::world::World;
use guestlist::tokens::rows::Principal;
use guestlist_api::api_token::TokenStatus;
use serde_json::{Value, json};

/// What a maker holds, what it wants to give away, and whether it may.
const CASES: [(&str, &[&str], bool); 22] = [
    ("all.Application", &["all.Application"], true),
    ("all.Application", &["all.Application.bounded", "experienceUser.*"], true),
    ("all.Application", &["applicationApiTokens.post"], true),
    ("all.Application", &[], true),
    ("all.Application", &["all.Organization"], false),
    ("all.Application", &["all.User.read"], false),
    ("all.Application", &["me.get"], false),
    ("all.Application", &["applications.post"], false),
    // One that is too wide spoils the rest.
    ("all.Application", &["experienceUser.get", "all.User"], false),
    ("all.Organization", &["all.Application", "applications.post"], true),
    ("all.Organization", &["only.User"], false),
    ("all.User", &["all.User", "all.Organization", "all.Application"], true),
    ("applicationApiTokens.post", &["applicationApiTokens.post"], true),
    ("applicationApiTokens.post", &["applicationApiTokens.get"], false),
    ("applicationApiTokens.post", &["applicationApiTokens.*"], false),
    ("applicationApiTokens.post", &["all.Application"], false),
    ("applicationApiTokens.*", &["applicationApiTokens.post"], true),
    ("applicationApiTokens.*", &["applicationApiToken.get"], false),
    ("applicationApiTokens.* experienceUser.get", &["experienceUser.get"], true),
    ("applicationApiTokens.* experienceUser.get", &["experienceUser.patch"], false),
    ("applicationApiTokens.* experienceUser.get", &["experienceUser.*"], false),
    ("applicationApiTokens.* all.Application.read", &["all.Application.bounded"], false),
];

#[test]
fn a_token_of_an_application_grants_what_its_maker_may_do() {
    let world = World::new();
    let administrator = Principal::User(world.administrator("a@example.com"));
    let own = world.application("own");
    let path = format!("/applications/{own}/tokens");
    let root = world.token(administrator, "all.User");
    let list = || world.get(&root, &path).expect(200).json();
    for owner in [administrator, Principal::Application(own)] {
        for (held, wanted, may) in CASES {
            let token = world.token(owner, held);
            let before = list();
            let answer =
                world.call(&token, "POST", &path, &json!({ "name": "made", "scope": wanted }));
            if may {
                let made = answer.expect(201).json();
                assert_eq!(made["scope"], json!(wanted), "{held}");
                assert_eq!(made["status"], "active");
                let made = made["token"].as_str().unwrap().to_owned();
                // It is good, and may do no more than its maker.
                assert_ne!(world.get(&made, &format!("/applications/{own}")).status, 401);
            } else {
                answer.refused(403, "Access is forbidden");
                assert_eq!(list(), before, "{held} made {wanted:?}");
            }
        }
    }
}

#[test]
fn without_scopes_a_token_would_be_the_widest_so_only_the_widest_makes_it() {
    let world = World::new();
    let administrator = Principal::User(world.administrator("a@example.com"));
    let own = world.application("own");
    for (owner, held, path, widest) in [
        (
            Principal::Application(own),
            "all.Application",
            format!("/applications/{own}/tokens"),
            "all.Application",
        ),
        (administrator, "all.User", "/me/tokens".to_owned(), "all.User"),
    ] {
        let body = json!({ "name": "made" });
        let made = world.call(&world.token(owner, held), "POST", &path, &body).expect(201);
        assert_eq!(made.json()["scope"], json!([widest]));
        for narrow in ["applicationApiTokens.*", "userApiTokens.*"] {
            let answer = world.call(&world.token(owner, narrow), "POST", &path, &body);
            answer.refused(403, "Access is forbidden");
        }
    }
}

#[test]
fn a_token_of_an_administrator_grants_what_its_maker_may_do() {
    let world = World::new();
    let administrator = Principal::User(world.administrator("a@example.com"));
    let root = world.token(administrator, "all.User");
    let list = || world.get(&root, "/me/tokens").expect(200).json();
    for (held, wanted, may) in [
        ("all.User", "all.User", true),
        ("only.User", "only.User.read", true),
        ("only.User", "experienceUser.get", false),
        ("only.User", "all.User.bounded", false),
        ("userApiTokens.post", "userApiTokens.post", true),
        ("userApiTokens.post", "me.get", false),
        ("userApiTokens.* me.*", "me.changePassword", true),
    ] {
        let token = world.token(administrator, held);
        let before = list();
        let body = json!({ "name": "made", "scope": [wanted] });
        let answer = world.call(&token, "POST", "/me/tokens", &body);
        if may {
            answer.expect(201);
        } else {
            answer.refused(403, "Access is forbidden");
            assert_eq!(list(), before, "{held} made {wanted}");
        }
    }
}

#[test]
fn a_session_grants_no_more_than_was_asked_for() {
    let world = World::new();
    world.administrator("a@example.com");
    let credentials = json!({
        "email": "a@example.com", "password": crate::world::PASSWORD,
        "requestedScopes": ["all.User.read"],
    });
    let session = world.call("", "POST", "/auth/user", &credentials).expect(200).json();
    let session = session["token"].as_str().unwrap();
    world.get(session, "/me").expect(200);
    let body = json!({ "name": "made", "scope": ["all.User.read"] });
    world.call(session, "POST", "/me/tokens", &body).refused(403, "Access is forbidden");
    let root = json!({ "email": "a@example.com", "password": crate::world::PASSWORD });
    let root = world.call("", "POST", "/auth/user", &root).expect(200).json();
    let list = world.get(root["token"].as_str().unwrap(), "/me/tokens").expect(200).json();
    assert_eq!((&list["totalCount"], &list["items"]), (&0.into(), &Value::Array(Vec::new())));
}

#[test]
fn a_token_is_only_switched_on_by_who_could_make_it() {
    let world = World::new();
    let own = Principal::Application(world.application("own"));
    let mut wide = world.record(own, "all.Application");
    wide.status = TokenStatus::Inactive;
    let wide = (wide.id, world.keep(&wide));
    let path = format!("/applications/{}/tokens/{}", own.id(), wide.0);
    let on = json!({ "status": "active" });
    let narrow = world.token(own, "applicationApiToken.patch");
    world.call(&narrow, "PATCH", &path, &on).refused(403, "Access is forbidden");
    world.get(&wide.1, &path).refused(401, "Invalid access token");
    // What grants nothing is theirs to do.
    world.call(&narrow, "PATCH", &path, &json!({ "name": "renamed" })).expect(200);
    let equal = world.token(own, "all.Application");
    world.call(&equal, "PATCH", &path, &on).expect(200);
    world.get(&wide.1, &path).expect(200);
    world.call(&narrow, "PATCH", &path, &json!({ "status": "inactive" })).expect(200);
    world.get(&wide.1, &path).refused(401, "Invalid access token");
}

#[test]
fn what_signs_in_is_only_set_by_who_may_do_everything() {
    let world = World::new();
    let own = Principal::User(world.administrator("a@example.com"));
    for scopes in ["me.patch", "me.*", "only.User"] {
        let token = world.token(own, scopes);
        let patch = |body: Value| world.call(&token, "PATCH", "/me", &body);
        patch(json!({ "firstName": "Ada" })).expect(200);
        patch(json!({ "email": "b@example.com" })).refused(403, "Access is forbidden");
        patch(json!({ "password": "Battery-staple-2" })).refused(403, "Access is forbidden");
    }
    let root = world.token(own, "all.User");
    assert_eq!(world.get(&root, "/me").expect(200).json()["email"], "a@example.com");
    let mut body = json!({ "email": "b@example.com", "password": "Battery-staple-2" });
    body["currentPassword"] = crate::world::PASSWORD.into();
    world.call(&root, "PATCH", "/me", &body).expect(200);
    body.as_object_mut().unwrap().remove("currentPassword");
    let signed_in = world.request("POST", "/auth/user").json(&body).send().expect(200).json();
    world.get(signed_in["token"].as_str().unwrap(), "/me").expect(200);
}

#[test]
fn a_cutoff_in_the_future_keeps_nobody_out() {
    let world = World::standing_still();
    let token = world.token(Principal::User(world.administrator("a@example.com")), "all.User");
    let at = |later: i64| json!({ "tokenCutoff": world.now().plus_millis(later) });
    world.call(&token, "PATCH", "/me", &at(120_000)).refused(
        400,
        "user.tokenCutoff must not be in the future: nobody could sign in until then",
    );
    world.call(&token, "PATCH", "/me", &at(0)).expect(200);
}
