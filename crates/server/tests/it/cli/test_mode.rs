//! `guestlist serve --test`, and that no other server has any of it.

use super::program::{Place, Serving};
use serde_json::{Value, json};
use std::process::Command;

/// What `/_test/...` answers to.
const ROUTES: [(&str, &str); 8] = [
    ("POST", "/_test/reset"),
    ("POST", "/_test/tenants"),
    ("GET", "/_test/clock"),
    ("PUT", "/_test/clock"),
    ("POST", "/_test/faults"),
    ("DELETE", "/_test/faults"),
    ("GET", "/_test/requests"),
    ("GET", "/_test/mails"),
];

fn serve(place: &Place, more: &[&str]) -> (Serving, Value) {
    let arguments = [&["serve", "--test", "--json", "--listen", "127.0.0.1:0"], more].concat();
    let serving = Serving::start(place.command(&arguments));
    let [line] = serving.before.as_slice() else { panic!("{:?}", serving.before) };
    let known = serde_json::from_str(line).unwrap();
    (serving, known)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}: {value}"))
}

#[test]
fn it_says_how_it_is_called_and_leaves_nothing() {
    let place = Place::new();
    let (serving, known) = serve(&place, &[]);
    let names: Vec<&String> = known.as_object().unwrap().keys().collect();
    assert_eq!(names, ["url", "applicationId", "token", "applicationToken", "email", "tokens"]);
    let users = format!("/applications/{}/experience/users", text(&known, "applicationId"));
    for token in [text(&known, "token"), text(&known, "applicationToken")] {
        serving.client.get(token, &users).expect(200);
    }
    let log = serving.stop();
    assert!(!log.contains(text(&known, "token")), "{log}");
    let left: Vec<_> = std::fs::read_dir(place.path("")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    let plain = ["serve", "--test", "--listen", "localhost:0"];
    let serving = Serving::start(place.command(&plain));
    assert!(serving.before[0].starts_with("Application id  "), "{:?}", serving.before);
    assert!(serving.before[1].starts_with("Token           ey"), "{:?}", serving.before);
    serving.stop();
}

#[test]
fn it_refuses_what_could_harm() {
    let place = Place::new();
    let run = |more: &[&str]| place.run(&[&["serve", "--test"], more].concat());
    run(&["--store", "a.db"]).failed("leave out --store and GUESTLIST_STORE");
    run(&["--config", "a.toml"]).failed("leave out --config and GUESTLIST_CONFIG");
    run(&["--public-url", "https://a.example"]).failed("leave out --public-url");
    run(&["--tls-cert", "a.pem"]).failed("leave out --tls-cert and GUESTLIST_TLS_CERT");
    run(&["--listen", "0.0.0.0:0"]).failed("listen on this machine alone");
    run(&["--listen", "[::]:0"]).failed("listen on this machine alone");
    run(&["--listen", "here"]).failed("is not an address");
    run(&["--seed", "missing.json"]).failed("missing.json cannot be read");
    std::fs::write(place.path("bad.json"), r#"{"users":[{"email":"a"}]}"#).unwrap();
    run(&["--seed", "bad.json"]).failed("seed.users.0.email must be email format");
    let alone = place.run(&["serve", "--seed", "bad.json"]);
    assert_eq!(alone.code, Some(2), "{}", alone.stderr);
    let mut command = place.command(&["serve", "--test"]);
    let output = command.env("GUESTLIST_STORE", "a.db").output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("GUESTLIST_STORE"));
    assert!(!place.path("a.db").exists());
}

#[test]
fn no_other_server_has_any_of_it() {
    let place = Place::new();
    let serving = place.serve();
    for (method, path) in ROUTES {
        let answer = serving.client.call("", method, path, &Value::Null);
        answer.refused(404, &format!("{path} does not exist"));
    }
    serving.stop();
    let server = guestlist::testing::Server::blocking().unwrap();
    let address = server.url().strip_prefix("http://").unwrap().parse().unwrap();
    let client = crate::client::Client::new(address);
    for (method, path) in ROUTES {
        client.call("", method, path, &Value::Null).refused(404, &format!("{path} does not exist"));
    }
}

#[test]
fn a_test_can_reset_it_set_its_clock_and_ask_for_faults() {
    let place = Place::new();
    let user = "575ec8687ae143cd83dc4a97";
    let seed = json!({ "users": [{ "id": user, "email": "ada@example.com" }],
        "tokens": [{ "name": "reader", "scope": ["all.Application.read"] }] });
    std::fs::write(place.path("seed.json"), seed.to_string()).unwrap();
    let (serving, known) = serve(&place, &["--seed", "seed.json"]);
    let client = &serving.client;
    let call = |method, path: &str, body: Value| client.call("", method, path, &body);
    let users = format!("/applications/{}/experience/users", text(&known, "applicationId"));
    let (token, user) = (text(&known, "token"), format!("{users}/{user}"));
    client.get(text(&known["tokens"], "reader"), &user).expect(200);

    client.call(token, "DELETE", &user, &Value::Null).expect(200);
    client.get(token, &user).expect(404);
    let reset = call("POST", "/_test/reset", Value::Null).expect(200);
    assert_eq!(reset.json(), json!({ "success": true }));
    client.get(token, &user).expect(200);

    let clock = call("GET", "/_test/clock", Value::Null).expect(200).json();
    assert_eq!(clock["running"], true);
    for (body, now) in [
        (json!({ "now": "2030-01-01T00:00:00Z" }), "2030-01-01T00:00:00.000Z"),
        (json!({ "advance": 1500 }), "2030-01-01T00:00:01.500Z"),
        (json!({ "now": 0, "advance": 60_000 }), "1970-01-01T00:01:00.000Z"),
    ] {
        let clock = call("PUT", "/_test/clock", body).expect(200).json();
        assert_eq!(clock, json!({ "now": now, "running": false }));
    }
    let clock = call("PUT", "/_test/clock", json!({ "running": true })).expect(200).json();
    assert_eq!(clock["running"], true);

    let tenant = call("POST", "/_test/tenants", Value::Null).expect(201).json();
    let theirs = format!("/applications/{}/experience/users", text(&tenant, "applicationId"));
    client.get(text(&tenant, "token"), &theirs).expect(200);
    client.get(text(&tenant, "token"), &users).expect(404);

    call("POST", "/_test/reset", json!({})).expect(200);
    client.get(text(&tenant, "token"), &theirs).expect(401);
    for (body, status) in [
        (
            json!({ "fault": "tooManyRequests", "retryAfter": 3, "times": 2, "method": "GET" }),
            Some(429),
        ),
        (json!({ "fault": "internal", "path": "/applications" }), Some(500)),
        (json!({ "fault": "unavailable" }), Some(503)),
        (json!({ "fault": "delay", "millis": 1 }), Some(200)),
        (json!({ "fault": "dropRequest" }), None),
        (json!({ "fault": "dropAnswer" }), None),
        (json!({ "fault": "tearAnswer" }), None),
    ] {
        let left = body.get("times").unwrap_or(&json!(1)).clone();
        let added = call("POST", "/_test/faults", body.clone()).expect(200).json();
        assert_eq!(added, json!({ "left": left }), "{body}");
        let answer = client.request("GET", &user).token(token).try_send();
        assert_eq!(answer.ok().map(|answer| answer.status), status, "{body}");
        let none = call("DELETE", "/_test/faults", Value::Null).expect(200).json();
        assert_eq!(none, json!({ "left": 0 }));
    }
    let asked = call("GET", "/_test/requests", Value::Null).expect(200).json();
    let items = asked["items"].as_array().unwrap();
    assert_eq!(items.len(), 8, "{asked}");
    assert_eq!((&items[1]["method"], &items[1]["path"]), (&"GET".into(), &user.as_str().into()));
    assert_eq!((&items[1]["status"], &items[7]["status"]), (&429.into(), &Value::Null));
    assert!(!asked.to_string().contains(token));
    serving.stop();
}

#[test]
fn it_refuses_what_it_does_not_understand_in_the_one_shape() {
    let place = Place::new();
    let (serving, _) = serve(&place, &[]);
    let call = |method, path: &str, body: Value| serving.client.call("", method, path, &body);
    call("GET", "/_test", Value::Null).refused(404, "/_test does not exist");
    call("GET", "/_test/other", Value::Null).refused(404, "/_test/other does not exist");
    let wrong = call("GET", "/_test/reset", Value::Null).expect(405);
    assert_eq!(wrong.header("allow"), Some("POST"));
    assert_eq!(call("POST", "/_test/clock", Value::Null).header("allow"), Some("GET, PUT"));
    for (path, body, message) in [
        ("clock", json!({}), "clock must have now, advance or running"),
        ("clock", json!({ "now": "then" }), "clock.now must be date-time format"),
        ("clock", json!({ "advance": 1.5 }), "clock.advance is the wrong type"),
        ("clock", json!({ "advnce": 1 }), "clock.advnce is an additional property"),
        ("faults", json!({}), "fault.fault is required"),
        ("faults", json!({ "fault": "delay" }), "fault.millis is required"),
        ("faults", json!({ "fault": "internal", "times": 0 }), "fault.times is less than minimum"),
        (
            "faults",
            json!({ "fault": "internal", "millis": 1 }),
            "fault.millis is an additional property",
        ),
        ("tenants", json!({ "name": 1 }), "tenant.name is the wrong type"),
        ("tenants", json!([]), "tenant is the wrong type"),
    ] {
        let method = if path == "clock" { "PUT" } else { "POST" };
        call(method, &format!("/_test/{path}"), body).refused(400, message);
    }
    let fault = call("POST", "/_test/faults", json!({ "fault": "rain" })).expect(400);
    assert!(fault.message().starts_with("fault.fault must be one of: tooManyRequests, internal"));
    // It needs no token, so it is not for the pages of a browser.
    let page = serving.client.request("POST", "/_test/reset").header("Origin", "http://a.example");
    page.send().refused(403, "Access is forbidden");
    serving.stop();
}

/// A browser takes a page for one of the server's own if its name leads there.
#[test]
fn a_name_that_anybody_can_have_lead_here_is_refused() {
    let place = Place::new();
    let (serving, known) = serve(&place, &[]);
    let port = text(&known, "url").rsplit_once(':').unwrap().1.to_owned();
    let get =
        |path: &str, host: &str| serving.client.request("GET", path).header("Host", host).send();
    for path in ["/_test/requests", "/_test/clock", "/", "/readyz"] {
        for host in ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example"] {
            get(path, host).refused(403, "Access is forbidden");
        }
        for host in ["localhost", "127.0.0.1", "[::1]", "a.localhost"] {
            get(path, &format!("{host}:{port}")).expect(200);
        }
    }
    serving.stop();
    let serving = place.serve();
    serving.client.request("GET", "/").header("Host", "guests.example").send().expect(200);
    serving.stop();
}

#[test]
fn the_guide_can_be_pasted_into_a_shell() {
    let guide = include_str!("../../../../../docs/guide/testing.md");
    let place = Place::new();
    let blocks: Vec<(&str, &str)> = guide
        .split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.split_once('\n'))
        .collect();
    let seed = blocks.iter().rfind(|(kind, _)| *kind == "json").unwrap().1;
    std::fs::write(place.path("seed.json"), seed).unwrap();
    let (serving, known) = serve(&place, &["--seed", "seed.json"]);
    let mut ran = 0;
    for (index, (kind, block)) in blocks.iter().enumerate() {
        if *kind != "sh" || !block.contains("curl ") {
            continue;
        }
        let output = Command::new("sh")
            .args(["-euc", block])
            .env("URL", text(&known, "url"))
            .env("TOKEN", text(&known, "token"))
            .env("APPLICATION_ID", text(&known, "applicationId"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
        // What the guide shows below it is what it prints.
        if let Some(("json", shown)) = blocks.get(index + 1) {
            let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(printed, serde_json::from_str::<Value>(shown).unwrap(), "{block}");
        }
        ran += 1;
    }
    assert!(ran >= 5, "{ran} blocks ran");
    serving.stop();
}
