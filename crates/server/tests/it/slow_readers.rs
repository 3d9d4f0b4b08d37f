//! Clients that ask for large lists and do not read them: at whose expense that is.

use crate::world::{PASSWORD, World, read, shared_hash};
use guestlist::directory::users::rows as users;
use guestlist::directory::users::rules::new_user;
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_user::{ExperienceUser, ExperienceUserPost};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use serde_json::{Map, Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What one application may hold of the memory for pages (`http/memory.rs`).
const OF_ONE: usize = 64 << 20;

/// Users of half a megabyte each.
fn heavy(world: &World, application: ApplicationId, count: usize) {
    let tags: Map<String, Value> =
        (0..1000).map(|tag| (format!("{tag:0255}"), "x".repeat(255).into())).collect();
    let users: Vec<ExperienceUser> = (0..count)
        .map(|number| {
            let email = format!("heavy{number}@example.com");
            let body = json!({ "email": email, "password": PASSWORD, "userTags": tags });
            let post: ExperienceUserPost = read("experienceUser", body);
            let id = ExperienceUserId(world.app.ids.next(world.now()));
            new_user(&post, id, application, Vec::new(), world.now())
        })
        .collect();
    let hash = shared_hash();
    world.write_in(application, move |tx, tenant| {
        users.iter().try_for_each(|user| users::add(tx, tenant, user, &hash))
    });
}

#[test]
fn whoever_does_not_read_makes_room_for_whoever_waits() {
    let world = World::new();
    let [(one, token), (other, others)] = ["one", "other"].map(|name| {
        let id = world.application(name);
        (id, world.token(Principal::Application(id), "all.Application"))
    });
    heavy(&world, one, 12);
    let path = |id: ApplicationId, rest: &str| format!("/applications/{id}/experience/{rest}");
    let page = path(one, "users?perPage=12");
    let length = world.get(&token, &page).expect(200).body.len();
    let began = Instant::now();
    // As many as have room.
    let slow: Vec<TcpStream> = (0..OF_ONE / length)
        .map(|_| {
            let mut stream = world.connect().into_inner();
            let head =
                format!("GET {page} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n");
            stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
            assert_eq!(stream.peek(&mut [0]).unwrap(), 1, "it is being answered");
            stream
        })
        .collect();
    // Others are not concerned, and a small list takes little.
    world.get(&others, &path(other, "users")).expect(200);
    world.get(&token, &path(one, "groups")).expect(200);
    assert_eq!(world.get(&token, &page).expect(200).body.len(), length);
    let took = began.elapsed();
    let cut = slow.into_iter().filter(|stream| {
        let (mut stream, mut all) = (stream, Vec::new());
        // It may end as if it had broken.
        let _ = stream.read_to_end(&mut all);
        all.len() < length
    });
    let cut = cut.count();
    // On a machine that has much to do all are closed, because they have not read for half a minute.
    let most = if took < Duration::from_secs(20) { OF_ONE / length } else { usize::MAX };
    assert!((1..most).contains(&cut), "{cut} were closed");
}
