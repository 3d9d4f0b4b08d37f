//! Calls of the system that fail: a program that runs is attached to by strace, which has the calls on
//! some files end as it is told to.

use anyhow::{Context as _, bail};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What fails. It does until this is dropped.
#[derive(Debug)]
pub struct Calls {
    strace: Child,
    log: PathBuf,
    _directory: tempfile::TempDir,
}

impl Calls {
    /// From now on the calls that the process `pid` makes on `files` end as `inject` says, in the
    /// words of strace: `fsync,fdatasync:error=EIO:when=2+`. Each thread counts for itself.
    ///
    /// # Errors
    /// When there is no strace, or it may not attach.
    pub fn fail(pid: u32, files: &[&Path], inject: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let log = directory.path().join("calls");
        let mut command = Command::new("strace");
        command.arg("-f").arg("-o").arg(&log);
        for file in files {
            command.arg("-P").arg(file);
        }
        let calls = inject.split(':').next().unwrap_or_default();
        command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={inject}")]);
        command.arg("-p").arg(pid.to_string()).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut strace = command
            .spawn()
            .context("`strace` does not start: on Debian, apt-get install strace")?;
        let said = BufReader::new(strace.stderr.take().context("it is piped")?);
        let mut all = String::new();
        for line in said.lines() {
            let line = line?;
            if line.contains("attached") {
                return Ok(Self { strace, log, _directory: directory });
            }
            all.push_str(&line);
            all.push('\n');
        }
        let _ = strace.wait();
        bail!("strace could not attach: {all}")
    }

    /// How many calls were made to end so.
    ///
    /// # Errors
    /// When what it has written cannot be read.
    pub fn count(&self) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(&self.log)?;
        Ok(log.lines().filter(|line| line.contains("(INJECTED)")).count())
    }

    /// Lets everything through again: how many calls were made to end so.
    ///
    /// # Errors
    /// As [`Calls::count`].
    pub fn end(mut self) -> anyhow::Result<usize> {
        self.detach();
        self.count()
    }

    fn detach(&mut self) {
        // Asked by SIGTERM it lets go of the program; killed, it would leave that to the kernel.
        let kill = format!("kill {}", self.strace.id());
        let _ = Command::new("sh").args(["-c", &kill]).status();
        let _ = self.strace.wait();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if matches!(self.strace.try_wait(), Ok(None)) {
            self.detach();
        }
    }
}
