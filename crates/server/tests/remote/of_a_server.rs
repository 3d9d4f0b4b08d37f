//! What a server is told of applications, tokens and administrators.

use super::scene::{EMAIL, PASSWORD, Scene};
use serde_json::json;

#[test]
fn applications_of_a_server() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    let slug = ["--data", r#"{"endpointSlug":"abc"}"#];
    let made = scene.bare(&[&["application", "create", "--name", "other"], &slug[..]].concat());
    let other = made.ok().trim_end().to_owned();
    let shown = scene.bare(&["application", "get", &other, "--without-counts", "--json"]).json();
    assert_eq!((&shown["endpointSlug"], &shown["summary"]), (&json!("abc"), &json!({})));
    assert_eq!(scene.bare(&["application", "list", "--json"]).lines().len(), 2);
    let renamed = scene.bare(&["application", "patch", &other, "--name", "new", "--json"]).json();
    assert_eq!(renamed["name"], "new");
    scene.bare(&["application", "delete", &other]).ok();
    scene.bare(&["application", "get", &other]).failed(3, &["Application was not found"]);
}

#[test]
fn tokens_of_users_and_the_keys_that_sign_them() {
    let scene = Scene::new();
    let user = scene.user("ann@example.com");
    let token = scene.asks(&["user", "token", &user, "--actor", "support"]).ok();
    assert_eq!(token.trim_end().split('.').count(), 3, "a token is printed");
    let made = scene.asks(&["user", "token", &user, "--expires", "never", "--alone", "--json"]);
    assert_eq!(made.json().get("expires"), None);
    let ended = scene.asks(&["user", "sign-out", &user, "--json"]).json();
    assert_eq!(
        ended["tokenCutoff"],
        scene.asks(&["user", "get", &user, "--json"]).json()["tokenCutoff"]
    );
    let nobody = "ffffffffffffffffffffffff";
    scene.asks(&["user", "token", nobody]).failed(3, &["Experience user was not found"]);

    let keys = || {
        let listed = scene.asks(&["sign-in", "keys", "list", "--json"]).lines();
        let text = |key: &serde_json::Value, name: &str| key[name].as_str().unwrap().to_owned();
        listed.iter().map(|key| (text(key, "kid"), text(key, "state"))).collect::<Vec<_>>()
    };
    let first = keys()[0].0.clone();
    let next = scene.asks(&["sign-in", "keys", "rotate"]).ok().trim_end().to_owned();
    assert_eq!(keys(), [(next.clone(), "next".into()), (first.clone(), "current".into())]);
    scene.asks(&["sign-in", "keys", "withdraw", &first]).failed(5, &["This key signs"]);
    let now = scene.asks(&["sign-in", "keys", "rotate", "--immediately"]).ok();
    assert_eq!(now.trim_end(), next);
    scene.asks(&["sign-in", "keys", "withdraw", &first]).ok();
    assert_eq!(keys(), [(next.clone(), "current".into())]);
    let table = scene.asks(&["sign-in", "keys", "list"]).ok();
    assert!(table.lines().nth(1).unwrap().starts_with(&next), "{table}");
}

#[test]
fn what_an_application_offers_to_people() {
    let scene = Scene::new();
    let shown = scene.asks(&["sign-in", "get", "--json"]).json();
    assert_eq!((&shown["pages"], &shown["locales"]), (&json!(false), &json!(["en"])));
    let set = ["sign-in", "set", "--json", "--if-match", shown["_etag"].as_str().unwrap()];
    let fields = ["--display-name", "Ann's", "--mail-from", "a@b.example", "--pages", "off"];
    let more = [
        "--locale",
        "de",
        "--locale",
        "en",
        "--password-min-length",
        "20",
        "--breached-passwords",
        "off",
    ];
    let changed = scene.asks(&[&set[..], &fields[..], &more].concat()).json();
    assert_eq!(
        (&changed["displayName"], &changed["mailFrom"], &changed["locales"]),
        (&json!("Ann's"), &json!("a@b.example"), &json!(["de", "en"]))
    );
    assert_eq!(changed["passwordMinLength"], 20);
    assert_eq!(changed["breachedPasswords"], "off");
    scene.asks(&[&set[..], &fields].concat()).failed(5, &["`guestlist sign-in get`"]);
    let back = ["sign-in", "set", "--mail-from", "", "--json"];
    assert_eq!(scene.asks(&back).json().get("mailFrom"), None);
    scene.asks(&["sign-in", "set"]).failed(2, &["there is nothing to change"]);
    // There is nothing behind it yet.
    scene
        .asks(&["sign-in", "set", "--pages", "on"])
        .failed(1, &["experienceSignIn.pages cannot be on yet"]);
}

#[test]
fn links_for_users() {
    let scene = Scene::new();
    let page = ["--link-url", "https://app.example.com/link"];
    let invite = ["user", "invite", "--email", "bob@example.com", "--tag", "plan=gold"];
    // The server was told neither how mails leave nor by which URL people come.
    scene.asks(&[&invite[..], &page].concat()).failed(5, &["This server sends no mail"]);
    let link = scene.asks(&[&invite[..], &page, &["--no-mail"]].concat()).ok();
    assert!(link.starts_with("https://app.example.com/link?purpose=invite&token="), "{link}");
    let listed = scene.asks(&["user", "invitations", "--json"]).json();
    assert_eq!(listed["userTags"], json!({ "plan": "gold" }));
    let user =
        ["user", "create", "--email", "ann@example.com", "--data", r#"{"password":"a good one"}"#];
    let id = scene.asks(&user).ok();
    let reset = ["user", "reset", id.trim_end(), "--no-mail"];
    let link = scene.asks(&[&reset[..], &page].concat()).ok();
    assert!(link.starts_with("https://app.example.com/link?purpose=reset&token="), "{link}");
    scene.asks(&reset).failed(1, &["passwordReset.linkUrl is required"]);
}

#[test]
fn tokens_of_a_server() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    let other = scene.bare(&["application", "create", "--name", "other"]).ok();
    let other = other.trim_end();
    let create = ["token", "create", "--application", other, "--name", "t", "--json"];
    let token = scene.bare(
        &[&create[..], &["--scope", "experienceUsers.get,me.get", "--expires", "30d"]].concat(),
    );
    let token = token.json();
    assert_eq!(token["scope"], json!(["experienceUsers.get", "me.get"]));
    assert!(token["expirationDate"].is_string());
    let id = token["apiTokenId"].as_str().unwrap();
    let env = [
        ("GUESTLIST_URL", scene.url.as_str()),
        ("GUESTLIST_TOKEN", token["token"].as_str().unwrap()),
    ];
    let users = ["user", "list", "--application", other];
    scene.run(&users, &env, "").ok();
    scene
        .run(&["user", "create", "--application", other, "--email", "a@b"], &env, "a password")
        .failed(4, &["Access is forbidden", "needs the scope experienceUsers.post"]);
    let of = ["--application", other, "--json"];
    let off =
        scene.bare(&[&["token", "patch", id, "--status", "inactive"], &of[..]].concat()).json();
    assert_eq!(off["status"], "inactive");
    scene.run(&users, &env, "").failed(4, &["Invalid access token", "GUESTLIST_TOKEN"]);
    assert_eq!(scene.bare(&[&["token", "get", id], &of[..]].concat()).json()["name"], "t");
    let table = scene.bare(&["token", "list", "--application", other]).ok();
    assert!(table.contains("experienceUsers.get me.get") && table.lines().count() == 2, "{table}");
    scene.bare(&["token", "delete", id, "--application", other]).ok();
    assert_eq!(scene.bare(&[&["token", "list"], &of[..]].concat()).lines().len(), 0);
    let mine = scene.bare(&["token", "create", "--mine", "--name", "mine"]).ok();
    assert_eq!(mine.split('.').count(), 3, "a token is printed");
    assert_eq!(scene.bare(&["token", "list", "--mine", "--json"]).lines().len(), 1);
    let env = [("GUESTLIST_URL", scene.url.as_str()), ("GUESTLIST_TOKEN", mine.trim_end())];
    scene.run(&create, &env, "").json();
    let id = scene.bare(&["token", "list", "--mine", "--json"]).lines()[0]["id"].clone();
    let revoke = ["token", "revoke", id.as_str().unwrap(), "--mine", "--with-children"];
    let shown = scene.bare(&[&revoke[..], &["--curl"]].concat()).ok();
    assert!(shown.contains("?withChildren=true"), "{shown}");
    scene.bare(&revoke).ok();
    assert_eq!(scene.bare(&[&["token", "list"], &of[..]].concat()).lines().len(), 0);
}

#[test]
fn administrators_of_a_server() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    let listed = scene.bare(&["admin", "list", "--json"]).lines();
    let me = listed.iter().find(|one| one["email"] == EMAIL).unwrap()["id"].clone();
    let me = me.as_str().unwrap();
    scene.bare(&["admin", "disable", me]).failed(1, &["must not be inactive for yourself"]);
    scene.bare(&["admin", "remove", me]).failed(1, &["must not be yours"]);
    assert_eq!(scene.bare(&["admin", "enable", me, "--json"]).json()["status"], "active");
    let sessions = scene.bare(&["admin", "sessions", me, "--json"]).lines();
    assert_eq!(sessions.len(), 1);
    let shown = scene.bare(&["admin", "reset-password", me, "--curl"]).ok();
    assert!(shown.contains("GUESTLIST_NEW_PASSWORD"), "{shown}");
    scene
        .bare(&["admin", "create", "--email", "b@example.com", "--url", &scene.url])
        .failed(2, &["made on the store itself"]);
    let one = sessions[0]["id"].as_str().unwrap();
    scene.bare(&["admin", "end-sessions", me, "--session", one]).ok();
    scene.bare(&["admin", "list"]).failed(4, &["Invalid access token"]);
}
