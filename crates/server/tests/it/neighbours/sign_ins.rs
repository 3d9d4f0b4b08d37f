//! Strangers who sign in, and administrators beside them.

use crate::world::{Options, PASSWORD, World, forwarded};
use guestlist::auth::places::Asker;
use guestlist_store::Flow;
use serde_json::json;

#[test]
fn strangers_who_have_all_places_keep_no_network_out_that_is_known() {
    let ingress = forwarded();
    let world = World::with(&Options { ingress, hash_workers: Some(1), ..Options::default() });
    world.administrator("ada@example.com");
    let sign_in = |from: &str| {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        world.request("POST", "/auth/user").header("X-Forwarded-For", from).json(&body).send()
    };
    let (home, elsewhere) = ("192.0.2.1", "198.51.100.1");
    sign_in(home).expect(200);
    let taken: Vec<_> = (0..=u8::MAX)
        .map_while(|number| {
            let flow = Flow::new(0, [number; 12]);
            let stranger = Asker::Stranger { network: flow, account: flow };
            world.app.hasher.reserve(stranger).ok()
        })
        .collect();
    assert!((1..256).contains(&taken.len()), "there are some places, and no more");
    sign_in(elsewhere).refused(503, "Password hashing is busy: try again in 1 s");
    sign_in(home).expect(200);
    drop(taken);
    sign_in(elsewhere).expect(200);
}
