//! Connections of one who does not read, and of one who says nothing.

use super::Tenant;
use crate::world::{Options, World};
use serde_json::{Value, json};
use std::io::{BufRead as _, Write as _};
use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

/// Another network than that of everybody else.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[test]
fn pages_that_one_does_not_read_keep_no_other_from_lists() {
    let world = World::new();
    let (one, other) = (Tenant::new(&world, "one"), Tenant::new(&world, "other"));
    let tags: Value = (0..1000).map(|tag| (format!("tag{tag}"), json!("v".repeat(250)))).collect();
    for number in 0..24 {
        let email = format!("large{number}@one.example");
        world.user(one.id, json!({ "email": email, "userTags": tags }), &[]);
    }
    // Of a quarter of the memory for pages, which is what one may have, nine have nearly all.
    let asked = world.request("GET", &one.path("users?perPage=100")).token(&one.token).bytes();
    let slow: Vec<_> = (0..12)
        .map(|_| {
            let mut connection = world.connect_with(Some(4096));
            connection.get_mut().write_all(&asked).unwrap();
            connection.get_ref().set_nonblocking(true).unwrap();
            connection
        })
        .collect();
    while slow.iter().filter(|one| one.get_ref().peek(&mut [0]).is_ok()).count() < 9 {
        thread::sleep(Duration::from_millis(10));
    }
    for round in 0..10 {
        let list = other.path(&format!("users?perPage={}", 5 + round));
        world.get(&other.token, &list).expect(200);
    }
    drop(slow);
}

#[test]
fn bodies_that_do_not_come_end_no_connection_that_is_good() {
    let connections = Some((12, 8));
    let world = World::with(&Options { connections, ..Options::default() });
    let other = Tenant::new(&world, "other");
    let elsewhere = world.from(ELSEWHERE);
    let users = other.path("users");
    let head = format!("POST {users} HTTP/1.1\r\nHost: guests.test\r\nContent-Length: 10000\r\n");
    let asked = head + "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n";
    let (mut open, networks) = (Vec::new(), [1, 2, 3].map(|last| Ipv4Addr::new(127, 0, 1, last)));
    for _ in 0..10 {
        for network in networks {
            let mut connection = world.from(network).connect();
            connection.get_mut().write_all(asked.as_bytes()).unwrap();
            // The body is waited for.
            let mut line = String::new();
            connection.read_line(&mut line).unwrap();
            assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
            open.push(connection);
        }
        // Over the same connection always.
        elsewhere.get(&other.token, &other.user).expect(200);
    }
}

#[test]
fn connections_of_one_network_keep_no_other_out() {
    let connections = Some((8, 4));
    let world = World::with(&Options { connections, ..Options::default() });
    let other = Tenant::new(&world, "other");
    let elsewhere = world.from(ELSEWHERE);
    let host = "HTTP/1.1\r\nHost: guests.test\r\n";
    let body = "Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{";
    let said = [
        String::new(),
        format!("GET / {host}"),
        format!("POST {} {host}{body}", other.path("users")),
    ];
    for words in &said {
        let mut held = Vec::new();
        for _ in 0..5 {
            for _ in 0..4 {
                let mut connection = world.connect();
                // It may be closed already.
                drop(connection.get_mut().write_all(words.as_bytes()));
                held.push(connection);
            }
            // Over a connection that is there, and over new ones.
            elsewhere.get(&other.token, &other.user).expect(200);
            for path in [other.user.as_str(), "/readyz"] {
                let asked = elsewhere.request("GET", path).token(&other.token);
                asked.try_send().unwrap().expect(200);
            }
        }
    }
}
