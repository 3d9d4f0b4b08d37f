//! Where a request comes from that a proxy passes on, and what depends on it.

use crate::client::Answer;
use crate::world::{Options, PASSWORD, World};
use guestlist::http::client_address::Proxies;
use guestlist::http::ingress::Ingress;
use serde_json::json;

/// A server that believes the proxies at `trusted` what they say in `client_from`.
fn behind(trusted: &str, client_from: &str) -> World {
    let trusted = vec![trusted.parse().unwrap()];
    let proxies = Proxies { trusted, client_from: client_from.parse().unwrap() };
    let ingress = Ingress { proxies, ..Ingress::default() };
    let world = World::with(&Options { ingress, manual_clock: true, ..Options::default() });
    world.administrator("ada@example.com");
    world
}

/// Tries to sign in, by way of a proxy that says so in these headers.
fn sign_in(world: &World, password: &str, headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "email": "ada@example.com", "password": password });
    let request = world.request("POST", "/auth/user").json(&body);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

/// As many failures as cost nothing.
fn fail(world: &World, headers: &[(&str, &str)]) {
    for _ in 0..20 {
        sign_in(world, "Wrong-passw0rd", headers).expect(401);
    }
}

#[test]
fn a_client_of_a_proxy_waits_alone() {
    for (name, bad, good) in [
        ("x-forwarded-for", "192.0.2.1", "192.0.2.2"),
        ("x-forwarded-for", "2001:db8:0:1::1", "2001:db8:0:2::1"),
        ("forwarded", "for=192.0.2.1;proto=https", "for=\"192.0.2.2:4711\""),
    ] {
        let world = behind("127.0.0.0/8", name);
        fail(&world, &[(name, bad)]);
        sign_in(&world, PASSWORD, &[(name, bad)]).expect(429);
        // Whatever they put before it, and from whichever address of their network.
        let forged = if name == "forwarded" { "for=192.0.2.2" } else { "192.0.2.2" };
        sign_in(&world, PASSWORD, &[(name, &format!("{forged}, {bad}"))]).expect(429);
        sign_in(&world, PASSWORD, &[(name, forged), (name, bad)]).expect(429);
        if bad.contains("::1") {
            sign_in(&world, PASSWORD, &[(name, "2001:db8:0:1:ffff::")]).expect(429);
        }
        sign_in(&world, PASSWORD, &[(name, good)]).expect(200);
    }
}

#[test]
fn nobody_else_is_believed() {
    // It is not where the proxies are, and it is not the header that they write.
    for world in [behind("192.0.2.0/24", "x-forwarded-for"), behind("127.0.0.1", "forwarded")] {
        fail(&world, &[]);
        for from in ["192.0.2.1", "192.0.2.2"] {
            sign_in(&world, PASSWORD, &[("X-Forwarded-For", from)]).expect(429);
        }
        sign_in(&world, PASSWORD, &[]).expect(429);
    }
}
