//! `experience.delete` and `experience.bootstrap`, and what they leave alone.

use crate::world::World;
use guestlist::auth::hasher::PasswordHash;
use guestlist::directory::users::rows as users;
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
    let some = || world.write_in(own, users::delete_some);
    assert!(some());
    let left = counted("");
    assert!((1..260).contains(&left), "{left} are left");
    let tagged = counted("&query=%7B%22userTags%22%3A%7B%22a%22%3A%22b%22%7D%7D");
    assert_eq!((tagged, counted("&search=example")), (left, left));
    assert_eq!(members(), counted(&format!("&experienceGroupId={}", group.id)));
    assert!(some());
    assert!(!some());
    assert_eq!((counted(""), members()), (0, 0));
}
