//! Asking a server whether it serves, as a health check of a container does.

use super::program::Place;
use serde_json::json;

#[test]
fn a_server_is_asked_whether_it_serves() {
    let place = Place::new();
    let serving = place.serve();
    let address = serving.client.connect().get_ref().peer_addr().unwrap();
    let (listen, url) = (address.to_string(), format!("http://{address}"));
    let ask = |more: &[&str]| place.run(&[&["health", "--listen", &listen], more].concat());
    for more in [[].as_slice(), &["--writes"], &["--live"]] {
        assert_eq!(ask(more).ok(), "ok\n");
    }
    assert_eq!(place.run(&["health", "--url", &url, "--json"]).json(), json!({ "status": "ok" }));
    // What the configuration says is who is asked, as the server itself would.
    let file = format!("listen = \"0.0.0.0:{}\"\nstore = \"a.db\"", address.port());
    std::fs::write(place.path("guestlist.toml"), file).unwrap();
    assert_eq!(place.run(&["health"]).ok(), "ok\n");

    let beside = rusqlite::Connection::open(place.path("a.db")).unwrap();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(ask(&[]).ok(), "ok, but takes no changes: The store is busy\n");
    ask(&["--writes"]).failed("does not serve");
    drop(beside);
    assert_eq!(ask(&["--writes"]).ok(), "ok\n");

    serving.stop();
    for more in [[].as_slice(), &["--live"]] {
        ask(more).failed("does not serve");
    }
}
