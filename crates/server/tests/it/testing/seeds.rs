//! What a server has at first, the way back to it, and the time.

use super::{client, emails, users};
use guestlist::testing::{EMAIL, PASSWORD, Server};
use guestlist_api::time::DateTime;
use serde_json::{Value, json};
use std::time::Duration;

const USER: &str = "575ec8687ae143cd83dc4a97";
const GROUP: &str = "575ed70c7ae143cd83dc4aa9";
const APPLICATION: &str = "575ec7417ae143cd83dc4a96";

fn seed() -> Value {
    json!({
        "now": "2026-01-01T00:00:00.000Z",
        "application": { "id": APPLICATION, "name": "Museum" },
        "administrator": { "email": "curator@example.com", "password": "Other-passw0rd" },
        "groups": [
            { "name": "Guides", "parent": "Staff" },
            { "name": "Staff", "id": GROUP, "groupTags": { "floor": "1" } },
        ],
        "users": [
            { "email": "ada@example.com", "id": USER, "groups": ["Guides", "Staff"], "firstName": "Ada" },
            { "email": "alan@example.com", "password": "his own one" },
        ],
        "tokens": [
            { "name": "reader", "scope": ["all.Application.read"] },
            { "name": "mine", "owner": "user", "scope": ["me.get"] },
            { "name": "short", "expirationDate": "2026-01-02T00:00:00.000Z" },
        ],
    })
}

/// Whether the administrator can sign in so.
fn signs_in(server: &Server, email: &str, password: &str) -> bool {
    let body = json!({ "email": email, "password": password });
    match client(server).call("", "POST", "/auth/user", &body).status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_seed_is_there_at_first() {
    let server = Server::builder().seed(seed()).blocking().unwrap();
    let client = client(&server);
    assert_eq!(server.application_id().to_string(), APPLICATION);
    assert_eq!(emails(&server), ["ada@example.com", "alan@example.com"]);
    let user = client.get(server.token(), &format!("{}/{USER}", users(&server))).expect(200).json();
    assert_eq!(user["firstName"], "Ada");
    assert_eq!(user["creationDate"], "2026-01-01T00:00:00.000Z");
    let groups = user["experienceGroups"].as_array().unwrap();
    assert_eq!((&groups[0]["name"], &groups[0]["parentId"]), (&"Guides".into(), &GROUP.into()));
    assert_eq!((&groups[1]["name"], &groups[1]["id"]), (&"Staff".into(), &GROUP.into()));
    let application = client.get(server.token(), &format!("/applications/{APPLICATION}")).json();
    assert_eq!(application["name"], "Museum");
    assert_eq!(application["summary"]["apiTokenCount"], 3);

    let reader = server.seeded_token("reader").unwrap();
    client.get(reader, &users(&server)).expect(200);
    client.call(reader, "POST", &users(&server), &json!({})).expect(400);
    let user = json!({ "email": "x@example.com", "password": "a good one" });
    client.call(reader, "POST", &users(&server), &user).expect(403);
    client.get(server.seeded_token("mine").unwrap(), "/me").expect(200);
    assert_eq!(server.seeded_token("nobody"), None);
    assert_eq!(server.email(), "curator@example.com");
    assert!(signs_in(&server, "curator@example.com", "Other-passw0rd"));
    assert!(!signs_in(&server, EMAIL, PASSWORD));
}

#[test]
fn without_a_seed_the_administrator_is_the_usual_one() {
    let server = Server::blocking().unwrap();
    assert_eq!(emails(&server), [""; 0]);
    assert!(signs_in(&server, EMAIL, PASSWORD));
}

#[test]
fn a_reset_goes_back_to_the_seed_under_the_same_ids_and_tokens() {
    let server = Server::builder().seed(seed()).blocking().unwrap();
    let client = client(&server);
    let user = format!("{}/{USER}", users(&server));
    let before = client.get(server.token(), &user).expect(200);
    server.clock().advance(60_000);
    client.call(server.token(), "PATCH", &user, &json!({ "firstName": "A" })).expect(200);
    let (other, token) = server.new_application("Other").unwrap();
    client.get(&token, &format!("/applications/{other}")).expect(200);
    let own = format!("/applications/{APPLICATION}");
    client.call(server.token(), "DELETE", &own, &Value::Null).expect(200);
    client.get(server.token(), &user).expect(404);
    server.faults().add(guestlist::testing::Fault::internal());
    server.reset().unwrap();
    assert_eq!((server.faults().left(), server.requests().len()), (0, 0));
    let after = client.get(server.token(), &user).expect(200);
    assert_eq!((after.etag(), after.text()), (before.etag(), before.text()));
    client.get(&token, &format!("/applications/{other}")).expect(401);
    client.get(server.application_token(), &users(&server)).expect(200);
    client.get(server.seeded_token("reader").unwrap(), &users(&server)).expect(200);
    assert_eq!(server.clock().now().to_string(), "2026-01-01T00:00:00.000Z");
}

#[test]
fn one_application_is_nothing_to_another() {
    let server = Server::builder().seed(seed()).blocking().unwrap();
    let (other, token) = server.new_application("Other").unwrap();
    let theirs = format!("/applications/{other}/experience/users");
    let list = client(&server).get(&token, &theirs).expect(200).json();
    assert_eq!(list["totalCount"], 0);
    client(&server).get(&token, &users(&server)).expect(404);
    assert!(server.new_application("").unwrap_err().to_string().contains("application.name"));
}

#[test]
fn what_is_wrong_with_a_seed_is_named_by_its_path() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let wrong = |seed: &str| {
        std::fs::write(file.path(), seed).unwrap();
        let error = Server::builder().seed(file.path()).blocking().unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(file.path().to_str().unwrap()), "{text}");
        text
    };
    let of = |seed: Value| wrong(&seed.to_string());
    assert!(wrong("{").contains("Invalid JSON: EOF while parsing"));
    assert!(wrong("[]").contains("seed is the wrong type"));
    assert!(of(json!({ "people": [] })).contains("seed.people is an additional property"));
    assert!(of(json!({ "users": {} })).contains("seed.users is the wrong type"));
    let several = of(json!({ "users": [
        { "email": "a@example.com", "groups": ["Staff"] }, { "email": "A@example.com" },
        { "firstName": 1 }, { "email": "b@example.com", "experienceGroupIds": [] },
    ] }));
    for said in ["users.2.email is required", "users.2.firstName is the wrong type"] {
        assert!(several.contains(&format!("seed.{said}")), "{several}");
    }
    assert!(several.contains("seed.users.3.experienceGroupIds is an additional property"));
    let several = of(json!({
        "groups": [
            { "name": "A", "parent": "B" }, { "name": "B", "parent": "A" },
            { "name": "C", "parent": "D", "id": GROUP }, { "name": "C", "id": GROUP },
        ],
        "users": [
            { "email": "a@example.com", "groups": ["A", "Z"], "id": USER },
            { "email": "A@example.com", "id": USER },
        ],
        "tokens": [{ "name": "t" }, { "name": "t" }],
    }));
    for said in [
        "groups.0.parent makes a circle",
        "groups.1.parent makes a circle",
        "groups.2.parent is not the name of a group of this seed",
        "groups.3.name must be unique",
        "groups.3.id must be unique",
        "users.0.groups.1 is not the name of a group of this seed",
        "users.1.email must be unique",
        "users.1.id must be unique",
        "tokens.1.name must be unique",
    ] {
        assert!(several.contains(&format!("seed.{said}")), "{said}: {several}");
    }
    assert!(
        of(json!({ "administrator": { "password": "short" } })).contains("administrator.password")
    );
    assert!(
        of(json!({ "tokens": [{ "name": "t", "scope": ["all"] }] })).contains("tokens.0.scope.0")
    );
    let missing = Server::builder().seed("/nowhere/seed.json").blocking().unwrap_err();
    assert!(format!("{missing:#}").contains("/nowhere/seed.json cannot be read"));
}

#[test]
fn the_clock_decides_when_tokens_end_and_answers_are_forgotten() {
    let server = Server::builder().seed(seed()).blocking().unwrap();
    let client = client(&server);
    let short = server.seeded_token("short").unwrap();
    let user = json!({ "email": "new@example.com", "password": "a good one" });
    let post = || {
        let request = client.request("POST", &users(&server)).token(server.token());
        request.key("one").json(&user).send()
    };
    let first = post().expect(201);
    server.clock().advance(24 * 60 * 60 * 1000 - 1);
    client.get(short, &users(&server)).expect(200);
    let again = post().expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    server.clock().advance(1);
    client.get(short, &users(&server)).refused(401, "Access token has expired");
    post().expect(409);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{}/{id}", users(&server));
    let changed = client.call(server.token(), "PATCH", &path, &json!({ "lastName": "N" }));
    assert_eq!(changed.expect(200).json()["lastUpdated"], "2026-01-02T00:00:00.000Z");
    // Back in time, and on from there.
    server.clock().set(DateTime::from_millis(1_000_000_000_000));
    client.get(short, &users(&server)).expect(200);
    server.clock().run();
    std::thread::sleep(Duration::from_millis(2));
    assert!(server.clock().now() > DateTime::from_millis(1_000_000_000_000));
}

#[test]
fn the_clock_decides_when_one_may_try_to_sign_in_again() {
    let server =
        Server::builder().seed(json!({ "now": "2026-01-01T00:00:00Z" })).blocking().unwrap();
    for _ in 0..20 {
        assert!(!signs_in(&server, EMAIL, "Not-the-passw0rd"));
    }
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let request = client(&server);
    let locked = request.request("POST", "/auth/user").json(&body).try_send().unwrap();
    assert_eq!((locked.status, locked.header("retry-after")), (429, Some("2")));
    server.clock().advance(2000);
    assert!(signs_in(&server, EMAIL, PASSWORD));
}
