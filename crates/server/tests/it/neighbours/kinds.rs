//! Each kind of request is answered, whatever another tenant keeps busy.

use super::{Going, Tenant};
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

impl World {
    /// All threads that `tenant` may have, as long as it is held. On SQLite there is one that writes, and
    /// nobody may have that for long.
    fn all_of(&self, tenant: &Tenant) -> Vec<Going> {
        let store = self.app.store.for_application(tenant.id);
        let writers = if self.directory().is_some() { 0 } else { 2 };
        let mut going = vec![self.long_read(store.clone())];
        going.extend((0..writers).map(|_| self.long_write(store.clone())));
        going
    }
}

/// What is asked of a tenant: the method, the path below its experience, the body and the answer.
fn requests(group: &str, user: &str) -> Vec<(&'static str, String, Value, u16)> {
    let query = |query: Value| {
        let text = query.to_string();
        text.bytes().fold("query=".to_owned(), |text, byte| format!("{text}%{byte:02X}"))
    };
    let list = |path: String| ("GET", path, Value::Null, 200);
    let nor = json!({ "$nor": vec![json!({ "experienceGroupId": { "$gt": group } }); 3] });
    let tags = json!({ "userTags": { "$ne": { "a": "b" } } });
    let name = json!({ "$or": [{ "lastName": { "$contains": "x" } }, { "lastLogin": null }] });
    let above = json!({ "ancestorId": { "$ne": group } });
    vec![
        list("users".into()),
        list(format!("users?{}", query(nor))),
        list(format!("users?{}", query(tags))),
        list(format!("users?{}&sortField=lastName", query(name))),
        list("users?filterField=email&filter=*o*e*&sortField=lastUpdated".into()),
        list("users?search=o&sortDirection=desc".into()),
        list(format!("users?experienceGroupId={group}&includeAncestorGroups=true")),
        list("groups".into()),
        list(format!("groups?{}&excludeMembers=true", query(above))),
        list(format!("groups/{group}?includeTotalDeviceCount=true")),
        list(format!("users/{user}")),
        ("POST", "users".into(), json!({ "email": "new@b.example", "password": PASSWORD }), 201),
        ("POST", "groups".into(), json!({ "name": "new", "parentId": group }), 201),
        ("PATCH", format!("users/{user}"), json!({ "userTags": { "a": "b" } }), 200),
        ("PATCH", format!("users/{user}"), json!({ "password": PASSWORD }), 200),
        ("PATCH", format!("groups/{group}"), json!({ "experienceUserIds": [user] }), 200),
        ("DELETE", format!("users/{user}"), Value::Null, 200),
        ("DELETE", format!("groups/{group}"), Value::Null, 200),
        ("DELETE", String::new(), Value::Null, 200),
    ]
}

#[test]
fn every_request_of_one_is_answered_while_another_has_all_its_threads() {
    let world = World::new();
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    world.administrator("ada@example.com");
    let group = world.group(other.id, json!({ "name": "crowd" })).id.to_string();
    let user = other.user.rsplit('/').next().unwrap().to_owned();
    let going = world.all_of(&one);
    let answered = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let answer = world.get(&one.token, &one.path("users"));
            answered.store(true, Ordering::SeqCst);
            answer
        });
        for (number, (method, path, body, status)) in
            requests(&group, &user).into_iter().enumerate()
        {
            let path = other.path(&path).trim_end_matches('/').to_owned();
            let request = world.request(method, &path).token(&other.token);
            let request = if method == "GET" { request } else { request.key(&format!("{number}")) };
            let request = if body.is_null() { request } else { request.json(&body) };
            assert_eq!(request.send().status, status, "{method} {path}");
        }
        let credentials = json!({ "email": "ada@example.com", "password": PASSWORD });
        world.call("", "POST", "/auth/user", &credentials).expect(200);
        world.get("", "/readyz").expect(200);
        assert!(!answered.load(Ordering::SeqCst), "it has no more than its share");
        drop(going);
        waiting.join().unwrap().expect(200);
    });
}

#[test]
fn queries_that_nobody_waits_for_keep_nobody_waiting() {
    let world = World::new();
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let going = world.all_of(&one);
    for number in 0..40 {
        let list = one.path(&format!("users?perPage={}", 1 + number));
        let asked = world.request("GET", &list).token(&one.token).bytes();
        world.connect().get_mut().write_all(&asked).unwrap();
    }
    world.get(&other.token, &other.path("users")).expect(200);
    world.get(&one.token, &one.user).expect(200);
    world.get("", "/readyz").expect(200);
    drop(going);
    world.get(&one.token, &one.path("users")).expect(200);
}
