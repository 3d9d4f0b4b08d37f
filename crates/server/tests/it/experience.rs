//! `experience.delete` and `experience.bootstrap`, and what they leave alone.

use crate::world::World;
use guestlist::auth::hasher::PasswordHash;
use guestlist::directory::removal;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::ApplicationId;
use guestlist_api::secret::TypedPassword;
use serde_json::{Value, json};

/// An application with two users, one of them in a group, which has a group in it; and another
/// application like it.
struct Scene {
    world: World,
    own: ApplicationId,
    other: ApplicationId,
    token: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let [own, other] = ["own", "other"].map(|name| {
            let id = world.application(name);
            let group = world.group(id, json!({ "name": "group", "groupTags": { "a": "b" } }));
            world.group(id, json!({ "name": "child", "parentId": group.id.to_string() }));
            let body = |email: &str| json!({ "email": email, "userTags": { "a": "b" } });
            world.user(id, body("in@example.com"), &[&group]);
            world.user(id, body("out@example.com"), &[]);
            id
        });
        let token = world.token(Principal::Application(own), "all.Application");
        Self { world, own, other, token }
    }

    fn path(&self, rest: &str) -> String {
        format!("/applications/{}/experience{rest}", self.own)
    }

    fn items(&self, rest: &str) -> Vec<Value> {
        let page = self.world.get(&self.token, &self.path(rest)).expect(200).json();
        assert_eq!(page["count"], page["totalCount"]);
        page["items"].as_array().unwrap().clone()
    }

    fn counts(&self) -> (usize, usize) {
        (self.items("/users").len(), self.items("/groups").len())
    }

    fn delete(&self, flags: &str) {
        let path = self.path(flags);
        let answer = self.world.call(&self.token, "DELETE", &path, &Value::Null).expect(200);
        assert_eq!(answer.json(), json!({ "success": true }));
    }

    fn bootstrap(&self, options: &Value) -> Value {
        let path = self.path("/bootstrap");
        self.world.call(&self.token, "PATCH", &path, options).expect(200).json()
    }
}

#[test]
fn all_goes_but_for_what_is_kept_and_for_what_is_another_applications() {
    for (flags, left) in [
        ("", (0, 0)),
        ("?keepUsers=", (0, 0)),
        ("?keepUsers=true", (2, 0)),
        // Whatever it says, it is set.
        ("?keepUsers=false", (2, 0)),
        ("?keepGroups=1", (0, 2)),
        ("?keepUsers=x&keepGroups=x", (2, 2)),
        ("?removeVersions=1&removeWorkflows=1&keepDomains=1&keepSlugs=1&keepViews=1", (0, 0)),
    ] {
        let scene = Scene::new();
        scene.delete(flags);
        assert_eq!(scene.counts(), left, "{flags}");
        let groups = scene.items("/groups");
        let users = scene.items("/users");
        let memberships: usize =
            users.iter().map(|user| user["experienceGroups"].as_array().unwrap().len()).sum();
        let members: usize =
            groups.iter().map(|group| group["experienceUserIds"].as_array().unwrap().len()).sum();
        let both = usize::from(left == (2, 2));
        assert_eq!((memberships, members), (both, both), "{flags}");
        if left.1 > 0 {
            let child = groups.iter().find(|group| group["name"] == "child").unwrap();
            assert_ne!(child["parentId"], Value::Null);
        }
        // The application itself is there, and all of the other one.
        let root = scene.world.administrator("root@example.com");
        let root = scene.world.token(Principal::User(root), "all.User");
        for (id, counts) in [(scene.own, left), (scene.other, (2, 2))] {
            let found = scene.world.get(&root, &format!("/applications/{id}")).expect(200).json();
            let summary = &found["summary"];
            let counted = (&summary["experienceUserCount"], &summary["experienceGroupCount"]);
            assert_eq!(counted, (&json!(counts.0), &json!(counts.1)), "{flags}");
        }
    }
}

#[test]
fn what_was_deleted_can_be_made_again() {
    let scene = Scene::new();
    scene.delete("");
    let body = json!({ "email": "in@example.com", "password": "a password" });
    scene.world.call(&scene.token, "POST", &scene.path("/users"), &body).expect(201);
    assert_eq!(scene.counts(), (1, 0));
}

#[test]
fn it_begins_with_a_user_in_a_group() {
    let scene = Scene::new();
    let made = scene.bootstrap(&Value::Null);
    assert_eq!(scene.counts(), (3, 3));
    let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["resourceSuffix", "email", "password"]);
    assert_eq!(
        (&made["resourceSuffix"], &made["email"]),
        (&json!(""), &json!("example.user@example.com"))
    );
    let users = scene.items("/users");
    let user = users.iter().find(|user| user["email"] == made["email"]).unwrap();
    assert_eq!(user["experienceGroups"][0]["name"], "Example Group");
    assert_eq!((&user["firstName"], &user["lastName"]), (&json!("Example"), &json!("User")));

    // The password is the user's.
    let id = user["id"].as_str().unwrap().to_owned();
    let hash = scene.world.write(move |tx| {
        tx.first::<String>("SELECT password_hash FROM experience_users WHERE id = $1", &[&id])
    });
    let hash = PasswordHash::from_stored(hash.unwrap());
    let password = TypedPassword::new(made["password"].as_str().unwrap().to_owned()).unwrap();
    let hasher = scene.world.app.hasher.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(
        runtime
            .block_on(hasher.verify(guestlist::auth::places::Asker::OWN, password, Some(hash)))
            .unwrap()
    );
}

#[test]
fn what_is_in_the_way_is_left_alone_unless_it_is_to_be_replaced() {
    let scene = Scene::new();
    let first = scene.bootstrap(&json!({}));
    let second = scene.bootstrap(&json!({ "replaceExisting": false }));
    assert_eq!(scene.counts(), (4, 4));
    let suffix = second["resourceSuffix"].as_str().unwrap();
    assert_eq!(second["email"], format!("example.user{suffix}@example.com"));
    assert!(suffix.len() > 1 && first["password"] != second["password"]);
    let named =
        |name: &str| scene.items("/groups").iter().filter(|group| group["name"] == name).count();
    assert_eq!(named(&format!("Example Group{suffix}")), 1);

    let third = scene.bootstrap(&json!({ "replaceExisting": true }));
    assert_eq!(
        (&third["resourceSuffix"], &third["email"]),
        (&first["resourceSuffix"], &first["email"])
    );
    assert_ne!(third["password"], first["password"]);
    assert_eq!((scene.counts(), named("Example Group")), ((4, 4), 1));
}

#[test]
fn only_what_is_asked_for_is_made_and_replaced() {
    let scene = Scene::new();
    let of_both = scene.bootstrap(&json!({}));
    let none = json!({ "replaceExisting": true, "createUsers": false, "createGroups": false });
    assert_eq!(scene.bootstrap(&none), json!({ "resourceSuffix": "" }));
    assert_eq!(scene.counts(), (3, 3));
    let group = json!({ "replaceExisting": true, "createUsers": false, "slug": "a-slug" });
    assert_eq!(scene.bootstrap(&group), json!({ "resourceSuffix": "" }));
    assert_eq!(scene.counts(), (3, 3));
    let user = scene.bootstrap(&json!({ "replaceExisting": true, "createGroups": false }));
    assert_eq!((scene.counts(), &user["email"]), ((3, 3), &of_both["email"]));
    // The new group is without the user that was in the old one, and the new user in no group.
    assert!(scene.items("/users?experienceGroupId=any").len() == 1);
    for (bad, message) in [
        (json!({ "slug": "Not-One" }), "options.slug pattern mismatch"),
        (json!({ "createUsers": 1 }), "options.createUsers is the wrong type"),
        (json!({ "more": 1 }), "options.more is an additional property"),
    ] {
        let path = scene.path("/bootstrap");
        scene.world.call(&scene.token, "PATCH", &path, &bad).refused(400, message);
    }
}

#[test]
fn users_go_a_few_at_a_time() {
    let world = World::new();
    let own = world.application("own");
    let group = world.group(own, json!({ "name": "crowd" }));
    for number in 0..260 {
        let body = json!({ "email": format!("{number}@example.com"), "userTags": { "a": "b" } });
        world.user(own, body, &[&group][number % 2..]);
    }
    let token = world.token(Principal::Application(own), "all.Application");
    let path = |rest: &str| format!("/applications/{own}/experience{rest}");
    let counted = |query: &str| {
        let page = world.get(&token, &path(&format!("/users?perPage=1{query}"))).expect(200);
        page.json()["totalCount"].as_u64().unwrap()
    };
    let members = || {
        let shown = world.get(&token, &path(&format!("/groups/{}?excludeMembers=1", group.id)));
        shown.expect(200).json()["directUserCount"].as_u64().unwrap()
    };
    assert_eq!((counted(""), members()), (260, 130));
    // Between one part and the next others have their turn, and all counts are right.
    let some = || world.write_in(own, removal::some_users);
    assert!(some());
    let left = counted("");
    assert!((1..260).contains(&left), "{left} are left");
    let tagged = counted("&query=%7B%22userTags%22%3A%7B%22a%22%3A%22b%22%7D%7D");
    assert_eq!((tagged, counted("&search=example")), (left, left));
    assert_eq!(members(), counted(&format!("&experienceGroupId={}", group.id)));
    // Few are left to whoever removes the rest.
    assert!(!some());
    assert_eq!(counted(""), left);
    world.call(&token, "DELETE", &path("?keepGroups=1"), &Value::Null).expect(200);
    assert_eq!((counted(""), members()), (0, 0));
}

#[test]
fn groups_go_a_few_at_a_time() {
    let world = World::new();
    let own = world.application("own");
    // A tree of which each part has leaves, and one user in most of it.
    let mut tree = vec![world.group(own, json!({ "name": "root" }))];
    for number in 1..300 {
        let parent = tree[(number - 1) / 3].id.to_string();
        let body = json!({ "name": format!("{number}"), "parentId": parent });
        tree.push(world.group(own, body));
    }
    let all: Vec<&_> = tree.iter().collect();
    let body = |email: &str| json!({ "email": email });
    world.user(own, body("many@example.com"), &all[..280]);
    world.user(own, body("few@example.com"), &all[298..]);
    let token = world.token(Principal::Application(own), "all.Application");
    let path = |rest: &str| format!("/applications/{own}/experience{rest}");
    let counted = |rest: &str| {
        world.get(&token, &path(rest)).expect(200).json()["totalCount"].as_u64().unwrap()
    };
    let groups = || counted("/groups?perPage=1");
    let in_any = || counted("/users?perPage=1&experienceGroupId=any");
    let sum = |field: &str| {
        let page = world.get(&token, &path("/groups?perPage=1000&excludeMembers=1")).expect(200);
        let items = page.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item[field].as_u64().unwrap_or_default()).sum::<u64>()
    };
    assert_eq!((groups(), in_any(), sum("directUserCount")), (300, 2, 282));
    let some = || world.write_in(own, removal::some_groups);
    // First who is in which, where that is much.
    assert!(some());
    assert_eq!((groups(), sum("directUserCount")), (300, 32));
    assert!(some());
    assert_eq!((groups(), in_any(), sum("directUserCount")), (50, 0, 0));
    // Few are left to whoever removes the rest, and each is still in what it was in.
    assert!(!some());
    assert_eq!(counted("/groups?perPage=1&parentId=none"), 1);
    world.call(&token, "DELETE", &path("?keepUsers=1"), &Value::Null).expect(200);
    assert_eq!((groups(), counted("/users?perPage=1")), (0, 2));
}

#[test]
fn what_is_in_the_way_goes_a_few_at_a_time() {
    let scene = Scene::new();
    let name = "Example Group";
    for _ in 0..25 {
        scene.world.group(scene.own, json!({ "name": name }));
    }
    let (name_of, groups) = (name.to_owned(), || scene.items("/groups").len());
    let some = || {
        let name = name_of.clone();
        scene
            .world
            .write_in(scene.own, move |tx, tenant| removal::some_with_name(tx, tenant, &name))
    };
    assert_eq!(groups(), 27);
    assert!(some());
    assert_eq!(groups(), 17);
    let options = json!({ "replaceExisting": true });
    assert_eq!(scene.bootstrap(&options)["resourceSuffix"], "");
    // The one that was made is the only one of that name.
    assert_eq!(groups(), 3);
}

#[test]
fn what_is_in_a_group_that_goes_leaves_it_a_few_at_a_time() {
    let world = World::new();
    let own = world.application("own");
    let groups = ["goes", "stays"].map(|name| world.group(own, json!({ "name": name })));
    for number in 0..300 {
        let of: Vec<_> = groups.iter().take(1 + number % 2).collect();
        world.user(own, json!({ "email": format!("{number}@example.com") }), &of);
        let parent = groups[0].id.to_string();
        world.group(own, json!({ "name": format!("{number}"), "parentId": parent }));
    }
    let token = world.token(Principal::Application(own), "all.Application");
    let path = |index: usize| format!("/applications/{own}/experience/groups/{}", groups[index].id);
    let members = |index: usize| {
        let shown = world.get(&token, &format!("{}?excludeMembers=1", path(index))).expect(200);
        shown.json()["directUserCount"].as_u64().unwrap()
    };
    let remove =
        |tag: &str| world.request("DELETE", &path(0)).token(&token).header("If-Match", tag).send();
    let goes = groups[0].id;
    let some = || world.write_in(own, move |tx, tenant| removal::some_of_group(tx, tenant, goes));
    remove("\"other\"").expect(412);
    assert_eq!((members(0), members(1)), (300, 150));
    let tag = world.get(&token, &path(0)).etag().to_owned();
    assert!(some());
    assert_eq!((members(0), members(1)), (50, 150));
    let count = |rest: &str| {
        let page = format!("/applications/{own}/experience{rest}");
        world.get(&token, &page).expect(200).json()["totalCount"].as_u64().unwrap()
    };
    let roots = || count("/groups?perPage=1&parentId=none");
    assert_eq!(roots(), 2);
    assert!(some());
    assert_eq!((roots(), members(0)), (252, 50));
    assert!(!some());
    // Somebody else has changed it.
    remove(&tag).expect(412);
    remove(world.get(&token, &path(0)).etag()).expect(200);
    assert_eq!((members(1), roots(), count("/groups?perPage=1")), (150, 301, 301));
    assert_eq!(count("/users?perPage=1&experienceGroupId=any"), 150);
}

#[test]
fn an_application_goes_a_part_at_a_time_if_its_conditions_hold() {
    let world = World::new();
    let [own, other] = ["own", "other"].map(|name| world.application(name));
    for number in 0..260 {
        world.group(own, json!({ "name": format!("{number}") }));
        world.token(Principal::Application(own), "all.Application");
    }
    world.group(other, json!({ "name": "a" }));
    let tokens = [own, other].map(|id| world.token(Principal::Application(id), "all.Application"));
    let path = |id: ApplicationId| format!("/applications/{id}");
    let summary = |id, token| world.get(token, &path(id)).expect(200).json()["summary"].clone();
    let before = [summary(own, &tokens[0]), summary(other, &tokens[1])];
    let own_path = path(own);
    let remove = |tag: &str| {
        world.request("DELETE", &own_path).token(&tokens[0]).header("If-Match", tag).send()
    };
    remove("\"other\"").expect(412);
    assert_eq!(summary(own, &tokens[0]), before[0]);
    // A condition that holds when it begins does so to the end, and so does the token that it came with.
    let tag = world.get(&tokens[0], &path(own)).etag().to_owned();
    remove(&tag).expect(200);
    world.get(&tokens[0], &path(own)).expect(401);
    assert_eq!(summary(other, &tokens[1]), before[1]);
}
