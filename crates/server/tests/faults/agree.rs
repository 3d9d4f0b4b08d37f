//! What is done on one node holds on all of them.

use super::site::{NODES, Site};
use guestlist_testbed::http::{Answer, Request};
use serde_json::json;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// What costs nothing in a row (`administrators/sign_ins.rs`).
const FREE_SIGN_INS: usize = 20;

fn ask(site: &Site, node: usize, token: &str, request: &Request) -> Answer {
    let mut client = site.client_with(node, token).expect("it serves");
    client.send(request).expect("an answer")
}

/// How long the slowest node went on taking `token` for a `read` after the `by`th node had answered
/// `end`, sent `with` some token, while all of them were asked all the time.
fn outlives(
    site: &Site,
    token: &str,
    read: &Request,
    by: usize,
    end: &Request,
    with: &str,
) -> Duration {
    let (over, answers) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let answered = thread::scope(|scope| {
        for node in 0..NODES {
            let (over, answers) = (&over, &answers);
            scope.spawn(move || {
                let mut client = site.client_with(node, token).expect("it serves");
                while !over.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    let status = client.send(read).expect("an answer").status;
                    answers.lock().expect("nobody panics with it").push((node, start, status));
                }
            });
        }
        let asked = |node, count, since: Option<Instant>| {
            let answers = answers.lock().expect("nobody panics with it");
            let of_node = answers.iter().filter(|(other, start, _)| {
                *other == node && since.is_none_or(|since| *start > since)
            });
            of_node.count() >= count
        };
        let wait = |since| {
            while !(0..NODES).all(|node| asked(node, 20, since)) {
                thread::sleep(Duration::from_millis(1));
            }
        };
        // It is known everywhere.
        wait(None);
        let answer = ask(site, by, with, end);
        let answered = Instant::now();
        assert_eq!(answer.status, 200, "{}", answer.body);
        wait(Some(answered));
        over.store(true, Ordering::Relaxed);
        answered
    });
    let answers = answers.into_inner().expect("nobody panics with it");
    assert!(answers.iter().any(|(_, start, status)| *start < answered && *status == 200));
    assert!(answers.iter().all(|(_, _, status)| matches!(status, 200 | 401)));
    let own = answers.iter().filter(|(node, start, _)| *node == by && *start > answered);
    assert!(own.clone().count() > 0 && own.clone().all(|(_, _, status)| *status == 401));
    let good = answers.iter().filter(|(_, _, status)| *status == 200);
    let last = good.map(|(_, start, _)| start.saturating_duration_since(answered)).max();
    last.unwrap_or_default()
}

#[test]
fn a_token_that_is_ended_on_one_node_is_refused_by_all() {
    let site = Site::new();
    let password = "One-Pass-w0rd";
    let administrator = json!({ "email": "a@guests.test", "password": password });
    site.make_administrator("a@guests.test", password);
    let tokens = site.path("tokens");
    let (read, mut slowest) =
        (Request::new("GET", site.path("experience/users"), None), Duration::ZERO);
    for round in 0..ROUNDS {
        let by = round % NODES;
        for way in ["revoked", "inactive"] {
            let name = format!("{way} {round}");
            let body = json!({ "name": name, "scope": ["all.Application"] });
            let made = ask(
                &site,
                (by + 1) % NODES,
                &site.token,
                &Request::new("POST", tokens.clone(), Some(body)),
            );
            assert_eq!(made.status, 201, "{}", made.body);
            let token = made.body["token"].as_str().expect("a token");
            let one = format!("{tokens}/{}", made.body["id"].as_str().expect("an id"));
            let end = match way {
                "revoked" => Request::new("DELETE", one, None),
                _ => Request::new("PATCH", one, Some(json!({ "status": "inactive" }))),
            };
            slowest = slowest.max(outlives(&site, token, &read, by, &end, &site.token));
        }
        let sign_in = Request::new("POST", "/auth/user".to_owned(), Some(administrator.clone()));
        let made = ask(&site, (by + 1) % NODES, "", &sign_in);
        let session = made.body["token"].as_str().expect("a token");
        // What was made in the same second as the cutoff stays good.
        thread::sleep(Duration::from_millis(1100));
        let me = |body| Request::new("PATCH", "/me".to_owned(), Some(body));
        let now = ask(&site, by, session, &me(json!({ "firstName": format!("{round}") })));
        let end = me(json!({ "tokenCutoff": now.body["lastUpdated"] }));
        let read = Request::new("GET", "/me".to_owned(), None);
        slowest = slowest.max(outlives(&site, session, &read, by, &end, session));
    }
    let _ = writeln!(std::io::stdout(), "taken for another {slowest:?}");
    // What is promised is a second; a node takes a token for good for half of that.
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[test]
fn a_token_that_is_ended_on_one_node_changes_nothing_on_any() {
    let site = Site::new();
    let (tokens, users) = (site.path("tokens"), site.path("experience/users"));
    let body = json!({ "email": "changed@guests.test", "password": "One-Pass-w0rd" });
    let user = ask(&site, 0, &site.token, &Request::new("POST", users.clone(), Some(body)));
    let user = format!("{users}/{}", user.body["id"].as_str().expect("an id"));
    for round in 0..ROUNDS {
        let by = round % NODES;
        let body = json!({ "name": format!("{round}"), "scope": ["all.Application"] });
        let post = Request::new("POST", tokens.clone(), Some(body));
        let made = ask(&site, (by + 1) % NODES, &site.token, &post);
        let token = made.body["token"].as_str().expect("a token");
        let one = format!("{tokens}/{}", made.body["id"].as_str().expect("an id"));
        let end = Request::new("DELETE", one, None);
        // One that shares a commit with others, and one that may change more than a row.
        let name = json!({ "firstName": format!("{round}") });
        let groups = json!({ "experienceGroupIds": [] });
        let body = if round % 2 == 0 { name } else { groups };
        let change = Request::new("PATCH", user.clone(), Some(body));
        let longest = outlives(&site, token, &change, by, &end, &site.token);
        assert_eq!(longest, Duration::ZERO, "round {round}");
    }
}

#[test]
fn a_key_is_answered_once_by_all_nodes_together() {
    let site = Site::new();
    let total = |path: &str| {
        let answer = ask(&site, 0, &site.token, &Request::new("GET", site.path(path), None));
        answer.body["totalCount"].as_u64().expect("a number")
    };
    for round in 0..20 {
        for path in ["experience/groups", "tokens"] {
            let before = total(path);
            let body = json!({ "name": format!("round {round}"), "scope": ["all.Application"] });
            let body = if path == "tokens" { body } else { json!({ "name": body["name"] }) };
            let mut request = Request::new("POST", site.path(path), Some(body));
            request.key = Some(format!("{path}-{round}"));
            let (together, request) = (Barrier::new(2 * NODES), &request);
            let answers: Vec<Answer> = thread::scope(|scope| {
                let (site, together) = (&site, &together);
                let asked: Vec<_> = (0..2 * NODES)
                    .map(|number| {
                        scope.spawn(move || {
                            let client = site.client_with(number % NODES, &site.token);
                            let mut client = client.expect("it serves");
                            together.wait();
                            client.send(request).expect("an answer")
                        })
                    })
                    .collect();
                asked.into_iter().map(|asked| asked.join().expect("an answer")).collect()
            });
            for answer in &answers {
                assert_eq!(answer.status, 201, "{}", answer.body);
                assert_eq!(answer.body, answers[0].body);
            }
            assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1, "{answers:?}");
            assert_eq!(total(path), before + 1);
        }
    }
}

#[test]
fn who_fails_to_sign_in_has_to_wait_on_all_nodes() {
    let site = Site::new();
    let start = Instant::now();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let site = &site;
        let asked: Vec<_> = (0..10 * NODES)
            .map(|number| {
                scope.spawn(move || {
                    let body = json!({ "email": "nobody@guests.test", "password": "password" });
                    let sign_in = Request::new("POST", "/auth/user".to_owned(), Some(body));
                    let mut client = site.client_with(number % NODES, "").expect("it serves");
                    // Where no password can be looked at for want of room, nothing has failed.
                    let mut at_last = || loop {
                        let status = client.send(&sign_in).expect("an answer").status;
                        if status != 503 {
                            break status;
                        }
                    };
                    [at_last(), at_last()]
                })
            })
            .collect();
        asked.into_iter().flat_map(|asked| asked.join().expect("an answer")).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    let tried = statuses.iter().filter(|status| **status != 429).count();
    // While it went on some waits were over: of 1 s, of 2 s, of 4 s.
    let waits = (1..10).take_while(|waits| start.elapsed().as_secs() >= (1 << waits) - 1).count();
    let most = FREE_SIGN_INS + waits;
    assert!((FREE_SIGN_INS..=most).contains(&tried), "{tried} of {} tried", statuses.len());
}
