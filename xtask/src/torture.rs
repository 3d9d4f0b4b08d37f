//! The torture of the suite, for longer, and the mutants that it has to find out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::clients::succeed;
use crate::postgres;
use crate::steps::{Steps, cargo};
use crate::{Project, tools};

/// Programs that break the promise: each is a change of this one.
const MUTANTS: &str = "crates/server/tests/torture/mutants";
/// How long each of them has to be found out.
const MUTANT_SECONDS: u64 = 60;

/// What is asked for.
#[derive(Default)]
struct Wanted<'w> {
    minutes: Option<u64>,
    engine: Option<&'w str>,
    layer: Option<&'w str>,
    seed: Option<&'w str>,
    mutants: bool,
}

impl<'w> Wanted<'w> {
    fn of(arguments: &'w [&'w str]) -> anyhow::Result<Self> {
        let mut wanted = Self::default();
        let mut left = arguments;
        while let [argument, rest @ ..] = left {
            left = match (*argument, rest) {
                ("--mutants", _) => {
                    wanted.mutants = true;
                    rest
                }
                (name, [value, rest @ ..]) => {
                    match name {
                        "--minutes" => wanted.minutes = Some(value.parse()?),
                        "--engine" => wanted.engine = Some(value),
                        "--layer" => wanted.layer = Some(value),
                        "--seed" => wanted.seed = Some(value),
                        _ => bail!("`torture` knows no {name}"),
                    }
                    rest
                }
                (other, []) => bail!("`torture` knows no {other}, or it lacks a value"),
            };
        }
        Ok(wanted)
    }

    /// The tests that are meant.
    fn engines(&self) -> anyhow::Result<&'static [&'static str]> {
        match self.engine {
            None => Ok(&["torture_on_sqlite", "torture_on_postgres"]),
            Some("sqlite") => Ok(&["torture_on_sqlite"]),
            Some("postgres") => Ok(&["torture_on_postgres"]),
            Some(other) => bail!("there is no engine {other}: sqlite or postgres"),
        }
    }

    fn command(&self, test: &str) -> Command {
        // Not by nextest, which ends a test after some minutes and shows nothing of one that passes.
        let mut command = cargo(&["test", "--workspace", "--test", "promises", test]);
        command.args(["--", "--nocapture", "--test-threads", "1"]);
        let set = [("GUESTLIST_TORTURE_LAYER", self.layer), ("GUESTLIST_TORTURE_SEED", self.seed)];
        for (name, value) in set {
            command.envs(value.map(|value| (name, value)));
        }
        command.envs(
            self.minutes.map(|minutes| ("GUESTLIST_TORTURE_SECONDS", (60 * minutes).to_string())),
        );
        command
    }
}

pub(crate) fn run(project: &Project, steps: &mut Steps, arguments: &[&str]) -> anyhow::Result<()> {
    let wanted = Wanted::of(arguments)?;
    steps.run("failing disks", tools::failing_disks)?;
    let _server = postgres::start(steps)?;
    if wanted.mutants {
        return mutants(project, steps, &wanted);
    }
    for test in wanted.engines()? {
        let hint = "the output above says what is not as it was promised, and has the seed";
        steps.command(test, wanted.command(test), hint)?;
    }
    Ok(())
}

/// All mutants, by their names.
fn all(project: &Project) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(project.root.join(MUTANTS))?.collect::<Result<Vec<_>, _>>()?;
    let mut all: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    all.retain(|path| path.extension().is_some_and(|ending| ending == "patch"));
    all.sort();
    Ok(all)
}

/// Builds each mutant in a copy of the sources, and sees that it is found out.
fn mutants(project: &Project, steps: &mut Steps, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let copy = project.target.join("mutant");
    for mutant in all(project)? {
        let name = mutant.file_stem().context("it has a name")?.to_string_lossy().into_owned();
        steps.run(&format!("make {name}"), || {
            if copy.exists() {
                fs::remove_dir_all(&copy)?;
            }
            fs::create_dir_all(&copy)?;
            for part in [
                "Cargo.toml",
                "Cargo.lock",
                "rust-toolchain.toml",
                "bench",
                "crates",
                "python",
                "xtask",
            ] {
                succeed(Command::new("cp").arg("-a").arg(project.root.join(part)).arg(&copy))?;
            }
            // The copy is in the repository, and no part of it.
            succeed(
                Command::new("git")
                    .arg("apply")
                    .arg(&mutant)
                    .env("GIT_CEILING_DIRECTORIES", &project.target)
                    .current_dir(&copy),
            )?;
            let mut build = cargo(&["build", "--workspace", "--bin", "guestlist", "--quiet"]);
            // What others have made is compiled already.
            succeed(build.current_dir(&copy).env("CARGO_TARGET_DIR", &project.target))?;
            // The build of the sources themselves would put its own in its place.
            Ok(fs::copy(project.target.join("debug/guestlist"), copy.join("guestlist"))?)
        })?;
        steps.run(&format!("find {name} out"), || {
            found_out(project, wanted, &copy.join("guestlist"))
        })?;
    }
    Ok(())
}

fn found_out(project: &Project, wanted: &Wanted<'_>, program: &Path) -> anyhow::Result<()> {
    for test in wanted.engines()? {
        let mut command = wanted.command(test);
        command.env("GUESTLIST_TORTURE_PROGRAM", program).current_dir(&project.root);
        if wanted.minutes.is_none() {
            command.env("GUESTLIST_TORTURE_SECONDS", MUTANT_SECONDS.to_string());
        }
        let said = command.output()?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned()
            + &String::from_utf8_lossy(&said.stderr);
        ensure!(said.contains("running 1 test"), "the torture did not begin:\n{said}");
        if said.contains("test result: FAILED") {
            let why = said.lines().skip_while(|line| !line.contains("panicked at")).take(4);
            println!("{test}: found out:\n{}", why.collect::<Vec<_>>().join("\n"));
            return Ok(());
        }
    }
    bail!("nobody has found out that the promise is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not tried in every run has to be what it was.
    #[test]
    fn every_mutant_can_be_made() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let project = Project { target: root.join("target"), root };
        let all = all(&project).unwrap();
        assert!(all.len() >= 6, "{all:?}");
        for mutant in all {
            let mut patch = Command::new("git");
            patch.args(["apply", "--check"]).arg(&mutant);
            let done = patch.current_dir(&project.root).output().unwrap();
            assert!(done.status.success(), "{}: {done:?}", mutant.display());
        }
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let wanted = Wanted::of(&["--minutes", "10", "--engine", "sqlite", "--mutants"]).unwrap();
        assert_eq!(
            (wanted.minutes, wanted.engines().unwrap().len(), wanted.mutants),
            (Some(10), 1, true)
        );
        assert!(Wanted::of(&["--minutes"]).is_err() && Wanted::of(&["--layers", "kill"]).is_err());
    }
}
