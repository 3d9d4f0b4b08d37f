//! Who has a place, and who makes room.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn of(max_connections: usize, max_connections_per_client: usize) -> Arc<Connections> {
    let limits = Limits { max_connections, max_connections_per_client, ..Limits::default() };
    Connections::new(limits, None)
}

/// A place for a connection that has said nothing so far.
fn admit(connections: &Arc<Connections>, peer: &str) -> Place {
    let place = connections.admit(ip(peer), false).unwrap();
    place.waits();
    place
}

/// A request, and an answer that has been written.
fn ask(place: &Place, good: bool) {
    assert!(place.begin(true));
    place.end(good);
    place.flushed();
    place.waits();
}

fn is_closed(place: &Place) -> bool {
    place.connection.state.load(Ordering::Relaxed) == CLOSED
}

fn refusal(connections: &Arc<Connections>, peer: &str) -> String {
    connections.admit(ip(peer), false).expect_err("there is no place").to_string()
}

#[test]
fn whoever_is_silent_for_longest_makes_room() {
    let connections = of(3, 3);
    let admit = |peer| admit(&connections, peer);
    let [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(admit);
    // It has asked, and is silent for less long than the others.
    assert!(first.begin(true));
    first.end(true);
    first.waits();
    let fourth = admit("192.0.2.4");
    assert_eq!([&first, &second, &third, &fourth].map(is_closed), [false, true, false, false]);
    assert!(!second.begin(true), "it is too late to ask");
    // What is answered and not written is not silent yet.
    assert!(third.begin(true) && fourth.begin(true));
    assert_eq!(
        refusal(&connections, "192.0.2.5"),
        "The server has too many connections: try again in 1 s"
    );
    first.flushed();
    first.waits();
    let fifth = admit("192.0.2.5");
    assert!(is_closed(&first) && !is_closed(&fifth));
    drop(third);
    drop(admit("192.0.2.6"));
    assert!(!is_closed(&fifth), "there was a place");
}

#[test]
fn whoever_was_not_looked_at_yet_is_not_silent() {
    let connections = of(1, 1);
    let new = connections.admit(ip("192.0.2.1"), false).unwrap();
    refusal(&connections, "192.0.2.2");
    assert!(new.begin(true));
    new.end(true);
    new.flushed();
    refusal(&connections, "192.0.2.2");
    new.waits();
    drop(admit(&connections, "192.0.2.2"));
    assert!(is_closed(&new));
}

#[test]
fn whoever_never_asked_goes_before_whoever_has() {
    let connections = of(2, 2);
    let admit = |peer| admit(&connections, peer);
    let old = admit("192.0.2.1");
    ask(&old, true);
    let bad = admit("192.0.2.2");
    ask(&bad, false);
    let new = admit("192.0.2.3");
    assert_eq!([&old, &bad, &new].map(is_closed), [false, true, false]);
}

#[test]
fn the_largest_network_makes_room_for_others() {
    let connections = of(4, 4);
    let admit = |peer| admit(&connections, peer);
    let unread = |place: Place| {
        assert!(place.begin(false));
        place.note_unread(true);
        place
    };
    let many = ["192.0.2.1"; 3].map(|peer| unread(admit(peer)));
    let good = admit("192.0.2.2");
    ask(&good, true);
    let closed = || many.each_ref().map(is_closed);
    // For itself, before anybody else does.
    let own = unread(admit("192.0.2.1"));
    assert_eq!((closed(), is_closed(&good)), ([true, false, false], false));
    let third = unread(admit("192.0.2.3"));
    assert_eq!((closed(), is_closed(&good)), ([true, true, false], false));
    let fourth = unread(admit("192.0.2.4"));
    assert_eq!((closed(), is_closed(&good)), ([true, true, true], false));
    // All have one.
    let fifth = unread(admit("192.0.2.5"));
    assert!(is_closed(&good));
    refusal(&connections, "192.0.2.6");
    assert!(![own, third, fourth, fifth].iter().any(is_closed));
}

#[test]
fn a_network_has_so_many_places_and_no_more() {
    let connections = of(100, 2);
    let admit = |peer| admit(&connections, peer);
    let others: Vec<Place> = ["192.0.2.1", "192.0.2.2"].map(admit).into();
    let own: Vec<Place> = ["2001:db8::1", "2001:db8::2"].map(admit).into();
    let third = admit("2001:db8::3");
    assert!(is_closed(&own[0]) && !is_closed(&own[1]) && !others.iter().any(is_closed));
    assert!(own[1].begin(true) && third.begin(true));
    let words = refusal(&connections, "2001:db8:0:0:ffff::");
    assert_eq!(words, "There are too many connections from your network: try again in 1 s");
    drop(admit("2001:db8:0:1::"));
    // A proxy has those of many clients.
    let proxied: Vec<Place> =
        (0..9).map(|_| connections.admit(ip("2001:db8::9"), true).unwrap()).collect();
    assert!(!proxied.iter().any(is_closed));
    drop((others, own, third, proxied));
    let open = connections.lock();
    assert!(open.all.is_empty() && open.networks.is_empty());
}
