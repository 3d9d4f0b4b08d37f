//! The promise about writes, put to the test: the server is killed while many write, again and
//! again on one store. What it has answered is there, and what it has not answered is there as a
//! whole or not at all.
//!
//! A process that is killed loses nothing that it gave to the kernel, synced or not. That each
//! commit is synced is for the test of the store's settings to see (`connections_are_set_as_promised`).
//!
//! `GUESTLIST_CRASH_SEED` makes the writers do what they did in a run that printed it. When the
//! server is killed is the same then, but not how far it had come.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod world;
mod writer;

use guestlist_testbed::Random;
use guestlist_testbed::http::Client;
use guestlist_testbed::process::{Place, Server};
use rusqlite::{Connection, OpenFlags};
use std::io::Write as _;
use std::thread;
use std::time::Duration;
use writer::{Tally, Writer};

/// How often the server is killed while it is at work. On some starts it is killed once before.
const KILLS: u64 = 32;
const WRITERS: u64 = 10;
/// The token from the command line, which is not a writer's.
const OWN_TOKEN: &str = "own";

#[test]
fn what_is_answered_survives_and_nothing_is_kept_by_halves() {
    let mut random = Random::of("GUESTLIST_CRASH_SEED").expect("a seed");
    let place = Place::new(env!("CARGO_BIN_EXE_guestlist"));
    let made = place.run(&["application", "create", "--name", "Crash"]);
    let application = made["applicationId"].as_str().expect("an id");
    let scope = ["--scope", "all.Application"];
    let arguments = ["token", "create", "--application", application, "--name", OWN_TOKEN];
    let made = place.run(&[&arguments[..], &scope[..]].concat());
    let token = made["token"].as_str().expect("a token");
    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|number| Writer::new(number, application)).collect();

    for _ in 0..KILLS {
        if random.once_in(4) {
            let starting = place.spawn();
            thread::sleep(Duration::from_millis(random.below(60)));
            drop(starting);
        }
        let server = place.spawn().ready();
        verify(&place, &server, &mut writers, application, token, &mut random);
        let address = server.address.clone();
        thread::scope(|scope| {
            for (number, writer) in (0..).zip(&mut writers) {
                let (address, random) = (&address, random.fork(number));
                scope.spawn(move || writer.work(address, token, random));
            }
            thread::sleep(Duration::from_millis(100 + random.below(900)));
            server.kill();
        });
    }
    let server = place.spawn().ready();
    verify(&place, &server, &mut writers, application, token, &mut random);
    server.kill();

    let mut sum = Tally::default();
    for Writer { tally, .. } in &writers {
        sum.answered += tally.answered;
        sum.kept += tally.kept;
        sum.lost += tally.lost;
        sum.replayed += tally.replayed;
    }
    let _ = writeln!(std::io::stdout(), "{sum:?}");
    // What did not happen was not tested.
    assert!(sum.answered > 1000 && sum.kept > 4 && sum.lost > 4 && sum.replayed > 50, "{sum:?}");
}

fn verify(
    place: &Place,
    server: &Server,
    writers: &mut [Writer],
    application: &str,
    token: &str,
    random: &mut Random,
) {
    let mut client = Client::connect(&server.address, token).expect("a connection");
    let mut worlds = world::read(&mut client, application);
    for (number, writer) in (0..).zip(&mut *writers) {
        writer.recover(&worlds.remove(&number).unwrap_or_default(), &mut client);
    }
    // Sending again may have changed what there is; nothing else may have.
    let mut worlds = world::read(&mut client, application);
    for (number, writer) in (0..).zip(writers) {
        let actual = worlds.remove(&number).unwrap_or_default();
        writer.check(&actual, &server.address, random);
    }
    assert!(worlds.is_empty(), "{worlds:?}");

    // Beside the server, and only looking: closing the last connection would clean up after the
    // crash, which is for the server to do.
    let database = Connection::open_with_flags(place.store(), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the store");
    let all = |pragma: &str| -> Vec<String> {
        let mut statement = database.prepare(pragma).expect("a pragma");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("its rows");
        rows.map(|row| row.expect("text")).collect()
    };
    assert_eq!(all("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(all("PRAGMA foreign_key_check"), [""; 0]);
}
