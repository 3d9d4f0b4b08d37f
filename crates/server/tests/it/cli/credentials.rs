//! Administrators, their sessions and the signing keys, on the store beside a running server.

use super::program::{Done, Place, Serving};
use crate::client::Answer;
use crate::world::PASSWORD;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const OTHER: &str = "An0ther-password";
const EMAIL: &str = "a@example.com";

struct Scene {
    place: Place,
    serving: Serving,
    /// The administrator.
    id: String,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let serving = place.serve();
        let create = ["admin", "create", "--email", EMAIL, "--store", "a.db"];
        let id = place.run_with(&create, PASSWORD).ok().trim_end().to_owned();
        Self { place, serving, id }
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], stdin: &str) -> Done {
        self.place.run_with(&[arguments, &["--store", "a.db"]].concat(), stdin)
    }

    /// What a command lists, an object a line.
    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.run(&[arguments, &["--json"]].concat()).ok();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn sign_in(&self, password: &str) -> Answer {
        let body = json!({ "email": EMAIL, "password": password });
        self.serving.client.call("", "POST", "/auth/user", &body)
    }

    /// The token of a new session.
    fn session(&self, password: &str) -> String {
        let session = self.sign_in(password).expect(200).json();
        session["token"].as_str().unwrap().to_owned()
    }

    fn status(&self, token: &str) -> u16 {
        self.serving.client.get(token, "/me").status
    }
}

#[test]
fn an_administrator_is_kept_out_let_in_given_a_password_and_removed() {
    let scene = Scene::new();
    let session = scene.session(PASSWORD);
    let listed = scene.lines(&["admin", "list"]);
    assert_eq!(
        (listed.len(), &listed[0]["id"], &listed[0]["status"]),
        (1, &json!(scene.id), &json!("active"))
    );
    assert!(scene.run(&["admin", "list"]).ok().contains(EMAIL));

    assert_eq!(
        scene.run(&["admin", "disable", &scene.id]).ok(),
        format!("disabled {}\n", scene.id)
    );
    assert_eq!(scene.status(&session), 401);
    scene.sign_in(PASSWORD).refused(401, "Unauthorized");
    assert_eq!(scene.lines(&["admin", "list"])[0]["status"], "inactive");
    scene.run(&["admin", "enable", &scene.id]).ok();
    assert_eq!(scene.status(&session), 200);

    let reset = ["admin", "reset-password", &scene.id];
    scene.run_with(&reset, "too weak").failed("the password must have 12 to 2048 characters");
    assert_eq!(scene.status(&session), 200);
    scene.run_with(&reset, OTHER).ok();
    assert_eq!(scene.status(&session), 401);
    scene.sign_in(PASSWORD).refused(401, "Unauthorized");
    let session = scene.session(OTHER);

    let removed = scene.run(&["admin", "remove", &scene.id, "--json"]).json();
    assert_eq!(removed, json!({ "administratorId": scene.id, "removed": true }));
    assert_eq!(scene.status(&session), 401);
    assert_eq!(scene.lines(&["admin", "list"]), Vec::<Value>::new());
    scene.run(&["admin", "disable", &scene.id]).failed("User was not found");
    scene.serving.stop();
}

#[test]
fn sessions_are_listed_and_ended() {
    let scene = Scene::new();
    let (first, second) = (scene.session(PASSWORD), scene.session(PASSWORD));
    let list = ["admin", "sessions", &scene.id];
    let listed = scene.lines(&list);
    assert_eq!(listed.len(), 2);
    assert!(scene.run(&list).ok().contains(" never "), "{listed:?}");
    let one = listed[0]["id"].as_str().unwrap();
    let end = ["admin", "end-sessions", &scene.id];
    scene.run(&[&end[..], &["--session", one]].concat()).ok();
    let good = |token: &str| scene.status(token) == 200;
    assert!(good(&first) != good(&second));
    scene.run(&[&end[..], &["--session", one]].concat()).failed("Session was not found");
    scene.run(&end).ok();
    assert!(!good(&first) && !good(&second));
    assert_eq!(scene.lines(&list), Vec::<Value>::new());
    scene.serving.stop();
}

/// Which key a token says that it is of.
fn kid(token: &str) -> Value {
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].clone()
}

#[test]
fn a_key_follows_another_under_a_running_server() {
    let scene = Scene::new();
    let before = scene.session(PASSWORD);
    let [old] = scene.lines(&["key", "list"]).try_into().unwrap();
    assert_eq!((&old["kid"], &old["since"]), (&kid(&before), &Value::Null));
    let new = scene.run(&["key", "rotate"]).ok();
    let new = new.trim_end();
    let listed = scene.lines(&["key", "list"]);
    assert_eq!((listed.len(), &listed[0]["kid"]), (2, &json!(new)));
    // It waits until every server knows it.
    let old = old["kid"].as_str().unwrap();
    scene.run(&["key", "retire", old]).failed("no key would be left that signs");
    let within = |what: &str, done: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_mins(2), "{what}");
            thread::sleep(Duration::from_millis(200));
        }
    };
    within("it signs", &|| kid(&scene.session(PASSWORD)) == new);
    let after = scene.session(PASSWORD);
    assert_eq!([scene.status(&before), scene.status(&after)], [200; 2]);
    scene.run(&["key", "retire", old]).ok();
    within("it is retired", &|| scene.status(&before) == 401);
    assert_eq!(scene.status(&after), 200);
    scene.run(&["key", "retire", new]).failed("no key would be left that signs");
    scene.run(&["key", "retire", old]).failed("Signing key was not found");
    let log = scene.serving.stop();
    for (event, kid) in [("key.made", new), ("key.retired", old)] {
        let logged = format!(r#""event":"{event}","key":"{kid}","by":"operator""#);
        assert_eq!(log.matches(&logged).count(), 1, "{log}");
    }
}

#[test]
fn a_command_logs_what_it_does_to_credentials_where_that_is_asked_for() {
    let place = Place::new();
    let logged = |arguments: &[&str], stdin: &str| {
        let mut command = place.command(&[arguments, &["--store", "a.db"]].concat());
        command.env("GUESTLIST_LOG", "guestlist::audit=info");
        let done = Place::end(command, stdin);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let events: Vec<Value> =
            done.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(events.iter().all(|event| event["by"] == "operator"), "{events:?}");
        assert!(!done.stderr.contains(PASSWORD) && !done.stderr.contains(EMAIL));
        let names: Vec<_> = events.iter().map(|event| event["event"].clone()).collect();
        (done.stdout.trim_end().to_owned(), names)
    };
    let (id, made) = logged(&["admin", "create", "--email", EMAIL], PASSWORD);
    assert_eq!(made, ["administrator.made"]);
    for (arguments, names) in [
        (&["admin", "disable", &id][..], &["administrator.disabled"][..]),
        (&["admin", "enable", &id], &["administrator.enabled"]),
        (&["admin", "list"], &[]),
        (&["admin", "end-sessions", &id], &["sessions.ended"]),
        (
            &["admin", "reset-password", &id],
            &["password.reset", "sessions.ended", "tokens.deactivated"],
        ),
        (&["admin", "remove", &id], &["administrator.removed"]),
    ] {
        assert_eq!(logged(arguments, PASSWORD).1, names, "{arguments:?}");
    }
    let (application, _) = logged(&["application", "create", "--name", "one"], "");
    let create = ["token", "create", "--application", &application, "--name", "a", "--scope"];
    let (_, made) = logged(&[&create[..], &["all.Application"]].concat(), "");
    assert_eq!(made, ["token.made"]);
    let (kid, made) = logged(&["key", "rotate"], "");
    assert_eq!(made, ["key.made"]);
    assert_eq!(logged(&["key", "retire", &kid], "").1, ["key.retired"]);
}
