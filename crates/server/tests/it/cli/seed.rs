//! Stores that are filled with users that nobody made.

use super::program::{Done, Place};
use serde_json::json;
use std::fs;

fn seed(place: &Place, store: &str, more: &[&str]) -> Done {
    place.run(&[&["user", "seed", "--store", store, "--json"], more].concat())
}

/// Everything that the tables of `store` say, but for what chance says: the application, and the
/// hash of a password that nobody knows.
fn rows(place: &Place, store: &str) -> Vec<String> {
    const ALL: [&str; 4] = [
        "SELECT id, name, parent_id, created, updated FROM experience_groups ORDER BY id",
        "SELECT id, email, first_name, last_name, created, updated, password_updated, last_login,
            tags FROM experience_users ORDER BY id",
        "SELECT user_id, tag, value FROM user_tags ORDER BY user_id, tag",
        "SELECT user_id, group_id FROM memberships ORDER BY user_id, group_id",
    ];
    let store = rusqlite::Connection::open(place.path(store)).unwrap();
    let mut all = Vec::new();
    for sql in ALL {
        let mut statement = store.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let cells = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap()));
            all.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    all
}

#[test]
fn a_seeded_store_has_what_the_command_says_and_is_served_like_any_other() {
    let place = Place::new();
    let made =
        seed(&place, "a.db", &["--count", "12345", "--name", "crowd", "--ids", "ids"]).json();
    let application = made["applicationId"].as_str().unwrap();
    assert_eq!((&made["users"], &made["groups"]), (&json!(12345), &json!(8)));
    let ids = fs::read_to_string(place.path("ids")).unwrap();
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids.len(), 12345);

    let store = rusqlite::Connection::open(place.path("a.db")).unwrap();
    let count = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM experience_users"), 12345);
    assert_eq!(made["memberships"], count("SELECT count(*) FROM memberships"));
    assert_eq!(made["tags"], count("SELECT count(*) FROM user_tags"));
    let hashes = "SELECT count(DISTINCT password_hash) FROM experience_users";
    assert_eq!(count(hashes), 1);
    drop(store);

    let listed = place.run(&["application", "list", "--store", "a.db", "--json"]).json();
    assert_eq!(listed["name"], "crowd");
    assert_eq!(listed["summary"]["experienceUserCount"], 12345);
    let token = ["token", "create", "--store", "a.db", "--name", "t", "--scope", "all.Application"];
    let token = place.run(&[&token, ["--application", application].as_slice()].concat()).ok();
    let serving = place.serve();
    let users = format!("/applications/{application}/experience/users");
    let one = serving.client.get(token.trim(), &format!("{users}/{}", ids[777])).expect(200).json();
    assert_eq!((&one["id"], one["avatarUrl"].is_string()), (&json!(ids[777]), true));
    // Sorted by id they are in the order of the file, which is that of their coming.
    let page = format!("{users}?sortField=id&perPage=3&page=1");
    let page = serving.client.get(token.trim(), &page).expect(200).json();
    let listed: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!((page["totalCount"].clone(), listed), (json!(12345), ids[3..6].to_vec()));
    serving.stop();
}

#[test]
fn the_same_seed_makes_the_same_store_and_another_another() {
    let place = Place::new();
    let plant = |store: &str, seed_: &str| {
        seed(&place, store, &["--count", "1500", "--seed", seed_]).json();
        rows(&place, store)
    };
    let first = plant("a.db", "7");
    assert!(first.len() > 4000, "{}", first.len());
    assert_eq!(first, plant("b.db", "7"));
    let other = plant("c.db", "8");
    assert!(first.iter().all(|row| !other.contains(row)));
}

#[test]
fn an_application_can_be_filled_with_several_seeds_and_with_each_once() {
    let place = Place::new();
    let made = place.run(&["application", "create", "--store", "a.db", "--name", "own"]).ok();
    let own = ["--application", made.trim(), "--count", "100"];
    assert_eq!(seed(&place, "a.db", &own).json()["applicationId"], made.trim());
    let second =
        place.run(&[&["users", "seed", "--store", "a.db", "--seed", "2"], &own[..]].concat());
    let second = second.ok();
    assert!(second.starts_with("100 users with ") && second.contains(made.trim()), "{second}");

    let before = rows(&place, "a.db");
    seed(&place, "a.db", &own).failed("has users or groups of seed 1 already");
    assert_eq!(rows(&place, "a.db"), before);
    let listed = place.run(&["application", "list", "--store", "a.db", "--json"]).json();
    assert_eq!(listed["summary"]["experienceUserCount"], 200);
}

#[test]
fn nonsense_is_not_seeded() {
    let place = Place::new();
    let misused = |more: &[&str], what: &str| {
        let done = seed(&place, "a.db", more);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
        assert!(done.stderr.contains(what), "{}", done.stderr);
    };
    misused(&[], "--count <N>");
    misused(&["--count", "0"], "0 is not in 1..=10000000");
    misused(&["--count", "10000001"], "10000001 is not in 1..=10000000");
    misused(&["--count", "many"], "invalid digit");
    misused(&["--count", "1", "--seed", "-1"], "-1");
    misused(&["--count", "1", "--application", "own"], "an id is 24 hexadecimal digits");
    let absent = "ffffffffffffffffffffffff";
    misused(&["--count", "1", "--application", absent, "--name", "own"], "cannot be used with");
    misused(&["--count", "1", "--url", "http://127.0.0.1:1"], "give one of them");
    assert!(!place.path("a.db").exists());
    let elsewhere = place.run(&["user", "seed", "--count", "1", "--profile", "shop"]);
    assert_eq!(elsewhere.code, Some(2));
    assert!(elsewhere.stderr.contains("not over a server: give --store"), "{}", elsewhere.stderr);

    let there = ["--count", "1", "--application", absent];
    seed(&place, "a.db", &there).failed("there is no store at a.db");
    place.run(&["application", "create", "--store", "a.db", "--name", "own"]).ok();
    seed(&place, "a.db", &there).failed("Application was not found");
    let nowhere = ["--count", "1", "--ids", "no/such/place"];
    seed(&place, "a.db", &nowhere).failed("cannot write no/such/place");
    seed(&place, "a.db", &["--count", "1", "--name", ""])
        .failed("application.name has less length than allowed");
    let listed = place.run(&["application", "list", "--store", "a.db", "--json"]).json();
    assert_eq!(listed["name"], "own");
}
