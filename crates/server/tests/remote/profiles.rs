//! Servers that were signed in to.

use super::scene::{EMAIL, PASSWORD, Scene};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const FILE: &str = ".config/guestlist/profiles.toml";

fn mode(scene: &Scene, name: &str) -> u32 {
    fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn who_signs_in_is_remembered_for_nobody_else_to_read() {
    let scene = Scene::new();
    let login = ["login", "--email", EMAIL, "--url", &scene.url, "--expires", "1h"];
    scene.run(&login, &[], "wrong password").failed(4, &["Unauthorized", "is wrong"]);
    assert!(!scene.path(FILE).exists());
    let told = scene.run(&[&login[..], &["--json"]].concat(), &[], PASSWORD).json();
    assert_eq!((&told["profile"], &told["url"]), (&"default".into(), &scene.url.clone().into()));
    assert_eq!(told["file"], scene.path(FILE).to_str().unwrap());
    assert!(told["expires"].is_string(), "{told}");
    assert_eq!((mode(&scene, FILE), mode(&scene, ".config/guestlist")), (0o600, 0o700));
    assert_eq!(scene.bare(&["me", "get", "--json"]).json()["email"], EMAIL);

    for open in [0o640, 0o604, 0o644] {
        fs::set_permissions(scene.path(FILE), fs::Permissions::from_mode(open)).unwrap();
        scene.bare(&["me", "get"]).failed(1, &["others may read it", "chmod 600"]);
        scene.run(&login, &[], PASSWORD).failed(1, &["chmod 600"]);
    }
    fs::set_permissions(scene.path(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    scene.run(&login, &[], PASSWORD).ok();
    assert_eq!(mode(&scene, FILE), 0o600);
    let left: Vec<_> = fs::read_dir(scene.path(".config/guestlist")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half written is left: {left:?}");
}

#[test]
fn a_session_ends_unless_it_is_to_last_for_ever() {
    let scene = Scene::new();
    let login = ["login", "--email", EMAIL, "--url", &scene.url];
    let kept = || {
        let file: toml::Table = scene.read(FILE).parse().unwrap();
        let token = file["profiles"]["default"]["token"].as_str().unwrap().to_owned();
        super::commands::days_of(&token)
    };
    let told = scene.run(&login, &[], PASSWORD).ok();
    assert!(told.contains(" until 2"), "{told}");
    assert_eq!(kept(), Some(30));
    scene.run(&[&login[..], &["--expires", "7d"]].concat(), &[], PASSWORD).ok();
    assert_eq!(kept(), Some(7));
    let told = scene.run(&[&login[..], &["--expires", "never"]].concat(), &[], PASSWORD).ok();
    assert!(told.contains(" for good"), "{told}");
    assert_eq!(kept(), None);
}

#[test]
fn a_profile_has_its_server_its_token_and_its_application() {
    let scene = Scene::new();
    let keep = ["login", "--with-token", "--url", &scene.url, "--profile", "app"];
    let keep = [&keep[..], &["--application", &scene.application]].concat();
    scene.run(&keep, &[], &format!("{}\n", scene.token)).ok();
    scene
        .run(&["login", "--email", EMAIL, "--url", &scene.url, "--profile", "me"], &[], PASSWORD)
        .ok();

    assert_eq!(scene.bare(&["user", "list", "--profile", "app", "--json"]).lines().len(), 0);
    scene.bare(&["me", "get", "--profile", "app"]).failed(4, &["me.get"]);
    // The last one is the one that is meant when none is named.
    scene.bare(&["me", "get"]).ok();
    let chosen = [("GUESTLIST_PROFILE", "app")];
    scene.run(&["user", "list"], &chosen, "").ok();
    scene.run(&["me", "get"], &chosen, "").failed(4, &["me.get"]);
    // The token of the environment is for the server of the environment and of the default.
    let token = [("GUESTLIST_TOKEN", "nonsense")];
    scene.run(&["user", "list", "--profile", "app"], &token, "").ok();
    scene.run(&["me", "get"], &token, "").failed(4, &["Invalid access token"]);

    scene.bare(&["me", "get", "--profile", "none"]).failed(2, &["there is no profile \"none\""]);
    let two = ["me", "get", "--profile", "me", "--url", &scene.url];
    scene.bare(&two).failed(2, &["cannot be used with"]);
}

#[test]
fn the_token_of_a_profile_goes_to_no_other_server() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    let other = ["me", "get", "--url", "http://127.0.0.1:1"];
    scene.bare(&other).failed(2, &["there is no token"]);
    let env = [("GUESTLIST_URL", "http://127.0.0.1:1")];
    scene.run(&["me", "get"], &env, "").failed(2, &["there is no token"]);
}

#[test]
fn a_file_that_is_not_good_is_told_without_its_secrets() {
    let scene = Scene::new();
    scene.run(&["login", "--with-token", "--url", &scene.url], &[], "seecret").ok();
    let text = scene.read(FILE);
    assert!(text.contains("seecret"), "{text}");
    fs::write(scene.path(FILE), text.replace("seecret\"", "seecret")).unwrap();
    let done = scene.bare(&["me", "get"]);
    assert!(!done.err.contains("seecret"), "{}", done.err);
    done.failed(1, &["profiles.toml is not good"]);
    // One that nobody made is no file, wherever the home is.
    let elsewhere = [("XDG_CONFIG_HOME", scene.path("elsewhere").to_str().unwrap().to_owned())];
    let elsewhere = elsewhere.each_ref().map(|(name, value)| (*name, value.as_str()));
    scene.run(&["login", "--with-token", "--url", &scene.url], &elsewhere, "x").ok();
    assert!(scene.path("elsewhere/guestlist/profiles.toml").exists());
}
