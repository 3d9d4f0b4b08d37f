//! The server that tests start inside themselves.

#![expect(clippy::print_stdout, reason = "times are for whoever runs these by hand")]

#[path = "../../examples/in_a_test.rs"]
mod example;
mod faults;
mod seeds;

use crate::client::Client;
use guestlist::testing::Server;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The address behind a URL.
fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

fn client(server: &Server) -> Client {
    Client::new(address(server.url()))
}

fn users(server: &Server) -> String {
    format!("/applications/{}/experience/users", server.application_id())
}

/// The addresses of the server's users.
fn emails(server: &Server) -> Vec<String> {
    let page = client(server).get(server.token(), &users(server)).expect(200).json();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_example_does_what_it_says() {
    example::main().unwrap();
}

#[test]
fn many_servers_in_one_process_share_nothing() {
    const MANY: usize = 100;
    let began = Instant::now();
    let servers: Vec<Server> = (0..MANY).map(|_| Server::blocking().unwrap()).collect();
    let started = began.elapsed();
    for (index, server) in servers.iter().enumerate() {
        let user = json!({ "email": format!("{index}@example.com"), "password": "a good one" });
        client(server).call(server.token(), "POST", &users(server), &user).expect(201);
    }
    for (index, server) in servers.iter().enumerate() {
        assert_eq!(emails(server), [format!("{index}@example.com")]);
        let other = &servers[(index + 1) % MANY];
        client(server).get(other.token(), &users(server)).expect(401);
        client(server).get(server.token(), &users(other)).expect(404);
    }
    let asked = began.elapsed();
    drop(servers);
    println!(
        "{MANY} servers: started in {started:?}, asked by {asked:?}, gone by {:?}",
        began.elapsed()
    );
}

#[test]
fn a_server_is_ready_soon() {
    let mut times: Vec<Duration> = (0..50)
        .map(|_| {
            let began = Instant::now();
            let server = Server::blocking().unwrap();
            client(&server).get(server.token(), "/me").expect(200);
            began.elapsed()
        })
        .collect();
    times.sort();
    println!("ready and answering: median {:?}, slowest {:?}", times[25], times[49]);
    assert!(times[25] < Duration::from_secs(5), "{times:?}");
}

#[tokio::test]
async fn it_works_from_within_a_runtime() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.url(), two.url());
    assert_eq!(emails(&one), Vec::<String>::new());
    two.reset().unwrap();
    let blocking = Server::blocking().unwrap();
    client(&blocking).get(blocking.application_token(), &users(&blocking)).expect(200);
    let me = client(&blocking).get(blocking.token(), "/me").expect(200).json();
    assert_eq!(me["email"], Value::from(guestlist::testing::EMAIL));
}
