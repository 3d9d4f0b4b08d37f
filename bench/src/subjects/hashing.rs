//! What costs a hash: new users.

use super::writes::slower;
use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, number};
use crate::target::{Seeded, Writing, hashes};
use anyhow::Result;

/// As many as wait for the hashing threads, and no more: one more would be refused.
const CREATING: usize = 8;

pub(super) fn goal(what: &str, ours: &[Seen], base: &[f64], bound: Bound) -> Goal {
    Goal {
        what: what.into(),
        ours: format!("{}/s", number(Spread::of(ours.iter().map(|seen| seen.rate)).median)),
        base: format!("{} hashes/s", number(Spread::of(base.iter().copied()).median)),
        figure: Spread::of(ours.iter().zip(base).map(|(ours, base)| ours.rate / base)),
        unit: "",
        bound,
    }
}

pub(super) fn create(bench: &Bench) -> Result<Page> {
    const RATE: f64 = 2000.0;
    let mut page = Page::new(
        "create",
        "Making users",
        "POSTs of users, each with another address, over 8 connections, which keeps the hashing threads \
         busy and refuses nobody. The floor is the bare hash (Argon2id, 19 MiB, two passes) on as many \
         threads, on the same processors. Then GETs at a fixed rate, with and without that.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let seeded = &copy.seeded;
    let server = seeded.serve(bench)?;
    let creating = Writing::new("create", CREATING, bench.seconds);
    creating.run(bench, seeded, &server)?;
    let (mut bare, mut made, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bare.push(hashes(bench, bench.seconds)?);
        let (wrote, seen) = server.watch(None, || creating.run(bench, seeded, &server))?;
        made.push(wrote.seen);
        watched.push(seen);
    }
    page.series("create, 8 connections", &made, &watched);
    page.goal(goal("create, hash included", &made, &bare, Bound::AtLeast(0.90, 0.97)));

    let urls = To::Any(seeded.urls(bench, &server, Some(10_000))?);
    let get = Load::get(urls, &seeded.token, 16, bench.seconds).at(RATE);
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        quiet.push(bench.load(&get)?);
        busy.push(creating.during(bench, (seeded, &server), || bench.load(&get))?);
    }
    page.series("GET, 2,000 a second, nothing else", &quiet, &[]);
    page.series("GET, 2,000 a second, while users are made", &busy, &[]);
    let what = "GET p99 at a fixed rate while creates saturate the hashing";
    page.goal(slower(what, &quiet, &busy, Bound::AtMost(1.5, 1.2)));
    server.stop()?;
    Ok(page)
}
