//! What pages of a browser may do: its questions before it sends something, and what it sends without.

use crate::world::{Options, PASSWORD, World};
use guestlist::http::ingress::Ingress;
use guestlist::http::origins::AllowedOrigins;
use serde_json::json;

const PAGE: &str = "https://app.example";
/// The header by which a browser lets a page read an answer.
const ALLOW: &str = "access-control-allow-origin";

#[test]
fn a_page_cannot_sign_in_without_the_browser_asking_first() {
    let world = World::new();
    world.administrator("ada@example.com");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let post = || world.request("POST", "/auth/user").body(body.clone());
    let not_json = "The request body must be application/json";
    for origin in [PAGE, "null"] {
        let page = || post().header("Origin", origin);
        page().send().refused(415, not_json);
        for simple in ["", "text/plain", "application/x-www-form-urlencoded"] {
            page().header("Content-Type", simple).send().refused(415, not_json);
        }
        let asked = page().header("Content-Type", "application/json; charset=utf-8").send();
        assert_eq!(asked.expect(200).header(ALLOW), Some(origin));
    }
    // Programs may leave it out, as ever.
    post().send().expect(200);
    world.request("GET", "/").header("Origin", PAGE).send().expect(200);
}

#[test]
fn only_pages_of_the_origins_that_are_named_may_call() {
    let origins = AllowedOrigins::parse(&[PAGE.to_owned()]).unwrap();
    let world = World::with(&Options {
        ingress: Ingress { origins, ..Ingress::default() },
        ..Options::default()
    });
    for (method, target) in [("OPTIONS", "/auth/user"), ("GET", "/"), ("GET", "/nowhere")] {
        let request = || world.request(method, target);
        let own = request().header("Origin", PAGE).send();
        assert_eq!((own.header(ALLOW), own.status == 403), (Some(PAGE), false), "{method}");
        for other in ["https://evil.example", "http://app.example", "null"] {
            let refused = request().header("Origin", other).send();
            refused.refused(403, "Access is forbidden");
            assert_eq!(refused.header(ALLOW), None, "{method} {other}");
        }
        let program = request().send();
        assert_eq!((program.header(ALLOW), program.status == 403), (None, false), "{method}");
    }
}
