//! What one tenant, or somebody without any token, can do to the others: scenes of the worst, and another
//! tenant that reads, lists, writes and signs in beside each.

pub(super) mod attackers;
mod probe;
mod reads;
mod report;
mod stage;
mod strangers;
mod writes;

use crate::measure::{Bench, Engine};
use crate::report::Page;
use anyhow::{Result, ensure};
use attackers::{Answers, Scene};
use guestlist::http::listen::raise_file_limit;
use report::Seen;
use stage::Stage;
use std::net::SocketAddr;

const ABOUT: &str = "\
One tenant, or somebody without any token, does the worst that is known, over and over, from 127.0.0.1 \
where nothing else is said. Another tenant, of 500 users, is at 127.0.0.2: over one connection it reads a \
user, lists ten, changes one, and changes one with an `Idempotency-Key`, and so on; beside that it changes a \
password five times a second at most, an administrator signs in ten times a second at most, each time on a new \
connection, and somebody asks as often whether the server is ready. The scene called nothing is the same \
without any of the worst, in the same rounds. Server, load and the other tenant share the processors as said \
below.

The tables have the slowest hundredth of what the other tenant asked for, in milliseconds, and how often \
those who did their worst were answered what, in all rounds, in which the store grew by so much. Behind nginx, with the settings of [the guide](../operate/proxy.md) but \
without TLS, all of them come by way of it, and are told apart by `X-Forwarded-For`. The criteria are met where GETs take at most three times what they \
take beside nothing, or 20 ms; PATCHes at most five times that, or 100 ms; where 95 % of the sign-ins are \
answered well within a second; and where no request of the other tenant, of the administrator or for \
`/readyz` fails. Anything but a 200 is a failure, and the command fails for it.";

pub(super) fn neighbours(bench: &Bench) -> Result<Page> {
    // For those who open thousands of connections.
    raise_file_limit();
    let mut page = Page::new("neighbours", "Neighbours", ABOUT);
    for engine in bench.engines.iter().copied() {
        on(bench, engine, &mut page)?;
    }
    Ok(page)
}

fn on(bench: &Bench, engine: Engine, page: &mut Page) -> Result<()> {
    let stage = Stage::new(bench, engine)?;
    let (worst, to, front) = (&stage.worst, stage.server.address, stage.front.address());
    let mut direct = reads::scenes(worst, to);
    direct.extend(writes::scenes(worst, to));
    direct.extend(strangers::scenes(worst, to)?);
    let mut behind = strangers::behind(worst, front);
    if let Some(part) = &bench.scene {
        direct.retain(|scene| scene.name.contains(part));
        behind.retain(|scene| scene.name.contains(part));
        ensure!(!direct.is_empty() || !behind.is_empty(), "no scene has {part:?} in its name");
    }
    play(bench, &stage, page, (&engine.to_string(), to), direct)?;
    play(bench, &stage, page, (&format!("{engine}, behind nginx"), front), behind)?;
    stage.server.stop()
}

/// Plays `scenes` beside the other tenant, which is served in a place.
fn play(
    bench: &Bench,
    stage: &Stage,
    page: &mut Page,
    (place, to): (&str, SocketAddr),
    mut scenes: Vec<Scene>,
) -> Result<()> {
    if scenes.is_empty() {
        return Ok(());
    }
    println!("\n{place}");
    scenes.insert(0, Scene::quiet());
    let other = &stage.other;
    probe::notice(bench, other, to)?;
    let new = |scene| Seen { scene, noticed: Vec::new(), answers: Answers::new(), grew: 0.0 };
    let mut seen: Vec<Seen<'_>> = scenes.iter().map(new).collect();
    for _ in 0..bench.rounds {
        for Seen { scene, noticed, answers, grew } in &mut seen {
            let before = stage.size()?;
            let (new, answered) = scene.during(|| probe::notice(bench, other, to))?;
            ensure!(scene.is_quiet() || !answered.is_empty(), "{}: nothing was asked", scene.name);
            println!("{}", report::line(scene, &new, &answered));
            *grew += stage.size()? - before;
            noticed.push(new);
            for (status, count) in answered {
                *answers.entry(status).or_default() += count;
            }
        }
    }
    report::report(page, place, &seen);
    Ok(())
}
