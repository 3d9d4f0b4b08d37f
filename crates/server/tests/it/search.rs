//! `search` of the list of users: what it finds, beside what else, and how it is refused.

use crate::client::Answer;
use crate::world::World;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};

struct Scene {
    world: World,
    application: ApplicationId,
    token: String,
}

const PEOPLE: [(&str, &str, &str); 5] = [
    ("ada@example.com", "Ada", "Lovelace"),
    ("grace@example.com", "Grace", "Hopper"),
    ("alan@example.org", "Alan", "Turing"),
    ("emile@example.org", "Émile", "Li"),
    ("love@example.org", "Ace", "100%_a"),
];

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let application = world.application("own");
        let administrator = world.administrator("admin@example.com");
        let token = world.token(Principal::User(administrator), "all.User");
        for (email, first, last) in PEOPLE {
            let body = json!({ "email": email, "firstName": first, "lastName": last });
            world.user(application, body, &[]);
        }
        Self { world, application, token }
    }

    fn get(&self, query: &str) -> Answer {
        let users = format!("/applications/{}/experience/users", self.application);
        self.world.get(&self.token, &format!("{users}?{query}"))
    }

    fn page(&self, query: &str) -> Value {
        self.get(query).expect(200).json()
    }

    fn found(&self, query: &str) -> Vec<String> {
        let page = self.page(query);
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["totalCount"], items.len(), "{page}");
        let name = |user: &Value| user["email"].as_str().unwrap().split('@').next().unwrap().into();
        items.iter().map(name).collect()
    }
}

#[test]
fn each_word_is_a_part_of_one_of_the_three() {
    let scene = Scene::new();
    for (search, found) in [
        ("example", &["ada", "alan", "emile", "grace", "love"][..]),
        ("LOVE", &["ada", "love"]),
        ("love+ace", &["ada", "love"]),
        ("ace", &["ada", "grace", "love"]),
        ("ace+hop", &["grace"]),
        ("ada%09lovelace%20.com", &["ada"]),
        ("%C3%89m", &["emile"]),
        ("li", &["emile"]),
        ("a", &["ada", "alan", "emile", "grace", "love"]),
        ("%25_", &["love"]),
        ("_", &["love"]),
        ("*", &[]),
        ("adalovelace", &[]),
        ("ada+hopper", &[]),
    ] {
        assert_eq!(scene.found(&format!("search={search}")), found, "{search}");
    }
}

#[test]
fn it_counts_beside_every_other_condition() {
    let scene = Scene::new();
    let query = "%7B%22email%22%3A%7B%22%24endsWith%22%3A%22.org%22%7D%7D";
    assert_eq!(scene.found("search=ace&filterField=email&filter=*.org"), ["love"]);
    assert_eq!(scene.found(&format!("search=ace&query={query}")), ["love"]);
    // A query takes the place of a filter, and not of this.
    let both = format!("search=ace&query={query}&filterField=email&filter=nobody");
    assert_eq!(scene.found(&both), ["love"]);
    let group = scene.world.group(scene.application, json!({ "name": "g" }));
    let body = json!({ "email": "ace@example.net" });
    scene.world.user(scene.application, body, &[&group]);
    assert_eq!(scene.found(&format!("search=ace&experienceGroupId={}", group.id)), ["ace"]);
    assert_eq!(scene.found("search=ace&experienceGroupId=none"), ["ada", "grace", "love"]);
    let sorted = "search=ace&sortField=firstName&sortDirection=desc";
    assert_eq!(scene.found(sorted), ["grace", "ada", "love", "ace"]);
}

#[test]
fn it_is_echoed_and_goes_on_page_by_page() {
    let scene = Scene::new();
    let first = scene.page("search=Ace+&perPage=2");
    assert_eq!((&first["search"], &first["totalCount"]), (&json!("Ace "), &json!(3)));
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    let second: Value = scene.world.get(&scene.token, next).expect(200).json();
    assert_eq!((&second["search"], &second["count"]), (&json!("Ace "), &json!(1)));
    let cursor = next.split_once("cursor=").unwrap().1;
    let other = scene.get(&format!("search=ada&perPage=2&cursor={cursor}")).expect(400).json();
    let message = other["message"].as_str().unwrap();
    assert!(message.starts_with("cursor belongs to another list"), "{message}");
    assert!(scene.page("").get("search").is_none());
    assert!(scene.page("search=").get("search").is_none());
    let blank = scene.page("search=+%09+");
    assert_eq!((&blank["search"], &blank["totalCount"]), (&json!(" \t "), &json!(5)));
}

#[test]
fn it_has_a_bound() {
    let scene = Scene::new();
    assert_eq!(scene.found("search=a+a+a+a+a+a+a+ada"), ["ada"]);
    for (search, message) in [
        ("1+2+3+4+5+6+7+8+9".to_owned(), "search has more than 8 words"),
        ("a".repeat(257), "search has longer length than allowed"),
        ("a%00".to_owned(), "search must not contain U+0000"),
        ("a&search=b".to_owned(), "search is the wrong type"),
    ] {
        let refused = scene.get(&format!("search={search}")).expect(400).json();
        assert_eq!(
            (&refused["type"], &refused["message"]),
            (&json!("Validation"), &json!(message))
        );
    }
}
