//! The program under test, as a process that can be killed.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process that is to end has for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What all the processes have in common: the program, the store and its surroundings.
#[derive(Debug)]
pub struct Place {
    directory: tempfile::TempDir,
    program: PathBuf,
    /// What the store is called where no file of this place is.
    elsewhere: Option<String>,
    logs: AtomicU32,
}

impl Place {
    /// One for `program` with a new store in a file.
    ///
    /// # Panics
    /// When there is no place for one.
    #[must_use]
    pub fn new(program: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self { directory, program: program.into(), elsewhere: None, logs: AtomicU32::new(0) }
    }

    /// One for `program` with the store at a URL.
    #[must_use]
    pub fn beside(program: &str, store: String) -> Self {
        Self { elsewhere: Some(store), ..Self::new(program) }
    }

    /// Keeps `text` where the program looks for its configuration.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.directory.path().join("guestlist.toml"), text).expect("a file");
    }

    /// The file of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.directory.path().join("guestlist.db")
    }

    /// The program with `arguments`, away from whatever is configured where the test runs.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // Tokens name the server, whose port changes.
        command.env("GUESTLIST_PUBLIC_URL", "http://guests.test").args(arguments).arg("--store");
        match &self.elsewhere {
            Some(url) => command.arg(url),
            None => command.arg(self.store()),
        };
        command
            .current_dir(self.directory.path())
            .env_remove("GUESTLIST_CONFIG")
            .env_remove("GUESTLIST_LISTEN")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end: the JSON that it prints.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Value {
        self.run_with(arguments, "")
    }

    /// As [`Place::run`], with a line to read.
    ///
    /// # Panics
    /// When it fails.
    pub fn run_with(&self, arguments: &[&str], line: &str) -> Value {
        let mut command = self.command(arguments);
        command.arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // It need not read it.
        let _ = writeln!(child.stdin.take().expect("it is piped"), "{line}");
        let output = child.wait_with_output().expect("its output can be read");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Starts a server.
    ///
    /// # Panics
    /// When the program is not there.
    #[must_use]
    pub fn spawn(&self) -> Starting {
        let number = self.logs.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.path().join(format!("log-{number}"));
        let log = File::create(&path).expect("a file");
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program starts");
        Starting { child: Killed(child), log: path }
    }
}

/// Ends with the test, however that ends.
#[derive(Debug)]
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL; and that fails when there is nothing left to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that may not be listening yet. It is killed when this is dropped.
#[derive(Debug)]
pub struct Starting {
    child: Killed,
    log: PathBuf,
}

impl Starting {
    /// Waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    #[must_use]
    pub fn ready(mut self) -> Server {
        let stdout = self.child.0.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("its output can be read");
        match line.trim_end().strip_prefix("listening on http://") {
            Some(address) => {
                Server { address: address.to_owned(), log: self.log, child: self.child }
            }
            None => panic!("the server did not start: {}", read(&self.log)),
        }
    }
}

/// A server that listens. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens: an address and a port.
    pub address: String,
    log: PathBuf,
    child: Killed,
}

impl Server {
    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Whether it has ended by itself.
    ///
    /// # Panics
    /// When that cannot be told.
    pub fn has_ended(&mut self) -> bool {
        self.child.0.try_wait().expect("it is a child").is_some()
    }

    /// Waits until it has ended by itself: the code that it ended with, if no signal ended it.
    ///
    /// # Panics
    /// When it goes on for longer than any of its deadlines.
    pub fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.0.try_wait().expect("it is a child") {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "it goes on: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it without a word.
    ///
    /// # Panics
    /// When it had panicked before.
    pub fn kill(self) {
        let log = self.log.clone();
        drop(self);
        let log = read(&log);
        assert!(!log.contains("panicked"), "{log}");
    }
}

fn read(log: &Path) -> String {
    std::fs::read_to_string(log).expect("its log")
}
