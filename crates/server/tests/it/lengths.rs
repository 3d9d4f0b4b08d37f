//! The longest of every text that is looked up and sorted by: of characters that take four bytes,
//! and without anything in it that could be made shorter.

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::tokens::rows::Principal;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Names of users are sorted by so many characters.
const SORTED: usize = 512;

/// Texts that are hard to guess, and the same in each run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap()
    }

    /// `count` characters of four bytes each.
    fn wide(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from_u32(0x2_0000 + self.next() % 42_000).unwrap()).collect()
    }

    /// `count` letters and digits.
    fn narrow(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from_digit(self.next() % 36, 36).unwrap()).collect()
    }
}

struct Scene {
    world: World,
    token: String,
    within: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let application = world.application("own");
        let administrator = world.administrator("admin@example.com");
        let token = world.token(Principal::User(administrator), "all.User");
        Self { world, token, within: format!("/applications/{application}") }
    }

    fn post(&self, list: &str, body: &Value) -> Value {
        self.world.call(&self.token, "POST", list, body).expect(201).json()
    }

    fn get(&self, target: &str) -> Answer {
        self.world.get(&self.token, target)
    }

    /// The ids of what is on all pages of `list`, one on each.
    fn walk(&self, list: &str) -> Vec<String> {
        let (mut ids, mut target) = (Vec::new(), Some(format!("{list}&perPage=1")));
        while let Some(at) = target {
            let page = self.get(&at).expect(200).json();
            let items = page["items"].as_array().unwrap();
            ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            target = page["_links"]["next"]["href"].as_str().map(str::to_owned);
        }
        ids
    }

    /// The ids of all that `list` finds.
    fn found(&self, list: &str) -> Vec<String> {
        let page = self.get(list).expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["totalCount"], items.len());
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn id(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap().to_owned()
}

/// `text` in a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").unwrap();
        all
    })
}

#[test]
fn users_with_the_longest_names_are_kept_and_found() {
    let scene = Scene::new();
    let mut chance = Chance(1);
    let list = format!("{}/experience/users", scene.within);
    let (begins, surname, tag) = (chance.wide(1023), chance.wide(1024), chance.narrow(255));
    // Two that differ in their last character, and one in the last that they are sorted by.
    let middle: String = begins.chars().take(SORTED - 1).chain(['\u{2fa1d}']).collect();
    let rest: String = begins.chars().skip(SORTED).collect();
    let names =
        [format!("{begins}\u{20001}"), format!("{begins}\u{20000}"), format!("{middle}{rest}y")];
    let mut made = Vec::new();
    for name in &names {
        let email = format!("{}@example.com", chance.narrow(1024 - 12));
        let value = chance.wide(255);
        let user = scene.post(
            &list,
            &json!({
                "email": email, "password": PASSWORD, "firstName": name, "lastName": surname,
                "userTags": { &tag: value },
            }),
        );
        made.push(id(&user, "id"));
        let user = scene.get(&format!("{list}/{}", made.last().unwrap())).expect(200).json();
        assert_eq!((&user["firstName"], &user["lastName"]), (&json!(name), &json!(surname)));

        let only = [made.last().unwrap().clone()];
        let find =
            |what: &str| assert!(scene.found(&format!("{list}?{what}")) == only, "{}", &what[..40]);
        let query = |query: &Value| find(&format!("query={}", encoded(&query.to_string())));
        find(&format!("filterField=email&filter={email}"));
        find(&format!("filterField=firstName&filter={}", encoded(name)));
        let tail: String = name.chars().skip(1000).collect();
        find(&format!("filterField=firstName&filter=*{}", encoded(&tail)));
        query(&json!({ "email": email }));
        query(&json!({ "firstName": name }));
        query(&json!({ "firstName": { "$startsWith": name } }));
        query(&json!({ "firstName": { "$in": ["x", name] } }));
        query(&json!({ "userTags": { &tag: value } }));
    }
    let short =
        scene.post(&list, &json!({ "email": "a@b", "password": PASSWORD, "firstName": "a" }));
    let none = scene.post(&list, &json!({ "email": "b@b", "password": PASSWORD }));
    let sorted = |way: &str| scene.walk(&format!("{list}?sortField=firstName&sortDirection={way}"));
    let [none, short] = [none, short].map(|user| id(&user, "id"));
    let order = [&none, &short, &made[0], &made[1], &made[2]];
    assert!(sorted("asc").iter().eq(order));
    assert!(sorted("desc").iter().eq(order.iter().rev().copied()));
    let all = scene.walk(&format!("{list}?sortField=lastName"));
    assert!(all[2..].iter().eq(&made));
    let starts: String = begins.chars().take(600).collect();
    let find = format!("filterField=firstName&filter={}*", encoded(&starts));
    assert_eq!(scene.walk(&format!("{list}?sortField=firstName&{find}")), made[..2]);

    let name = chance.wide(1024);
    let body = json!({ "firstName": name, "lastName": name });
    let target = format!("{list}/{}", made[0]);
    scene.world.call(&scene.token, "PATCH", &target, &body).expect(200);
    let find = format!("filterField=lastName&filter={}", encoded(&name));
    assert_eq!(scene.found(&format!("{list}?{find}")), made[..1]);
}

#[test]
fn what_else_has_the_longest_name_is_kept_and_found() {
    let scene = Scene::new();
    let mut chance = Chance(2);
    let [groups, tokens] =
        ["experience/groups", "tokens"].map(|list| format!("{}/{list}", scene.within));
    for (list, kind, filter) in [
        (groups.clone(), "experienceGroupId", "filterField=name&filter"),
        (tokens, "applicationApiTokenId", "filterField=name&filter"),
        ("/applications".to_owned(), "applicationId", "filterField=name&filter"),
        ("/me/tokens".to_owned(), "userApiTokenId", "filterField=name&filter"),
    ] {
        let begins = chance.wide(254);
        for last in ["\u{20001}", "\u{20000}"] {
            let name = format!("{begins}{last}");
            let made = scene.post(&list, &json!({ "name": name }));
            let made = [id(&made, "id")];
            assert_eq!(scene.found(&format!("{list}?{filter}={}", encoded(&name))), made, "{kind}");
        }
        let sorted = scene.walk(&format!("{list}?sortField=name&sortDirection=desc"));
        assert!(sorted.len() >= 2, "{kind}");
    }

    let (tag, value, name) = (chance.narrow(255), chance.wide(255), chance.wide(255));
    let group = scene.post(&groups, &json!({ "name": name, "groupTags": { &tag: value } }));
    for query in [json!({ "name": name }), json!({ "groupTags": { &tag: value } })] {
        let query = encoded(&query.to_string());
        assert_eq!(scene.found(&format!("{groups}?query={query}")), [id(&group, "id")]);
    }
}

#[test]
fn an_administrator_with_the_longest_address_signs_in() {
    let world = World::new();
    let email = format!("{}@example.com", Chance(3).narrow(1024 - 12));
    world.administrator(&email);
    for (password, status) in [("Wr0ng-password", 401), (PASSWORD, 200)] {
        let body = json!({ "email": email, "password": password });
        world.call("", "POST", "/auth/user", &body).expect(status);
    }
}
