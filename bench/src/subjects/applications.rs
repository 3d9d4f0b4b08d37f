//! Many applications in one store.

use crate::measure::Bench;
use crate::process::Running;
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number, quantile};
use crate::target::{EMAIL, PASSWORD, Seeded};
use anyhow::{Context as _, Result};
use guestlist_bench::http::{Connection, request};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

const APPLICATIONS: u64 = 10_000;
/// The first of them and the last are compared.
const ENDS: usize = 1000;

pub(super) fn applications(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "applications",
        "Ten thousand applications",
        "POSTs of 10,000 applications over one connection, each answered when it is on the disk; and \
         the private memory of a server that has just started, before and after.",
    );
    let copy = Seeded::with(bench, 1000)?.copy(bench)?;
    let before = idle(bench, &copy.seeded)?;
    let server = copy.seeded.serve(bench)?;
    let mut connection = Connection::open(server.address)?;
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let signed = connection.expect(200, &request("POST", "/auth/user", "", &body))?.json()?;
    let token = signed["token"].as_str().context("no token")?;
    let mut took = Vec::new();
    for number in 0..APPLICATIONS {
        let body = json!({ "name": format!("Application {number}") }).to_string();
        let since = Instant::now();
        connection.expect(201, &request("POST", "/applications", token, &body))?;
        took.push(since.elapsed().as_secs_f64() * 1000.0);
    }
    drop(connection);
    server.stop()?;
    let after = idle(bench, &copy.seeded)?;

    let median = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        (quantile(&sorted, 0.5), quantile(&sorted, 0.99))
    };
    let ((first, slow_first), (last, slow_last)) =
        (median(&took[..ENDS]), median(&took[took.len() - ENDS..]));
    page.goal(Goal {
        what: "application create, the last 1,000 against the first".into(),
        ours: format!("p50 {} ms, p99 {} ms", number(last), number(slow_last)),
        base: format!("p50 {} ms, p99 {} ms", number(first), number(slow_first)),
        figure: Spread::of([last / first]),
        unit: "",
        bound: Bound::AtMost(1.5, 1.1),
    });
    let each = (after.median - before.median) * 1024.0 / float(APPLICATIONS);
    page.goal(Goal {
        what: "idle memory for each application".into(),
        ours: format!("{} MiB", number(after.median)),
        base: format!("{} MiB", number(before.median)),
        figure: Spread::of([each.max(0.0)]),
        unit: " KiB",
        bound: Bound::AtMost(1.0, 0.1),
    });
    Ok(page)
}

fn idle(bench: &Bench, seeded: &Seeded) -> Result<Spread> {
    let one = |server: Running| -> Result<f64> {
        thread::sleep(Duration::from_millis(500));
        let memory = server.private_mib()?;
        server.stop()?;
        Ok(memory)
    };
    let rounds: Result<Vec<f64>> = (0..bench.rounds).map(|_| one(seeded.serve(bench)?)).collect();
    Ok(Spread::of(rounds?))
}
