//! Two programs in turn on a machine that does nothing else: whether one is as fast as the other.

use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::Running;
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, number};
use crate::target::{Copied, Seeded, Writing};
use anyhow::{Context as _, Result};
use std::fs;

const CONNECTIONS: usize = 64;
/// How many users are read again and again.
const HOT: usize = 10_000;
/// How much slower it may be.
const AS_FAST: f64 = 0.97;

/// A program that serves a store of its own.
struct Side {
    bench: Bench,
    server: Running,
    get: Load,
    // What goes after its server.
    copy: Copied,
}

impl Side {
    fn new(bench: &Bench, seeded: &Seeded) -> Result<Self> {
        let copy = seeded.copy(bench)?;
        let server = copy.seeded.serve(bench)?;
        let hot = To::Any(copy.seeded.urls(bench, &server, Some(HOT))?);
        let get = Load::get(hot, &copy.seeded.token, CONNECTIONS, bench.seconds);
        Ok(Self { bench: bench.clone(), server, get, copy })
    }

    fn get(&self) -> Result<Seen> {
        self.bench.load(&self.get)
    }

    fn patch(&self) -> Result<Seen> {
        let patch = Writing::new("patch", CONNECTIONS, self.bench.seconds);
        Ok(patch.run(&self.bench, &self.copy.seeded, &self.server)?.seen)
    }
}

/// What a side does in a turn.
type Turn = fn(&Side) -> Result<Seen>;

/// What both did in a round: this program, and the other.
type Round = [[Seen; 2]; 2];

/// The other, this one, this one, the other: what a machine does faster or slower meanwhile is no one's. Each
/// round starts both anew: the same program differs by a tenth from start to start, by where its memory is.
fn round(bench: &Bench, before: &Bench, seeded: &Seeded, what: Turn) -> Result<Round> {
    let (ours, other) = (Side::new(bench, seeded)?, Side::new(before, seeded)?);
    for side in [&ours, &other] {
        what(side)?;
    }
    let [first, second, third, fourth] = [&other, &ours, &ours, &other].map(what);
    let seen = [[second?, third?], [first?, fourth?]];
    ours.server.stop()?;
    other.server.stop()?;
    Ok(seen)
}

pub(super) fn compare(bench: &Bench) -> Result<Page> {
    let other = bench.other.as_ref().context("--other has to name the other program")?;
    let other = other.canonicalize().with_context(|| format!("no {}", other.display()))?;
    let mut page = Page::new("compare", "Two programs", "");
    let before = bench.of(other, bench.place.join("other"));
    if before.place.exists() {
        fs::remove_dir_all(&before.place)?;
    }
    fs::create_dir_all(&before.place)?;
    // By the other, whose stores this one brings up to date.
    let (store, ids) = (before.place.join("seeded.db"), before.place.join("ids.txt"));
    let seeded = Seeded::fill(&before, &store.to_string_lossy(), &ids, bench.users)?;
    for (what, turn) in
        [("GET, 10,000 hot users", Side::get as Turn), ("PATCH, durable", Side::patch)]
    {
        let rounds = (0..bench.rounds).map(|_| round(bench, &before, &seeded, turn));
        let rounds: Vec<Round> = rounds.collect::<Result<_>>()?;
        let rate = |of: &[Seen; 2]| f64::midpoint(of[0].rate, of[1].rate);
        let [mine, theirs] = [0, 1].map(|side: usize| {
            let seen: Vec<Seen> = rounds.iter().flat_map(|round| round[side].clone()).collect();
            page.series(&format!("{what}, {}", ["this", "the other"][side]), &seen, &[]);
            number(Spread::of(rounds.iter().map(|round| rate(&round[side]))).median)
        });
        page.goal(Goal {
            what: what.into(),
            ours: format!("{mine}/s"),
            base: format!("{theirs}/s"),
            figure: Spread::of(rounds.iter().map(|[ours, other]| rate(ours) / rate(other))),
            unit: "",
            bound: Bound::AtLeast(AS_FAST, 1.0),
        });
    }
    fs::remove_dir_all(&before.place)?;
    Ok(page)
}
