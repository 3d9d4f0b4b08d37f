//! What is counted, as whoever scrapes it reads it.

#![expect(clippy::float_cmp, reason = "what is counted is whole, and far from where that ends")]

mod ops;
pub(crate) mod scrape;

use crate::client::Client;
use crate::world::{Options, PASSWORD, World};
use guestlist::http::ingress::Ingress;
use guestlist::http::tls::TlsFiles;
use guestlist::store::StoreUrl;
use guestlist::tokens::rows::Principal;
use scrape::Scrape;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

fn watched() -> World {
    World::with(&Options { metrics: true, ..Options::default() })
}

/// Whether the stores of these tests are files.
fn on_sqlite(world: &World) -> bool {
    matches!(world.place(), StoreUrl::Sqlite(_))
}

/// A world in which something of each kind has happened.
fn busy() -> (World, String, String) {
    let world = watched();
    let application = world.application("Counted");
    let token = world.token(Principal::Application(application), "all.Application");
    let user = world.user(application, json!({ "email": "ada@example.com" }), &[]);
    world.administrator("root@example.com");
    let path = format!("/applications/{application}/experience/users/{}", user.id);
    for _ in 0..3 {
        world.get(&token, &path).expect(200);
    }
    world.call(&token, "PATCH", &path, &json!({ "firstName": "Ada" })).expect(200);
    world.get("", &path).expect(403);
    world.get(&token, "/nowhere").expect(404);
    for (password, status) in [("Wrong-passw0rd", 401), (PASSWORD, 200)] {
        let body = json!({ "email": "root@example.com", "password": password });
        world.call("", "POST", "/auth/user", &body).expect(status);
    }
    (world, token, path)
}

/// The tables of the guide: for each metric its kind and its labels, of those that there are where the
/// store is of this kind, and has a standby or none; and with one, TLS.
fn guide(sqlite: bool, standby: bool) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = include_str!("../../../../docs/reference/metrics.md");
    let other = if sqlite { "The store on PostgreSQL" } else { "The store on SQLite" };
    let sections = text.split("\n## ").skip(1);
    let more = |part: &str| part.starts_with("A standby") || part.starts_with("TLS");
    let here = sections.filter(|part| !part.starts_with(other) && (standby || !more(part)));
    let lines = here.flat_map(str::lines).filter(|line| line.starts_with("| `"));
    let read = |line: &str| {
        let cells: Vec<&str> = line.split('|').skip(1).map(str::trim).collect();
        let labels = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    };
    lines.map(read).collect()
}

#[test]
fn each_metric_has_a_line_of_the_guide_and_no_other() {
    let (world, ..) = busy();
    let scrape = Scrape::once(world.scraper(), Scrape::is_whole);
    let told: BTreeMap<_, (String, BTreeSet<String>)> = scrape
        .kinds
        .iter()
        .map(|(name, kind)| (name.clone(), (kind.clone(), scrape.labels(name))))
        .collect();
    assert_eq!(told, guide(on_sqlite(&world), false));
}

#[test]
fn the_end_of_the_certificate_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = file("cert.pem", params.self_signed(&key).unwrap().pem());
    let tls = Some(TlsFiles { certificate, key: file("key.pem", key.serialize_pem()) });
    let ingress = Ingress { tls, ..Ingress::default() };
    let world = World::with(&Options { metrics: true, ingress, ..Options::default() });
    let scrape = Scrape::once(world.scraper(), Scrape::is_whole);
    // 2040-01-01T00:00:00Z.
    assert_eq!(scrape.sum("guestlist_tls_certificate_end_timestamp_seconds", &[]), 2_208_988_800.0);
}

#[test]
fn what_happened_is_counted() {
    let (world, ..) = busy();
    let busy_seconds = |scrape: &Scrape| scrape.sum("guestlist_hash_busy_seconds_total", &[]);
    let settled = |scrape: &Scrape| scrape.is_whole() && busy_seconds(scrape) > 0.0;
    let scrape = Scrape::once(world.scraper(), settled);
    let count = |name: &str, labels: &[(&str, &str)]| scrape.sum(name, labels);
    let durations = "guestlist_http_request_duration_seconds";
    let answered = |operation, status| {
        let labels = [("operation", operation), ("status", status)];
        count(&format!("{durations}_count"), &labels)
    };
    let get = "experienceUser.get";
    assert_eq!((answered(get, "200"), answered(get, "403")), (3.0, 1.0));
    assert_eq!((answered("none", "404"), answered("experienceUser.patch", "200")), (1.0, 1.0));
    let of_get = [("operation", get), ("status", "200")];
    assert!(count(&format!("{durations}_sum"), &of_get) > 0.0);
    let all = [of_get[0], of_get[1], ("le", "+Inf")];
    assert_eq!(count(&format!("{durations}_bucket"), &all), 3.0);
    assert_eq!(count("guestlist_http_errors_total", &[("type", "Forbidden")]), 1.0);
    assert_eq!(count("guestlist_http_errors_total", &[("type", "Unauthorized")]), 1.0);
    for (event, times) in [("sign_in.failed", 1.0), ("sign_in.succeeded", 1.0), ("key.made", 0.0)] {
        assert_eq!(count("guestlist_credential_events_total", &[("event", event)]), times);
    }
    assert_eq!(count("guestlist_hashes_total", &[]), 2.0);
    assert!(busy_seconds(&scrape) > 0.0);
    let written = [("queue", "write"), ("outcome", "done")];
    assert!(count("guestlist_store_jobs_total", &written) >= 1.0);
    let commits = count("guestlist_store_commit_seconds_count", &[]);
    assert!(commits >= 1.0);
    assert!(count("guestlist_store_commit_writes_sum", &[]) >= commits);
    assert!(count("guestlist_http_response_body_bytes_total", &[]) > 1000.0);
    for (name, value) in [
        ("guestlist_store_readable", 1.0),
        ("guestlist_store_writable", 1.0),
        ("guestlist_http_active_requests", 0.0),
        ("guestlist_http_connections_limit", 4096.0),
        ("guestlist_hash_waiting", 0.0),
    ] {
        assert_eq!(count(name, &[]), value, "{name}");
    }
    assert!(count("guestlist_http_connections", &[]) >= 1.0);
    if on_sqlite(&world) {
        let hits = [("cache", "response"), ("result", "hit")];
        assert_eq!(count("guestlist_cache_lookups_total", &hits), 1.0);
        assert!(count("guestlist_store_wal_pages", &[]) >= 1.0);
        assert!(count("guestlist_store_inline_reads_total", &[]) >= 1.0);
    } else {
        // As many as a world has threads.
        assert_eq!(count("guestlist_store_connections", &[]), 7.0);
    }
}

#[test]
fn no_client_makes_a_series() {
    let (world, token, path) = busy();
    // What they ask for in these ways is there from the first of each.
    let ask = |number: u32| {
        for method in ["GET", "PURGE", "POST"] {
            let method = if method == "PURGE" { format!("X{number}") } else { method.to_owned() };
            let target = format!("/scan/{number}.php?x={number}");
            let request = world.request(&method, &target).header("User-Agent", &number.to_string());
            request.token(&format!("token-{number}")).send().expect(404);
        }
        world.get(&token, &format!("{path}?unknown={number}")).expect(200);
        let user = format!("{}{number:024x}", &path[..path.len() - 24]);
        world.get(&token, &user).expect(404);
        world.get(&format!("token-{number}"), &path).expect(401);
    };
    ask(0);
    let series = || Scrape::once(world.scraper(), Scrape::is_whole).series();
    let before = series();
    (1..200).for_each(ask);
    assert_eq!(series(), before);
}

#[test]
fn metrics_have_a_listener_of_their_own_and_nothing_else_is_there() {
    let (world, token, path) = busy();
    world.get(&token, "/metrics").expect(404);
    let scraper: &Client = world.scraper();
    for target in ["/", path.as_str(), "/healthz"] {
        assert_eq!(scraper.request("GET", target).token(&token).send().status, 404, "{target}");
    }
    assert_eq!(scraper.request("POST", "/metrics").send().status, 405);
    assert_eq!(scraper.request("HEAD", "/metrics").try_send().unwrap().status, 200);
}
