//! Hostile bytes, for longer than the suite has time for. The targets are tests, each beside what it reads with.

use std::fs;

use anyhow::{Context as _, bail, ensure};

use crate::Project;
use crate::postgres;
use crate::steps::{Steps, cargo};

/// What a target's test is called, before its name.
const TARGET: &str = "fuzz_";
/// How long each is tried where nobody says.
const SECONDS: &str = "60";

/// The names of all corpora, each of which is a target's.
fn targets(project: &Project) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(project.root.join("tests/corpora"))? {
        let name = entry?.file_name().into_string().ok().context("a name that is no text")?;
        names.extend(name.strip_suffix(".txt").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Runs one target or all of them, one after the other.
pub(crate) fn run(project: &Project, steps: &mut Steps, arguments: &[&str]) -> anyhow::Result<()> {
    let (mut wanted, mut seconds, mut add) = (None, SECONDS, false);
    let mut left = arguments;
    while let [argument, rest @ ..] = left {
        left = rest;
        match (*argument, rest) {
            ("--seconds", [number, rest @ ..]) => (seconds, left) = (number, rest),
            ("--add", _) => add = true,
            (name, _) if wanted.is_none() && !name.starts_with('-') => wanted = Some(name),
            (other, _) => {
                bail!("`fuzz` takes the name of a target, --seconds N and --add, not {other}")
            }
        }
    }
    ensure!(seconds.parse::<f64>().is_ok_and(|seconds| seconds > 0.0), "--seconds takes a number");
    let all = targets(project)?;
    if let Some(wanted) = wanted {
        ensure!(all.iter().any(|name| name == wanted), "there is no {wanted}: {}", all.join(", "));
    }
    let _server = postgres::start(steps)?;
    for name in all.iter().filter(|name| wanted.is_none_or(|wanted| wanted == *name)) {
        // Not by nextest, which ends a test after some minutes and shows nothing of one that passes.
        let mut command = cargo(&["test", "--workspace", "--lib", "--tests", "--quiet"]);
        command.arg(format!("{TARGET}{}", name.replace('-', "_"))).args(["--", "--nocapture"]);
        command.env("GUESTLIST_FUZZ_SECONDS", seconds);
        if add {
            command.env("GUESTLIST_FUZZ_ADD", "1");
        }
        let hint =
            "the output above has the input: mend what reads it, and add the input to the corpus";
        steps.command(name, command, hint)?;
    }
    Ok(())
}
