//! A backup of a store that is served, beside the same store left in peace.

use super::writes::slower;
use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::{Running, Watched, output};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number};
use crate::target::{Copied, Seeded, Writing, Wrote, plain};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Reads a second, beside the changes: what is asked is how long they take, not how many there can be.
const RATE: f64 = 1000.0;

/// How many clients change users, as fast as they are answered.
const WRITERS: usize = 64;

/// A backup that was made.
struct Made {
    /// The directory that it is in.
    at: PathBuf,
    seconds: f64,
    checksum: String,
    rows: u64,
    packed: u64,
}

/// A command of Guestlist, run where the server runs.
fn guestlist(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = crate::process::pinned(bench.split.server.as_deref(), &bench.binary);
    plain(&mut command);
    command.args(arguments);
    command
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

/// A backup that is being made.
struct Making {
    at: PathBuf,
    child: Child,
    began: Instant,
}

impl Making {
    fn begin(bench: &Bench, seeded: &Seeded, at: PathBuf) -> Result<Self> {
        let arguments = ["backup", text(&at)?, "--store", text(&seeded.path)?, "--json"];
        let mut command = guestlist(bench, &arguments);
        let child = command.stdout(Stdio::piped()).spawn()?;
        Ok(Self { at, child, began: Instant::now() })
    }

    fn end(self) -> Result<Made> {
        let done = self.child.wait_with_output()?;
        let seconds = self.began.elapsed().as_secs_f64();
        ensure!(done.status.success(), "the backup ended with {}", done.status);
        let said: Value = serde_json::from_slice(&done.stdout)?;
        Ok(Made {
            at: self.at,
            seconds,
            checksum: said["checksum"].as_str().context("no checksum")?.to_owned(),
            rows: said["rows"].as_u64().context("no rows")?,
            packed: said["bytes"].as_u64().context("no bytes")?,
        })
    }
}

/// What the clients saw while something went on or nothing did, and what the server took.
struct Turn {
    wrote: Wrote,
    read: Seen,
    watched: Watched,
}

/// Changes and reads for so many `seconds`.
fn load(bench: &Bench, copy: &Copied, server: &Running, seconds: f64) -> Result<Turn> {
    let seeded = &copy.seeded;
    let urls = To::Any(seeded.urls(bench, server, Some(10_000))?);
    let get = Load::get(urls, &seeded.token, 16, seconds).at(RATE);
    let writing = Writing::new("patch", WRITERS, seconds);
    let log = copy.log();
    let ((read, wrote), watched) = server
        .watch(Some(&log), || writing.beside(bench, (seeded, server), || bench.load(&get)))?;
    Ok(Turn { wrote, read, watched })
}

/// Makes one while clients write and read for as long as that takes.
fn during(
    bench: &Bench,
    copy: &Copied,
    server: &Running,
    at: PathBuf,
) -> Result<(Made, Vec<Turn>)> {
    let mut making = Making::begin(bench, &copy.seeded, at)?;
    let mut turns = Vec::new();
    loop {
        let turn = load(bench, copy, server, bench.seconds)?;
        // The last one has some peace in it.
        if making.child.try_wait()?.is_some() && !turns.is_empty() {
            return Ok((making.end()?, turns));
        }
        turns.push(turn);
    }
}

/// Whether the store that is made of `made` holds what was copied.
fn restored(bench: &Bench, made: &Made) -> Result<(f64, String)> {
    let to = bench.place.join("restored.db");
    for ending in ["", "-wal", "-shm"] {
        let left = PathBuf::from(format!("{}{ending}", text(&to)?));
        if left.exists() {
            fs::remove_file(left)?;
        }
    }
    let began = Instant::now();
    let arguments = ["restore", text(&made.at)?, "--to", text(&to)?, "--keep-tokens", "--json"];
    output(&mut guestlist(bench, &arguments))?;
    let took = began.elapsed().as_secs_f64();
    let said = output(&mut guestlist(bench, &["checksum", "--store", text(&to)?, "--json"]))?;
    let said: Value = serde_json::from_str(&said)?;
    fs::remove_file(&to)?;
    Ok((took, said["checksum"].as_str().context("no checksum")?.to_owned()))
}

/// A directory for backups that is empty.
fn directory(bench: &Bench, name: &str) -> Result<PathBuf> {
    let at = bench.place.join(name);
    if at.exists() {
        fs::remove_dir_all(&at)?;
    }
    Ok(at)
}

pub(super) fn backup(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "backup",
        "A backup while 64 clients PATCH",
        "`guestlist backup` of a store that is served: once while nobody else asks for anything, and in each \
         round while 64 clients PATCH users drawn by chance, as fast as they are answered, and others GET \
         a thousand a second, where an answer that is late counts from when it was due. Each round has \
         the same load without a backup beside it. The backup is restored, and the checksum of the \
         restored store held against that of what was copied.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let server = copy.seeded.serve(bench)?;
    // What is asked for the first time is slower.
    load(bench, &copy, &server, bench.seconds)?;
    let (mut quiet, mut busy, mut alone, mut beside) = (vec![], vec![], vec![], vec![]);
    for round in 0..bench.rounds {
        let at = directory(bench, &format!("backups-{round}"))?;
        let made = Making::begin(bench, &copy.seeded, at.clone())?.end()?;
        fs::remove_dir_all(at)?;
        alone.push(made);
        let at = directory(bench, &format!("backups-{round}"))?;
        let (made, turns) = during(bench, &copy, &server, at)?;
        // As long as that took, so that both see the same of checkpoints.
        thread::sleep(Duration::from_secs(1));
        for _ in &turns {
            quiet.push(load(bench, &copy, &server, bench.seconds)?);
        }
        let (took, checksum) = restored(bench, &made)?;
        ensure!(
            checksum == made.checksum,
            "the restored store has the checksum {checksum}, and {} was copied",
            made.checksum
        );
        page.notes.push(format!(
            "Round {}: {} rows were copied with the checksum `{}`, which the restored store has too; \
             the backup took {} s, and the way back {} s.",
            round + 1,
            number(float(made.rows)),
            made.checksum,
            number(made.seconds),
            number(took),
        ));
        fs::remove_dir_all(&made.at)?;
        beside.push(made);
        busy.extend(turns);
    }
    server.stop()?;
    show(bench, &mut page, (&quiet, &busy), (&alone, &beside));
    Ok(page)
}

/// The figures.
fn show(
    bench: &Bench,
    page: &mut Page,
    (quiet, busy): (&[Turn], &[Turn]),
    (alone, beside): (&[Made], &[Made]),
) {
    let wrote =
        |turns: &[Turn]| turns.iter().map(|turn| turn.wrote.seen.clone()).collect::<Vec<_>>();
    let read = |turns: &[Turn]| turns.iter().map(|turn| turn.read.clone()).collect::<Vec<_>>();
    let watched = |turns: &[Turn]| turns.iter().map(|turn| turn.watched).collect::<Vec<_>>();
    page.series("PATCH, 64 clients, no backup", &wrote(quiet), &watched(quiet));
    page.series("PATCH, 64 clients, during a backup", &wrote(busy), &watched(busy));
    page.series("GET, 1,000 a second, no backup", &read(quiet), &[]);
    page.series("GET, 1,000 a second, during a backup", &read(busy), &[]);
    let p99 =
        |what, of: fn(&[Turn]) -> Vec<Seen>, bound| slower(what, &of(quiet), &of(busy), bound);
    page.goal(p99("GET p99 during a backup", read, Bound::AtMost(2.0, 1.3)));
    page.goal(p99("PATCH p99 during a backup", wrote, Bound::AtMost(2.0, 1.3)));
    let rate = |turns: &[Turn]| Spread::of(turns.iter().map(|turn| turn.wrote.seen.rate));
    page.goal(Goal {
        what: "PATCH, 64 clients, during a backup".into(),
        ours: format!("{}/s", number(rate(busy).median)),
        base: format!("{}/s without", number(rate(quiet).median)),
        figure: Spread::of([rate(busy).median / rate(quiet).median]),
        unit: "",
        bound: Bound::None,
    });
    let speed = |of: &[Made]| Spread::of(of.iter().map(|made| float(made.rows) / made.seconds));
    page.goal(Goal {
        what: "Backup: rows a second, while 64 clients PATCH".into(),
        ours: number(speed(beside).median),
        base: format!("{} alone", number(speed(alone).median)),
        figure: Spread::of([speed(beside).median / speed(alone).median]),
        unit: "",
        bound: Bound::None,
    });
    let took = Spread::of(beside.iter().map(|made| made.seconds));
    page.goal(Goal {
        what: format!("Backup of {} users while 64 clients PATCH", number(float(bench.users))),
        ours: format!("{} s", number(took.median)),
        base: format!(
            "{} s alone",
            number(Spread::of(alone.iter().map(|made| made.seconds)).median)
        ),
        figure: took,
        unit: " s",
        bound: Bound::AtMost(300.0, 120.0),
    });
    let log = Spread::of(busy.iter().map(|turn| turn.watched.log_mib));
    page.goal(Goal {
        what: "Log of the database during a backup, at its largest".into(),
        ours: format!("{} MiB", number(log.max)),
        base: String::new(),
        figure: Spread { median: log.max, ..log },
        unit: " MiB",
        bound: Bound::AtMost(256.0, 128.0),
    });
    let packed = Spread::of(beside.iter().map(|made| float(made.packed) / 1024.0 / 1024.0));
    page.notes.push(format!("The packed store has {} MiB.", number(packed.median)));
}
