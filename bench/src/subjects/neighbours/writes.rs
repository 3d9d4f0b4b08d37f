//! Scenes of writing: much in one request, or much that is kept.

use super::attackers::{Scene, one_network};
use super::stage::{LARGE, Worst};
use crate::target::{PASSWORD, Seeded};
use guestlist_bench::http::{request, request_with};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Which of `count`, and how often it was its turn before.
fn turn(number: u64, count: usize) -> (usize, u64) {
    let count = count.max(1) as u64;
    (usize::try_from(number % count).unwrap_or_default(), number / count)
}

pub(super) fn scenes(one: &Worst, to: SocketAddr) -> Vec<Scene> {
    let (users, token) = (one.seeded.users_path(), one.seeded.token.clone());
    let groups = one.seeded.experience() + "/groups";
    let local = (to, one_network as super::attackers::From);
    let send = |method: &'static str, path: String| {
        let token = token.clone();
        move |body: &Value| request(method, &path, &token, &body.to_string())
    };

    let large = send("PATCH", format!("{users}/{}", one.ids[LARGE]));
    let tags = ["v", "w"].map(|value| {
        let tags: Value = (0..1000).map(|tag| (format!("t{tag}"), json!(value))).collect();
        large(&json!({ "userTags": tags }))
    });
    let if_match = "If-Match: \"old\"\r\n";
    let old = request_with(if_match, "PATCH", &format!("{groups}/{}", one.tree), &token, "{}");
    let empty = |doomed: &Seeded| request("DELETE", &doomed.experience(), &doomed.token, "");
    let doomed = one.doomed.iter().map(empty).collect();
    let branches: Vec<_> =
        one.branches.iter().map(|id| send("PATCH", format!("{groups}/{id}"))).collect();
    let hubs = one.hubs.clone();
    let moved = move |number: u64| {
        let (branch, round) = turn(number, branches.len());
        branches[branch](&json!({ "parentId": hubs[usize::from(round % 2 == 1)] }))
    };
    let hub = send("PATCH", format!("{groups}/{}", one.hubs[0]));
    let many: Vec<&String> = one.ids.iter().rev().take(1000).collect();
    let members =
        [json!(many), json!([])].map(|members| hub(&json!({ "experienceUserIds": members })));
    let group = send("POST", groups.clone());
    let groups_made = move |number: u64| {
        group(&json!({ "name": format!("made {number}"), "groupTags": { "a": "b" } }))
    };
    let user = send("POST", users.clone());
    let users_made = move |number: u64| {
        let email = format!("made.{number}@example.com");
        user(&json!({ "email": email, "password": PASSWORD, "firstName": "Made" }))
    };
    let (path, own) = (format!("{users}/{}", one.ids[0]), token.clone());
    let keyed = move |number: u64| {
        let key = format!("Idempotency-Key: worst-{number}\r\n");
        request_with(&key, "PATCH", &path, &own, "{}")
    };
    vec![
        Scene::asking(
            "a thousand tags changed over and over, eight at a time",
            8,
            local,
            move |number| tags[turn(number, 2).0].clone(),
        ),
        Scene::asking(
            "a group with many below it changed if it is as it never was, eight at a time",
            8,
            local,
            move |_| old.clone(),
        ),
        Scene::once("all users of an application deleted", to, doomed),
        Scene::asking("groups moved, eight at a time", 8, local, moved),
        Scene::asking("a thousand members in and out, eight at a time", 8, local, move |number| {
            members[turn(number, 2).0].clone()
        }),
        Scene::asking("groups made, 16 at a time", 16, local, groups_made),
        Scene::asking("users made, 16 at a time", 16, local, users_made),
        Scene::asking("large answers kept, each under a key, 16 at a time", 16, local, keyed),
    ]
}
