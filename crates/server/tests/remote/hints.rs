//! What a failure says to do next.

use super::scene::{EMAIL, PASSWORD, Scene};
use serde_json::json;

const ABSENT: &str = "ffffffffffffffffffffffff";

#[test]
fn a_hint_leads_somewhere() {
    let scene = Scene::new();
    // What is not there is not what was listed.
    let elsewhere = ["--application", ABSENT];
    for command in [&["user", "list"][..], &["group", "get", ABSENT], &["token", "list"]] {
        let asked = scene.asks(&[command, &elsewhere].concat());
        asked.failed(3, &["Application was not found", "`guestlist application list`"]);
    }
    scene
        .asks(&["application", "get", ABSENT])
        .failed(3, &["was not found", "`guestlist application list`"]);
    // To sign in does not help somebody who has a bad token in the environment, or names a URL.
    let bad = [("GUESTLIST_URL", scene.url.as_str()), ("GUESTLIST_TOKEN", "bad")];
    scene.run(&["me", "get"], &bad, "").failed(4, &["GUESTLIST_TOKEN is not", "unset it"]);
    scene.run(&["me", "get"], &bad[..1], "").failed(2, &["login --url http", "leave --url"]);
    let keep = ["login", "--with-token", "--url", &scene.url, "--profile", "app"];
    scene.run(&keep, &[], "bad").ok();
    scene.bare(&["me", "get"]).failed(4, &["`guestlist login --profile app`"]);
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    scene.bare(&["token", "get", ABSENT, "--mine"]).failed(3, &["`guestlist token list --mine`"]);
    // The token of an application is not an administrator's, whatever its scopes.
    let create = ["token", "create", "--name", "t", "--application", &scene.application];
    let token = scene.bare(&[&create[..], &["--scope", "me.get"]].concat()).ok();
    let env = [("GUESTLIST_URL", scene.url.as_str()), ("GUESTLIST_TOKEN", token.trim_end())];
    scene.run(&["me", "get"], &env, "").failed(3, &["one of an administrator"]);
    // What is no Guestlist has no list of anything.
    let base = format!("{}/nowhere", scene.url);
    let env = [("GUESTLIST_URL", base.as_str()), ("GUESTLIST_TOKEN", scene.token.as_str())];
    scene.run(&["me", "get"], &env, "").failed(3, &["does not exist", "address of a Guestlist?"]);
}

#[test]
fn who_may_hold_no_more_is_told_where_to_look() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    let quotas = ["application", "quotas", &scene.application, "--json"];
    let set = scene.bare(&[&quotas[..], &["--groups", "1", "--bytes", "server"]].concat()).json();
    assert_eq!(set["groups"], json!({ "used": 0, "limit": 1, "own": true }));
    assert_eq!(set["bytes"]["own"], false);
    scene.asks(&["group", "create", "--name", "a"]).ok();
    scene
        .asks(&["group", "create", "--name", "b"])
        .failed(4, &["may hold 1 groups and no more", "`guestlist application quotas`"]);
    assert_eq!(scene.bare(&quotas).json()["groups"]["used"], 1);
    let shown = scene.bare(&quotas[..3]).ok();
    assert!(shown.lines().any(|line| line.starts_with("groups ")), "{shown}");
    scene
        .bare(&[&quotas[..], &["--users", "many"]].concat())
        .failed(2, &["it is a whole number, or `server`"]);
}

#[test]
fn a_proxy_is_named_and_never_used_for_this_machine() {
    let scene = Scene::new();
    let nowhere =
        [("HTTP_PROXY", "http://name:secret@127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")];
    let env: Vec<_> = scene.environment().into_iter().chain(nowhere).collect();
    scene.run(&["user", "list"], &env, "").ok();
    let away = [&env[1..], &[("GUESTLIST_URL", "http://guests.example.com")]].concat();
    let asked = scene.run(&["user", "list"], &away, "");
    assert!(!asked.err.contains("secret"), "{}", asked.err);
    asked.failed(
        6,
        &["through the proxy http://127.0.0.1:1", "NO_PROXY", "http://guests.example.com"],
    );
}
