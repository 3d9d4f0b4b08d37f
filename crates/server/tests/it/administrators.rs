//! Administrators, as they see one another: who is in, who is kept out, and their sessions.

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::tokens::rows::Principal;
use guestlist_api::id::UserId;
use serde_json::{Value, json};

const OTHER: &str = "Battery-staple-2";

/// Two administrators, and what one of them holds.
struct Scene {
    world: World,
    me: UserId,
    other: UserId,
    /// A session of mine.
    mine: String,
    /// A session of the other.
    session: String,
    /// An API token of the other.
    token: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::standing_still();
        let (me, other) =
            (world.administrator("me@example.com"), world.administrator("other@example.com"));
        let (mine, session) = (world.session(me, 0), world.session(other, 0));
        let token = world.token(Principal::User(other), "all.User");
        Self { world, me, other, mine, session, token }
    }

    fn patch(&self, token: &str, id: UserId, body: &Value) -> Answer {
        self.world.call(token, "PATCH", &format!("/administrators/{id}"), body)
    }

    fn sign_in(&self, password: &str) -> Answer {
        let credentials = json!({ "email": "other@example.com", "password": password });
        self.world.call("", "POST", "/auth/user", &credentials)
    }

    /// Whether what the other holds is good.
    fn is_in(&self) -> [bool; 2] {
        [&self.session, &self.token].map(|token| {
            let answer = self.world.get(token, "/me");
            if answer.status != 200 {
                answer.refused(401, "Invalid access token");
            }
            answer.status == 200
        })
    }
}

#[test]
fn administrators_see_one_another() {
    let scene = Scene::new();
    let page = scene.world.get(&scene.mine, "/administrators").expect(200).json();
    assert_eq!((&page["totalCount"], &page["_type"]), (&json!(2), &json!("administrators")));
    let of = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|one| one["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(&page), ["me@example.com", "other@example.com"]);
    let found = "/administrators?filterField=email&filter=o*&sortField=creationDate";
    assert_eq!(of(&scene.world.get(&scene.mine, found).expect(200).json()), ["other@example.com"]);
    let one = format!("/administrators/{}", scene.other);
    let shown = scene.world.get(&scene.mine, &one).expect(200);
    assert!(!shown.text().contains("argon2"));
    assert_eq!(shown.json()["status"], "active");
    // A token of an application knows of nobody.
    let own = Principal::Application(scene.world.application("own"));
    let of_own = scene.world.token(own, "administrators.get administrator.get");
    for path in ["/administrators", &one] {
        scene.world.get(&of_own, path).refused(404, "User was not found");
    }
}

#[test]
fn who_is_disabled_is_out_at_once_and_can_be_let_in_again() {
    let scene = Scene::new();
    assert_eq!(scene.is_in(), [true; 2]);
    let off = scene.patch(&scene.mine, scene.other, &json!({ "status": "inactive" })).expect(200);
    assert_eq!(off.json()["status"], "inactive");
    assert_eq!(scene.is_in(), [false; 2]);
    scene.sign_in(PASSWORD).refused(401, "Unauthorized");
    // One does that to others, or nobody might be left.
    scene.patch(&scene.mine, scene.me, &json!({ "status": "inactive" })).refused(
        400,
        "administrator.status must not be inactive for yourself: ask another administrator",
    );
    // A token that may keep out may not let in what may do more than itself.
    let narrow = scene.world.token(Principal::User(scene.me), "administrator.*");
    let on = json!({ "status": "active" });
    scene.patch(&narrow, scene.other, &on).refused(403, "Access is forbidden");
    scene.patch(&scene.mine, scene.other, &on).expect(200);
    assert_eq!(scene.is_in(), [true; 2]);
    scene.sign_in(PASSWORD).expect(200);
    let before = scene.patch(&scene.mine, scene.other, &json!({})).expect(200);
    let again = scene.patch(&scene.mine, scene.other, &on).expect(200);
    assert_eq!(again.json()["lastUpdated"], before.json()["lastUpdated"]);
    scene.patch(&narrow, scene.other, &json!({ "status": "inactive" })).expect(200);
    assert_eq!(scene.is_in(), [false; 2]);
}

#[test]
fn who_is_removed_is_gone_with_all_that_is_theirs() {
    let scene = Scene::new();
    let own = scene.world.application("own");
    let path = format!("/applications/{own}/tokens");
    let made = scene.world.call(&scene.token, "POST", &path, &json!({ "name": "of the shop" }));
    let made = made.expect(201).json()["token"].as_str().unwrap().to_owned();
    let one = |id: UserId| format!("/administrators/{id}");
    let remove = |id: UserId| scene.world.call(&scene.mine, "DELETE", &one(id), &Value::Null);
    remove(scene.me).refused(400, "administratorId must not be yours: ask another administrator");
    remove(scene.other).expect(200);
    assert_eq!(scene.is_in(), [false; 2]);
    remove(scene.other).refused(404, "User was not found");
    scene.sign_in(PASSWORD).refused(401, "Unauthorized");
    scene.world.get(&made, &path).expect(200);
    // Their address is free.
    scene.world.administrator("other@example.com");
    scene.sign_in(PASSWORD).expect(200);
    assert_eq!(scene.is_in(), [false; 2]);
}

#[test]
fn a_password_is_reset_by_who_could_sign_in_and_ends_what_there_was() {
    let scene = Scene::new();
    let narrow = scene.world.token(Principal::User(scene.me), "administrator.patch");
    let new = json!({ "password": OTHER });
    scene.patch(&narrow, scene.other, &new).refused(403, "Access is forbidden");
    let wide = scene.world.token(Principal::User(scene.me), "all.User");
    let again = "Give the present password as currentPassword, or sign in again";
    scene.patch(&wide, scene.other, &new).refused(401, again);
    // One's own, not that of whom it is about.
    let wrong = json!({ "password": OTHER, "currentPassword": "not the password" });
    scene.patch(&wide, scene.other, &wrong).refused(401, "Unauthorized");
    assert_eq!(scene.is_in(), [true; 2]);
    scene.world.pass(1_000);
    let reset = scene.patch(&scene.mine, scene.other, &new).expect(200).json();
    assert_eq!(reset["passwordLastUpdated"], json!(scene.world.now()));
    assert_eq!(scene.is_in(), [false; 2]);
    scene.sign_in(PASSWORD).refused(401, "Unauthorized");
    scene.sign_in(OTHER).expect(200);
    let back = json!({ "password": PASSWORD, "currentPassword": PASSWORD });
    scene.patch(&wide, scene.other, &back).expect(200);
    scene.sign_in(PASSWORD).expect(200);
}

#[test]
fn sessions_are_seen_and_ended_one_by_one_or_all() {
    let scene = Scene::new();
    let of = format!("/administrators/{}/sessions", scene.other);
    let second = scene.sign_in(PASSWORD).expect(200).json()["token"].as_str().unwrap().to_owned();
    let list = || scene.world.get(&scene.mine, &of).expect(200).json();
    let page = list();
    assert_eq!((&page["totalCount"], &page["administratorId"]), (&json!(2), &json!(scene.other)));
    let first = page["items"][0].clone();
    assert_eq!(
        (&first["scope"], &first["signInDate"]),
        (&json!(["all.User"]), &json!(scene.world.now()))
    );
    assert_eq!(first["token"], Value::Null);
    let end = |path: &str| scene.world.call(&scene.mine, "DELETE", path, &Value::Null);
    let one = format!("{of}/{}", first["id"].as_str().unwrap());
    end(&one).expect(200);
    end(&one).refused(404, "Session was not found");
    let good = |token: &str| scene.world.get(token, "/me").status == 200;
    assert!(good(&scene.session) != good(&second) && good(&scene.token));
    // One of another is not one of theirs.
    let mine = format!("/administrators/{}/sessions", scene.me);
    let my = scene.world.get(&scene.mine, &mine).expect(200).json();
    let crossed = format!("{of}/{}", my["items"][0]["id"].as_str().unwrap());
    end(&crossed).refused(404, "Session was not found");
    end(&of).expect(200);
    assert!(!good(&scene.session) && !good(&second) && good(&scene.token));
    assert_eq!(list()["totalCount"], 0);
    let nobody = format!("/administrators/{}/sessions", "0".repeat(24));
    end(&nobody).refused(404, "User was not found");
    scene.world.get(&scene.mine, &nobody).refused(404, "User was not found");
}
