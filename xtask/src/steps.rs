//! Named, timed steps that stop at the first failure.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What ran so far and how long it took.
pub(crate) struct Steps {
    root: PathBuf,
    environment: Vec<(&'static str, String)>,
    done: Vec<Done>,
}

struct Done {
    name: String,
    took: Duration,
    passed: bool,
}

impl Steps {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), environment: Vec::new(), done: Vec::new() }
    }

    /// Sets a variable of the environment for every program from now on.
    pub(crate) fn tell(&mut self, name: &'static str, value: String) {
        self.environment.push((name, value));
    }

    /// Runs a step that is not just one program.
    pub(crate) fn run<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        println!("\n=== {name}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        let passed = outcome.is_ok();
        println!("=== {name}: {} in {}", if passed { "ok" } else { "FAILED" }, seconds(took));
        self.done.push(Done { name: name.to_owned(), took, passed });
        outcome.with_context(|| format!("step `{name}` failed"))
    }

    /// Runs a program in the root of the repository; `hint` says what to do when it fails.
    pub(crate) fn command(
        &mut self,
        name: &str,
        mut command: Command,
        hint: &str,
    ) -> anyhow::Result<()> {
        command.current_dir(&self.root);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        self.run(name, || {
            println!("$ {}", spelled(&command));
            let status = command
                .status()
                .with_context(|| format!("cannot start `{}`", spelled(&command)))?;
            if !status.success() {
                bail!("`{}` ended with {status}\nwhat to do: {hint}", spelled(&command));
            }
            Ok(())
        })
    }

    /// One line a step.
    pub(crate) fn summary(&self) -> String {
        let width = self.done.iter().map(|step| step.name.len()).max().unwrap_or(0);
        let mut table = String::from("\n=== summary");
        for Done { name, took, passed } in &self.done {
            let outcome = if *passed { "ok" } else { "FAILED" };
            // Writing to a String cannot fail.
            let _ = write!(table, "\n  {name:width$}  {:>9}  {outcome}", seconds(*took));
        }
        let total: Duration = self.done.iter().map(|step| step.took).sum();
        let _ = write!(table, "\n  {:width$}  {:>9}", "total", seconds(total));
        table
    }
}

/// A cargo command, run by the cargo that runs this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

fn spelled(command: &Command) -> String {
    let mut text = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_stops_with_its_hint_and_stays_in_the_summary() {
        let mut steps = Steps::new(Path::new("."));
        steps.run("first", || Ok(())).unwrap();
        let error = steps
            .command("second", cargo(&["no-such-subcommand"]), "do something else")
            .unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("step `second` failed"), "{error}");
        assert!(error.contains("what to do: do something else"), "{error}");
        let summary = steps.summary();
        assert!(summary.contains("first "), "{summary}");
        assert!(summary.lines().any(|line| line.contains("second") && line.ends_with("FAILED")));
    }
}
