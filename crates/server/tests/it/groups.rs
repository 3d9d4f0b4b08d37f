//! Groups without the ids of their members, and the groups in one group or in none.

use crate::client::Answer;
use crate::world::{World, read};
use guestlist::directory::groups::rules::new_group;
use guestlist::directory::groups::{forest, rows as groups};
use guestlist::error::Error;
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::id::{ApplicationId, ExperienceGroupId};
use serde_json::{Value, json};

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

    fn group(&self, body: Value) -> ExperienceGroup {
        self.world.group(self.application, body)
    }

    fn member(&self, email: &str, groups: &[&ExperienceGroup]) -> String {
        self.world.user(self.application, json!({ "email": email }), groups).id.to_string()
    }

    fn groups(&self) -> String {
        format!("/applications/{}/experience/groups", self.application)
    }

    fn get(&self, target: &str) -> Answer {
        self.world.get(&self.token, &format!("{}{target}", self.groups()))
    }

    fn page(&self, target: &str) -> Value {
        self.get(target).expect(200).json()
    }

    fn names(&self, target: &str) -> Vec<String> {
        let page = self.page(target);
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// `group` as it is answered without its members.
fn without_members(group: &Value, has_children: bool) -> Value {
    let mut bare = group.clone();
    let fields = bare.as_object_mut().unwrap();
    let users = fields.remove("experienceUserIds").unwrap().as_array().unwrap().len();
    let mut devices = fields.remove("deviceIds").unwrap().as_array().unwrap().clone();
    devices.dedup();
    for (name, value) in [
        ("directUserCount", json!(users)),
        ("directDeviceCount", json!(devices.len())),
        ("hasChildren", json!(has_children)),
    ] {
        fields.insert(name.into(), value);
    }
    bare
}

#[test]
fn counts_take_the_place_of_the_ids_of_members() {
    let scene = Scene::new();
    let device = "d".repeat(24);
    let root = scene.group(json!({ "name": "a", "deviceIds": [device, device] }));
    let leaf = scene.group(json!({ "name": "b", "parentId": root.id.to_string() }));
    for index in 0..3 {
        scene.member(&format!("u{index}@example.com"), &[&root]);
    }
    let both = scene.member("both@example.com", &[&root, &leaf]);
    let full = scene.page("");
    let items = full["items"].as_array().unwrap();
    assert_eq!(items[0]["experienceUserIds"].as_array().unwrap().len(), 4);
    assert!(items.iter().all(|item| item.get("directUserCount").is_none()), "{full}");
    for yes in ["true", "True", "1", "yes"] {
        let bare = scene.page(&format!("?excludeMembers={yes}"));
        let wanted = [without_members(&items[0], true), without_members(&items[1], false)];
        assert_eq!(bare["items"], json!(wanted), "{yes}");
        assert_eq!(bare["totalCount"], 2);
        for (group, wanted) in [(&root, &wanted[0]), (&leaf, &wanted[1])] {
            assert_eq!(&scene.page(&format!("/{}?excludeMembers={yes}", group.id)), wanted);
        }
    }
    for no in ["false", "False", "0", "no"] {
        assert_eq!(scene.page(&format!("?excludeMembers={no}")), full, "{no}");
        let one = scene.page(&format!("/{}?excludeMembers={no}", root.id));
        assert_eq!(one, items[0], "{no}");
    }
    for other in ["2", "on", "TRUE", "none"] {
        let words = "excludeMembers must be one of: true, 1, yes, false, 0, no";
        scene.get(&format!("?excludeMembers={other}")).refused(400, words);
        scene.get(&format!("/{}?excludeMembers={other}", root.id)).refused(400, words);
    }
    // The devices of the groups below are counted as ever.
    let counted = scene.page(&format!(
        "/{}?excludeMembers=true&includeTotalDeviceCount=true&includeDirectDeviceCount=false",
        root.id
    ));
    assert_eq!(
        (&counted["totalDeviceCount"], &counted["directDeviceCount"]),
        (&json!(1), &json!(1))
    );
    // And what changes is seen at once.
    let user = format!("/applications/{}/experience/users/{both}", scene.application);
    scene.world.call(&scene.token, "DELETE", &user, &Value::Null).expect(200);
    let bare = scene.page("?excludeMembers=true");
    let counts = [&bare["items"][0]["directUserCount"], &bare["items"][1]["directUserCount"]];
    assert_eq!(counts, [&json!(3), &json!(0)]);
    scene
        .get(&format!("/{}?excludeMembers=true", "f".repeat(24)))
        .refused(404, "Experience group was not found");
}

#[test]
fn the_tag_of_a_group_without_its_members_is_good_for_reading_alone() {
    let scene = Scene::new();
    let group = scene.group(json!({ "name": "a" }));
    let (one, other) = (scene.member("one@example.com", &[&group]), scene.member("b@b", &[]));
    let target = format!("{}/{}", scene.groups(), group.id);
    let bare = format!("{target}?excludeMembers=true");
    let tags = [&target, &bare]
        .map(|target| scene.world.get(&scene.token, target).expect(200).etag().to_owned());
    assert_ne!(tags[0], tags[1]);
    let ask = |method, target: &str, header: &str, tag: &str| {
        let body = json!({ "description": "new", "experienceUserIds": [other] });
        let request = scene.world.request(method, target).token(&scene.token).header(header, tag);
        if method == "PATCH" { request.json(&body).send() } else { request.send() }
    };
    ask("GET", &bare, "If-None-Match", &tags[1]).expect(304);
    ask("GET", &bare, "If-None-Match", &tags[0]).expect(200);
    // It would stay the same if one member took the place of another.
    for method in ["PATCH", "DELETE"] {
        ask(method, &target, "If-Match", &tags[1]).expect(412);
    }
    assert_eq!(scene.page(&format!("/{}", group.id))["experienceUserIds"], json!([one]));
    ask("PATCH", &target, "If-Match", &tags[0]).expect(200);
    assert_eq!(scene.page(&format!("/{}", group.id))["experienceUserIds"], json!([other]));
}

#[test]
fn a_cursor_is_good_with_and_without_members() {
    let scene = Scene::new();
    for index in 0..5 {
        scene.group(json!({ "name": format!("g{index}") }));
    }
    let first = scene.page("?perPage=2&excludeMembers=true");
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    assert!(next.contains("excludeMembers=true"), "{next}");
    let with = next.replace("excludeMembers=true", "excludeMembers=false");
    for (target, bare) in [(next, true), (&with, false)] {
        let page = scene.world.get(&scene.token, target).expect(200).json();
        assert_eq!(page["items"][0]["name"], "g2");
        assert_eq!(page["items"][0].get("experienceUserIds").is_none(), bare);
    }
}

#[test]
fn the_groups_in_one_or_in_none_are_listed_by_the_page() {
    let scene = Scene::new();
    let root = scene.group(json!({ "name": "root" }));
    let within = |name: &str, parent: &ExperienceGroup| {
        scene.group(json!({ "name": name, "parentId": parent.id.to_string() }))
    };
    let middle = within("b1", &root);
    for name in ["a", "b2", "c", "d"] {
        within(name, &root);
    }
    within("deep", &middle);
    scene.group(json!({ "name": "alone" }));
    let of = |group: &ExperienceGroup| format!("?parentId={}", group.id);
    assert_eq!(scene.names("?parentId=none"), ["alone", "root"]);
    assert_eq!(scene.names(&of(&root)), ["a", "b1", "b2", "c", "d"]);
    assert_eq!(scene.names(&of(&middle)), ["deep"]);
    assert_eq!(scene.names(&format!("?parentId={}", "f".repeat(24))), [""; 0]);
    // Blank it was not sent.
    assert_eq!(scene.page("?parentId=")["totalCount"], 8);
    let page = scene.page(&of(&root));
    assert_eq!((&page["totalCount"], &page["parentId"]), (&json!(5), &json!(root.id.to_string())));
    assert!(scene.page("?parentId=none").get("parentId").is_none());
    for order in ["name", "id", "creationDate", "lastUpdated"] {
        for direction in ["asc", "desc"] {
            let target = format!(
                "{}&perPage=2&excludeMembers=true&sortField={order}&sortDirection={direction}",
                of(&root)
            );
            let all = scene.names(&target.replace("perPage=2&", ""));
            let mut seen = Vec::new();
            let mut next = Some(format!("{}{target}", scene.groups()));
            while let Some(target) = next {
                let page = scene.world.get(&scene.token, &target).expect(200).json();
                assert_eq!(page["totalCount"], 5);
                for item in page["items"].as_array().unwrap() {
                    assert_eq!(item["hasChildren"], item["name"] == "b1");
                    assert_eq!(item["ancestorIds"], json!([root.id.to_string()]));
                    seen.push(item["name"].as_str().unwrap().to_owned());
                }
                next = page["_links"]["next"]["href"].as_str().map(str::to_owned);
            }
            assert_eq!(seen, all, "{order} {direction}");
            assert_eq!(seen.len(), 5);
        }
    }
    let filtered = format!("{}&filterField=name&filter=b*", of(&root));
    assert_eq!(scene.names(&filtered), ["b1", "b2"]);
    // An advanced query takes the place of it.
    let query = "%7B%22name%22%3A%22alone%22%7D";
    assert_eq!(scene.names(&format!("{}&query={query}", of(&root))), ["alone"]);
    for bad in ["any", "root", "1", "null"] {
        scene.get(&format!("?parentId={bad}")).refused(400, "parentId pattern mismatch");
    }
    // A group that moves is in the other list at once, and those in one that goes move up.
    let target = format!("{}/{}", scene.groups(), middle.id);
    scene.world.call(&scene.token, "PATCH", &target, &json!({ "parentId": null })).expect(200);
    assert_eq!(scene.names("?parentId=none"), ["alone", "b1", "root"]);
    scene.world.call(&scene.token, "DELETE", &target, &Value::Null).expect(200);
    assert_eq!(scene.names("?parentId=none"), ["alone", "deep", "root"]);
}

/// What the ids of members take is most of a page of them.
#[test]
fn a_page_without_members_does_not_grow_with_them() {
    let scene = Scene::new();
    let all: Vec<ExperienceGroup> =
        (0..24).map(|index| scene.group(json!({ "name": format!("g{index:02}") }))).collect();
    let before = scene.get("?excludeMembers=true").expect(200).text().len();
    let groups: Vec<&ExperienceGroup> = all.iter().collect();
    for index in 0..20 {
        scene.member(&format!("u{index}@example.com"), &groups);
    }
    let bare = scene.get("?excludeMembers=true").expect(200).text().len();
    assert_eq!(bare, before + 24, "a digit more for each group");
    let full = scene.get("").expect(200).text().len();
    assert!(full > bare + 24 * 20 * 24, "{full} {bare}");
}

/// More groups than are looked at while others wait are below one that moves: how deep they are is found
/// beforehand, and is right.
#[test]
fn a_group_moves_with_however_many_are_below_it() {
    let scene = Scene::new();
    let (world, of) = (&scene.world, scene.application);
    let new = |name: &str, parent: Option<&ExperienceGroup>| {
        let body = json!({ "name": name, "parentId": parent.map(|parent| parent.id.to_string()) });
        let id = ExperienceGroupId(world.app.ids.next(world.now()));
        new_group(&read("experienceGroup", body), id, of, Vec::new(), Vec::new(), world.now())
    };
    let chain = |name: &str, length: usize| {
        let mut chain = vec![new(name, None)];
        while chain.len() < length {
            chain.push(new(name, chain.last()));
        }
        chain
    };
    let (large, long) = (chain("large", 60), chain("long", 50));
    let leaves = (0..1100).map(|_| new("leaf", large.first()));
    let all: Vec<_> = large.iter().chain(&long).cloned().chain(leaves).collect();
    world.write_in(of, move |tx, tenant| {
        all.iter().try_for_each(|group| groups::add(tx, tenant, group))
    });
    let (top, bottom, first, last) = (large[0].id, large[59].id, long[0].id, long[49].id);
    // While others wait so many are not looked at.
    let place = |known| {
        world.write_in(of, move |tx, tenant| {
            Ok(forest::place(tx, tenant, Some(top), Some(first), known).map(drop))
        })
    };
    let uncounted = |done| matches!(done, Err(Error::Busy { what: forest::NOT_COUNTED, .. }));
    assert!(uncounted(place(None)));
    let known = world.write_in(of, move |tx, tenant| forest::height(tx, tenant, top));
    assert!(place(Some(known)).is_ok());
    // What is known is so until a group is put into another.
    scene.group(json!({ "name": "more", "parentId": last.to_string() }));
    assert!(uncounted(place(Some(known))));
    let put = |group: ExperienceGroupId, parent: ExperienceGroupId| {
        let target = format!("{}/{group}", scene.groups());
        let body = json!({ "parentId": parent.to_string() });
        world.call(&scene.token, "PATCH", &target, &body)
    };
    put(top, last).refused(400, "experienceGroup.parentId must not make groups more than 100 deep");
    let moved = put(top, first).expect(200).json();
    assert_eq!(moved["ancestorIds"], json!([first.to_string()]));
    put(first, bottom)
        .refused(400, "experienceGroup.parentId must not be the group itself or a group below it");
}
