//! Named, timed steps that stop at the first failure, and tasks that run beside them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, process};

use anyhow::{Context as _, bail, ensure};

/// What ran so far and how long it took.
pub(crate) struct Steps {
    root: PathBuf,
    /// This program, as long as it is where it was: a build may put another there.
    program: io::Result<PathBuf>,
    environment: Vec<(&'static str, String)>,
    start: Instant,
    done: Vec<Done>,
}

struct Done {
    name: String,
    took: Duration,
    passed: bool,
}

/// Other tasks of this program that run at the same time. They end when this is dropped.
pub(crate) struct Beside {
    name: String,
    log: PathBuf,
    /// What they wait at the other end of.
    _alive: Option<ChildStdin>,
    ended: JoinHandle<(io::Result<ExitStatus>, Duration)>,
}

impl Steps {
    pub(crate) fn new(root: &Path) -> Self {
        let (root, program) = (root.to_owned(), std::env::current_exe());
        Self { root, program, environment: Vec::new(), start: Instant::now(), done: Vec::new() }
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

    /// Starts other tasks, one after the other where `then` stands between them. They are seen when
    /// they are joined; until then what they say goes to a file among `logs`.
    pub(crate) fn beside(&self, tasks: &[&str], logs: &Path) -> anyhow::Result<Beside> {
        let name = tasks.join(" ");
        let log = logs.join(format!("{}.log", tasks.join("-")));
        fs::create_dir_all(logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let out = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        println!("\n=== started beside the following steps: {name} ({})", log.display());
        let start = Instant::now();
        let program = self.program.as_ref().ok().context("nobody knows where this program is")?;
        let mut child = Command::new(program)
            .arg("beside")
            .args(tasks)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            // What it starts belongs to it, and ends with it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{name}`"))?;
        let alive = child.stdin.take();
        let ended = thread::spawn(move || (child.wait(), start.elapsed()));
        Ok(Beside { name, log, _alive: alive, ended })
    }

    /// Waits for tasks that were started beside, and shows what they said.
    pub(crate) fn join(&mut self, beside: Beside) -> anyhow::Result<()> {
        let Beside { name, log, _alive, ended } = beside;
        println!("\n=== {name}, beside the steps before");
        let (status, took) = ended.join().map_err(|_| anyhow::anyhow!("nobody waited for it"))?;
        let said = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
        println!("{}", String::from_utf8_lossy(&said));
        let passed = status?.success();
        self.done.push(Done { name: format!("{name} (beside)"), took, passed });
        ensure!(passed, "`{name}` failed: what it said is above, and in {}", log.display());
        Ok(())
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
        // Not the sum: some ran at the same time.
        let total = self.start.elapsed();
        let _ = write!(table, "\n  {:width$}  {:>9}", "total", seconds(total));
        table
    }
}

/// What a task that was started beside others does first: it ends with all that it started as soon
/// as nobody waits for it any more.
pub(crate) fn end_with_parent() {
    thread::spawn(|| {
        // Nothing is ever written there.
        drop(io::stdin().read(&mut [0]));
        let kill = format!("kill -s TERM -- -{}", process::id());
        drop(Command::new("sh").args(["-c", &kill]).status());
    });
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
