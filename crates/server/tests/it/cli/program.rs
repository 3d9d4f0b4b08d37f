//! The program itself, run as people run it.

use crate::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory in which the program is run, with nothing of the environment of the tests.
pub(super) struct Place(TempDir);

/// What a command came to.
pub(super) struct Done {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Done {
    /// It went well; what it printed.
    #[track_caller]
    pub(super) fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }

    /// It went well and printed one line, which is one JSON value.
    #[track_caller]
    pub(super) fn json(self) -> Value {
        let printed = self.ok();
        assert_eq!(printed.lines().count(), 1, "{printed}");
        serde_json::from_str(&printed).unwrap()
    }

    /// It failed as a command should, saying `what`.
    #[track_caller]
    pub(super) fn failed(&self, what: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("guestlist: "), "{}", self.stderr);
        assert!(self.stderr.contains(what), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Command::new(env!("CARGO_BIN_EXE_guestlist")), arguments)
    }

    /// `command`, which is the program, with `arguments`.
    pub(super) fn command_of(&self, mut command: Command, arguments: &[&str]) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GUESTLIST_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    /// The same, with something to read.
    pub(super) fn run_with(&self, arguments: &[&str], stdin: &str) -> Done {
        Self::end(self.command(arguments), stdin)
    }

    /// Runs `command` to its end.
    pub(super) fn end(mut command: Command, stdin: &str) -> Done {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails early does not read it.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (stdout, stderr) = (gather(stdout), gather(stderr));
        let status = end_of(&mut child);
        Done { code: status.code(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }

    pub(super) fn serve(&self) -> Serving {
        Serving::start(self.command(&["serve", "--listen", "127.0.0.1:0", "--store", "a.db"]))
    }
}

/// A server that is running.
pub(super) struct Serving {
    child: Child,
    lines: Receiver<String>,
    log: Option<JoinHandle<String>>,
    pub(super) client: Client,
    /// What it printed before it was ready.
    pub(super) before: Vec<String>,
    /// Whether it said that in JSON.
    pub(super) for_programs: bool,
}

impl Serving {
    /// Starts it and waits until it is ready.
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // A terminal ends lines in its own way.
                drop(send.send(line.trim_end().to_owned()));
            }
        });
        let log = gather(stderr);
        let mut before = Vec::new();
        let (address, for_programs): (SocketAddr, bool) = loop {
            let line = lines.recv_timeout(PATIENCE).expect("the server starts");
            // For programs it is an object, as every other line is.
            let ready =
                serde_json::from_str::<Value>(&line).ok().filter(|said| said["ready"] == true);
            let url = ready.and_then(|said| Some(said["url"].as_str()?.to_owned()));
            let for_programs = url.is_some();
            let url = url.or_else(|| line.strip_prefix("listening on ").map(str::to_owned));
            if let Some(url) = url {
                let (_, address) = url.split_once("://").unwrap();
                break (address.parse().unwrap(), for_programs);
            }
            before.push(line);
        };
        Self { child, lines, log: Some(log), client: Client::new(address), before, for_programs }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits until it has ended: how, and what it printed and logged until then.
    pub(super) fn ended(mut self) -> (ExitStatus, Vec<String>, String) {
        let status = end_of(&mut self.child);
        let log = self.log.take().unwrap().join().unwrap();
        (status, self.lines.iter().collect(), log)
    }

    /// Ends it as an operator does.
    pub(super) fn stop(self) -> String {
        self.terminate();
        let (status, printed, log) = self.ended();
        assert!(status.success(), "{status}: {log}");
        assert!(printed.is_empty(), "printed after it was ready: {printed:?}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads `from` to its end, meanwhile.
fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    })
}

/// Waits for the end of `child`. One that goes on for too long, such as a server that should have
/// refused to start, is a failure and is not left behind.
fn end_of(child: &mut Child) -> ExitStatus {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The mode of a file, as `ls` counts it.
pub(super) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
