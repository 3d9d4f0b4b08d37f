//! Whole requests as nobody should send them, and what is nearly one: each is answered as any client expects it,
//! or the connection ends.

use crate::client::Answer;
use crate::world::World;
use guestlist::tokens::rows::Principal;
use guestlist_testbed::Fuzz;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The answers in `bytes`, which is all that came of `request`.
fn answers(mut bytes: &[u8], request: &[u8]) -> Vec<Answer> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        if let Some(rest) = bytes.strip_prefix(CONTINUE) {
            bytes = rest;
            continue;
        }
        // Nothing but what follows says whether it was to HEAD.
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
        let behind = &bytes[end..];
        let bare = behind.is_empty() && request.windows(4).any(|four| four == b"HEAD");
        let method = if bare || behind.starts_with(b"HTTP/1.1 ") { "HEAD" } else { "GET" };
        let answer = Answer::read(&mut bytes, method).expect("a whole answer");
        answer.check(method);
        all.push(answer);
    }
    all
}

#[test]
fn fuzz_requests() {
    let world = World::new();
    let application = world.application("Hostile");
    let group = world.group(application, json!({ "name": "g" }));
    let user = world.user(application, json!({ "email": "a@hostile.test" }), &[&group]);
    let token = world.token(Principal::Application(application), "all.Application");
    let session = world.session(world.administrator("admin@hostile.test"), 0);
    // What a corpus cannot know.
    let places = [
        ("APPLICATION", application.to_string()),
        ("GROUP", group.id.to_string()),
        ("USER", user.id.to_string()),
        ("TOKEN", token.clone()),
        ("SESSION", session),
    ];
    let words = [
        "GET ",
        "POST ",
        "PATCH ",
        "DELETE ",
        "HEAD ",
        "OPTIONS ",
        "/applications/APPLICATION/experience/users",
        "/applications/APPLICATION/experience/groups",
        "/USER",
        "/GROUP",
        "/applications/APPLICATION/tokens",
        "/me",
        "/openapi.json",
        "?perPage=1&page=0",
        "?query=%7B%22email%22:%22a%22%7D",
        "&cursor=",
        " HTTP/1.1\r\n",
        "Host: x\r\n",
        "Authorization: Bearer TOKEN\r\n",
        "Authorization: Bearer SESSION\r\n",
        "\r\n\r\n",
        "Content-Length: 2\r\n",
        "Content-Type: application/json\r\n",
        "Transfer-Encoding: chunked\r\n",
        "2\r\n{}\r\n0\r\n\r\n",
        "Content-Encoding: gzip\r\n",
        "Accept-Encoding: gzip\r\n",
        "Expect: 100-continue\r\n",
        "If-Match: *\r\n",
        "If-None-Match: \"a\"\r\n",
        "Idempotency-Key: k\r\n",
        "Connection: close\r\n",
        "Origin: null\r\n",
        "{\"firstName\":\"f\"}",
        "{\"email\":\"b@hostile.test\",\"password\":\"Correct-h0rse\"}",
        "{}",
    ];
    Fuzz::new("requests").words(words).run(|bytes| {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for (name, value) in &places {
            text = text.replace(name, value);
        }
        // Where it was text, it is that with the names filled in; else it is as it came.
        let request =
            if text.contains(char::REPLACEMENT_CHARACTER) { bytes } else { text.as_bytes() };
        let mut connection = world.connect();
        let stream = connection.get_mut();
        // The server may have seen enough already.
        let _ = stream.write_all(request);
        let _ = stream.shutdown(Shutdown::Write);
        let mut said = Vec::new();
        if connection.read_to_end(&mut said).is_err() {
            return None;
        }
        let told = |answer: &Answer| {
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let words = body["message"].as_str().unwrap_or_default();
            let own = words.split(|c: char| c == '"' || c.is_ascii_digit()).next();
            (answer.status, own.unwrap_or_default().chars().take(40).collect::<String>())
        };
        Some(answers(&said, request).iter().take(3).map(told).collect::<Vec<_>>())
    });
    let users = format!("/applications/{application}/experience/users");
    assert!(
        matches!(world.get(&token, &users).status, 200 | 401 | 403 | 404),
        "it goes on serving"
    );
}
