//! A shell that runs a database server and outlives whoever started it.

use crate::identity::Identity;
use crate::programs::Programs;
use anyhow::{Context as _, ensure};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const SCRIPT: &str = include_str!("keeper.sh");

/// One such shell and its directory. Both go with the server when this is dropped, and when the
/// process ends in whatever way: the shell reads from a pipe that closes then. It is in a process
/// group of its own, so that what ends a test by its group does not end the shell before it has
/// cleaned up.
#[derive(Debug)]
pub(crate) struct Keeper {
    shell: Child,
    lines: Option<ChildStdin>,
    statuses: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Keeper {
    /// One for the server of these programs.
    pub(crate) fn new(programs: &Programs) -> anyhow::Result<Self> {
        Self::of(Some(programs))
    }

    /// As [`Keeper::new`]; without programs it is for a server that needs none of them.
    pub(crate) fn of(programs: Option<&Programs>) -> anyhow::Result<Self> {
        let place = tempfile::Builder::new().prefix("guestlist-pg-").tempdir()?;
        let mut command = match Identity::to_assume()? {
            None => Command::new("sh"),
            Some(identity) => {
                identity.own(place.path())?;
                let mut command = identity.command()?;
                command.arg("sh");
                command
            }
        };
        command.args(["-c", SCRIPT, "keeper"]).arg(place.path());
        command.args(programs.map(Programs::directory));
        // PGDATA, PGPORT and the like are about some other server.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").env("TZ", "UTC").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.spawn().context("`sh` does not start")?;
        let lines = shell.stdin.take();
        let statuses = shell.stdout.take().context("its output is piped")?;
        // The shell removes it: from here on it may be the only one that is left to.
        let directory = place.keep();
        Ok(Self { shell, lines, statuses: BufReader::new(statuses), directory })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes a file that the user of the server may read and nobody else.
    pub(crate) fn write(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        // A line of shell has no end in it.
        let text = text.replace('\\', r"\\").replace('\n', r"\n");
        self.run(&["eval", &format!("(umask 077; printf %b {} >{name})", quoted(&text))])
    }

    /// Runs a line of shell: a function of the script, or a program of the same user.
    pub(crate) fn run(&mut self, words: &[&str]) -> anyhow::Result<()> {
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        ensure!(!line.contains('\n'), "a line has no end in it: {line}");
        writeln!(self.lines.as_mut().context("it is open")?, "{line}")?;
        let mut status = String::new();
        self.statuses.read_line(&mut status)?;
        if status.trim_end() != "0" {
            let said = std::fs::read(self.directory.join("said")).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            anyhow::bail!("`{line}` ended with {:?}:\n{}", status.trim_end(), said.trim_end());
        }
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.lines.take());
        // Waiting is only so that nothing is left when a test has ended.
        let _ = self.shell.wait();
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
