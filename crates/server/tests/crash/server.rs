//! The program under test, as a process that can be killed.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What all the processes have in common: the store and its surroundings.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.directory.path().join("guestlist.db")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// The program with `arguments`, away from whatever is configured where the test runs.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
        command
            .args(arguments)
            .arg("--store")
            .arg(self.store())
            // Tokens name the server, whose port changes.
            .args(["--public-url", "http://crash.test"])
            .current_dir(self.directory.path())
            .env_remove("GUESTLIST_CONFIG")
            .env_remove("GUESTLIST_LISTEN")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end: the JSON that it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Starts a server.
    pub(crate) fn spawn(&self) -> Starting {
        let log = File::create(self.log()).expect("a file");
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program starts");
        Starting { child: Killed(child), log: self.log() }
    }
}

/// Ends with the test, however that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL; and that fails when there is nothing left to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that may not be listening yet. It is killed when this is dropped.
pub(crate) struct Starting {
    child: Killed,
    log: PathBuf,
}

impl Starting {
    /// Waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    pub(crate) fn ready(mut self) -> Server {
        let stdout = self.child.0.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("its output can be read");
        match line.trim_end().strip_prefix("listening on http://") {
            Some(address) => {
                Server { address: address.to_owned(), log: self.log, _child: self.child }
            }
            None => panic!("the server did not start: {}", read(&self.log)),
        }
    }
}

/// A server that listens. It is killed when this is dropped.
pub(crate) struct Server {
    pub(crate) address: String,
    log: PathBuf,
    _child: Killed,
}

impl Server {
    /// Kills it without a word.
    ///
    /// # Panics
    /// When it had panicked before.
    pub(crate) fn kill(self) {
        let log = self.log.clone();
        drop(self);
        let log = read(&log);
        assert!(!log.contains("panicked"), "{log}");
    }
}

fn read(log: &Path) -> String {
    std::fs::read_to_string(log).expect("its log")
}
