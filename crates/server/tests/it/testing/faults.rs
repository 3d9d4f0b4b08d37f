//! What goes wrong on demand, and nothing else.

use super::{client, emails, users};
use crate::client::Answer;
use guestlist::testing::{Fault, Server};
use serde_json::{Value, json};
use std::io;
use std::time::{Duration, Instant};

/// Makes the user with this address, or tries to.
fn post(server: &Server, email: &str) -> io::Result<Answer> {
    let user = json!({ "email": email, "password": "a good one" });
    client(server).request("POST", &users(server)).token(server.token()).json(&user).try_send()
}

fn get(server: &Server) -> io::Result<Answer> {
    client(server).request("GET", &users(server)).token(server.token()).try_send()
}

/// The status that a fault gives, with `type` and `Retry-After`; and the request was not served.
fn refused(fault: Fault) -> (u16, Value, Option<String>) {
    let server = Server::blocking().unwrap();
    server.faults().add(fault);
    let answer = post(&server, "a@example.com").unwrap();
    assert_eq!(emails(&server), [""; 0]);
    assert!(!answer.message().is_empty());
    assert_eq!(post(&server, "a@example.com").unwrap().status, 201);
    let retry = answer.header("retry-after").map(str::to_owned);
    (answer.status, answer.json()["type"].clone(), retry)
}

#[test]
fn refusals_look_as_usual_and_nothing_is_done() {
    let seconds = Some("7".to_owned());
    assert_eq!(
        refused(Fault::too_many_requests(7)),
        (429, "TooManyRequests".into(), seconds.clone())
    );
    assert_eq!(refused(Fault::internal()), (500, "Error".into(), None));
    assert_eq!(refused(Fault::unavailable(7)), (503, "ServiceUnavailable".into(), seconds));
}

#[test]
fn a_delay_is_waited_for_and_then_all_is_done() {
    let server = Server::blocking().unwrap();
    server.faults().add(Fault::delay(Duration::from_millis(300)));
    let began = Instant::now();
    assert_eq!(post(&server, "a@example.com").unwrap().status, 201);
    assert!(began.elapsed() >= Duration::from_millis(300));
    // Nobody waits for a request that is still delayed when the server ends.
    server.faults().add(Fault::delay(Duration::from_mins(10)));
    let mut connection = client(&server).connect();
    io::Write::write_all(connection.get_mut(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    while server.faults().left() > 0 {
        std::thread::yield_now();
    }
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_dropped_request_is_not_done_and_a_dropped_answer_is() {
    let server = Server::blocking().unwrap();
    server.faults().add(Fault::drop_request());
    assert_eq!(post(&server, "a@example.com").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(emails(&server), [""; 0]);
    server.faults().add(Fault::drop_answer());
    assert_eq!(post(&server, "b@example.com").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(emails(&server), ["b@example.com"]);
}

#[test]
fn a_torn_answer_begins_well_and_ends_in_the_middle() {
    let server = Server::blocking().unwrap();
    let whole = get(&server).unwrap().body.len();
    server.faults().add(Fault::tear_answer());
    let mut connection = client(&server).connect();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        users(&server),
        server.token()
    );
    io::Write::write_all(connection.get_mut(), request.as_bytes()).unwrap();
    let mut all = Vec::new();
    io::Read::read_to_end(&mut connection, &mut all).unwrap();
    let text = String::from_utf8(all).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {whole}")), "{head}");
    assert_eq!(body.len(), whole / 2);
    // What has no body breaks before the answer.
    for (method, fault) in [("HEAD", Fault::tear_answer()), ("HEAD", Fault::drop_answer())] {
        server.faults().add(fault);
        let head =
            client(&server).request(method, &users(&server)).token(server.token()).try_send();
        assert!(head.is_err(), "{head:?}");
    }
    assert_eq!(get(&server).unwrap().status, 200);
}

#[test]
fn a_fault_strikes_what_it_matches_as_often_as_it_says() {
    let server = Server::blocking().unwrap();
    let status = |answer: io::Result<Answer>| answer.unwrap().status;
    server.faults().add(Fault::internal().times(2).method("post").path("/applications"));
    server.faults().add(Fault::unavailable(1).path("/me"));
    server.faults().add(Fault::internal().times(0));
    assert_eq!(server.faults().left(), 3);
    assert_eq!(status(get(&server)), 200);
    assert_eq!(status(post(&server, "a@example.com")), 500);
    assert_eq!(status(post(&server, "a@example.com")), 500);
    assert_eq!(status(post(&server, "a@example.com")), 201);
    assert_eq!(server.faults().left(), 1);
    server.faults().clear();
    client(&server).get(server.token(), "/me").expect(200);
}

#[test]
fn the_requests_are_listed_without_what_is_secret() {
    let server = Server::blocking().unwrap();
    client(&server).get("", &format!("/me?access_token={}", server.token())).expect(200);
    client(&server).get("wrong", "/me").expect(401);
    server.faults().add(Fault::drop_answer());
    assert!(get(&server).is_err());
    let seen = server.requests();
    let short: Vec<_> =
        seen.iter().map(|seen| (seen.method.as_str(), seen.path.as_str(), seen.status)).collect();
    let list = users(&server);
    assert_eq!(short, [("GET", "/me", Some(200)), ("GET", "/me", Some(401)), ("GET", &list, None)]);
    for _ in 0..1000 {
        client(&server).get("", "/healthz").expect(200);
    }
    assert_eq!(server.requests().len(), 1000);
}
