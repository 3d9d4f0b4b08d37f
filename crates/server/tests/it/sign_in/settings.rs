//! What an application offers to the people who sign in to it.

use super::Backend;
use crate::world::World;
use guestlist::clock::Clock;
use guestlist::config::Config;
use guestlist::server::Server;
use guestlist::sign_in::settings;
use guestlist::store::StoreUrl;
use guestlist_api::experience_sign_in::SignInSettings;
use serde_json::{Value, json};

const PATH: &str = "/signIn";

/// The settings as a client sees them, without what surrounds them.
fn bare(mut settings: Value) -> Value {
    settings.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
    settings
}

#[test]
fn all_is_off_until_it_is_switched_on() {
    let world = World::new();
    let (backend, other) = (Backend::new(&world), Backend::new(&world));
    let get =
        |backend: &Backend<'_>| bare(backend.ask("GET", PATH, &Value::Null).expect(200).json());
    let first = json!({
        "applicationId": backend.application.to_string(), "publicJson": false, "pages": false,
        "register": false, "forgot": false, "passwordMinLength": 15, "breachedPasswords": "refuse",
        "locales": ["en"],
    });
    assert_eq!(get(&backend), first);
    let patch = json!({
        "passwordMinLength": 20, "breachedPasswords": "off", "displayName": "Ünï",
        "mailFrom": "guests@example.com", "locales": ["de-CH", "en"],
    });
    let changed = bare(backend.ask("PATCH", PATH, &patch).expect(200).json());
    let mut second = first.clone();
    second.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    assert_eq!((&changed, &get(&backend)), (&second, &second));
    let back = json!({ "displayName": null, "mailFrom": null });
    let changed = bare(backend.ask("PATCH", PATH, &back).expect(200).json());
    assert_eq!((changed.get("displayName"), changed.get("mailFrom")), (None, None));
    assert_eq!(get(&other)["passwordMinLength"], 15, "another application is another");
    let target = format!("/applications/{}/experience{PATH}", backend.application);
    let token = backend.token.clone();
    let world = world.restarted();
    assert_eq!(bare(world.get(&token, &target).expect(200).json()), changed);
}

#[test]
fn what_does_nothing_is_not_switched_on() {
    let world = World::new();
    let backend = Backend::new(&world);
    let refused = |patch: Value, says: &str| {
        backend.ask("PATCH", PATH, &patch).refused(400, says);
    };
    let why = "cannot be on yet: this version of the server has nothing behind it";
    for name in SignInSettings::NOT_YET {
        refused(json!({ *name: true }), &format!("experienceSignIn.{name} {why}"));
        backend.ask("PATCH", PATH, &json!({ *name: false })).expect(200);
    }
    refused(json!({ "passkeys": true }), "experienceSignIn.passkeys is an additional property");
    refused(
        json!({ "passwordMinLength": 8 }),
        "experienceSignIn.passwordMinLength is less than minimum",
    );
    // It is there from another server.
    let stored = SignInSettings { pages: true, ..SignInSettings::default() };
    world.write_in(backend.application, move |tx, tenant| settings::put(tx, tenant, &stored));
    backend.ask("PATCH", PATH, &json!({ "displayName": "one" })).expect(200);
    backend.ask("PATCH", PATH, &json!({ "pages": false })).expect(200);
}

#[test]
fn a_server_looks_for_the_list_that_it_was_told_of() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let config = Config {
        store: StoreUrl::Sqlite(home.path().join("own.db")),
        breached: Some(home.path().join("lost")),
        ..world.config.clone()
    };
    let bound = world.runtime.block_on(Server::bind(&config, Clock::System));
    let why = bound.err().unwrap().to_string();
    assert!(why.contains("lost has no range files, such as 00000.txt"), "{why}");
}

#[test]
fn settings_that_somebody_else_has_changed_are_read_first() {
    let world = World::new();
    let backend = Backend::new(&world);
    let target = format!("/applications/{}/experience{PATH}", backend.application);
    let read = world.get(&backend.token, &target).expect(200);
    let etag = read.header("etag").unwrap().to_owned();
    let patch = |body: Value| {
        let request = world.request("PATCH", &target).token(&backend.token);
        request.header("If-Match", &etag).json(&body).send()
    };
    let changed = patch(json!({ "displayName": "one" })).expect(200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    patch(json!({ "displayName": "two" })).expect(412);
    let read = world.get(&backend.token, &target).expect(200);
    assert_eq!(
        (read.header("etag"), &read.json()["displayName"]),
        (changed.header("etag"), &json!("one"))
    );
}

#[test]
fn settings_go_with_their_application() {
    let world = World::new();
    let backend = Backend::new(&world);
    backend.ask("PATCH", PATH, &json!({ "displayName": "one" })).expect(200);
    let rows = || {
        let count = "SELECT count(*) FROM experience_sign_in";
        world.write(move |tx| tx.first::<i64>(count, &[])).unwrap()
    };
    assert_eq!(rows(), 1);
    let application = format!("/applications/{}", backend.application);
    world.call(&backend.token, "DELETE", &application, &Value::Null).expect(200);
    assert_eq!(rows(), 0);
    let root = world.session(world.administrator("root@example.com"), 0);
    world
        .get(&root, &format!("{application}/experience{PATH}"))
        .refused(404, "Application was not found");
}
