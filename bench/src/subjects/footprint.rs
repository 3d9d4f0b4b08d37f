//! What the server takes before it does anything.

use crate::measure::Bench;
use crate::oha::{Load, To};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number};
use crate::target::Seeded;
use anyhow::Result;
use std::thread;
use std::time::Duration;

pub(super) fn footprint(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "footprint",
        "Memory, start, size",
        "The private memory (`RssAnon`: pages of files are the system's) of a server that has just \
         started and of one under 64 readers; the time from the start of the program to its line \
         `listening on`; and the size of the stripped program.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let (mut started, mut idle, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let server = copy.seeded.serve(bench)?;
        started.push(server.started.as_secs_f64() * 1000.0);
        thread::sleep(Duration::from_secs(1));
        idle.push(server.private_mib()?);
        let urls = To::Any(copy.seeded.urls(bench, &server, None)?);
        let load = Load::get(urls, &copy.seeded.token, 64, bench.seconds);
        let (seen, watched) = server.watch(None, || bench.load(&load))?;
        page.series("GET of all users alike", &[seen], &[watched]);
        busy.push(watched.memory);
        server.stop()?;
    }
    let users = number(float(bench.users));
    let size = float(bench.binary.metadata()?.len()) / 1024.0 / 1024.0;
    for (what, figures, unit, bound) in [
        (format!("private memory, idle with {users} users"), idle, " MiB", (40.0, 20.0)),
        ("private memory, under GET".into(), busy, " MiB", (150.0, 64.0)),
        (format!("start to `listening`, {users} users"), started, " ms", (50.0, 15.0)),
        ("release binary, stripped".into(), vec![size], " MiB", (25.0, 15.0)),
    ] {
        let figure = Spread::of(figures);
        page.goal(Goal {
            what,
            ours: format!("{}{unit}", number(figure.median)),
            base: String::new(),
            figure,
            unit,
            bound: Bound::AtMost(bound.0, bound.1),
        });
    }
    Ok(page)
}
