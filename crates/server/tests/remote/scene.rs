//! A server, and a place from which it is asked.

use guestlist::store::ephemeral::Database;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) const EMAIL: &str = "admin@example.com";
pub(crate) const PASSWORD: &str = "Correct-h0rse";

/// A running server, with an administrator and an application.
pub(crate) struct Scene {
    directory: TempDir,
    server: Child,
    pub(crate) url: String,
    pub(crate) application: String,
    /// A token of the application that may do everything in it.
    pub(crate) token: String,
    /// What its store is called.
    pub(crate) store: String,
    /// Where that is, if it is no file; it goes last.
    _database: Option<Database>,
}

/// A new store, of the kind that these tests are built for.
fn store() -> (String, Option<Database>) {
    if env!("CARGO_CRATE_NAME") != "it_postgres" {
        return ("a.db".into(), None);
    }
    let cluster = std::env::var("GUESTLIST_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`")
    });
    let database = Database::new(&cluster).unwrap();
    let shown = database.place().to_string();
    let (_, name) = shown.rsplit_once('/').unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    (format!("{server}/{name}"), Some(database))
}

/// What a command came to.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// It went well; what it printed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// It went well; the JSON that it printed, an object a line.
    #[track_caller]
    pub(crate) fn lines(self) -> Vec<Value> {
        self.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// It went well, and printed one object.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    }

    /// It went well and said that there is more; the JSON as by `lines`, and the cursor.
    #[track_caller]
    pub(crate) fn more(self) -> (Vec<Value>, String) {
        let (lines, _, next) = self.beside();
        (lines, next.unwrap())
    }

    /// It worked; what it printed, and the cursors of the page before and of the next.
    #[track_caller]
    pub(crate) fn beside(mut self) -> (Vec<Value>, Option<String>, Option<String>) {
        let said = std::mem::take(&mut self.err);
        let cursor = |words: &str| {
            let start = format!("guestlist: there is more{words}: --cursor ");
            said.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
        };
        let (previous, next) = (cursor(" before"), cursor(""));
        let lines = [&previous, &next].into_iter().flatten().count();
        assert_eq!(said.lines().count(), lines, "{said}");
        (self.lines(), previous, next)
    }

    /// It failed with this code, saying all of `says`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, says: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        for words in says {
            assert!(self.err.contains(words), "{words:?} is not in {}", self.err);
        }
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (store, database) = store();
        let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", &store]);
        clean(&mut command, &directory);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        let (application, token) = (String::new(), String::new());
        let named = store.clone();
        let mut scene =
            Self { directory, server, url, application, token, store, _database: database };
        let store = ["--store", &named, "--json"];
        let made = scene.bare(&[&["application", "create", "--name", "own"], &store[..]].concat());
        made.json()["applicationId"].as_str().unwrap().clone_into(&mut scene.application);
        let create = ["token", "create", "--name", "t", "--scope", "all.Application"];
        let of = ["--application", scene.application.as_str()];
        let made = scene.bare(&[&create[..], &of, &store].concat()).json();
        made["token"].as_str().unwrap().clone_into(&mut scene.token);
        let create = ["admin", "create", "--email", EMAIL];
        scene.run(&[&create[..], &store].concat(), &[], PASSWORD).json();
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a command with some environment and something to read.
    pub(crate) fn run(&self, arguments: &[&str], env: &[(&str, &str)], stdin: &str) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
        command.args(arguments);
        self.done(command, env, stdin)
    }

    /// Runs a script of the shell in the same place.
    pub(crate) fn sh(&self, script: &str, env: &[(&str, &str)]) -> Done {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        self.done(command, env, "")
    }

    fn done(&self, mut command: Command, env: &[(&str, &str)], stdin: &str) -> Done {
        clean(&mut command, &self.directory);
        command.envs(env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails early does not read it.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        let done = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }

    /// Runs a command that is told nothing of the server.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Done {
        self.run(arguments, &[], "")
    }

    /// Runs a command that is told of the server and the application by the environment.
    pub(crate) fn asks(&self, arguments: &[&str]) -> Done {
        self.asks_with(arguments, "")
    }

    /// The same, with something to read.
    pub(crate) fn asks_with(&self, arguments: &[&str], stdin: &str) -> Done {
        self.run(arguments, &self.environment(), stdin)
    }

    pub(crate) fn environment(&self) -> [(&'static str, &str); 3] {
        [
            ("GUESTLIST_URL", &self.url),
            ("GUESTLIST_TOKEN", &self.token),
            ("GUESTLIST_APPLICATION", &self.application),
        ]
    }

    /// Makes a user, and gives its id.
    pub(crate) fn user(&self, email: &str) -> String {
        let made = self.asks_with(&["user", "create", "--email", email], "a password\n").ok();
        made.trim_end().to_owned()
    }

    /// What the program itself left in a file.
    pub(crate) fn read(&self, name: &str) -> String {
        let mut text = String::new();
        std::fs::File::open(self.path(name)).unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Runs in a place of its own, with nothing of the environment or the home of who runs the tests.
fn clean(command: &mut Command, place: &TempDir) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        if text.starts_with("guestlist_") || text.ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.env("HOME", place.path()).env_remove("XDG_CONFIG_HOME").current_dir(place.path());
}
