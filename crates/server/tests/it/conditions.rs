//! `ETag`, `If-Match` and `If-None-Match`: nobody overwrites what they have not seen.

use crate::client::{Answer, Request};
use crate::world::World;
use flate2::read::GzDecoder;
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::io::Read as _;
use std::sync::Barrier;
use std::thread;

struct Scene {
    world: World,
    application: ApplicationId,
    group: ExperienceGroup,
    user: String,
    token: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let application = world.application("own");
        let group = world.group(application, json!({ "name": "before" }));
        let body = json!({ "email": "a@example.com", "userTags": { "count": "0" } });
        let user = world.user(application, body, &[&group]);
        let user = format!("/applications/{application}/experience/users/{}", user.id);
        let administrator = world.administrator("b@example.com");
        let token = world.token(Principal::User(administrator), "all.User");
        Self { world, application, group, user, token }
    }

    fn ask<'a>(&'a self, method: &'a str, target: &str) -> Request<'a> {
        self.world.request(method, target).token(&self.token)
    }

    fn get(&self, target: &str) -> Answer {
        self.ask("GET", target).send().expect(200)
    }

    /// One of each thing that has a tag, and what changes it.
    fn resources(&self) -> Vec<(String, Value)> {
        let within = format!("/applications/{}", self.application);
        let of_application = self.world.record(Principal::Application(self.application), "me.get");
        self.world.keep(&of_application);
        let body = json!({ "name": "mine" });
        let of_user = self.ask("POST", "/me/tokens").json(&body).send().expect(201).json();
        let of_user = of_user["id"].as_str().unwrap();
        let described = json!({ "description": "changed" });
        vec![
            (self.user.clone(), json!({ "firstName": "changed" })),
            (format!("{within}/experience/groups/{}", self.group.id), described.clone()),
            (format!("{within}/tokens/{}", of_application.id), described.clone()),
            (format!("/me/tokens/{of_user}"), described.clone()),
            ("/me".to_owned(), json!({ "firstName": "changed" })),
            (within, described),
        ]
    }
}

/// A tag that no resource has.
const OTHER: &str = "\"00000000000000000000000000000000\"";

#[test]
fn every_single_resource_has_a_strong_tag_that_changes_with_it() {
    let scene = Scene::new();
    for (target, change) in scene.resources() {
        let before = scene.get(&target);
        assert!(before.etag().starts_with('"') && before.etag().ends_with('"'), "{target}");
        assert_eq!(scene.get(&target).etag(), before.etag(), "{target}");
        // What surrounds the resource is not part of its state.
        let bare = scene.get(&format!("{target}?_actions=false&_links=false"));
        assert_eq!(bare.etag(), before.etag(), "{target}");
        let head = scene.ask("HEAD", &target).send().expect(200);
        assert_eq!(head.etag(), before.etag(), "{target}");

        let changed = scene.ask("PATCH", &target).json(&change).send().expect(200);
        assert_ne!(changed.etag(), before.etag(), "{target}");
        assert_eq!(scene.get(&target).etag(), changed.etag(), "{target}");
        let same = scene.ask("PATCH", &target).json(&change).send().expect(200);
        assert_eq!(same.etag(), changed.etag(), "{target}: nothing has changed");
    }
}

#[test]
fn what_is_made_is_answered_with_its_tag() {
    let scene = Scene::new();
    let within = format!("/applications/{}", scene.application);
    for (target, body) in [
        (
            format!("{within}/experience/users"),
            json!({ "email": "c@example.com", "password": crate::world::PASSWORD }),
        ),
        (format!("{within}/experience/groups"), json!({ "name": "made" })),
        (format!("{within}/tokens"), json!({ "name": "made" })),
        ("/me/tokens".to_owned(), json!({ "name": "made" })),
        ("/applications".to_owned(), json!({ "name": "made" })),
    ] {
        let made = scene.ask("POST", &target).json(&body).send().expect(201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(scene.get(&format!("{target}/{id}")).etag(), made.etag(), "{target}");
        assert_eq!(scene.get(&target).header("etag"), None, "a page has no tag");
    }
}

#[test]
fn a_write_whose_condition_does_not_hold_is_not_done() {
    let scene = Scene::new();
    for (target, change) in scene.resources() {
        let before = scene.get(&target);
        let old = before.etag();
        let weak = format!("W/{old}");
        let fails = [
            ("If-Match", OTHER.to_owned()),
            ("If-Match", weak.clone()),
            ("If-Match", format!("{OTHER}, \"x\"")),
            ("If-None-Match", old.to_owned()),
            ("If-None-Match", weak),
            ("If-None-Match", "*".to_owned()),
        ];
        // An administrator cannot be deleted.
        let methods: &[&str] = if target == "/me" { &["PATCH"] } else { &["PATCH", "DELETE"] };
        for (name, value) in &fails {
            for method in methods {
                let mut ask = scene.ask(method, &target).header(name, value);
                if *method == "PATCH" {
                    ask = ask.json(&change);
                }
                ask.send().refused(
                    412,
                    "The resource has changed since it was read: get it again and retry",
                );
            }
        }
        assert_eq!(scene.get(&target).body, before.body, "{target}");
    }
}

#[test]
fn a_write_whose_condition_holds_is_done() {
    let scene = Scene::new();
    for (number, condition) in ["=", "*", "list", "lines"].into_iter().enumerate() {
        for (target, _) in scene.resources() {
            let current = scene.get(&target);
            let tag = current.etag();
            let body = match target.as_str() {
                "/me" => json!({ "firstName": format!("{number}") }),
                of if of.contains("/users/") => json!({ "firstName": format!("{number}") }),
                _ => json!({ "description": format!("{number}") }),
            };
            let ask = scene.ask("PATCH", &target).json(&body);
            let ask = match condition {
                "=" => ask.header("If-Match", tag),
                "*" => ask.header("If-Match", "*"),
                "list" => ask.header("If-Match", &format!("{OTHER} ,, {tag}")),
                _ => ask.header("If-Match", OTHER).header("If-Match", tag),
            };
            let ask = ask.header("If-None-Match", OTHER);
            let changed = ask.send().expect(200);
            assert_ne!(changed.etag(), tag, "{target}");
        }
    }
    for (target, _) in scene.resources() {
        if target != "/me" {
            let current = scene.get(&target);
            let delete = scene.ask("DELETE", &target).header("If-Match", current.etag());
            delete.send().expect(200);
            // `*` asks that there is something.
            let ask = scene.ask("DELETE", &target).header("If-Match", "*");
            ask.send().expect(404);
        }
    }
}

#[test]
fn a_malformed_condition_is_refused() {
    let scene = Scene::new();
    let before = scene.get(&scene.user);
    for method in ["GET", "PATCH", "DELETE"] {
        for name in ["If-Match", "If-None-Match"] {
            for value in
                ["", "x", "\"x", "\"a\" \"b\"", "*, \"x\"", before.etag().trim_matches('"')]
            {
                let mut ask = scene.ask(method, &scene.user).header(name, value);
                if method == "PATCH" {
                    ask = ask.json(&json!({ "firstName": "changed" }));
                }
                let message = format!(
                    "{name} pattern mismatch: write *, or ETags with their quotes and commas \
                     between them, such as \"a1\", \"b2\""
                );
                ask.send().refused(400, &message);
            }
        }
    }
    assert_eq!(scene.get(&scene.user).body, before.body);
}

#[test]
fn what_is_known_is_not_sent_again() {
    let scene = Scene::new();
    for (target, change) in scene.resources() {
        let tag = scene.get(&target).etag().to_owned();
        let weak = format!("{OTHER}, W/{tag}");
        for value in [tag.as_str(), "*", &weak] {
            for method in ["GET", "HEAD"] {
                let ask = scene.ask(method, &target).header("If-None-Match", value);
                let answer = ask.send().expect(304);
                assert_eq!(answer.etag(), tag, "{target}");
                assert_eq!(answer.header("content-type"), None);
                assert!(answer.header("content-length").is_none_or(|length| length == "0"));
            }
        }
        scene.ask("GET", &target).header("If-None-Match", OTHER).send().expect(200);
        scene.ask("GET", &target).header("If-Match", OTHER).send().expect(412);
        scene.ask("GET", &target).header("If-Match", &tag).send().expect(200);
        scene.ask("PATCH", &target).json(&change).send().expect(200);
        let fresh = scene.ask("GET", &target).header("If-None-Match", &tag).send().expect(200);
        assert_ne!(fresh.etag(), tag);
    }
}

#[test]
fn a_tag_is_of_all_that_is_shown() {
    let scene = Scene::new();
    let before = scene.get(&scene.user);
    let group = format!("/applications/{}/experience/groups/{}", scene.application, scene.group.id);
    scene.ask("PATCH", &group).json(&json!({ "name": "after" })).send().expect(200);
    let after = scene.get(&scene.user);
    assert_eq!(after.json()["experienceGroups"][0]["name"], "after");
    assert_eq!(after.json()["lastUpdated"], before.json()["lastUpdated"]);
    assert_ne!(after.etag(), before.etag());
    let change = json!({ "firstName": "changed" });
    let stale = scene.ask("PATCH", &scene.user).json(&change).header("If-Match", before.etag());
    stale.send().expect(412);
    let known = scene.ask("GET", &scene.user).header("If-None-Match", before.etag());
    known.send().expect(200);
    scene.ask("DELETE", &group).send().expect(200);
    assert_ne!(scene.get(&scene.user).etag(), after.etag());
}

#[test]
fn a_compressed_answer_has_a_tag_that_is_taken_back() {
    let scene = Scene::new();
    let tags: serde_json::Map<_, _> =
        (0..100).map(|n| (format!("key{n}"), Value::from("value".repeat(10)))).collect();
    let body = json!({ "userTags": tags });
    let plain = scene.ask("PATCH", &scene.user).json(&body).send().expect(200);
    let asked = || scene.ask("GET", &scene.user).header("Accept-Encoding", "gzip");
    let packed = asked().send().expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_ne!(packed.etag(), plain.etag(), "two representations have two tags");
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed.body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, scene.get(&scene.user).body);

    let known = asked().header("If-None-Match", packed.etag()).send().expect(304);
    assert_eq!(known.etag(), packed.etag());
    scene.ask("GET", &scene.user).header("If-None-Match", packed.etag()).send().expect(304);
    let patch = scene.ask("PATCH", &scene.user).header("If-Match", packed.etag());
    patch.json(&json!({ "firstName": "changed" })).send().expect(200);
    asked().header("If-Match", packed.etag()).send().expect(412);
}

/// Reads the count of the user and adds one to it, until that has been done.
fn add_one(scene: &Scene) -> usize {
    let mut lost = 0;
    loop {
        let seen = scene.get(&scene.user);
        let count: u32 = seen.json()["userTags"]["count"].as_str().unwrap().parse().unwrap();
        let body = json!({ "userTags": { "count": (count + 1).to_string() } });
        let ask = scene.ask("PATCH", &scene.user).json(&body).header("If-Match", seen.etag());
        match ask.send().status {
            200 => return lost,
            412 => lost += 1,
            // There are only so many places in the queue.
            503 => {}
            other => panic!("{other}"),
        }
    }
}

#[test]
fn nobody_overwrites_what_they_have_not_seen() {
    let scene = Scene::new();
    let gate = Barrier::new(64);
    let lost: usize = thread::scope(|threads| {
        let one = || {
            gate.wait();
            (0..2).map(|_| add_one(&scene)).sum::<usize>()
        };
        let all: Vec<_> = (0..64).map(|_| threads.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(scene.get(&scene.user).json()["userTags"]["count"], "128");
    assert!(lost > 0, "no two writers ever met: the test shows nothing");
}

#[test]
fn of_two_writers_with_one_tag_one_wins() {
    let scene = Scene::new();
    for round in 0..10 {
        let tag = scene.get(&scene.user).etag().to_owned();
        let gate = Barrier::new(8);
        let statuses: Vec<u16> = thread::scope(|threads| {
            let one = |name: usize| {
                let body = json!({ "firstName": format!("{round} {name}") });
                let ask = scene.ask("PATCH", &scene.user).json(&body).header("If-Match", &tag);
                gate.wait();
                ask.send().status
            };
            let all: Vec<_> = (0..8).map(|name| threads.spawn(move || one(name))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let won = statuses.iter().filter(|status| **status == 200).count();
        let lost = statuses.iter().filter(|status| **status == 412).count();
        assert_eq!((won, lost), (1, 7), "{statuses:?}");
    }
}
