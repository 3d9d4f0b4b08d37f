//! `Idempotency-Key`: a write that is sent again has its effect once and its answer again.

use crate::client::{Answer, Request};
use crate::world::{Options, PASSWORD, World};
use guestlist::tokens::rows::Principal;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const DAY: i64 = 24 * 60 * 60 * 1000;
const REUSED: &str = "Idempotency-Key was used with a different request";

/// A world with an application, and a token for everything in it.
pub(crate) struct Scene {
    pub(crate) world: World,
    application: ApplicationId,
    token: String,
}

impl Scene {
    fn of(world: World) -> Self {
        let application = world.application("own");
        let token = world.token(Principal::Application(application), "all.Application");
        Self { world, application, token }
    }

    pub(crate) fn new() -> Self {
        Self::of(World::new())
    }

    fn path(&self, rest: &str) -> String {
        format!("/applications/{}/{rest}", self.application)
    }

    pub(crate) fn ask<'a>(&'a self, method: &'a str, rest: &str, body: &Value) -> Request<'a> {
        let request = self.world.request(method, &self.path(rest)).token(&self.token);
        if body.is_null() { request } else { request.json(body) }
    }

    fn count(&self, rest: &str) -> Value {
        let page = self.world.get(&self.token, &self.path(rest)).expect(200).json();
        page["totalCount"].clone()
    }
}

fn user(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD })
}

/// What an answer says, whatever its request is called.
fn said(answer: &Answer) -> (u16, &[u8], Option<&str>) {
    (answer.status, &answer.body, answer.header("etag"))
}

/// `again` is the answer that `first` was, and says so.
#[track_caller]
fn replayed(first: &Answer, again: &Answer) {
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    assert_eq!(said(first), said(again));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
}

#[test]
fn a_write_that_is_sent_again_is_answered_again() {
    let scene = Scene::new();
    let post = scene.ask("POST", "experience/users", &user("a@example.com")).key("post");
    let made = post.send().expect(201);
    replayed(&made, &post.send());
    replayed(&made, &post.send());
    assert_eq!(scene.count("experience/users"), 1);

    let one = format!("experience/users/{}", made.json()["id"].as_str().unwrap());
    let patch = |name| scene.ask("PATCH", &one, &json!({ "firstName": name }));
    let first = patch("first").key("patch").send().expect(200);
    patch("second").send().expect(200);
    replayed(&first, &patch("first").key("patch").send());
    let now = scene.world.get(&scene.token, &scene.path(&one)).expect(200).json();
    assert_eq!(now["firstName"], "second", "the write was done again");

    let delete = scene.ask("DELETE", &one, &Value::Null).key("delete");
    let gone = delete.send().expect(200);
    replayed(&gone, &delete.send());
    assert_eq!(gone.json(), json!({ "success": true }));
    // What was there is gone, and the answers are still what they were.
    replayed(&made, &post.send());
    assert_eq!(scene.count("experience/users"), 0);
}

#[test]
fn a_token_that_is_answered_again_is_the_same_and_good() {
    let scene = Scene::new();
    let post = scene.ask("POST", "tokens", &json!({ "name": "made" })).key("token");
    let made = post.send().expect(201);
    let again = post.send();
    replayed(&made, &again);
    let (made, again) = (made.json(), again.json());
    assert!(made["token"].is_string());
    assert_eq!(made["token"], again["token"]);
    let token = again["token"].as_str().unwrap();
    scene.world.get(token, &scene.path("experience/users")).expect(200);
    assert_eq!(scene.count("tokens"), 2);
    // Nobody else is told: neither who reads the token nor who lists them.
    let id = made["id"].as_str().unwrap();
    for path in [format!("tokens/{id}"), "tokens".to_owned()] {
        let answer = scene.world.get(&scene.token, &scene.path(&path)).expect(200);
        assert!(!answer.text().contains(token.rsplit_once('.').unwrap().1));
    }
}

#[test]
fn a_password_that_is_answered_again_is_the_same() {
    let scene = Scene::new();
    let bootstrap = scene.ask("PATCH", "experience/bootstrap", &json!({})).key("begin");
    let made = bootstrap.send().expect(200);
    replayed(&made, &bootstrap.send());
    let made = made.json();
    let password = made["password"].as_str().unwrap();
    assert_eq!((password.len(), scene.count("experience/users")), (32, json!(1)));
    let other = scene.ask("PATCH", "experience/bootstrap", &json!({})).send().expect(200).json();
    assert_ne!(other["password"], password);
}

#[test]
fn a_key_belongs_to_one_request() {
    let scene = Scene::new();
    let body = user("a@example.com");
    let first = scene.ask("POST", "experience/users", &body).key("key").send().expect(201);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let one = format!("experience/users/{id}");
    let others = [
        scene.ask("POST", "experience/users", &user("b@example.com")),
        scene.ask("POST", "experience/users?_actions=false", &body),
        scene.ask("POST", "experience/groups", &json!({ "name": "a" })),
        scene.ask("PATCH", &one, &json!({ "firstName": "a" })),
        scene.ask("DELETE", &one, &Value::Null),
    ];
    for other in others {
        other.key("key").send().refused(422, REUSED);
    }
    let same = scene.ask("POST", "experience/users", &body).key("key").send();
    replayed(&first, &same);
    let now = scene.world.get(&scene.token, &scene.path(&one)).expect(200);
    assert_eq!(now.etag(), first.etag());
    assert_eq!(
        (scene.count("experience/users"), scene.count("experience/groups")),
        (1.into(), 0.into())
    );
}

#[test]
fn a_key_belongs_to_one_token() {
    let scene = Scene::new();
    let other = scene.world.token(Principal::Application(scene.application), "all.Application");
    let post = |token: &str, email| {
        let path = scene.path("experience/users");
        scene.world.request("POST", &path).token(token).json(&user(email)).key("key").send()
    };
    let mine = post(&scene.token, "a@example.com").expect(201);
    // Neither its answer nor that there is one is for anybody else.
    post(&other, "a@example.com").expect(409);
    let theirs = post(&other, "b@example.com").expect(201);
    assert_eq!(theirs.header("idempotency-replayed"), None);
    replayed(&mine, &post(&scene.token, "a@example.com"));
    replayed(&theirs, &post(&other, "b@example.com"));
    assert_eq!(scene.count("experience/users"), 2);
    // An answer is no way around a token: one that may no longer ask is told nothing.
    scene
        .world
        .request("POST", &scene.path("experience/users"))
        .json(&user("a@example.com"))
        .key("key")
        .send()
        .refused(403, "Access is forbidden");
}

#[test]
fn a_key_is_free_again_after_a_day() {
    let scene = Scene::of(World::standing_still());
    let post = scene.ask("POST", "experience/groups", &json!({ "name": "a" })).key("key");
    let other = scene.ask("POST", "experience/groups", &json!({ "name": "b" })).key("key");
    let first = post.send().expect(201);
    scene.world.pass(DAY - 1);
    replayed(&first, &post.send());
    other.send().refused(422, REUSED);
    scene.world.pass(1);
    let second = other.send().expect(201);
    assert_eq!(second.header("idempotency-replayed"), None);
    // The day begins anew.
    scene.world.pass(DAY - 1);
    replayed(&second, &other.send());
    assert_eq!(scene.count("experience/groups"), 2);
}

#[test]
fn a_key_is_one_to_255_visible_characters() {
    let scene = Scene::new();
    let ask =
        |key: &str| scene.ask("POST", "experience/groups", &json!({ "name": "a" })).key(key).send();
    let message = "Idempotency-Key must be 1 to 255 visible ASCII characters without a space";
    for key in ["", &"k".repeat(256), "schlüssel", "a b", "a\tb"] {
        ask(key).refused(400, message);
    }
    let twice = scene.ask("POST", "experience/groups", &json!({ "name": "a" })).key("a").key("b");
    twice.send().refused(400, "Idempotency-Key must be sent once");
    assert_eq!(scene.count("experience/groups"), 0);
    replayed(&ask(&"k".repeat(255)).expect(201), &ask(&"k".repeat(255)));
    ask("k").expect(201);
}

#[test]
fn a_refusal_is_not_kept() {
    let scene = Scene::new();
    let (broken, users) = (json!({ "firstName": 1 }), "experience/users");
    scene.ask("POST", users, &broken).key("broken").send().expect(400);
    let post = scene.ask("POST", users, &user("a@example.com"));
    let first = post.send().expect(201);
    let again = post.clone().key("taken");
    again.send().refused(409, "Email address \"a@example.com\" already exists");
    let one = format!("{users}/{}", first.json()["id"].as_str().unwrap());
    let stale = scene.ask("DELETE", &one, &Value::Null).key("stale").header("If-Match", "\"x\"");
    stale.send().expect(412);
    let patch = scene.ask("PATCH", &one, &json!({ "email": "b@example.com" })).key("broken");
    patch.send().expect(200);
    // What stood in the way is gone, so the very same request now goes through.
    let second = again.send().expect(201);
    replayed(&second, &again.send());
    let gone = scene.ask("DELETE", &one, &Value::Null).key("stale");
    gone.send().expect(200);
    let absent = scene.ask("DELETE", &one, &Value::Null).key("absent");
    absent.send().expect(404);
    assert_eq!(absent.send().expect(404).header("idempotency-replayed"), None);
}

/// The bytes of all bodies that are stored.
fn stored(scene: &Scene) -> i64 {
    let sql = "SELECT CAST(coalesce(sum(octet_length(body)), 0) AS BIGINT) FROM answers";
    scene.world.write(move |tx| tx.first::<i64>(sql, &[])).unwrap()
}

#[test]
fn a_large_answer_is_read_again_and_not_stored() {
    let scene = Scene::new();
    let tags: Value =
        (0..100).map(|tag| (format!("t{tag}"), Value::from("v".repeat(200)))).collect();
    let mut body = user("a@example.com");
    body["userTags"] = tags;
    let post = scene.ask("POST", "experience/users", &body).key("post");
    let made = post.send().expect(201);
    let one = format!("experience/users/{}", made.json()["id"].as_str().unwrap());
    let nothing = json!({});
    let patch = scene.ask("PATCH", &one, &nothing).key("patch");
    let same = patch.send().expect(200);
    let devices: Vec<_> = (0..1000).map(|device| format!("{device:024x}")).collect();
    let group = json!({ "name": "a", "deviceIds": devices });
    let group = scene.ask("POST", "experience/groups", &group).send().expect(201);
    let group_path = format!("experience/groups/{}", group.json()["id"].as_str().unwrap());
    let name = json!({ "name": "b" });
    let rename =
        scene.ask("PATCH", &group_path, &name).header("If-Match", group.etag()).key("name");
    let renamed = rename.send().expect(200);
    assert_eq!(stored(&scene), 0);

    for (first, request) in [(&made, &post), (&same, &patch), (&renamed, &rename)] {
        replayed(first, &request.send());
    }
    assert_eq!(scene.count("experience/users"), 1);

    // Once it is another, what was answered is no more; and that it was done is said all the same.
    let refused = |request: &Request<'_>| {
        let answer = request.send().expect(409);
        let body = answer.json();
        assert_eq!((&body["type"], &body["outcome"]), (&json!("AnswerTooLarge"), &json!("done")));
    };
    scene.ask("PATCH", &one, &json!({ "firstName": "b" })).send().expect(200);
    refused(&post);
    refused(&patch);
    scene.ask("DELETE", &one, &Value::Null).send().expect(200);
    refused(&post);
    refused(&patch);
    scene.ask("PATCH", &group_path, &json!({ "name": "c" })).send().expect(200);
    refused(&rename);
    assert_eq!(scene.count("experience/users"), 0);

    // There is no other way to have a secret again.
    let token = json!({ "name": "made", "description": "d".repeat(30_000) });
    let token = scene.ask("POST", "tokens", &token).key("token");
    replayed(&token.send().expect(201), &token.send());
}

#[test]
fn a_read_takes_no_notice_of_a_key() {
    let scene = Scene::new();
    let post = scene.ask("POST", "experience/groups", &json!({ "name": "a" })).key("key");
    let made = post.send().expect(201);
    for method in ["GET", "HEAD"] {
        let read = scene.ask(method, "experience/groups", &Value::Null).key("key");
        assert_eq!(read.send().expect(200).header("idempotency-replayed"), None);
        assert_eq!(read.send().expect(200).header("idempotency-replayed"), None);
    }
    replayed(&made, &post.send());
}

#[test]
fn of_many_at_once_one_is_done_and_all_are_answered_alike() {
    // Twice as many may wait for a hash as there are requests.
    let scene = Scene::of(World::with(&Options { hash_workers: Some(8), ..Options::default() }));
    let gate = Barrier::new(32);
    let post = scene.ask("POST", "experience/users", &user("a@example.com")).key("key");
    let answers: Vec<Answer> = thread::scope(|threads| {
        let one = || {
            gate.wait();
            post.send()
        };
        let all: Vec<_> = (0..32).map(|_| threads.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let first = answers.iter().find(|answer| answer.header("idempotency-replayed").is_none());
    let first = first.expect("one was the first").clone().expect(201);
    let others: Vec<_> = answers.iter().filter(|answer| **answer != first).collect();
    assert_eq!(others.len(), 31);
    for again in others {
        replayed(&first, again);
    }
    assert_eq!(scene.count("experience/users"), 1);
}

#[test]
fn an_answer_outlives_the_server() {
    let scene = Scene::new();
    let make = |scene: &Scene| {
        let body = json!({ "name": "made" });
        let token = scene.ask("POST", "tokens", &body).key("token").send();
        let user = scene.ask("POST", "experience/users", &user("a@example.com")).key("user").send();
        (token, user)
    };
    let (token, user) = make(&scene);
    let Scene { world, application, token: asking } = scene;
    let scene = Scene { world: world.restarted(), application, token: asking };
    let again = make(&scene);
    replayed(&token.expect(201), &again.0);
    replayed(&user.expect(201), &again.1);
    assert_eq!(scene.count("experience/users"), 1);
    let token = again.0.json();
    scene.world.get(token["token"].as_str().unwrap(), &scene.path("tokens")).expect(200);
}

#[test]
fn a_password_is_changed_once() {
    let world = World::new();
    let user = world.administrator("a@example.com");
    let token = world.token(Principal::User(user), "all.User");
    let body = json!({ "password": PASSWORD, "newPassword": "Battery-staple-2" });
    let change = world.request("PATCH", "/me/changePassword").token(&token).json(&body).key("key");
    let first = change.send().expect(200);
    let at = world.get(&token, "/me").expect(200).json()["passwordLastUpdated"].clone();
    // By now the password in the request is wrong, which must not matter.
    let again = change.send();
    replayed(&first, &again);
    assert_eq!(world.get(&token, "/me").expect(200).json()["passwordLastUpdated"], at);
    let session = again.json()["token"].as_str().unwrap().to_owned();
    world.get(&session, "/me").expect(200);
    let without = world.call(&token, "PATCH", "/me/changePassword", &body);
    without.refused(401, "Unauthorized");
}

#[test]
fn a_password_is_changed_once_however_the_requests_meet() {
    let world = World::with(&Options { hash_workers: Some(4), ..Options::default() });
    for round in 0..20 {
        let user = world.administrator(&format!("a{round}@example.com"));
        let token = world.token(Principal::User(user), "all.User");
        let body = json!({ "password": PASSWORD, "newPassword": "Battery-staple-2" });
        let ask = world.request("PATCH", "/me/changePassword").token(&token).json(&body).key("key");
        // Fewer than the failures in a row that cost nothing.
        let gate = Barrier::new(16);
        // Spread over the time that the first one takes, so that some arrive as it is kept.
        let one = &|number: u64| {
            gate.wait();
            thread::sleep(Duration::from_micros(number * 900));
            ask.send()
        };
        let answers: Vec<Answer> = thread::scope(|threads| {
            let all: Vec<_> = (0..16).map(|number| threads.spawn(move || one(number))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let bodies: HashSet<Vec<u8>> =
            answers.into_iter().map(|answer| answer.expect(200).body).collect();
        assert_eq!(bodies.len(), 1);
    }
}
