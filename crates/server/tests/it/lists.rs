//! Lists that go on and back: `_links.next`, `_links.previous` and the cursors in them.

use crate::client::Answer;
use crate::world::World;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::collections::BTreeSet;

struct Scene {
    world: World,
    application: ApplicationId,
    token: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let application = world.application("own");
        let administrator = world.administrator("admin@example.com");
        let token = world.token(Principal::User(administrator), "all.User");
        Self { world, application, token }
    }

    fn with_users(count: usize) -> Self {
        let scene = Self::new();
        for index in 0..count {
            scene.user(json!({ "email": format!("u{index}@example.com") }));
        }
        scene
    }

    fn user(&self, body: Value) -> String {
        self.world.user(self.application, body, &[]).id.to_string()
    }

    fn users(&self) -> String {
        format!("/applications/{}/experience/users", self.application)
    }

    fn get(&self, target: &str) -> Answer {
        self.world.get(&self.token, target)
    }

    fn page(&self, target: &str) -> Value {
        self.get(target).expect(200).json()
    }

    /// The cursor that a page of `target` ends with.
    fn cursor(&self, target: &str) -> String {
        let page = self.page(target);
        next(&page).expect("there is more").split_once("cursor=").unwrap().1.to_owned()
    }

    /// What is on each page from `target` on.
    fn walk(&self, target: &str) -> Vec<Vec<String>> {
        let (mut pages, mut target) = (Vec::new(), Some(target.to_owned()));
        while let Some(page) = target.as_deref().map(|target| self.page(target)) {
            let items = page["items"].as_array().unwrap();
            assert_eq!(page["count"], items.len());
            pages.push(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect());
            target = next(&page).map(str::to_owned);
        }
        pages
    }
}

fn previous(page: &Value) -> Option<&str> {
    page["_links"]["previous"]["href"].as_str()
}

fn next(page: &Value) -> Option<&str> {
    page["_links"]["next"]["href"].as_str()
}

/// A scene with some of everything, and each list with how many are in it.
fn every_list() -> (Scene, [(String, usize); 5]) {
    let scene = Scene::with_users(7);
    for index in 0..6 {
        scene.world.group(scene.application, json!({ "name": format!("g{}", index % 2) }));
        scene.world.application("a");
        scene.world.token(Principal::Application(scene.application), "all.Application");
        let body = json!({ "name": "mine" });
        scene.world.call(&scene.token, "POST", "/me/tokens", &body).expect(201);
    }
    let within = format!("/applications/{}", scene.application);
    let lists = [
        (scene.users(), 7),
        (format!("{within}/experience/groups"), 6),
        (format!("{within}/tokens"), 6),
        ("/applications".to_owned(), 7),
        ("/me/tokens".to_owned(), 7),
    ];
    (scene, lists)
}

#[test]
fn every_list_goes_on_to_its_end() {
    let (scene, lists) = every_list();
    for (list, count) in lists {
        let all = scene.walk(&format!("{list}?sortDirection=desc"));
        assert_eq!((all.len(), all[0].len()), (1, count), "{list}");
        for per_page in 1..=count {
            let target = format!("{list}?perPage={per_page}&sortDirection=desc&_actions=false");
            let pages = scene.walk(&target);
            assert_eq!(pages.len(), count.div_ceil(per_page), "{target}");
            assert_eq!(pages.concat(), all[0], "{target}");
        }
        let page = scene.page(&format!("{list}?perPage=3"));
        assert!(next(&page).unwrap().starts_with(&format!("{list}?")), "{page}");
        assert_eq!(page["_links"]["self"], json!({ "href": list }));
        let second = scene.page(next(&page).unwrap());
        assert_eq!((&second["page"], &second["totalCount"]), (&json!(0), &json!(count)));
        // By its number it is the same page, which goes on as that does.
        let numbered = scene.page(&format!("{list}?perPage=3&page=1"));
        assert_eq!(numbered["items"], second["items"]);
        assert_eq!(next(&numbered), next(&second));
    }
}

#[test]
fn every_list_goes_back_to_its_start() {
    let (scene, lists) = every_list();
    for (list, count) in lists {
        for per_page in 1..=count {
            let conditions = format!("{list}?perPage={per_page}&sortDirection=desc&_actions=false");
            let mut there = vec![scene.page(&conditions)];
            while let Some(next) = next(there.last().unwrap()) {
                there.push(scene.page(next));
            }
            assert_eq!(there.len(), count.div_ceil(per_page), "{conditions}");
            let mut page = there.pop().unwrap();
            assert_eq!(previous(&page).is_some(), !there.is_empty(), "{page}");
            while let Some(before) = previous(&page).map(str::to_owned) {
                assert!(before.starts_with(&format!("{list}?")), "{page}");
                page = scene.page(&before);
                let wanted = there.pop().unwrap();
                for same in ["items", "totalCount", "perPage", "count", "page"] {
                    assert_eq!(page[same], wanted[same], "{same} of {before}");
                }
                // Its next is the page that was come from.
                assert_eq!(next(&page), next(&wanted), "{before}");
            }
            assert!(there.is_empty(), "{conditions}");
        }
        // By its number a page goes back as it goes on, and one past the end to the last.
        let numbered = scene.page(&format!("{list}?perPage=2&page=1"));
        let first = scene.page(&format!("{list}?perPage=2"));
        assert_eq!(scene.page(previous(&numbered).unwrap())["items"], first["items"]);
        assert_eq!(previous(&first), None);
        let past = scene.page(&format!("{list}?perPage=2&page=9"));
        let last = scene.page(previous(&past).unwrap());
        assert_eq!((past["count"].as_u64(), next(&past), next(&last)), (Some(0), None, None));
        let all = scene.walk(&format!("{list}?perPage=100")).concat();
        assert_eq!(last["items"][1]["id"], all[count - 1], "{last}");
        // A list without items leads nowhere.
        let field = if list == scene.users() { "email" } else { "name" };
        for page in [0, 3] {
            let nobody = format!("{list}?filterField={field}&filter=nobody&page={page}");
            let none = scene.page(&nobody);
            assert_eq!((none["totalCount"].as_u64(), previous(&none)), (Some(0), None));
            assert_eq!(next(&none), None);
        }
    }
}

#[test]
fn what_a_page_was_come_from_may_go() {
    let scene = Scene::with_users(4);
    let users = scene.users();
    let target = format!("{users}?sortField=id&perPage=2");
    let first = scene.page(&target);
    let all = scene.walk(&target).concat();
    let remove = |gone: &[String]| {
        for gone in gone {
            let gone = format!("{users}/{gone}");
            scene.world.call(&scene.token, "DELETE", &gone, &Value::Null).expect(200);
        }
    };
    let second = scene.page(next(&first).unwrap());
    let back = previous(&second).unwrap().to_owned();
    // All before it has gone: an empty page, from which the way on is the list from its start.
    remove(&all[..2]);
    let none = scene.page(&back);
    assert_eq!((none["count"].as_u64(), previous(&none)), (Some(0), None));
    assert!(!next(&none).unwrap().contains("cursor"), "{none}");
    assert_eq!(scene.walk(next(&none).unwrap()).concat(), all[2..]);
    // And all after it: from there the way back is to the end of the list.
    let third = scene.user(json!({ "email": "w@example.com" }));
    let on = next(&scene.page(next(&none).unwrap())).unwrap().to_owned();
    remove(&[third]);
    let none = scene.page(&on);
    assert_eq!((none["count"].as_u64(), next(&none)), (Some(0), None));
    let last = scene.page(previous(&none).unwrap());
    assert_eq!(scene.walk(previous(&none).unwrap()).concat(), all[2..]);
    assert_eq!((previous(&last), next(&last)), (None, None));
}

#[test]
fn the_next_page_is_asked_for_as_this_one_was() {
    let scene = Scene::with_users(0);
    let group = scene.world.group(scene.application, json!({ "name": "g" }));
    for index in 0..5 {
        let body = json!({ "email": format!("u{index}@example.com"), "firstName": "É &=+% ?" });
        scene.world.user(scene.application, body, &[&group]);
        scene.user(json!({ "email": format!("v{index}@example.com") }));
    }
    let users = scene.users();
    let query = "%7B%22firstName%22%3A+%22%C3%89+%26%3D%2B%25+%3F%22%7D";
    for conditions in [
        format!("query={query}"),
        format!("experienceGroupId={}&includeAncestorGroups=1", group.id),
        "filterField=firstName&filter=%C3%A9+%26%3D%2B*%3F".to_owned(),
        "filterField=email&filter=u*".to_owned(),
    ] {
        let target = format!("{users}?perPage=2&_actions=false&sortField=firstName&{conditions}");
        let pages = scene.walk(&target);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1], "{target}");
        assert_eq!(pages.concat().iter().collect::<BTreeSet<_>>().len(), 5);
        let first = scene.page(&target);
        let second = scene.page(next(&first).unwrap());
        assert!(second.get("_actions").is_none() && second["items"][0].get("_actions").is_none());
        let back = scene.page(previous(&second).unwrap());
        assert_eq!(back["items"], first["items"], "{target}");
        assert_eq!((next(&back), previous(&back)), (next(&first), None), "{target}");
        for said in ["sortField", "filter", "filterField", "experienceGroupId", "totalCount"] {
            assert_eq!(second.get(said), first.get(said), "{said}");
            assert_eq!(back.get(said), first.get(said), "{said}");
        }
    }
    // A page may have another size than the one before.
    let first = scene.page(&format!("{users}?perPage=2"));
    let more = next(&first).unwrap().replace("perPage=2", "perPage=1000");
    let rest = scene.page(&more);
    assert_eq!((&rest["count"], next(&rest)), (&json!(8), None));
    // What is blank was not sent, and what is not known is not passed on.
    let page = scene.page(&format!("{users}?perPage=2&cursor=&filter=&shoes=red"));
    assert_eq!(next(&page), next(&first));
}

#[test]
fn no_token_gets_into_a_link_and_none_is_given_unasked() {
    let scene = Scene::with_users(3);
    for name in ["access_token", "jwt"] {
        let target = format!("{}?{name}={}&perPage=1", scene.users(), scene.token);
        let page = scene.world.get("", &target).expect(200);
        assert!(next(&page.json()).is_some() && !page.text().contains(&scene.token));
        // Said twice it is no token, and no parameter of the list.
        let page = scene.get(&format!("{target}&{name}=secret")).expect(200);
        assert!(!page.text().contains("secret"), "{}", page.text());
    }
    let page = scene.page(&format!("{}?perPage=1&_links=false", scene.users()));
    assert!(page.get("_links").is_none());
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let scene = Scene::with_users(3);
    scene.world.group(scene.application, json!({ "name": "a" }));
    scene.world.group(scene.application, json!({ "name": "b" }));
    let (users, other) = (scene.users(), scene.world.application("other"));
    let groups = users.replace("users", "groups");
    let ahead = scene.cursor(&format!("{users}?perPage=1"));
    let back = |page: u32| {
        let page = scene.page(&format!("{users}?perPage=1&page={page}"));
        previous(&page).unwrap().split_once("cursor=").unwrap().1.to_owned()
    };
    // On, back, and back from after the end.
    for cursor in [ahead, back(1), back(9)] {
        refused_elsewhere(&scene, &groups, &other.to_string(), &cursor);
    }
}

fn refused_elsewhere(scene: &Scene, groups: &str, other: &str, cursor: &str) {
    let users = scene.users();
    let foreign = "cursor belongs to another list: send what it was given for along with it";
    let elsewhere = format!("/applications/{other}/experience/users?");
    for target in [
        elsewhere,
        format!("{groups}?"),
        "/applications?".to_owned(),
        "/me/tokens?".to_owned(),
        format!("/applications/{}/tokens?", scene.application),
        format!("{users}?sortField=id&"),
        format!("{users}?sortDirection=desc&"),
        format!("{users}?filterField=email&filter=u*&"),
        format!("{users}?filterField=email&"),
        format!("{users}?experienceGroupId=none&"),
        format!("{users}?query=%7B%7D&"),
        format!("{users}?includeAncestorGroups=0&"),
    ] {
        scene.get(&format!("{target}cursor={cursor}")).refused(400, foreign);
    }
    // What comes to the same is the same list.
    for same in ["", "sortField=email&", "sortDirection=asc&perPage=7&", "page=0&", "filter=&"] {
        scene.get(&format!("{users}?{same}cursor={cursor}")).expect(200);
    }
    let page = format!("{users}?page=1&cursor={cursor}");
    scene.get(&page).refused(400, "cursor must not come with a page");
    let twice = format!("{users}?cursor={cursor}&cursor={cursor}");
    scene.get(&twice).refused(400, "cursor is the wrong type");
    let long = format!("{users}?cursor={}", "a".repeat(8193));
    scene.get(&long).refused(400, "cursor has longer length than allowed");
}

#[test]
fn a_cursor_that_was_not_given_is_refused() {
    let scene = Scene::with_users(3);
    let users = scene.users();
    let cursor = scene.cursor(&format!("{users}?perPage=1"));
    let unknown = "cursor was not given by this server";
    let mut made = vec!["a".to_owned(), "AQ==".into(), "%C3%A9".into(), format!("{cursor}A")];
    for at in 0..cursor.len() {
        let swap = if &cursor[at..=at] == "A" { "B" } else { "A" };
        made.push(format!("{}{swap}{}", &cursor[..at], &cursor[at + 1..]));
        made.push(cursor[..at.max(1)].to_owned());
    }
    // Another server has another secret.
    let other = Scene::with_users(3);
    made.push(other.cursor(&format!("{}?perPage=1", other.users())));
    for made in made {
        scene.get(&format!("{users}?cursor={made}")).refused(400, unknown);
    }
    // Whoever may not read the list is told so and no more.
    scene.world.get("", &format!("{users}?cursor=a")).expect(403);
    let none = format!("/applications/{}/experience/users?cursor=a", "f".repeat(24));
    scene.get(&none).refused(400, unknown);
    // The same server is the same after it was started again.
    let target = format!("{users}?perPage=1&cursor={cursor}");
    let before = scene.page(&target);
    let Scene { world, application, token } = scene;
    let scene = Scene { world: world.restarted(), application, token };
    assert_eq!(scene.page(&target), before);
}

#[test]
fn the_row_that_a_cursor_stands_for_may_go() {
    let scene = Scene::with_users(5);
    let users = scene.users();
    let all = scene.walk(&format!("{users}?sortField=id")).concat();
    let first = scene.page(&format!("{users}?sortField=id&perPage=2"));
    for gone in &all[..2] {
        scene.world.call(&scene.token, "DELETE", &format!("{users}/{gone}"), &Value::Null);
    }
    let new = scene.user(json!({ "email": "new@example.com" }));
    let rest = scene.walk(next(&first).unwrap()).concat();
    assert_eq!(rest, [&all[2..], &[new]].concat());
    assert_eq!(scene.page(next(&first).unwrap())["totalCount"], 4);
}

#[test]
fn the_longest_names_go_on_too() {
    let scene = Scene::with_users(0);
    for end in ["a", "b", "c"] {
        let name = format!("{}{end}", "\u{10400}".repeat(1023));
        let body = json!({ "email": format!("{end}@example.com"), "firstName": name });
        scene.user(body);
    }
    for direction in ["asc", "desc"] {
        let order = format!("sortField=firstName&sortDirection={direction}");
        let target = format!("{}?perPage=1&{order}", scene.users());
        let pages = scene.walk(&target);
        assert_eq!(pages.concat(), scene.walk(&target.replace("=1&", "=9&")).concat());
        assert_eq!(pages.len(), 3);
        assert!(scene.cursor(&target).len() < 6000);
    }
}
