//! Scenes of reading: queries that take long, and pages that nobody reads.

use super::attackers::{Scene, one_network};
use super::stage::{LARGE, Worst};
use guestlist_bench::http::request;
use serde_json::{Value, json};
use std::net::SocketAddr;

pub(super) fn scenes(one: &Worst, to: SocketAddr) -> Vec<Scene> {
    let token = one.seeded.token.clone();
    let group = "ffffffffffffffffffffffff";
    let long = [users_that(
        &json!({ "$nor": vec![json!({ "experienceGroupId": { "$gt": group } }); 30] }),
    )];
    let kinds = kinds(one);
    // The newest first, of which some are large.
    let page = [format!("users?sortField=lastUpdated&sortDirection=desc&perPage={LARGE}")];
    let groups = ["groups?perPage=200".to_owned()];
    let ask = |lists: &[String]| {
        let (base, lists, token) = (one.seeded.experience(), lists.to_vec(), token.clone());
        // Each another text, so that no answer is ready.
        move |number: u64| {
            let list = &lists[usize::try_from(number).unwrap_or_default() % lists.len()];
            request("GET", &format!("{base}/{list}&n={number}"), &token, "")
        }
    };
    let local = (to, one_network as super::attackers::From);
    vec![
        Scene::asking("four long queries at a time", 4, local, ask(&long)),
        Scene::leaving("long queries that nobody waits for", 4, to, ask(&long)),
        Scene::asking("queries of ten kinds, eight at a time", 8, local, ask(&kinds)),
        Scene::leaving("queries of ten kinds that nobody waits for", 8, to, ask(&kinds)),
        Scene::unread("60 large pages of users that nobody reads", 60, to, ask(&page)),
        Scene::unread("60 large pages of groups that nobody reads", 60, to, ask(&groups)),
    ]
}

/// What lists users that `query` is true of.
fn users_that(query: &Value) -> String {
    format!("users?query={}", escaped(&query.to_string()))
}

/// Lists that each take long in a way of its own.
fn kinds(one: &Worst) -> Vec<String> {
    let each =
        |count: usize, of: &dyn Fn(usize) -> Value| -> Value { (0..count).map(of).collect() };
    let letters = |number: usize| {
        let letter = |of: usize| char::from(b'a' + u8::try_from(of % 26).unwrap_or_default());
        format!("{}{}", letter(number), letter(number / 26 + number))
    };
    let mut deep = json!({ "firstName": { "$contains": "a" } });
    for depth in 0..8 {
        let word = if depth % 2 == 0 { "$and" } else { "$or" };
        let other = json!({ "lastName": { "$gt": letters(depth), "$ci": true } });
        deep = json!({ word: [deep, other] });
    }
    let not_tagged = |number| json!({ "userTags": { "$ne": { format!("k{number}"): "v" } } });
    let contains = |number| json!({ "lastName": { "$contains": letters(number) } });
    let not_below = |_| json!({ "ancestorId": { "$ne": one.tree } });
    let moments = |number| json!({ "lastLogin": { "$gt": number } });
    let groups = json!({ "$and": each(30, &not_below) });
    vec![
        users_that(&json!({ "$and": each(60, &not_tagged) })),
        users_that(&json!({ "$nor": each(100, &contains) })),
        users_that(&deep),
        users_that(&json!({ "$or": each(100, &moments) })) + "&sortField=lastName",
        "users?filterField=email&filter=*a*e*i*o*z*&sortField=firstName".to_owned(),
        "users?search=a%20e%20i%20o%20u&sortField=lastLogin&sortDirection=desc".to_owned(),
        format!("users?page={}&sortField=lastUpdated", (one.ids.len() / 100).saturating_sub(1)),
        "users?experienceGroupId=none&perPage=1000&sortField=creationDate".to_owned(),
        format!("groups?query={}&excludeMembers=1", escaped(&groups.to_string())),
        "groups?perPage=100&sortField=lastUpdated".to_owned(),
    ]
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
        out
    })
}
