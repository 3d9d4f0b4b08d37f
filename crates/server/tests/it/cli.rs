//! The command line: what is printed where, how the program ends, and what its settings mean.

mod backup;
mod commands;
mod credentials;
mod doctor;
mod extract;
mod faults;
mod health;
mod moving;
mod point_in_time;
mod process;
mod program;
mod quickstart;
mod seed;
mod store_files;
mod test_mode;
mod tls;

use crate::client::Answer;
use program::Place;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

#[test]
fn a_server_prints_one_line_and_logs_one_event_a_request() {
    let place = Place::new();
    let store = ["--store", "a.db"];
    let run = |arguments: &[&str]| place.run(&[arguments, &store, &["--json"]].concat()).json();
    let own = run(&["application", "create", "--name", "own"])["applicationId"].clone();
    let own = own.as_str().unwrap();
    let token = run(&[
        "token",
        "create",
        "--application",
        own,
        "--name",
        "t",
        "--scope",
        "all.Application",
    ]);
    let token = token["token"].as_str().unwrap().to_owned();

    let serving = place.serve();
    assert_eq!(serving.before, [""; 0]);
    let (client, users) = (&serving.client, format!("/applications/{own}/experience/users"));
    let secret = "Never-l0gged";
    let body = json!({ "email": "a@example.com", "password": secret });
    let answers = [
        client
            .get("", &format!("{users}?access_token={token}&filterField=email&filter=se%63ret"))
            .expect(200),
        client.get(&token, &format!("{users}?jwt={token}")).expect(200),
        client.call(&token, "POST", &users, &body).expect(201),
        client.call("", "POST", "/auth/user", &body).expect(401),
        client.get("wrong-token", &users).expect(401),
        client.call(&token, "PATCH", &users, &body).expect(405),
        client.get(&token, "/nowhere?token=secret").expect(404),
        client
            .request("POST", &users)
            .token(&token)
            .body(format!("{{\"{secret}"))
            .send()
            .expect(400),
        client.request("GET", "/").header("X-Request-Id", "named-by-me").send().expect(200),
        client.request("OPTIONS", &users).send().expect(204),
        client.get(&token, &format!("/{}", "x".repeat(20_000))).expect(414),
    ];
    let log = serving.stop();

    let (_, signature) = token.rsplit_once('.').unwrap();
    for hidden in [signature, secret, "wrong-token", "access_token", "jwt=", "se%63ret", "secret"] {
        assert!(!log.contains(hidden), "{hidden} is in the log:\n{log}");
    }
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let audited = events.iter().filter(|event| event["target"] == "guestlist::audit");
    assert_eq!(audited.map(|event| &event["event"]).collect::<Vec<_>>(), ["sign_in.failed"]);
    let events: Vec<_> =
        events.iter().filter(|event| event["target"] == "guestlist::request").collect();
    let of = |answer: &Answer| {
        let id = answer.header("x-request-id").unwrap();
        let events: Vec<_> = events.iter().filter(|event| event["request_id"] == id).collect();
        let [event] = events.as_slice() else { panic!("{answer:?} has {events:?}") };
        assert_eq!(event["status"], answer.status, "{event}");
        assert!(event["micros"].is_u64() && event["peer"].is_string(), "{event}");
        (**event).clone()
    };
    let logged: Vec<Value> = answers.iter().map(of).collect();
    // A path that is refused for its length is not logged at that length.
    assert!(logged[10]["path"].as_str().unwrap().len() < 1000);
    assert_eq!(events.len(), answers.len());
    assert_eq!(logged[0]["path"], users);
    assert_eq!(logged[2]["operation"], "experienceUsers.post");
    assert_eq!(logged[8]["request_id"], "named-by-me");
}

#[test]
fn a_request_under_way_is_answered_when_the_server_is_told_to_stop() {
    let place = Place::new();
    let serving = place.serve();
    // Neither one that is idle nor one that never spoke is waited for.
    serving.client.get("", "/healthz").expect(200);
    let _silent = serving.client.connect();
    let mut slow = serving.client.connect();
    let body = json!({ "email": "a@example.com", "password": "Correct-h0rse" }).to_string();
    let (first, rest) = body.split_at(20);
    let head = format!("POST /auth/user HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n", body.len());
    write!(slow.get_mut(), "{head}Expect: 100-continue\r\n\r\n").unwrap();
    // It has begun once the server asks for the body.
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    slow.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "));
    write!(slow.get_mut(), "{first}").unwrap();
    serving.terminate();
    std::thread::sleep(Duration::from_millis(300));
    write!(slow.get_mut(), "{rest}").unwrap();
    let answer = Answer::read(&mut slow, "POST").unwrap().expect(401);
    assert_eq!(answer.header("connection"), Some("close"));
    let (status, printed, log) = serving.ended();
    assert!(status.success() && printed.is_empty(), "{log}");
    // As what is idle would be, if it were waited for.
    assert!(!log.contains("broken off"), "{log}");
}

#[test]
fn a_client_that_never_ends_does_not_keep_the_server() {
    let place = Place::new();
    let serving = place.serve();
    let mut slow = serving.client.connect();
    let head = "POST /auth/user HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n";
    write!(slow.get_mut(), "{head}Expect: 100-continue\r\n\r\n").unwrap();
    slow.read_exact(&mut [0; 9]).unwrap();
    let since = Instant::now();
    serving.terminate();
    let (status, _, log) = serving.ended();
    assert!(status.success(), "{status}: {log}");
    // It takes 10 s at most where there is nothing else to do. A body may take 30 s.
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    assert!(log.contains("requests in flight were broken off"), "{log}");
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let place = Place::new();
    fs::write(place.path("guestlist.toml"), "store = 'file.db'").unwrap();
    let there = |name: &str| place.path(name).exists();
    let create = ["application", "create", "--name", "own"];
    place.run(&create).ok();
    assert_eq!((there("file.db"), there("environment.db"), there("flag.db")), (true, false, false));

    let mut command = place.command(&create);
    assert!(command.env("GUESTLIST_STORE", "environment.db").status().unwrap().success());
    assert_eq!((there("environment.db"), there("flag.db")), (true, false));

    let mut command = place.command(&create);
    command.env("GUESTLIST_STORE", "unused.db").args(["--store", "sqlite:flag.db"]);
    assert!(command.status().unwrap().success());
    assert_eq!(
        (there("flag.db"), there("unused.db"), there("sqlite:flag.db")),
        (true, false, false)
    );

    fs::write(place.path("guestlist.toml"), "listen = 'in the file'").unwrap();
    place.run(&["serve"]).failed("listen: \"in the file\" is not an address");
    let environment = |arguments| {
        let mut command = place.command(arguments);
        command.env("GUESTLIST_LISTEN", "in the environment");
        command
    };
    let refused = environment(&["serve"]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("listen: \"in the environment\" is"));
    program::Serving::start(environment(&["serve", "--listen", "127.0.0.1:0"])).stop();

    fs::write(place.path("other.toml"), "store = 'other.db'\n").unwrap();
    place.run(&[create.as_slice(), &["--config", "other.toml"]].concat()).ok();
    assert!(there("other.db"));
}

#[test]
fn a_store_is_where_it_is_said_to_be() {
    let place = Place::new();
    let create = ["application", "create", "--name", "own"];
    // Relative to the file that names it, from wherever the command is run.
    fs::create_dir_all(place.path("etc")).unwrap();
    fs::write(place.path("etc/some.toml"), "store = 'data/a.db'").unwrap();
    place.run(&[create.as_slice(), &["--config", "etc/some.toml"]].concat()).ok();
    assert!(place.path("etc/data/a.db").exists());
    // Below the home where a shell has left `~` as it is.
    fs::write(place.path("home.toml"), "store = '~/b.db'").unwrap();
    for (store, made) in [
        (["--config", "home.toml"], "b.db"),
        (["--store", "~/c.db"], "c.db"),
        (["--store", "sqlite:~/d.db"], "d.db"),
    ] {
        let mut command = place.command(&[create.as_slice(), &store].concat());
        assert!(command.env("HOME", place.path("home")).output().unwrap().status.success());
        assert!(place.path("home").join(made).exists(), "{store:?}");
    }
    let mut command = place.command(&create);
    command.env("HOME", place.path("home")).env("GUESTLIST_STORE", "~/e.db");
    assert!(command.output().unwrap().status.success());
    assert!(place.path("home/e.db").exists() && !place.path("~").exists());
    place.run(&["serve", "--listen", "8080"]).failed("say 127.0.0.1:8080 for this machine");
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    let place = Place::new();
    for name in ["one", "two", "three"] {
        place.run(&["application", "create", "--name", name, "--store", "a.db"]).ok();
    }
    for arguments in [
        &["application", "list", "--store", "a.db"][..],
        &["application", "list", "--store", "a.db", "--json"],
        &["checksum", "--store", "a.db"],
        &["openapi"],
        &["completions", "bash"],
    ] {
        let mut command = place.command(arguments);
        // The reading end is gone before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = command.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!((done.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_setting_that_is_not_known_is_named() {
    let place = Place::new();
    let file = place.path("guestlist.toml");
    fs::write(&file, "store = 'a.db'\nlisen = '127.0.0.1:0'\n").unwrap();
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    refused.failed("guestlist.toml is not good");
    refused.failed("unknown field `lisen`");
    assert!(!place.path("a.db").exists());
    place.run(&["serve", "--config", "absent.toml"]).failed("absent.toml cannot be read");
}

#[test]
fn a_store_that_is_none_is_refused() {
    let place = Place::new();
    place.run(&["application", "list", "--store", "a.db"]).failed("there is no store at a.db");
    assert!(!place.path("a.db").exists());
    place.run(&["application", "create", "--name", "first", "--store", "a.db"]).ok();
    let store = rusqlite::Connection::open(place.path("a.db")).unwrap();
    store.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(store);
    fs::create_dir(place.path("directory")).unwrap();
    fs::write(place.path("text"), "not a database, and long enough to look at".repeat(9)).unwrap();
    for command in [["serve", "--listen=127.0.0.1:0"], ["application", "list"]] {
        let open = |store| place.run(&[command.as_slice(), &["--store", store]].concat());
        let newer = "has version 99 and this Guestlist knows versions up to ";
        open("a.db").failed(newer);
        open("directory").failed("is a directory, and the database is a file");
        open("text").failed("is not a SQLite database");
        open("postgres://localhost/a").failed("store: name a user");
        let away = "postgres://a:secret@127.0.0.1:1/a";
        open(away).failed("postgres://a@127.0.0.1:1/a cannot be used");
        open(":memory:").failed("store: a store in memory would be lost");
    }
}

#[test]
fn a_server_that_must_find_its_store_makes_none() {
    let place = Place::new();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", "volume/a.db"];
    let missing = "there is no store at ";
    place.run(&[serve.as_slice(), &["--must-exist"]].concat()).failed(missing);
    let mut command = place.command(&serve);
    let refused = command.env("GUESTLIST_MUST_EXIST", "1").output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains(missing));
    fs::write(place.path("guestlist.toml"), "must-exist = true").unwrap();
    place.run(&serve).failed(missing);
    assert!(!place.path("volume").exists());
    // What is there and empty is no store either.
    fs::create_dir(place.path("volume")).unwrap();
    fs::write(place.path("volume/a.db"), "").unwrap();
    place.run(&serve).failed(missing);
    assert_eq!(fs::metadata(place.path("volume/a.db")).unwrap().len(), 0);

    // Commands begin one, and from then on it is found.
    place.run(&["application", "create", "--name", "a", "--store", "volume/a.db"]).ok();
    let log = program::Serving::start(place.command(&serve)).stop();
    assert!(!log.contains("a new one was made"), "{log}");
    fs::remove_file(place.path("guestlist.toml")).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", "other.db"];
    let log = program::Serving::start(place.command(&serve)).stop();
    let made = log.lines().filter(|line| line.contains("a new one was made"));
    assert!(made.clone().all(|line| line.contains(r#""level":"WARN""#)), "{log}");
    assert_eq!(made.count(), 1, "{log}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let place = Place::new();
    let serving = place.serve();
    let address = serving.client.connect().get_ref().peer_addr().unwrap().to_string();
    let second = place.run(&["serve", "--listen", &address, "--store", "b.db"]);
    second.failed(&format!("cannot listen on {address}"));
    serving.stop();
}

#[test]
fn the_document_has_every_route() {
    let world = crate::world::World::new();
    let printed = Place::new().run(&["openapi"]).ok();
    let document: Value = serde_json::from_str(&printed).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let described: BTreeSet<(String, String)> = paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let rows = guestlist::rest::table().iter();
    let table = rows.map(|row| (row.path.to_owned(), row.method.to_string())).collect();
    assert_eq!(described, table);
    assert_eq!(world.get("", "/openapi.json").expect(200).json(), document);
}

#[test]
fn shells_are_told_how_to_complete() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]).ok();
        for word in ["quickstart", "completions", "--store"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
}

#[test]
fn each_command_has_a_page_of_the_manual() {
    let place = Place::new();
    fs::create_dir(place.path("pages")).unwrap();
    place.run(&["manual", "pages"]).ok();
    let page = |name: &str| fs::read_to_string(place.path("pages").join(name)).unwrap();
    assert!(page("guestlist.1").contains("quickstart"));
    assert!(page("guestlist-user-create.1").contains("first\\-name"));
    place.run(&["manual", "absent"]).failed("cannot write pages to absent");
}
