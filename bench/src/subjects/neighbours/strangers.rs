//! Scenes of those who have shown no token, of hashing and of connections.

use super::attackers::{From, Scene, many_networks, one_network};
use super::probe::HOME;
use super::stage::Worst;
use crate::target::{EMAIL, PASSWORD};
use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use guestlist_bench::http::request;
use serde_json::json;
use std::io::Write as _;
use std::net::SocketAddr;

/// A megabyte that is nothing.
fn megabyte() -> String {
    format!("[{}0]", "{\"a\":0},".repeat(130_000))
}

/// The same as a kilobyte.
fn bomb() -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(megabyte().as_bytes())?;
    Ok(packer.finish()?)
}

fn packed(path: &str, token: &str, body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Encoding: gzip\r\nContent-Length: {}\r\n",
        body.len()
    );
    if !token.is_empty() {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

fn sign_in(email: &str) -> Vec<u8> {
    let body = json!({ "email": email, "password": "A-bad-passw0rd" }).to_string();
    request("POST", "/auth/user", "", &body)
}

pub(super) fn scenes(one: &Worst, to: SocketAddr) -> Result<Vec<Scene>> {
    let (users, token) = (one.seeded.users_path(), one.seeded.token.clone());
    let (here, everywhere): ((_, From), (_, From)) = ((to, one_network), (to, many_networks));
    let user = format!("{users}/{}", one.ids[1]);
    let bomb = bomb()?;
    let (nobody, somebody) = (packed(&users, "", &bomb), packed(&users, &token, &bomb));
    let long = request("POST", &users, "", &megabyte());
    // Each another, of which the signature is wrong.
    let (unsigned, path) =
        (token.rsplit_once('.').map_or("", |(text, _)| text).to_owned(), user.clone());
    let forged = move |number: u64| request("GET", &path, &format!("{unsigned}.{number:086}"), "");
    let password = json!({ "password": PASSWORD }).to_string();
    let hashes = request("PATCH", &user, &token, &password);
    let known = {
        let email = "taken@example.com";
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        request("POST", &users, &token, &body)
    };
    let unknown = |number: u64| sign_in(&format!("nobody{number}@example.com"));
    let half =
        |length: &str| format!("POST {users} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}").into_bytes();
    let body = "Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{";
    let (nothing, head, body) = (Vec::new(), half(""), half(body));
    Ok(vec![
        Scene::asking(
            "a megabyte in a kilobyte without a token, 32 at a time",
            32,
            here,
            move |_| nobody.clone(),
        ),
        Scene::asking("a megabyte in a kilobyte with a token, 16 at a time", 16, here, move |_| {
            somebody.clone()
        }),
        Scene::asking("a megabyte without a token, 16 at a time", 16, here, move |_| long.clone()),
        Scene::asking("forged tokens, 32 at a time", 32, here, forged),
        Scene::asking("passwords of users changed, 16 at a time", 16, here, move |_| {
            hashes.clone()
        }),
        Scene::asking("users made whose address is taken, 16 at a time", 16, here, move |_| {
            known.clone()
        }),
        Scene::asking(
            "strangers of one network who sign in to accounts that nobody has, 24 at a time",
            24,
            here,
            unknown,
        ),
        Scene::asking(
            "strangers of the administrator's network who sign in to accounts that nobody has, 24 at a time",
            24,
            (to, |_| HOME),
            unknown,
        ),
        Scene::asking(
            "strangers of sixteen networks who sign in to accounts that nobody has, 96 at a time",
            96,
            everywhere,
            unknown,
        ),
        Scene::asking(
            "strangers of one network who guess the administrator's password, 24 at a time",
            24,
            here,
            |_| sign_in(EMAIL),
        ),
        Scene::asking(
            "strangers of sixteen networks who guess the administrator's password, 48 at a time",
            48,
            everywhere,
            |_| sign_in(EMAIL),
        ),
        Scene::silent(
            "5,000 silent connections of one network",
            5000,
            here,
            vec![nothing.clone(), head.clone()],
        ),
        Scene::silent(
            "1,500 bodies that do not come of one network",
            1500,
            here,
            vec![body.clone()],
        ),
        Scene::silent(
            "5,000 silent connections of sixteen networks",
            5000,
            everywhere,
            vec![nothing, head],
        ),
        Scene::silent(
            "5,000 bodies that do not come of sixteen networks",
            5000,
            everywhere,
            vec![body],
        ),
    ])
}

/// What reaches a server only by way of a proxy, which is at `to`.
pub(super) fn behind(worst: &Worst, to: SocketAddr) -> Vec<Scene> {
    let storm = |name| {
        let unknown = |number: u64| sign_in(&format!("nobody{number}@example.com"));
        Scene::asking(name, 96, (to, many_networks), unknown)
    };
    let users = worst.seeded.users_path();
    let head = format!("POST {users} HTTP/1.1\r\nHost: 127.0.0.1\r\n").into_bytes();
    let length = b"Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{";
    let body = [&head[..], length].concat();
    let flood = |name| {
        Scene::silent(name, 5000, (to, many_networks), vec![Vec::new(), head.clone(), body.clone()])
    };
    vec![
        storm(
            "strangers of sixteen networks who sign in to accounts that nobody has, 96 at a time",
        ),
        flood("5,000 connections of sixteen networks that ask for nothing, or not to the end"),
        Scene::together("both at once", vec![storm("storm"), flood("flood")]),
    ]
}
