//! `guestlist quickstart`: one demo, and always a way into it.

use super::program::{Place, Serving, mode};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

fn start(place: &Place, json: bool) -> Serving {
    let mut command =
        place.command(&["quickstart", "--listen", "127.0.0.1:0", "--store", "d/a.db"]);
    if json {
        command.arg("--json");
    }
    Serving::start(command)
}

/// Starts with `--json`, and reads what it prints.
fn demo(place: &Place) -> (Serving, Value) {
    let serving = start(place, true);
    let [line] = serving.before.as_slice() else { panic!("{:?}", serving.before) };
    let demo = serde_json::from_str(line).unwrap();
    (serving, demo)
}

fn text<'a>(demo: &'a Value, field: &str) -> &'a str {
    demo[field].as_str().unwrap()
}

fn users(demo: &Value) -> String {
    format!("/applications/{}/experience/users", text(demo, "applicationId"))
}

/// Whether the password that was printed is the administrator's.
fn signs_in(serving: &Serving, demo: &Value) -> bool {
    let body = json!({ "email": demo["email"], "password": demo["password"] });
    let answer = serving.client.call("", "POST", "/auth/user", &body);
    assert!([200, 401].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

/// How many applications there are, and that each has all of a demo in it.
fn demos(serving: &Serving, demo: &Value) -> u64 {
    let token = text(demo, "token");
    let page = serving.client.get(token, "/applications").expect(200).json();
    for application in page["items"].as_array().unwrap() {
        assert_eq!(application["name"], "Demo");
        assert_eq!(application["summary"]["experienceGroupCount"], 3, "{application}");
    }
    page["totalCount"].as_u64().unwrap()
}

#[test]
fn what_it_prints_works() {
    let place = Place::new();
    let (serving, demo) = demo(&place);
    let fields: Vec<&String> = demo.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["url", "applicationId", "token", "experienceUserIds", "email", "password"]);
    let token = text(&demo, "token");
    let listed = serving.client.get(token, &users(&demo)).expect(200).json();
    let ids = demo["experienceUserIds"].as_array().unwrap();
    assert_eq!((&listed["totalCount"], ids.len()), (&4.into(), 4));
    for id in ids {
        serving
            .client
            .get(token, &format!("{}/{}", users(&demo), id.as_str().unwrap()))
            .expect(200);
    }
    assert!(signs_in(&serving, &demo));
    assert_eq!(mode(&place.path("d/a.quickstart.json")), 0o600);
    assert_eq!(mode(&place.path("d/a.db")), 0o600);
    let log = serving.stop();
    assert!(!log.contains(token) && !log.contains(text(&demo, "password")), "{log}");
}

/// What a person is shown. `script` gives the program a terminal.
#[test]
fn a_terminal_is_shown_the_secrets() {
    let place = Place::new();
    let (serving, demo) = demo(&place);
    serving.stop();
    let quickstart = format!(
        "{} quickstart --listen 127.0.0.1:0 --store d/a.db",
        env!("CARGO_BIN_EXE_guestlist")
    );
    let script = place.command_of(Command::new("script"), &["-qec", &quickstart, "/dev/null"]);
    let serving = Serving::start(script);
    let printed = serving.before.join("\n");
    for value in ["applicationId", "email", "token", "password"] {
        assert!(printed.contains(text(&demo, value)), "{value}: {printed}");
    }
}

/// Pastes what a server printed into a shell, from its first `export` on: what the calls answer.
fn pasted(serving: &Serving) -> Vec<Value> {
    let from = serving.before.iter().position(|line| line.starts_with("export ")).unwrap();
    let script = serving.before[from..].join("\n");
    let token = serving.before.iter().find_map(|line| line.strip_prefix("export TOKEN=")).unwrap();
    assert_eq!(script.matches(token).count(), 1, "the token is printed once: {script}");
    let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let answers = serde_json::Deserializer::from_slice(&ran.stdout).into_iter();
    answers.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_lines_that_it_prints_can_be_pasted_into_a_shell() {
    let place = Place::new();
    // Each start is about another user, and the last about how to make one.
    let mut seen = Vec::new();
    for left in (0..4).rev() {
        let serving = start(&place, false);
        let answers = pasted(&serving);
        let [read, changed, deleted] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(read["_type"], "experienceUser");
        assert_eq!((&changed["id"], &changed["firstName"]), (&read["id"], &json!("Augusta")));
        assert_ne!(read["firstName"], "Augusta");
        assert_eq!(*deleted, json!({ "success": true }), "{left}");
        assert!(!seen.contains(&read["id"]));
        seen.push(read["id"].clone());
        serving.stop();
    }
    let serving = start(&place, false);
    let answers = pasted(&serving);
    let [made] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(made["email"], "new.user@example.com");
    serving.stop();
}

#[test]
fn every_line_for_programs_is_json() {
    let place = Place::new();
    let quickstart = ["quickstart", "--json", "--listen", "127.0.0.1:0", "--store", "d/a.db"];
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--store", "d/a.db"];
    let test = ["serve", "--test", "--json", "--listen", "127.0.0.1:0"];
    for (arguments, before) in [(&quickstart[..], 1), (&serve[..], 0), (&test[..], 1)] {
        // It is ready when it says so, which is read as JSON if it is that.
        let serving = Serving::start(place.command(arguments));
        assert_eq!(serving.before.len(), before, "{:?}", serving.before);
        assert!(serving.for_programs, "{arguments:?}");
        for line in &serving.before {
            serde_json::from_str::<Value>(line).unwrap();
        }
        serving.stop();
    }
}

#[test]
fn the_next_start_prints_the_same() {
    let place = Place::new();
    let (serving, mut first) = demo(&place);
    serving.stop();
    let (serving, mut second) = demo(&place);
    for printed in [&mut first, &mut second] {
        printed["url"].take();
    }
    assert_eq!(first, second);
    assert_eq!(demos(&serving, &second), 1);
    serving.stop();
    let serving = start(&place, false);
    let printed = serving.before.join("\n");
    for (value, shown) in
        [("applicationId", true), ("email", true), ("token", false), ("password", false)]
    {
        // It is no terminal, and may be a journal.
        assert_eq!(printed.contains(text(&first, value)), shown, "{value}");
    }
    serving.stop();
}

#[test]
fn a_lost_file_is_no_second_demo() {
    let place = Place::new();
    let (serving, first) = demo(&place);
    let gone = first["experienceUserIds"][0].as_str().unwrap();
    let gone = format!("{}/{gone}", users(&first));
    serving.client.call(text(&first, "token"), "DELETE", &gone, &Value::Null).expect(200);
    let body = json!({ "email": first["email"], "password": first["password"] });
    let session = serving.client.call("", "POST", "/auth/user", &body).expect(200).json();
    serving.stop();

    fs::remove_file(place.path("d/a.quickstart.json")).unwrap();
    let (serving, second) = demo(&place);
    assert_eq!(second["applicationId"], first["applicationId"]);
    assert_eq!(second["email"], first["email"]);
    assert_eq!(demos(&serving, &second), 1);
    // Who was deleted stays so.
    assert_eq!(second["experienceUserIds"].as_array().unwrap().len(), 3);
    assert!(signs_in(&serving, &second));
    // Whoever found the file is not let in with what is in it.
    assert!(!signs_in(&serving, &first));
    for old in [text(&first, "token"), text(&session, "token")] {
        serving.client.get(old, &users(&first)).refused(401, "Invalid access token");
    }
    serving.stop();
    let (serving, third) = demo(&place);
    assert_eq!(third["token"], second["token"]);
    serving.stop();
}

#[test]
fn a_token_that_was_revoked_is_replaced() {
    let place = Place::new();
    let (serving, first) = demo(&place);
    let token = text(&first, "token");
    let tokens = serving.client.get(token, "/me/tokens").expect(200).json();
    assert_eq!(tokens["totalCount"], 1);
    let id = tokens["items"][0]["id"].as_str().unwrap();
    serving.client.call(token, "DELETE", &format!("/me/tokens/{id}"), &Value::Null).expect(200);
    serving.stop();
    let (serving, second) = demo(&place);
    assert_ne!(second["token"], first["token"]);
    assert_eq!(second["applicationId"], first["applicationId"]);
    assert_eq!(demos(&serving, &second), 1);
    serving.stop();
}

#[test]
fn a_demo_that_was_deleted_is_made_again() {
    let place = Place::new();
    let (serving, first) = demo(&place);
    let application = format!("/applications/{}", text(&first, "applicationId"));
    serving.client.call(text(&first, "token"), "DELETE", &application, &Value::Null).expect(200);
    serving.stop();
    let (serving, second) = demo(&place);
    assert_ne!(second["applicationId"], first["applicationId"]);
    assert_eq!(second["experienceUserIds"].as_array().unwrap().len(), 4);
    // For the administrator of before, who is nobody's copy.
    assert_eq!(second["email"], first["email"]);
    assert_eq!(demos(&serving, &second), 1);
    assert!(signs_in(&serving, &second));
    serving.stop();
}

#[test]
fn an_administrator_who_is_there_is_left_alone() {
    let place = Place::new();
    let create = ["admin", "create", "--email", "Admin@example.com", "--store", "d/a.db"];
    place.run_with(&create, crate::world::PASSWORD).ok();
    let (serving, demo) = demo(&place);
    assert_eq!(demo["email"], "admin2@example.com");
    let theirs = json!({ "email": "Admin@example.com", "password": crate::world::PASSWORD });
    assert!(signs_in(&serving, &theirs) && signs_in(&serving, &demo));
    serving.stop();
}

#[test]
fn a_demo_that_could_not_be_written_down_is_found_again() {
    let place = Place::new();
    // What the file is first written to cannot be made.
    fs::create_dir_all(place.path("d/a.quickstart.json.new/in the way")).unwrap();
    let quickstart = ["quickstart", "--listen", "127.0.0.1:0", "--store", "d/a.db"];
    for _ in 0..2 {
        let failed = place.run(&quickstart);
        assert_eq!(failed.code, Some(1), "{}", failed.stdout);
        assert!(failed.stderr.contains("cannot write d/a.quickstart.json"), "{}", failed.stderr);
    }
    fs::remove_dir_all(place.path("d/a.quickstart.json.new")).unwrap();
    let (serving, demo) = demo(&place);
    assert_eq!(demos(&serving, &demo), 1);
    let tokens = serving.client.get(text(&demo, "token"), "/me/tokens").expect(200).json();
    assert_eq!(tokens["totalCount"], 1, "a token that nobody knows is left");
    serving.stop();
}

#[test]
fn a_crash_leaves_no_demo_or_a_whole_one() {
    let place = Place::new();
    for millis in (0..160).step_by(10) {
        let quickstart = ["quickstart", "--listen", "127.0.0.1:0", "--store", "d/a.db"];
        let mut command = place.command(&quickstart);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (serving, demo) = demo(&place);
    assert_eq!(demos(&serving, &demo), 1);
    assert_eq!(demo["experienceUserIds"].as_array().unwrap().len(), 4);
    serving.stop();
}
