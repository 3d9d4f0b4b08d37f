//! How users of an application sign in, as its backend asks for them.

mod guesses;
mod hashes;
mod keys;
mod made;
mod settings;

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ApplicationId;
use guestlist_api::time::DateTime;
use serde_json::{Value, json};
use std::thread;

const ADA: &str = "ada@example.com";
const WRONG: &str = "Wrong-passw0rd";

/// An application with a user, and its backend.
struct Backend<'w> {
    world: &'w World,
    application: ApplicationId,
    ada: ExperienceUser,
    token: String,
}

impl<'w> Backend<'w> {
    fn new(world: &'w World) -> Self {
        let application = world.application("one");
        let ada = world.user(application, json!({ "email": ADA }), &[]);
        let token = world.token(Principal::Application(application), "all.Application");
        Self { world, application, ada, token }
    }

    fn ask(&self, method: &str, rest: &str, body: &Value) -> Answer {
        let path = format!("/applications/{}/experience{rest}", self.application);
        self.world.call(&self.token, method, &path, body)
    }

    fn authenticate(&self, body: &Value) -> Answer {
        self.ask("POST", "/authenticate", body)
    }

    fn sign_in(&self, more: Value) -> Answer {
        self.authenticate(&with(credentials(ADA, PASSWORD), more))
    }

    /// A new token of Ada, who signs in with more than her password.
    fn new_token(&self, more: Value) -> String {
        token_of(&self.sign_in(more))
    }

    fn verify(&self, token: &str) -> Value {
        self.ask("POST", "/verifyToken", &json!({ "token": token })).expect(200).json()
    }

    fn is_active(&self, token: &str) -> bool {
        let verified = self.verify(token);
        let active = verified["active"].as_bool().unwrap();
        // Of one that is not good nothing is told.
        assert!(active || verified == json!({ "active": false }));
        active
    }

    fn of_ada(&self, rest: &str) -> String {
        format!("/users/{}{rest}", self.ada.id)
    }

    fn shown(&self) -> Value {
        let mut shown = self.ask("GET", &self.of_ada(""), &Value::Null).expect(200).json();
        shown.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
        shown
    }
}

fn credentials(email: &str, password: &str) -> Value {
    json!({ "mode": "emailPassword", "email": email, "password": password })
}

fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    body.as_object_mut().unwrap().extend(more);
    body
}

#[track_caller]
fn token_of(answer: &Answer) -> String {
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// In the form of the wire.
fn text(moment: DateTime) -> Value {
    moment.to_string().into()
}

#[test]
fn a_user_signs_in_and_shows_the_token() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    world.pass(1234);
    let more = json!({ "maxAge": 60_000, "extraData": { "role": "x" } });
    let signed_in = backend.sign_in(more).expect(200).json();
    assert_eq!(signed_in["experienceUser"], backend.shown());
    for moment in ["lastLogin", "lastUpdated"] {
        assert_eq!(signed_in["experienceUser"][moment], text(world.now()), "{moment}");
    }
    // To the end of the second.
    let expires = world.now().plus_millis(60_000 + 766);
    assert_eq!(signed_in["expires"], text(expires));

    let token = signed_in["token"].as_str().unwrap();
    let verified = backend.verify(token);
    assert_eq!(verified["active"], true);
    assert_eq!(verified["experienceUser"], backend.shown());
    assert_eq!(verified["extraData"], json!({ "role": "x" }));
    let claims = &verified["claims"];
    let issuer = format!("https://guests.example.com/a/{}", backend.application);
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["sub"], backend.ada.id.to_string());
    assert_eq!((&claims["amr"], &claims["ims"]), (&json!(["pwd"]), &json!(234)));
    assert_eq!(claims["iat"], world.now().millis().div_euclid(1000));
    assert_eq!(claims["exp"], expires.millis() / 1000);

    // Whose it is said to be counts, in whatever case.
    for (email, active) in [("ADA@example.com", true), ("bob@example.com", false)] {
        let body = json!({ "token": token, "email": email });
        let verified = backend.ask("POST", "/verifyToken", &body).expect(200).json();
        assert_eq!(verified["active"], active);
    }
    world.pass(60_765);
    assert!(backend.is_active(token));
    world.pass(1);
    assert!(!backend.is_active(token));

    // It is asked for a token only where one is wanted.
    let without = backend.sign_in(json!({ "generateToken": false })).expect(200).json();
    assert_eq!((without.get("token"), without.get("expires")), (None, None));
    let for_ever = backend.sign_in(json!({})).expect(200).json();
    assert_eq!(for_ever.get("expires"), None);
}

#[test]
fn what_is_refused_is_told_neither_by_the_answer_nor_by_the_work() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let elsewhere = world.application("other");
    world.user(elsewhere, json!({ "email": "bob@example.com" }), &[]);
    let refused: Vec<_> = [
        credentials(ADA, WRONG),
        credentials("nobody@example.com", PASSWORD),
        credentials("bob@example.com", PASSWORD),
        credentials(ADA, "short"),
        credentials(ADA, ""),
        credentials("nobody@example.com", ""),
    ]
    .iter()
    .map(|body| {
        let before = world.app.hasher.hashed();
        let answer = backend.authenticate(body);
        (answer.status, answer.body, world.app.hasher.hashed() - before)
    })
    .collect();
    for answer in &refused {
        assert_eq!(answer, &refused[0]);
    }
    let (status, body, hashes) = &refused[0];
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!((*status, *hashes), (401, 1));
    assert_eq!(body, json!({ "type": "Unauthorized", "message": "Unauthorized" }));
    assert_eq!(backend.shown().get("lastLogin"), None);
}

#[test]
fn all_that_is_given_has_to_be_right() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    world.user(backend.application, json!({ "email": "bob@example.com" }), &[]);
    let token = backend.new_token(json!({}));
    let of_bob = token_of(&backend.authenticate(&credentials("bob@example.com", PASSWORD)));
    for (mode, email, password, shown, status) in [
        ("token", None, None, token.as_str(), 200),
        ("token", None, None, "none", 401),
        ("tokenEmail", Some("Ada@Example.com"), None, token.as_str(), 200),
        ("tokenEmail", Some(ADA), None, of_bob.as_str(), 401),
        ("tokenEmail", Some(ADA), None, "none", 401),
        ("tokenEmailPassword", Some(ADA), Some(PASSWORD), token.as_str(), 200),
        ("tokenEmailPassword", Some(ADA), Some(WRONG), token.as_str(), 401),
        ("tokenEmailPassword", Some(ADA), Some(PASSWORD), of_bob.as_str(), 401),
        ("tokenEmailPassword", Some(ADA), Some(PASSWORD), "none", 401),
        ("tokenEmailPassword", Some("bob@example.com"), Some(PASSWORD), token.as_str(), 401),
    ] {
        let mut body = json!({ "mode": mode, "token": shown });
        for (name, value) in [("email", email), ("password", password)] {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        let answer = backend.authenticate(&body);
        assert_eq!(answer.status, status, "{mode} {email:?} {password:?}");
    }
}

#[test]
fn a_cutoff_ends_what_was_made_before_it_to_the_millisecond() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let old = backend.new_token(json!({}));
    // All of it within one millisecond.
    let ended = backend.ask("DELETE", &backend.of_ada("/tokens"), &Value::Null).expect(200).json();
    let cutoff = world.now().plus_millis(1);
    assert_eq!(ended, json!({ "success": true, "tokenCutoff": text(cutoff) }));
    assert_eq!(backend.shown()["tokenCutoff"], text(cutoff));
    assert!(!backend.is_active(&old));
    let next = backend.new_token(json!({}));
    assert!(backend.is_active(&next));
    let alone = backend.new_token(json!({ "invalidateExistingTokens": true }));
    assert_eq!((backend.is_active(&next), backend.is_active(&alone)), (false, true));
    backend.authenticate(&json!({ "mode": "token", "token": next })).expect(401);

    // A cutoff by hand: that of the user, and that of the application.
    world.pass(1_000);
    let at = world.now();
    let token = backend.new_token(json!({}));
    let patch = json!({ "tokenCutoff": at.to_string() });
    backend.ask("PATCH", &backend.of_ada(""), &patch).expect(200);
    assert_eq!((backend.is_active(&alone), backend.is_active(&token)), (false, true));
    let application = format!("/applications/{}", backend.application);
    let patch = json!({ "expUserTokenCutoff": at.plus_millis(1).to_string() });
    world.call(&backend.token, "PATCH", &application, &patch).expect(200);
    assert!(!backend.is_active(&token));
    assert!(backend.is_active(&backend.new_token(json!({}))));
}

#[test]
fn no_dead_token_is_handed_out() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let cut = |ahead: i64| {
        let patch = json!({ "tokenCutoff": world.now().plus_millis(ahead).to_string() });
        backend.ask("PATCH", &backend.of_ada(""), &patch).expect(200);
    };
    cut(60_000);
    let token = backend.new_token(json!({}));
    assert!(backend.is_active(&token));
    cut(60_001);
    assert!(!backend.is_active(&token));
    let before = backend.shown();
    for answer in
        [backend.sign_in(json!({})), backend.ask("POST", &backend.of_ada("/tokens"), &json!({}))]
    {
        assert_eq!(answer.status, 409);
        assert_eq!(answer.json()["type"], "TokensSuspended");
    }
    assert_eq!(backend.shown(), before, "nobody has signed in");
    backend.sign_in(json!({ "generateToken": false })).expect(200);
}

#[test]
fn a_token_is_good_for_what_it_was_made_for() {
    let world = World::standing_still();
    let (backend, other) = (Backend::new(&world), Backend::new(&world));
    let token = backend.new_token(json!({}));
    // It opens nothing here.
    let path = format!("/applications/{}/experience/users", backend.application);
    world.get(&token, &path).refused(401, "Invalid access token");
    // Nor is a token of the server one of a user, or one of a user one of another application's.
    let administrator = world.administrator("root@example.com");
    let session = world.session(administrator, 0);
    let of_other = other.new_token(json!({}));
    for none in [backend.token.as_str(), &session, "", "a.b.c", &of_other] {
        assert!(!backend.is_active(none), "{none}");
    }
    assert!(backend.is_active(&token));
    assert!(!other.is_active(&token));
    // It goes with its user, who has the same id in no other application.
    backend.ask("DELETE", &backend.of_ada(""), &Value::Null).expect(200);
    assert!(!backend.is_active(&token));
    backend.authenticate(&json!({ "mode": "token", "token": token })).expect(401);
    let root = world.session(administrator, 0);
    let path = format!("/applications/{}", other.application);
    world.call(&root, "DELETE", &path, &Value::Null).expect(200);
    let verify = format!("{path}/experience/verifyToken");
    let body = json!({ "token": "none" });
    world.call(&root, "POST", &verify, &body).refused(404, "Application was not found");
}

#[test]
fn a_user_is_in_a_group_and_in_all_below_it() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let group = |name: &str, parent: Option<String>| {
        let mut body = json!({ "name": name });
        if let Some(parent) = parent {
            body["parentId"] = parent.into();
        }
        world.group(backend.application, body)
    };
    let top = group("top", None);
    let middle = group("middle", Some(top.id.to_string()));
    let bottom = group("bottom", Some(middle.id.to_string()));
    let ben = world.user(backend.application, json!({ "email": "ben@example.com" }), &[&middle]);
    let verify = |id: String| {
        let path = format!("/users/{}/groups/{id}/verify", ben.id);
        backend.ask("GET", &path, &Value::Null)
    };
    let through = json!({ "member": true, "through": middle.id.to_string() });
    for (group, told) in [
        (&top, json!({ "member": false, "through": null })),
        (&middle, through.clone()),
        (&bottom, through),
    ] {
        assert_eq!(verify(group.id.to_string()).expect(200).json(), told, "{}", group.name);
    }
    verify("f".repeat(24)).refused(404, "Experience group was not found");
}

#[test]
fn an_application_has_one_key_however_many_sign_in_at_first() {
    let world = World::new();
    let backend = Backend::new(&world);
    let tokens: Vec<String> = thread::scope(|scope| {
        let sign_in = || backend.new_token(json!({ "generateToken": true }));
        let all: Vec<_> = (0..6).map(|_| scope.spawn(sign_in)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(tokens.iter().all(|token| backend.is_active(token)));
    let keys: Option<i64> = world.write(|tx| tx.first("SELECT count(*) FROM experience_keys", &[]));
    assert_eq!(keys, Some(1));
}

#[test]
fn a_password_that_is_changed_meanwhile_lets_nobody_in() {
    let world = World::new();
    let backend = Backend::new(&world);
    let passwords = [PASSWORD, "Another-h0rse"];
    for round in 0..8 {
        let (old, new) = (passwords[round % 2], passwords[(round + 1) % 2]);
        let before = backend.shown()["passwordLastUpdated"].clone();
        let answer = thread::scope(|scope| {
            let asked = scope.spawn(|| backend.authenticate(&credentials(ADA, old)));
            let patch = json!({ "password": new });
            backend.ask("PATCH", &backend.of_ada(""), &patch).expect(200);
            asked.join().unwrap()
        });
        // Whoever got in did so while it was the password.
        if answer.status == 200 {
            assert_eq!(answer.json()["experienceUser"]["passwordLastUpdated"], before);
        } else {
            answer.refused(401, "Unauthorized");
        }
    }
}
