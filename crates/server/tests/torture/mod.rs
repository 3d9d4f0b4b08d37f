//! The promise about writes, put to the test: a store is worked on by many while its server is killed, its disk
//! loses its power, calls of the system fail or take long, its disk is full, there are no handles left, its database is
//! killed and the wire to that is cut. What was answered is there. What was refused as not done is not. What nobody
//! knows is there as a whole or not at all, and done once when it is sent again. And a doctor finds nothing wrong.
//!
//! `cargo xtask torture` has it go on for longer. `GUESTLIST_TORTURE_SEED` makes the writers do what they did in a run
//! that printed it; when something breaks is the same then, but not how far each had come.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod layers;
mod site;
mod world;
mod writer;

use guestlist_testbed::Random;
use guestlist_testbed::http::Client;
use guestlist_testbed::process::Server;
use layers::Layer;
use site::Site;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use writer::{Tally, Writer};

const WRITERS: u64 = 10;
/// The token from the command line, which is not a writer's.
const OWN_TOKEN: &str = "own";

/// How often the doctor is asked.
const EXAMINED: usize = 4;

/// What goes wrong, in turn.
const OF_A_FILE: [Layer; 14] = [
    Layer::Kill,
    Layer::Power,
    Layer::Calls,
    Layer::Power,
    Layer::Kill,
    Layer::Slow,
    Layer::Power,
    Layer::Kill,
    Layer::Power,
    Layer::Full,
    Layer::Power,
    Layer::Kill,
    Layer::Calls,
    Layer::Handles,
];
const OF_A_DATABASE: [Layer; 6] =
    [Layer::Kill, Layer::Database, Layer::Wire, Layer::Power, Layer::Kill, Layer::Wire];

#[test]
fn torture_on_sqlite() {
    let tally = torture(Site::of_a_file(), &OF_A_FILE, 14);
    assert!(tally.answered > 100 && tally.replayed > 10, "{tally:?}");
}

#[test]
fn torture_on_postgres() {
    let tally = torture(Site::of_a_database(), &OF_A_DATABASE, 6);
    assert!(tally.answered > 100 && tally.replayed > 10, "{tally:?}");
}

/// Goes through `layers` again and again: for so many `rounds`, or as long as somebody says.
fn torture(mut site: Site, layers: &[Layer], rounds: usize) -> Tally {
    let mut random = Random::of("GUESTLIST_TORTURE_SEED").expect("a seed");
    let number = |name: &str| {
        let value = std::env::var(name).ok()?;
        Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    let time = number("GUESTLIST_TORTURE_SECONDS").map(Duration::from_secs);
    let only = std::env::var("GUESTLIST_TORTURE_LAYER").ok();
    let (wanted, left_out): (Vec<Layer>, Vec<Layer>) =
        layers.iter().copied().partition(|layer| site.may(*layer));
    if !left_out.is_empty() {
        let names: Vec<_> = left_out.iter().map(|layer| layer.name()).collect();
        let _ = writeln!(std::io::stderr(), "left out, because only root mounts a disk: {names:?}");
    }
    let wanted: Vec<Layer> = wanted
        .into_iter()
        .filter(|layer| only.as_deref().is_none_or(|only| only == layer.name()))
        .collect();
    assert!(!wanted.is_empty(), "there is no such layer: {only:?}");

    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|number| Writer::new(number, &site.application)).collect();
    let (start, mut done, mut cut) = (Instant::now(), BTreeMap::<&str, u32>::new(), None);
    for (round, layer) in wanted.iter().cycle().enumerate() {
        let is_over = time.map_or(round >= rounds, |time| start.elapsed() >= time);
        if is_over {
            break;
        }
        if random.once_in(4) {
            let starting = site.place.spawn();
            thread::sleep(Duration::from_millis(random.below(60)));
            drop(starting);
            *done.entry("kill at the start").or_default() += 1;
        }
        let server = site.place.spawn().ready();
        verify(&site, &server, &mut writers, cut, &mut random);
        if round % EXAMINED == 0 {
            site.examine();
        }
        cut = work(&mut site, server, &mut writers, *layer, &mut random);
        *done.entry(layer.name()).or_default() += 1;
    }
    let server = site.place.spawn().ready();
    verify(&site, &server, &mut writers, cut, &mut random);
    site.examine();
    server.kill();

    let mut sum = Tally::default();
    for writer in &writers {
        sum.add(writer.tally);
    }
    let took = start.elapsed().as_secs();
    let _ = writeln!(std::io::stdout(), "torture: {done:?} in {took} s; {sum:?}");
    sum
}

/// One round: the writers write while `layer` goes wrong, until the server is killed. When the power was cut, if it
/// was.
fn work(
    site: &mut Site,
    mut server: Server,
    writers: &mut [Writer],
    layer: Layer,
    random: &mut Random,
) -> Option<Instant> {
    let (address, token) = (server.address.clone(), site.token.clone());
    let over = AtomicBool::new(false);
    let cut = thread::scope(|scope| {
        for (number, writer) in (0..).zip(writers) {
            let (address, token, over, random) = (&address, &token, &over, random.fork(number));
            scope.spawn(move || writer.work(address, token, random, over));
        }
        let cut = layer.disturb(site, &mut server, random);
        over.store(true, Ordering::Relaxed);
        server.kill();
        cut
    });
    if cut.is_some() {
        site.restore_power();
    }
    cut
}

/// All that was answered is there, and what became of the rest is found out.
fn verify(
    site: &Site,
    server: &Server,
    writers: &mut [Writer],
    cut: Option<Instant>,
    random: &mut Random,
) {
    let mut client = Client::connect(&server.address, &site.token).expect("a connection");
    let mut worlds = world::read(&mut client, &site.application);
    for (number, writer) in (0..).zip(&mut *writers) {
        writer.recover(&worlds.remove(&number).unwrap_or_default(), &mut client, cut);
    }
    // Sending again may have changed what there is; nothing else may have.
    let mut worlds = world::read(&mut client, &site.application);
    for (number, writer) in (0..).zip(writers) {
        let actual = worlds.remove(&number).unwrap_or_default();
        writer.check(&actual, &server.address, random);
    }
    assert!(worlds.is_empty(), "{worlds:?}");
}
