//! Programs that are started, pinned, watched and ended.

use crate::stats::float;
use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A command for `program`, on the processors that it may use.
pub(crate) fn pinned(processors: Option<&str>, program: &Path) -> Command {
    match processors {
        None => Command::new(program),
        Some(list) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", list]).arg(program);
            command
        }
    }
}

/// What a program printed, which must end well.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(done.status.success(), "{name} ended with {}", done.status);
    Ok(String::from_utf8(done.stdout)?)
}

/// A server of whichever kind that is running, and ends with this.
pub(crate) struct Running {
    child: Child,
    /// Its end is the end of the server's wish to print.
    _output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// How long it took to say that it listens.
    pub(crate) started: Duration,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let started = began.elapsed();
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            drop(child.kill());
            bail!("the server said {line:?} rather than where it listens");
        };
        let address: SocketAddr = address.parse()?;
        ensure!(address.ip().is_loopback(), "a server that is measured stays on this machine");
        Ok(Self { child, _output: output, address, started })
    }

    /// What it holds by itself: neither files nor code.
    pub(crate) fn private_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib: u64 = line.context("no RssAnon")?.trim().trim_end_matches(" kB").parse()?;
        Ok(float(kib) / 1024.0)
    }

    /// The processor time that it took so far, in seconds.
    fn busy(&self) -> Result<f64> {
        // After the name, which is in brackets and may have anything in it.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, rest) = stat.rsplit_once(") ").context("no name in stat")?;
        let ticks = rest.split(' ').skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>()?;
        Ok(float(ticks) / float(rustix::param::clock_ticks_per_second()))
    }

    /// Looks at it while `work` goes on.
    pub(crate) fn watch<T>(
        &self,
        log: Option<&Path>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Watched)> {
        let (began, busy, done) = (Instant::now(), self.busy()?, AtomicBool::new(false));
        let (result, (memory, log)) = thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let (mut memory, mut largest) = (0.0, 0);
                while !done.load(Ordering::Relaxed) {
                    memory = self.private_mib().unwrap_or(0.0).max(memory);
                    let size = log.and_then(|log| log.metadata().ok()).map_or(0, |file| file.len());
                    largest = size.max(largest);
                    thread::sleep(Duration::from_millis(50));
                }
                (memory, largest)
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            (result, watching.join().unwrap_or_default())
        });
        let cores = (self.busy()? - busy) / began.elapsed().as_secs_f64();
        Ok((result?, Watched { cores, memory, log_mib: float(log) / 1024.0 / 1024.0 }))
    }

    /// Ends it as an operator does, so that it leaves its files tidy.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        ensure!(self.child.wait()?.success(), "the server did not end well");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a server took while it was watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    /// How many processors it kept busy.
    pub(crate) cores: f64,
    /// The most private memory, in MiB.
    pub(crate) memory: f64,
    /// The largest that its log was, in MiB.
    pub(crate) log_mib: f64,
}

/// The write-ahead log beside a database.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}
