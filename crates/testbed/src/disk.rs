//! A disk of its own for a test: an image of ext4 on a loop device, which can be filled, and whose power
//! can be cut without that of the machine. It takes root, because only root mounts.

use crate::identity::is_root;
use anyhow::{Context as _, bail, ensure};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

const SCRIPT: &str = include_str!("disk.sh");
const CUT: &str = include_str!("disk_cut.py");
/// What is memory on Linux, where it takes no time to sync an image.
const MEMORY: &str = "/dev/shm";
const NEEDED: [&str; 5] = ["mkfs.ext4", "mount", "umount", "truncate", "python3"];

/// One such disk. It goes when this is dropped, and when the process ends in whatever way.
#[derive(Debug)]
pub struct Disk {
    shell: Child,
    lines: Option<ChildStdin>,
    statuses: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Disk {
    /// A new one of so many bytes, mounted; nothing where nobody but root could mount it.
    ///
    /// # Errors
    /// When a program is missing, or this is root and may not mount all the same.
    pub fn new(bytes: u64) -> anyhow::Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        for program in NEEDED {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            ensure!(
                found.is_ok_and(|found| found.status.success()),
                "there is no {program}: on Debian, apt-get install e2fsprogs mount python3"
            );
        }
        let place = tempfile::Builder::new().prefix("guestlist-disk-").tempdir_in(base(bytes))?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "disk"]).arg(place.path()).arg(bytes.to_string());
        // Of its own, so that what ends a test by its group does not end it before it cleans up.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.spawn().context("`sh` does not start")?;
        let lines = shell.stdin.take();
        let statuses = shell.stdout.take().context("its output is piped")?;
        let statuses = BufReader::new(statuses);
        let mut disk = Self { shell, lines, statuses, directory: place.keep() };
        disk.run("make").context("a loop device with ext4 cannot be made and mounted here")?;
        Ok(Some(disk))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join("mounted")
    }

    /// Gets ready to cut its power, so that it takes no time then.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn cutter(&self) -> anyhow::Result<Cutter> {
        let mut command = Command::new("python3");
        command.args(["-c", CUT]).arg(self.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("`python3` does not start")?;
        let answers = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut cutter = Cutter { child, answers };
        cutter.expect("ready")?;
        Ok(cutter)
    }

    /// Has the power back: what was on the disk is there. Nothing may be using it.
    ///
    /// # Errors
    /// When something is, or it cannot be mounted again.
    pub fn restore_power(&mut self) -> anyhow::Result<()> {
        self.run("detach")?;
        self.run("attach")
    }

    fn run(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.lines.as_mut().context("it is open")?, "{line}")?;
        let mut status = String::new();
        self.statuses.read_line(&mut status)?;
        if status.trim_end() != "0" {
            let said = std::fs::read_to_string(self.directory.join("said")).unwrap_or_default();
            bail!("`{line}` ended with {:?}: {}", status.trim_end(), said.trim_end());
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.lines.take());
        let _ = self.shell.wait();
    }
}

/// Where an image of so many bytes goes.
fn base(bytes: u64) -> PathBuf {
    let free = Command::new("df").args(["--output=avail", "-B1", MEMORY]).output();
    let free = free.ok().and_then(|free| {
        String::from_utf8_lossy(&free.stdout).lines().nth(1)?.trim().parse::<u64>().ok()
    });
    if free.is_some_and(|free| free / 2 >= bytes) {
        Path::new(MEMORY).to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// Cuts the power of a disk.
#[derive(Debug)]
pub struct Cutter {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Cutter {
    /// Cuts it: the moment before that began. A sync that is under way then may say that it was done
    /// although it was not: what is answered later is in doubt, whatever the answer.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn cut(mut self) -> anyhow::Result<Instant> {
        let before = Instant::now();
        writeln!(self.child.stdin.as_mut().context("it is piped")?, "now")?;
        self.expect("cut")?;
        Ok(before)
    }

    fn expect(&mut self, word: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(line.trim_end() == word, "the power of the disk cannot be cut: {line:?}");
        Ok(())
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
