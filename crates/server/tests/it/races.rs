//! Requests that meet: what one of them looked at before it wrote is still so when it has.

use crate::client::Answer;
use crate::world::{Options, PASSWORD, World};
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

/// How often they meet.
const ROUNDS: usize = 15;

struct Scene {
    world: World,
    application: ApplicationId,
    token: String,
}

/// A request: its method, its path within the application, and its body.
type Ask<'a> = (&'a str, String, Value);

impl Scene {
    fn new() -> Self {
        Self::of(World::new())
    }

    fn of(world: World) -> Self {
        let application = world.application("own");
        let administrator = world.administrator("a@example.com");
        let token = world.token(Principal::User(administrator), "all.User");
        Self { world, application, token }
    }

    fn one(&self, (method, path, body): &Ask<'_>) -> Answer {
        let target = format!("/applications/{}{path}", self.application);
        self.world.call(&self.token, method, &target, body)
    }

    /// Sends all of them at once.
    fn meet(&self, all: &[Ask<'_>]) -> Vec<Answer> {
        let start = Barrier::new(all.len());
        thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter()
                .map(|ask| {
                    scope.spawn(|| {
                        start.wait();
                        self.one(ask)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn group(&self, body: Value) -> String {
        self.world.group(self.application, body).id.to_string()
    }
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut all: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    all.sort_unstable();
    all
}

fn path(kind: &str, id: &str) -> String {
    format!("/experience/{kind}/{id}")
}

#[test]
fn two_groups_are_not_each_in_the_other() {
    let scene = Scene::new();
    for _ in 0..ROUNDS {
        let (one, other) =
            (scene.group(json!({ "name": "one" })), scene.group(json!({ "name": "other" })));
        let into = |group: &str, parent: &str| {
            ("PATCH", path("groups", group), json!({ "parentId": parent }))
        };
        let answers = scene.meet(&[into(&one, &other), into(&other, &one)]);
        assert_eq!(statuses(&answers), [200, 400]);
    }
}

#[test]
fn an_address_belongs_to_one_of_those_who_ask_at_once() {
    let scene = Scene::new();
    for round in 0..ROUNDS {
        let email = format!("{round}@example.com");
        let user = |who: usize| {
            let body = json!({ "email": format!("{who}-{round}@example.com") });
            scene.world.user(scene.application, body, &[]).id.to_string()
        };
        let take = |user: String| ("PATCH", path("users", &user), json!({ "email": email }));
        let answers = scene.meet(&[take(user(1)), take(user(2)), take(user(3))]);
        assert_eq!(statuses(&answers), [200, 409, 409]);
        let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
        let words = format!("Email address \"{email}\" already exists");
        assert_eq!(refused.message(), words);
    }
}

#[test]
fn nobody_joins_a_group_that_has_gone() {
    let scene = Scene::new();
    for round in 0..ROUNDS {
        let group = scene.group(json!({ "name": "group" }));
        let body = json!({ "email": format!("{round}@example.com") });
        let user = scene.world.user(scene.application, body, &[]).id.to_string();
        let join = json!({ "experienceGroupIds": [group] });
        let answers = scene.meet(&[
            ("DELETE", path("groups", &group), Value::Null),
            ("PATCH", path("users", &user), join),
        ]);
        assert_eq!(answers[0].status, 200);
        assert!(matches!(answers[1].status, 200 | 400), "{}", answers[1].status);
        let now = scene.one(&("GET", path("users", &user), Value::Null)).expect(200).json();
        assert_eq!(now["experienceGroups"], json!([]));
    }
}

#[test]
fn a_group_and_a_user_say_at_once_that_they_belong_together() {
    let scene = Scene::new();
    for round in 0..ROUNDS {
        let group = scene.group(json!({ "name": "group" }));
        let body = json!({ "email": format!("{round}@example.com") });
        let user = scene.world.user(scene.application, body, &[]).id.to_string();
        let answers = scene.meet(&[
            ("PATCH", path("groups", &group), json!({ "experienceUserIds": [user] })),
            ("PATCH", path("users", &user), json!({ "experienceGroupIds": [group] })),
        ]);
        assert_eq!(statuses(&answers), [200, 200]);
    }
}

#[test]
fn nothing_is_left_of_an_application_that_goes() {
    for _ in 0..ROUNDS / 3 {
        let scene = Scene::new();
        let post = |what: &str, body| ("POST", what.to_owned(), body);
        let user = json!({ "email": "a@example.com", "password": PASSWORD });
        let answers = scene.meet(&[
            ("DELETE", String::new(), Value::Null),
            post("/experience/users", user),
            post("/experience/groups", json!({ "name": "a" })),
            post("/tokens", json!({ "name": "a" })),
        ]);
        assert_eq!(answers[0].status, 200);
        for answer in &answers[1..] {
            assert!(matches!(answer.status, 201 | 404), "{}", answer.status);
        }
        let application = scene.application.to_string();
        let tokens = "SELECT count(*) FROM api_tokens WHERE owner_id = $1";
        let counts = "SELECT count(*) FROM counts WHERE application_id = $1 AND total <> 0";
        for sql in [tokens, counts] {
            let application = application.clone();
            let left = scene.world.write(move |tx| tx.first::<i64>(sql, &[&application]));
            assert_eq!(left, Some(0), "{sql}");
        }
    }
}

#[test]
fn attempts_to_sign_in_at_once_all_count() {
    // Otherwise a wait could be over before the last of them is sent.
    let scene = Scene::of(World::standing_still());
    let wrong = json!({ "email": "a@example.com", "password": "Wrong-passw0rd" });
    let sign_in = || scene.world.call("", "POST", "/auth/user", &wrong).status;
    // Where no password can be looked at for want of room, nothing has failed.
    let at_last = || std::iter::repeat_with(sign_in).find(|status| *status != 503);
    let all: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..30).map(|_| scope.spawn(at_last)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let failed = all.iter().filter(|status| **status == Some(401)).count();
    assert_eq!(failed, 20, "{all:?}");
    assert!(all.iter().all(|status| matches!(status, Some(401 | 429))), "{all:?}");
}

#[test]
fn a_write_that_waited_for_a_hash_asks_again_about_its_token() {
    // One thread that hashes: most of those who write wait for it.
    let world = World::with(&Options { hash_workers: Some(1), ..Options::default() });
    let own = world.application("own");
    let user = world.user(own, json!({ "email": "a@example.com" }), &[]);
    let path = format!("/applications/{own}/experience/users/{}", user.id);
    let root = world.token(Principal::Application(own), "all.Application");
    let shown = || world.get(&root, &path).expect(200).json();
    // As often as it takes for one to be waiting still when the token is revoked.
    let refused = (0..100).any(|_| {
        let record = world.record(Principal::Application(own), "all.Application");
        let token = world.keep(&record);
        let hashed = world.app.hasher.hashed();
        let statuses: Vec<u16> = thread::scope(|threads| {
            let write = || {
                let body = json!({ "password": PASSWORD });
                world.call(&token, "PATCH", &path, &body).status
            };
            let writers: Vec<_> = (0..6).map(|_| threads.spawn(write)).collect();
            while world.app.hasher.hashed() == hashed {
                thread::yield_now();
            }
            world.write(move |tx| tokens::delete(tx, &record));
            let (revoked, by_then) = (shown(), world.app.hasher.hashed() - hashed);
            let statuses: Vec<u16> = writers.into_iter().map(|one| one.join().unwrap()).collect();
            let changed = statuses.iter().filter(|status| **status == 200).count() as u64;
            assert!(changed <= by_then, "{changed} changed and {by_then} hashed: {statuses:?}");
            if world.directory().is_some() {
                // On PostgreSQL one that had asked just before is done with the revocation.
                assert_eq!(shown(), revoked, "{statuses:?}");
            }
            statuses
        });
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
        statuses.contains(&401)
    });
    assert!(refused, "nobody was waiting");
}

#[test]
fn a_token_may_still_revoke_or_change_itself() {
    let world = World::new();
    let own = Principal::Application(world.application("own"));
    let path = format!("/applications/{}/tokens", own.id());
    for end in ["DELETE", "PATCH"] {
        let record = world.record(own, "all.Application");
        let token = world.keep(&record);
        let one = format!("{path}/{}", record.id);
        let body = if end == "PATCH" { json!({ "status": "inactive" }) } else { Value::Null };
        world.call(&token, end, &one, &body).expect(200);
        world.get(&token, &path).refused(401, "Invalid access token");
    }
}
