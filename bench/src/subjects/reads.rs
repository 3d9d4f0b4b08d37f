//! One user, read.

use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::{Running, Watched};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, number};
use crate::target::{Floor, Seeded, Writing};
use anyhow::Result;

const CONNECTIONS: usize = 64;
/// How many users are asked for again and again.
const HOT: usize = 10_000;

/// A load on a server, and what the rounds saw.
struct Turn<'a> {
    name: String,
    server: &'a Running,
    load: Load,
    seen: Vec<Seen>,
    watched: Vec<Watched>,
}

impl<'a> Turn<'a> {
    fn new(name: &str, server: &'a Running, load: Load) -> Self {
        let (seen, watched) = (Vec::new(), Vec::new());
        Self { name: name.into(), server, load, seen, watched }
    }

    fn take(&mut self, bench: &Bench) -> Result<()> {
        let (seen, watched) = self.server.watch(None, || bench.load(&self.load))?;
        self.seen.push(seen);
        self.watched.push(watched);
        Ok(())
    }

    fn rate(&self) -> Spread {
        Spread::of(self.seen.iter().map(|seen| seen.rate))
    }
}

/// `turns` one after the other, as often as there are rounds.
fn rounds(bench: &Bench, page: &mut Page, turns: &mut [Turn<'_>]) -> Result<()> {
    for _ in 0..bench.rounds {
        turns.iter_mut().try_for_each(|turn| turn.take(bench))?;
    }
    for turn in turns {
        page.series(&turn.name, &turn.seen, &turn.watched);
    }
    Ok(())
}

/// One figure beside another, round by round.
fn ratio(ours: &Turn<'_>, base: &Turn<'_>, field: fn(&Seen) -> f64) -> Spread {
    Spread::of(ours.seen.iter().zip(&base.seen).map(|(ours, base)| field(ours) / field(base)))
}

pub(super) fn get(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "get",
        "Reading one user",
        "GETs of one user, its token and scope checked each time, over 64 connections. The floor is a \
         bare axum handler that answers with the same bytes and checks nothing. First as many as there \
         can be, then at a fixed rate, where an answer that is late counts from when it was due. Those \
         that accept gzip are compared with others of the same generator, which looks at each answer \
         for how it is coded.",
    );
    let many = Seeded::with(bench, bench.users)?.copy(bench)?;
    let few = Seeded::with(bench, 1000)?.copy(bench)?;
    let (many, few) = (&many.seeded, &few.seeded);
    let (server, small) = (many.serve(bench)?, few.serve(bench)?);
    let floor = Floor::of(bench, many, &server)?.running;
    let load = |of: &Seeded, at: &Running, count| -> Result<Load> {
        let urls = To::Any(of.urls(bench, at, count)?);
        Ok(Load::get(urls, &of.token, CONNECTIONS, bench.seconds))
    };
    let hot = load(many, &server, Some(HOT))?;
    let uniform = load(many, &server, None)?;
    let same = load(many, &floor, Some(HOT))?;
    let thousand = load(few, &small, None)?;
    for load in [&uniform, &hot, &same, &thousand] {
        bench.load(load)?;
    }

    let mut peak = [
        Turn::new("floor", &floor, same.clone()),
        Turn::new("10,000 hot users", &server, hot),
        Turn::new("all users alike", &server, uniform.clone()),
    ];
    rounds(bench, &mut page, &mut peak)?;
    let [base, hot, all] = &peak;
    for (what, ours, bound) in [
        ("GET one user, 10,000 hot ones", hot, Bound::AtLeast(0.65, 0.80)),
        ("GET one user, all alike", all, Bound::AtLeast(0.40, 0.55)),
    ] {
        page.goal(Goal {
            what: what.into(),
            ours: format!("{}/s", number(ours.rate().median)),
            base: format!("floor {}/s", number(base.rate().median)),
            figure: ratio(ours, base, |seen| seen.rate),
            unit: "",
            bound,
        });
    }
    let busy = Spread::of(base.watched.iter().map(|watched| watched.cores));
    page.notes.push(generator(busy, bench.split.cores));

    gzip(bench, &mut page, many, &server)?;

    // Of the same load: what is kept ready goes far beyond what the store itself can do.
    let rate = all.rate().median / 2.0;
    let at = |name: &str| format!("{name}, {} a second", number(rate));
    let mut paced = [
        Turn::new(&at("floor"), &floor, same.at(rate)),
        Turn::new(&at("all users alike"), &server, uniform.at(rate)),
        Turn::new(&at("a store of 1,000 users"), &small, thousand.at(rate)),
    ];
    rounds(bench, &mut page, &mut paced)?;
    let [base, all, few] = &paced;
    let of = |turn: &Turn<'_>, field: fn(&Seen) -> f64| {
        format!("{} ms", number(Spread::of(turn.seen.iter().map(field)).median))
    };
    page.goal(Goal {
        what: "GET p99 at half of the peak rate".into(),
        ours: of(all, |seen| seen.p99),
        base: format!("floor {}", of(base, |seen| seen.p99)),
        figure: ratio(all, base, |seen| seen.p99),
        unit: "",
        bound: Bound::AtMost(2.0, 1.3),
    });
    page.goal(Goal {
        what: format!("GET p50, {} users against 1,000", number(crate::stats::float(bench.users))),
        ours: of(all, |seen| seen.p50),
        base: of(few, |seen| seen.p50),
        figure: ratio(all, few, |seen| seen.p50),
        unit: "",
        bound: Bound::AtMost(1.5, 1.2),
    });
    server.stop()?;
    small.stop()?;
    Ok(page)
}

/// Hot users for those who accept gzip, beside those who do not.
fn gzip(bench: &Bench, page: &mut Page, seeded: &Seeded, server: &Running) -> Result<()> {
    let hot = seeded.hot(bench, HOT)?;
    let load = |what| Writing::new(what, CONNECTIONS, bench.seconds).run(bench, &hot, server);
    // Kept from the second time on, and packed at the next.
    ["get", "get", "get-gzip"].into_iter().try_for_each(|what| load(what).map(drop))?;
    let (mut plain, mut packed) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..bench.rounds {
        for (what, (seen, watched)) in [("get", &mut plain), ("get-gzip", &mut packed)] {
            let (wrote, took) = server.watch(None, || load(what))?;
            seen.push(wrote.seen);
            watched.push(took);
        }
    }
    page.series("10,000 hot users, plain, our generator", &plain.0, &plain.1);
    page.series("10,000 hot users, gzip accepted", &packed.0, &packed.1);
    let rate = |seen: &[Seen]| number(Spread::of(seen.iter().map(|seen| seen.rate)).median);
    page.goal(Goal {
        what: "GET hot users, gzip accepted".into(),
        ours: format!("{}/s", rate(&packed.0)),
        base: format!("plain {}/s", rate(&plain.0)),
        figure: Spread::of(packed.0.iter().zip(&plain.0).map(|(ours, base)| ours.rate / base.rate)),
        unit: "",
        bound: Bound::AtLeast(0.8, 0.9),
    });
    Ok(())
}

/// Whether the floor had as much to do as it can, or the load could not give it more.
pub(super) fn generator(busy: Spread, cores: usize) -> String {
    let cores = crate::stats::float(cores as u64);
    let share = busy.median / cores;
    if share >= 0.9 {
        format!(
            "The floor kept {:.0} % of its processors busy: the load was enough.",
            share * 100.0
        )
    } else {
        format!(
            "**The load was the limit of the floor**, which kept only {:.0} % of its processors busy: \
             alone it could do more than is said here.",
            share * 100.0
        )
    }
}
