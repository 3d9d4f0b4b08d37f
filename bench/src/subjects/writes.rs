//! One user, changed or deleted: what is answered is on the disk.

use crate::load::FIXED;
use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::{Running, Watched};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, number};
use crate::target::{Copied, Seeded, Writing, Wrote, syncs};
use anyhow::Result;

/// A load of writes, beside what the disk did just before and just after.
struct Turn {
    writing: Writing,
    wrote: Vec<Wrote>,
    watched: Vec<Watched>,
    syncs: Vec<f64>,
}

impl Turn {
    fn new(what: &'static str, connections: usize, seconds: f64) -> Self {
        let writing = Writing::new(what, connections, seconds);
        Self { writing, wrote: Vec::new(), watched: Vec::new(), syncs: Vec::new() }
    }

    fn take(&mut self, bench: &Bench, copy: &Copied, server: &Running) -> Result<()> {
        let before = syncs(bench, 1.0)?;
        let log = copy.log();
        let (wrote, watched) =
            server.watch(Some(&log), || self.writing.run(bench, &copy.seeded, server))?;
        self.syncs.push(f64::midpoint(before, syncs(bench, 1.0)?));
        self.wrote.push(wrote);
        self.watched.push(watched);
        Ok(())
    }

    fn seen(&self) -> Vec<Seen> {
        self.wrote.iter().map(|wrote| wrote.seen.clone()).collect()
    }

    fn of(&self, field: fn(&Seen) -> f64) -> Spread {
        Spread::of(self.wrote.iter().map(|wrote| field(&wrote.seen)))
    }

    fn against_syncs(&self) -> Spread {
        Spread::of(self.wrote.iter().zip(&self.syncs).map(|(wrote, syncs)| wrote.seen.rate / syncs))
    }

    fn goal(&self, what: String, bound: Bound) -> Goal {
        let syncs = Spread::of(self.syncs.iter().copied());
        Goal {
            what,
            ours: format!("{}/s", number(self.of(|seen| seen.rate).median)),
            base: format!("{} syncs/s", number(syncs.median)),
            figure: self.against_syncs(),
            unit: "",
            bound,
        }
    }

    fn name(&self) -> String {
        match self.writing.connections {
            1 => "1 client".into(),
            many => format!("{many} clients, {:.0} s", self.writing.seconds),
        }
    }
}

pub(super) fn patch(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "patch",
        "Changing one user",
        "PATCHes of a user drawn by chance from all of them, each with another given name: an update \
         of a row and of two of its indexes. Each is answered when it is on the disk. The floor is what \
         the same file system syncs of appends of 8 KiB, one after the other, measured for a second \
         before and after each turn. The bodies come from a generator of our own, because they all \
         differ and the rate is looked at every five seconds; below it is held against `oha`.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let server = copy.seeded.serve(bench)?;
    page.notes.push(agree(bench, &copy.seeded, &server)?);
    let short = (bench.sustain / 10.0).max(bench.seconds);
    let mut turns = [(64, bench.sustain), (256, bench.sustain), (1, short)]
        .map(|(connections, seconds)| Turn::new("patch", connections, seconds));
    for _ in 0..bench.rounds {
        turns.iter_mut().try_for_each(|turn| turn.take(bench, &copy, &server))?;
    }
    for turn in &turns {
        page.series(&turn.name(), &turn.seen(), &turn.watched);
    }
    let [some, many, one] = &turns;
    let what = |turn: &Turn| format!("PATCH durable, {}", turn.name());
    page.goal(some.goal(what(some), Bound::AtLeast(3.0, 6.0)));
    page.goal(Goal {
        what: format!("{}: p99", what(some)),
        ours: format!("{} ms", number(some.of(|seen| seen.p99).median)),
        base: String::new(),
        figure: some.of(|seen| seen.p99),
        unit: " ms",
        bound: Bound::AtMost(50.0, 50.0),
    });
    page.goal(many.goal(what(many), Bound::AtLeast(4.0, 8.0)));
    page.goal(Goal {
        what: format!("{}: p99", what(many)),
        ours: format!("{} ms", number(many.of(|seen| seen.p99).median)),
        base: format!("p50 {} ms", number(many.of(|seen| seen.p50).median)),
        figure: many.of(|seen| seen.p99 / seen.p50),
        unit: "",
        bound: Bound::AtMost(3.0, 3.0),
    });
    page.goal(one.goal(what(one), Bound::AtLeast(0.4, 0.6)));
    let log = turns.iter().flat_map(|turn| &turn.watched).map(|watched| watched.log_mib);
    let log = Spread::of(log);
    page.goal(Goal {
        what: "Log of the database under sustained writes, at its largest".into(),
        ours: format!("{} MiB", number(log.max)),
        base: String::new(),
        figure: Spread { median: log.max, ..log },
        unit: " MiB",
        bound: Bound::AtMost(256.0, 64.0),
    });
    for turn in &turns[..2] {
        let slices = turn.wrote.iter().flat_map(|wrote| wrote.slices.iter().copied());
        let worst = turn.wrote.iter().map(|wrote| wrote.max);
        page.notes.push(format!(
            "With {}: {} writes a second in each five seconds of all rounds; the longest wait was {} ms.",
            turn.name(),
            Spread::of(slices),
            number(Spread::of(worst).max),
        ));
    }
    beside(bench, &mut page, &copy.seeded, &server)?;
    server.stop()?;
    Ok(page)
}

/// What two generators make of the same body.
fn agree(bench: &Bench, seeded: &Seeded, server: &Running) -> Result<String> {
    // Of all users, as the other one draws them: who has that name already is not written again.
    let urls = To::Any(seeded.urls(bench, server, None)?);
    let fixed = Load {
        body: Some(("PATCH", FIXED.to_owned())),
        ..Load::get(urls, &seeded.token, 64, bench.seconds)
    };
    let fixed_here = Writing::new("fixed", 64, bench.seconds);
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        theirs.push(bench.load(&fixed)?.rate);
        ours.push(fixed_here.run(bench, seeded, server)?.seen.rate);
    }
    Ok(format!(
        "The same body always, over 64 connections: `oha` {}/s, the generator of these pages {}/s.",
        Spread::of(theirs),
        Spread::of(ours),
    ))
}

/// How long a reader waits while writes are at their peak.
fn beside(bench: &Bench, page: &mut Page, seeded: &Seeded, server: &Running) -> Result<()> {
    const RATE: f64 = 2000.0;
    let urls = To::Any(seeded.urls(bench, server, Some(10_000))?);
    let get = Load::get(urls, &seeded.token, 16, bench.seconds).at(RATE);
    let writes = Writing::new("patch", 64, bench.seconds);
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        quiet.push(bench.load(&get)?);
        busy.push(writes.during(bench, (seeded, server), || bench.load(&get))?);
    }
    page.series("GET, 2,000 a second, nothing else", &quiet, &[]);
    page.series("GET, 2,000 a second, while 64 clients PATCH", &busy, &[]);
    page.goal(slower(
        "GET p99 while PATCH runs at its peak",
        &quiet,
        &busy,
        Bound::AtMost(4.0, 2.0),
    ));
    Ok(())
}

/// How much longer the slowest take.
pub(super) fn slower(what: &str, quiet: &[Seen], busy: &[Seen], bound: Bound) -> Goal {
    let p99 = |seen: &[Seen]| number(Spread::of(seen.iter().map(|seen| seen.p99)).median);
    Goal {
        what: what.into(),
        ours: format!("{} ms", p99(busy)),
        base: format!("{} ms", p99(quiet)),
        figure: Spread::of(busy.iter().zip(quiet).map(|(busy, quiet)| busy.p99 / quiet.p99)),
        unit: "",
        bound,
    }
}

pub(super) fn delete(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "delete",
        "Deleting users",
        "DELETEs of users, each once, over 64 connections, beside what the disk syncs.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let server = copy.seeded.serve(bench)?;
    let mut turn = Turn::new("delete", 64, bench.seconds);
    for _ in 0..bench.rounds {
        turn.take(bench, &copy, &server)?;
        // Those that are gone are not asked for again.
        turn.writing.skip = turn.wrote.iter().map(|wrote| wrote.count).sum();
    }
    page.series(&turn.name(), &turn.seen(), &turn.watched);
    page.goal(turn.goal("DELETE durable, 64 clients".into(), Bound::None));
    server.stop()?;
    Ok(page)
}
