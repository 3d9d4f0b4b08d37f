//! Quotas: what an application may hold at most, of rows and of bytes.

use crate::client::Answer;
use crate::world::{Options, PASSWORD, World};
use guestlist::rows::quotas::Quotas;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn world(quotas: Quotas) -> World {
    World::with(&Options { quotas: Some(quotas), ..Options::default() })
}

/// An application, and a token for everything in it.
struct Tenant<'w> {
    world: &'w World,
    id: ApplicationId,
    token: String,
}

impl<'w> Tenant<'w> {
    fn new(world: &'w World, name: &str) -> Self {
        let id = world.application(name);
        let token = world.token(Principal::Application(id), "all.Application");
        Self { world, id, token }
    }

    fn ask(&self, method: &str, rest: &str, body: &Value) -> Answer {
        self.world.call(&self.token, method, &format!("/applications/{}/{rest}", self.id), body)
    }

    fn post_user(&self, name: &str, tags: &Value) -> Answer {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "userTags": tags });
        self.ask("POST", "experience/users", &body)
    }

    fn post_group(&self, name: &str) -> Answer {
        self.ask("POST", "experience/groups", &json!({ "name": name }))
    }

    /// The bytes of all that is written of it in the store.
    fn written(&self) -> i64 {
        self.world.write_in(self.id, |tx, tenant| {
            let mut written = 0;
            for sql in [
                "SELECT CAST(coalesce(sum(octet_length(email) + octet_length(tags)), 0) AS BIGINT)
                 FROM experience_users WHERE application_id = $1",
                "SELECT CAST(coalesce(sum(octet_length(tag) + octet_length(value)), 0) AS BIGINT)
                 FROM user_tags WHERE application_id = $1",
                "SELECT CAST(coalesce(sum(octet_length(name) + octet_length(tags)), 0) AS BIGINT)
                 FROM experience_groups WHERE application_id = $1",
                "SELECT CAST(coalesce(sum(octet_length(tag) + octet_length(value)), 0) AS BIGINT)
                 FROM group_tags WHERE application_id = $1",
                "SELECT count(*) FROM memberships WHERE application_id = $1",
            ] {
                written += tx.first::<i64>(sql, &[&tenant.id().to_string()])?.unwrap_or_default();
            }
            Ok(written)
        })
    }
}

fn tags(count: usize, length: usize) -> Value {
    (0..count).map(|tag| (format!("tag-{tag}"), Value::from("v".repeat(length)))).collect()
}

const FULL: &str = "The application may hold 65536 bytes of users, groups and tokens and no more: \
    delete some, or ask an administrator for a higher quota";

#[test]
fn an_application_stops_growing_at_its_quota_while_others_write() {
    let world = world(Quotas { bytes: Some(65_536), ..Quotas::NONE });
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let user = |tenant: &Tenant<'_>| {
        let user = world.user(tenant.id, json!({ "email": "a@b.example" }), &[]);
        format!("experience/users/{}", user.id)
    };
    let (mine, theirs) = (user(&one), user(&other));
    let group = json!({ "name": "a", "groupTags": tags(10, 40) });
    let post = |tenant: &Tenant<'_>| tenant.ask("POST", "experience/groups", &group);
    thread::scope(|scope| {
        let write = || {
            let answers: Vec<Answer> = (0..30).map(|_| post(&one)).collect();
            let made = answers.iter().take_while(|answer| answer.status == 201).count();
            answers[made..].iter().for_each(|answer| answer.refused(403, FULL));
            assert!(made < 15, "{made}");
        };
        let writers: Vec<_> = (0..3).map(|_| scope.spawn(write)).collect();
        // It goes on for as long as the other is refused, and is not.
        let mut round = 0;
        while writers.iter().any(|writer| !writer.is_finished()) {
            let name = json!({ "firstName": format!("{round}") });
            other.ask("PATCH", &theirs, &name).expect(200);
            round += 1;
        }
        assert!(round > 0);
    });
    let written = one.written();
    assert!((5_000..65_536).contains(&written), "{written}");

    // Whatever it sends, it has no more.
    (0..20).for_each(|_| post(&one).refused(403, FULL));
    one.ask("PATCH", &mine, &json!({ "userTags": tags(60, 40) })).refused(403, FULL);
    assert_eq!(one.written(), written);
    let user = one.ask("GET", &mine, &Value::Null).expect(200).json();
    assert_eq!(user["userTags"], json!({}));

    // What takes no more room is written as ever, and what makes room makes room.
    one.ask("PATCH", &mine, &json!({ "firstName": "a" })).expect(200);
    let page = one.ask("GET", "experience/groups", &Value::Null).expect(200).json();
    let of = |index: usize| {
        format!("experience/groups/{}", page["items"][index]["id"].as_str().unwrap())
    };
    one.ask("PATCH", &of(0), &json!({ "groupTags": {} })).expect(200);
    one.ask("DELETE", &of(1), &Value::Null).expect(200);
    post(&one).expect(201);
    post(&other).expect(201);

    // All that goes has gone.
    one.ask("DELETE", "experience", &Value::Null).expect(200);
    let large = json!({ "name": "a", "groupTags": tags(100, 40) });
    one.ask("POST", "experience/groups", &large).expect(201);
}

#[test]
fn rows_are_as_many_as_may_be_and_no_more() {
    let quotas = Quotas { users: Some(3), groups: Some(2), tokens: Some(2), ..Quotas::NONE };
    let world = world(quotas);
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let refused = |what: &str| {
        format!(
            "The application may hold {what} and no more: delete some, or ask an administrator for a higher quota"
        )
    };
    let mut users = Vec::new();
    for name in ["a", "b", "c"] {
        users.push(one.post_user(name, &json!({})).expect(201).json());
    }
    one.post_user("d", &json!({})).refused(403, &refused("3 users"));
    // One whose address is taken is told so all the same.
    one.post_user("a", &json!({})).expect(409);
    one.post_group("a").expect(201);
    one.post_group("b").expect(201);
    one.post_group("c").refused(403, &refused("2 groups"));
    one.ask("POST", "tokens", &json!({ "name": "a" })).expect(201);
    one.ask("POST", "tokens", &json!({ "name": "b" })).refused(403, &refused("2 API tokens"));
    let begin = json!({ "createGroups": false });
    one.ask("PATCH", "experience/bootstrap", &begin).refused(403, &refused("3 users"));
    other.post_user("d", &json!({})).expect(201);

    let path = format!("experience/users/{}", users[0]["id"].as_str().unwrap());
    one.ask("PATCH", &path, &json!({ "userTags": tags(50, 200) })).expect(200);
    one.ask("DELETE", &path, &Value::Null).expect(200);
    one.post_user("d", &json!({})).expect(201);
    one.post_user("e", &json!({})).refused(403, &refused("3 users"));
}

#[test]
fn of_those_who_come_at_once_as_many_are_let_in_as_may_be() {
    let world = world(Quotas { groups: Some(5), ..Quotas::NONE });
    let (one, all, made) = (Tenant::new(&world, "one"), Barrier::new(12), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                all.wait();
                let answer = one.post_group("a");
                if answer.status == 201 {
                    made.fetch_add(1, Ordering::SeqCst);
                } else {
                    answer.expect(403);
                }
            });
        }
    });
    assert_eq!(made.load(Ordering::SeqCst), 5);
    let page = one.ask("GET", "experience/groups", &Value::Null).expect(200).json();
    assert_eq!(page["totalCount"], 5);
}

#[test]
fn who_is_in_which_group_takes_room_too() {
    let world = world(Quotas { bytes: Some(12 * 1024), ..Quotas::NONE });
    let one = Tenant::new(&world, "one");
    let group = one.post_group("a").expect(201).json()["id"].clone();
    let mut users = Vec::new();
    while users.len() < 20 {
        let made = one.post_user(&users.len().to_string(), &json!({}));
        if made.status == 403 {
            break;
        }
        users.push(made.expect(201).json()["id"].clone());
    }
    one.ask("DELETE", &format!("experience/users/{}", users[0].as_str().unwrap()), &Value::Null)
        .expect(200);
    users.remove(0);
    let path = format!("experience/groups/{}", group.as_str().unwrap());
    let members = |count: usize| json!({ "experienceUserIds": users[..count] });
    one.ask("PATCH", &path, &members(4)).expect(200);
    one.ask("PATCH", &path, &members(5)).expect(403);
    one.ask("PATCH", &path, &members(0)).expect(200);
    one.post_user("other", &json!({})).expect(201);
}

#[test]
fn an_application_has_so_many_bytes_of_answers() {
    let world = world(Quotas { answer_bytes: Some(40_000), ..Quotas::NONE });
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let user = |tenant: &Tenant<'_>| {
        let made = tenant.post_user("a", &tags(10, 20)).expect(201).json();
        format!("/applications/{}/experience/users/{}", tenant.id, made["id"].as_str().unwrap())
    };
    let (mine, theirs) = (user(&one), user(&other));
    let patch = |tenant: &Tenant<'_>, path: &str, key: &str| {
        let name = json!({ "firstName": key });
        world.request("PATCH", path).token(&tenant.token).key(key).json(&name).send()
    };
    let refused = "The application may hold 40000 bytes of answers under an Idempotency-Key and no more: \
        send the request without one, or try again when some are a day old";
    let mut answered = Vec::new();
    for round in 0..100 {
        let key = format!("key-{round}");
        let answer = patch(&one, &mine, &key);
        if answer.status == 403 {
            answer.refused(403, refused);
            break;
        }
        answered.push((key, answer.expect(200)));
    }
    assert!((10..100).contains(&answered.len()), "{}", answered.len());
    for round in 0..50 {
        patch(&one, &mine, &format!("more-{round}")).refused(403, refused);
        patch(&other, &theirs, &format!("key-{}", round % 9)).expect(200);
    }
    let held = "SELECT CAST(sum(size) AS BIGINT) FROM answers WHERE application_id = $1";
    let held = |id: ApplicationId| {
        world.write(move |tx| tx.first::<i64>(held, &[&id.to_string()])).unwrap_or_default()
    };
    assert!(held(one.id) < 45_000, "{}", held(one.id));
    // None that was given is lost, and what needs no room is done.
    for (key, first) in &answered {
        let again = patch(&one, &mine, key);
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
    world.call(&one.token, "PATCH", &mine, &json!({ "firstName": "b" })).expect(200);

    // Another server knows as much as this one.
    let (target, token) = (mine, one.token.clone());
    let world = world.restarted();
    let name = json!({ "firstName": "c" });
    world.request("PATCH", &target).token(&token).key("c").json(&name).send().refused(403, refused);
}

#[test]
fn an_administrator_sees_what_an_application_holds_and_says_what_it_may() {
    let world = world(Quotas { users: Some(1), answer_bytes: Some(1), ..Quotas::NONE });
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let root = world.administrator("root@example.com");
    let root = world.token(Principal::User(root), "all.User");
    let quotas = format!("/applications/{}/quotas", one.id);
    one.post_user("a", &json!({})).expect(201);
    one.post_user("b", &json!({})).expect(403);
    let keyed = |name: &str| {
        let group = json!({ "name": name });
        let path = format!("/applications/{}/experience/groups", one.id);
        world.request("POST", &path).token(&one.token).key(name).json(&group).send()
    };
    keyed("a").expect(201);
    keyed("b").expect(403);

    let seen = world.get(&root, &quotas).expect(200).json();
    assert_eq!(seen["applicationId"], one.id.to_string());
    assert_eq!(seen["users"], json!({ "used": 1, "limit": 1, "own": false }));
    assert_eq!(seen["groups"], json!({ "used": 1, "own": false }));
    assert_eq!(seen["apiTokens"], json!({ "used": 1, "own": false }));
    assert_eq!(seen["bytes"], json!({ "used": 3 * 1024, "own": false }));
    assert!(seen["answerBytes"]["used"].as_u64().unwrap() > 640, "{seen}");

    let said = json!({ "users": 2, "groups": 1, "bytes": 6 * 1024, "answerBytes": 9000 });
    let now = world.call(&root, "PATCH", &quotas, &said).expect(200).json();
    assert_eq!(now["users"], json!({ "used": 1, "limit": 2, "own": true }));
    one.post_user("b", &json!({})).expect(201);
    one.post_user("c", &json!({})).expect(403);
    one.post_group("c").expect(403);
    // It is at once, also for what is summed now and then.
    let user = json!({ "name": "t" });
    let path = format!("/applications/{}/tokens", one.id);
    world.request("POST", &path).token(&one.token).key("t").json(&user).send().expect(201);
    other.post_user("a", &json!({})).expect(201);
    other.post_user("b", &json!({})).expect(403);

    let now = world.call(&root, "PATCH", &quotas, &json!({ "users": null })).expect(200).json();
    assert_eq!(now["users"], json!({ "used": 2, "limit": 1, "own": false }));
    assert_eq!(now["groups"], json!({ "used": 1, "limit": 1, "own": true }));
    // Nothing is deleted, and nothing more is let in.
    let page = one.ask("GET", "experience/users", &Value::Null).expect(200).json();
    assert_eq!(page["totalCount"], 2);
    one.post_user("c", &json!({})).expect(403);
    for bad in [json!({ "users": 0 }), json!({ "users": "many" }), json!({ "shoes": 1 })] {
        world.call(&root, "PATCH", &quotas, &bad).expect(400);
    }
    // An application does not help itself.
    one.ask("GET", "quotas", &Value::Null).expect(403);
    one.ask("PATCH", "quotas", &json!({ "users": 9 })).expect(403);
}
