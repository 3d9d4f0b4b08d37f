//! What is in the files of a store, what is not, and what is said when one is gone.

use crate::idempotency::Scene;
use crate::metrics::scrape::Scrape;
use crate::world::{Options, World};
use guestlist::tokens::rows::Principal;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

#[test]
fn neither_a_token_nor_a_password_is_in_the_files_of_the_store() {
    let scene = Scene::new();
    let secret = "Find-me-if-y0u-can";
    let body = json!({ "email": "findable@example.com", "password": secret });
    scene.ask("POST", "experience/users", &body).key("the-key-that-was-sent").send().expect(201);
    let body = json!({ "password": secret, "currentPassword": crate::world::PASSWORD });
    let administrator = scene.world.administrator("a@example.com");
    let of_user = scene.world.token(Principal::User(administrator), "all.User");
    scene.world.request("PATCH", "/me").token(&of_user).json(&body).key("me").send().expect(200);
    let body = json!({ "email": "a@example.com", "password": secret });
    let session = scene.world.call("", "POST", "/auth/user", &body).expect(200).json();
    let made = scene.ask("POST", "tokens", &json!({ "name": "made" })).key("k").send().expect(201);
    let made = made.json();
    let begun = scene.ask("PATCH", "experience/bootstrap", &json!({})).key("begin");
    let begun = begun.send().expect(200).json();
    let signature = |token: &Value| token.as_str().unwrap().rsplit_once('.').unwrap().1.to_owned();
    let secrets = [
        secret.to_owned(),
        signature(&made["token"]),
        signature(&session["token"]),
        begun["password"].as_str().unwrap().to_owned(),
        "the-key-that-was-sent".to_owned(),
    ];
    // While the server runs much of it is in the log beside the file; afterwards it is in the file.
    let directory = scene.world.directory().map(Path::to_owned).expect("a store in files");
    let look = |when: &str| {
        let (mut found, mut files) = (false, 0);
        for entry in fs::read_dir(&directory).unwrap() {
            let (path, bytes) = entry.map(|e| (e.path(), fs::read(e.path()).unwrap())).unwrap();
            let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
            found |= has("findable@example.com");
            files += 1;
            for secret in &secrets {
                assert!(!has(secret), "{secret} is in {} {when}", path.display());
            }
        }
        assert!(found, "the test does not look where things are");
        files
    };
    assert!(look("while the server runs") > 1);
    let world = scene.world.restarted();
    look("after it ended");
    drop(world);
}

#[test]
fn a_store_that_takes_no_changes_is_not_writable() {
    let world = World::with(&Options { metrics: true, ..Options::default() });
    let wal = world.directory().unwrap().join("guestlist.db-wal");
    let aside = wal.with_extension("aside");
    fs::rename(&wal, &aside).unwrap();
    let gone = Scrape::of(world.scraper());
    fs::rename(&aside, &wal).unwrap();
    assert!(!gone.is_whole() && Scrape::once(world.scraper(), Scrape::is_whole).is_whole());
}
