//! What is measured: stores that were seeded once, servers on copies of them, and the floor.

use crate::measure::Bench;
use crate::oha::Seen;
use crate::process::{Running, log_of, output, pinned};
use crate::stats::Chance;
use anyhow::{Context as _, Result, ensure};
use guestlist_bench::http::{Connection, request};
use serde_json::{Value, json};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The password of the administrator of every seeded store.
pub(crate) const PASSWORD: &str = "Bench-passw0rd";
/// Its address.
pub(crate) const EMAIL: &str = "bench@example.com";

/// A store with users in it.
#[derive(Debug, Clone)]
pub(crate) struct Seeded {
    /// As `--store` takes it.
    pub(crate) path: PathBuf,
    pub(crate) application: String,
    pub(crate) token: String,
    /// The file with the ids of its users.
    pub(crate) ids: PathBuf,
    pub(crate) users: u64,
}

impl Seeded {
    /// The store with `users` users: from an earlier run, or made now.
    pub(crate) fn with(bench: &Bench, users: u64) -> Result<Self> {
        let place = bench.place.join(format!("seeded/sqlite-{users}"));
        let made = place.join("made.json");
        let recipe = recipe(&bench.root)?;
        let known = fs::read_to_string(&made).ok();
        let known = known.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let known = if let Some(known) = known.filter(|known| known["recipe"] == recipe) {
            known
        } else {
            println!("seeding {users} users into {}", place.display());
            let known = make(bench, &place, users, &recipe)?;
            fs::write(&made, known.to_string())?;
            known
        };
        let text = |name: &str| {
            known[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"))
        };
        Ok(Self {
            path: place.join("guestlist.db"),
            application: text("applicationId")?,
            token: text("token")?,
            ids: place.join("ids.txt"),
            users,
        })
    }

    /// Another application in the same store, with `users` users; `name` is that of the file of their ids.
    pub(crate) fn beside(&self, bench: &Bench, name: &str, users: u64) -> Result<Self> {
        let store = self.path.to_string_lossy().into_owned();
        Self::fill_one(bench, &store, &bench.place.join(format!("{name}.txt")), users)
    }

    /// The store at `store`, which is empty, with `users` users.
    pub(crate) fn fill(bench: &Bench, store: &str, ids: &Path, users: u64) -> Result<Self> {
        let seeded = Self::fill_one(bench, store, ids, users)?;
        guestlist(bench, store, &["admin", "create", "--email", EMAIL], &format!("{PASSWORD}\n"))?;
        // Who closes last moves the log into the database.
        guestlist(bench, store, &["application", "list"], "")?;
        Ok(seeded)
    }

    fn fill_one(bench: &Bench, store: &str, ids: &Path, users: u64) -> Result<Self> {
        let began = Instant::now();
        let file = ids.to_str().context("a path that is no text")?;
        let count = users.to_string();
        let seed = ["user", "seed", "--name", "bench", "--count", &count, "--ids", file, "--json"];
        let seeded: Value = serde_json::from_str(&guestlist(bench, store, &seed, "")?)?;
        println!("seeded in {:.1} s", began.elapsed().as_secs_f64());
        let application = seeded["applicationId"].as_str().context("no application")?.to_owned();
        let create = ["token", "create", "--application", &application];
        let scope = ["--name", "bench", "--scope", "all.Application"];
        let token = guestlist(bench, store, &[&create[..], &scope].concat(), "")?;
        Ok(Self { path: store.into(), application, token, ids: ids.to_owned(), users })
    }

    /// A copy of it that may be spoilt.
    pub(crate) fn copy(&self, bench: &Bench) -> Result<Copied> {
        let place = bench.place.join(format!("run-{}", self.users));
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place)?;
        let path = place.join("guestlist.db");
        fs::copy(&self.path, &path)?;
        // Written now, and not while something is measured.
        fs::File::open(&path)?.sync_all()?;
        Ok(Copied { place, seeded: Self { path, ..self.clone() } })
    }

    /// The ids of all its users.
    pub(crate) fn all_ids(&self) -> Result<Vec<String>> {
        Ok(fs::read_to_string(&self.ids)?.lines().map(str::to_owned).collect())
    }

    /// The path of its users and groups.
    pub(crate) fn experience(&self) -> String {
        format!("/applications/{}/experience", self.application)
    }

    /// The path of its users.
    pub(crate) fn users_path(&self) -> String {
        self.experience() + "/users"
    }

    /// A file with the URLs at `server` of `count` users drawn by chance, or of all of them.
    pub(crate) fn urls(
        &self,
        bench: &Bench,
        server: &Running,
        count: Option<usize>,
    ) -> Result<PathBuf> {
        let (ids, users) = (self.all_ids()?, self.users_path());
        let mut chance = Chance::new(7);
        let drawn: Vec<&String> = match count {
            Some(count) => (0..count).map(|_| &ids[chance.below(ids.len())]).collect(),
            None => ids.iter().collect(),
        };
        let mut text = String::new();
        for id in drawn {
            text += &format!("http://{}{users}/{id}\n", server.address);
        }
        let name = format!("urls-{}-{}.txt", server.address.port(), count.unwrap_or_default());
        let path = bench.place.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// The same, of whose users only the first `count` are asked for.
    pub(crate) fn hot(&self, bench: &Bench, count: usize) -> Result<Self> {
        let ids = bench.place.join(format!("hot-{count}.txt"));
        let hot: Vec<String> = self.all_ids()?.into_iter().take(count).collect();
        fs::write(&ids, hot.join("\n"))?;
        Ok(Self { ids, ..self.clone() })
    }

    pub(crate) fn serve(&self, bench: &Bench) -> Result<Running> {
        self.serve_with(bench, "")
    }

    /// The same, with such a file of settings.
    pub(crate) fn serve_with(&self, bench: &Bench, settings: &str) -> Result<Running> {
        let file = bench.place.join("guestlist.toml");
        fs::write(&file, settings)?;
        let mut command = pinned(bench.split.server.as_deref(), &bench.binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--store"]).arg(&self.path);
        command.arg("--config").arg(file);
        plain(&mut command);
        Running::start(command)
    }
}

/// A copy of a store, which goes with this.
pub(crate) struct Copied {
    place: PathBuf,
    pub(crate) seeded: Seeded,
}

impl Copied {
    /// The log of its database.
    pub(crate) fn log(&self) -> PathBuf {
        log_of(&self.seeded.path)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // What stays is removed by the next run.
        drop(fs::remove_dir_all(&self.place));
    }
}

/// What a command of Guestlist prints that is about the store at `store`.
fn guestlist(bench: &Bench, store: &str, arguments: &[&str], stdin: &str) -> Result<String> {
    let mut command = Command::new(&bench.binary);
    plain(&mut command);
    command.args(["--store", store]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("no input")?.write_all(stdin.as_bytes())?;
    let done = child.wait_with_output()?;
    ensure!(done.status.success(), "guestlist {} ended with {}", arguments[0], done.status);
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}

/// Nothing of the environment, and no line a request.
pub(crate) fn plain(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GUESTLIST_") {
            command.env_remove(name);
        }
    }
    command.env("GUESTLIST_LOG", "warn");
}

/// What a seeded store depends on: a store of another version would first be brought up to date.
fn recipe(root: &Path) -> Result<String> {
    let server = root.join("crates/server");
    let mut files = vec![server.join("src/population.rs"), server.join("src/cli/seed.rs")];
    for entry in fs::read_dir(server.join("migrations"))? {
        files.push(entry?.path());
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(&file)
            .with_context(|| format!("cannot read {}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn make(bench: &Bench, place: &Path, users: u64, recipe: &str) -> Result<Value> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::create_dir_all(place)?;
    let (store, ids) = (place.join("guestlist.db"), place.join("ids.txt"));
    let seeded = Seeded::fill(bench, &store.to_string_lossy(), &ids, users)?;
    ensure!(!log_of(&store).exists(), "the seeded store still has its log");
    Ok(json!({
        "recipe": recipe, "applicationId": seeded.application, "token": seeded.token,
    }))
}

/// The floor of reads, serving what `server` answers.
pub(crate) struct Floor {
    pub(crate) running: Running,
}

impl Floor {
    pub(crate) fn of(bench: &Bench, seeded: &Seeded, server: &Running) -> Result<Self> {
        let id = seeded.all_ids()?.into_iter().nth(3).context("no users")?;
        let paths = [
            ("user.http", format!("{}/{id}", seeded.users_path())),
            ("users.http", format!("{}?perPage=100", seeded.users_path())),
        ];
        let mut command = pinned(bench.split.server.as_deref(), &bench.exe);
        command.arg("floor");
        let ask = |of: &Running, path: &str| {
            Connection::open(of.address)?.expect(200, &request("GET", path, &seeded.token, ""))
        };
        let mut real = Vec::new();
        for (name, path) in &paths {
            let answer = ask(server, path)?;
            let file = bench.place.join(name);
            fs::write(&file, &answer.raw)?;
            command.arg(file);
            real.push(answer.raw.len());
        }
        let running = Running::start(command)?;
        for ((_, path), real) in paths.iter().zip(real) {
            let floor = ask(&running, path)?.raw.len();
            ensure!(floor == real, "the floor answers {floor} bytes to {path}, the server {real}");
        }
        Ok(Self { running })
    }
}

/// What the disk syncs in a second, measured now.
pub(crate) fn syncs(bench: &Bench, seconds: f64) -> Result<f64> {
    let mut command = pinned(bench.split.server.as_deref(), &bench.exe);
    command.arg("sync").arg(&bench.place).arg(seconds.to_string());
    Ok(output(&mut command)?.trim().parse()?)
}

/// What as many threads hash in a second as the server hashes with, measured now.
pub(crate) fn hashes(bench: &Bench, seconds: f64) -> Result<f64> {
    // The server leaves one processor for everything else.
    let threads = bench.split.cores.saturating_sub(1).max(1);
    let mut command = pinned(bench.split.server.as_deref(), &bench.exe);
    command.arg("hash").arg(threads.to_string()).arg(seconds.to_string());
    Ok(output(&mut command)?.trim().parse()?)
}

/// What a run of `load` saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wrote {
    pub(crate) seen: Seen,
    pub(crate) max: f64,
    /// How many there were.
    pub(crate) count: u64,
    /// Writes a second, in each five seconds.
    pub(crate) slices: Vec<f64>,
}

/// Requests that a process of our own sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    /// `patch`, `fixed`, `create`, `delete`, `get` or `get-gzip`.
    pub(crate) what: &'static str,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    /// Users of the file that are left out.
    pub(crate) skip: u64,
}

impl Writing {
    pub(crate) const fn new(what: &'static str, connections: usize, seconds: f64) -> Self {
        Self { what, connections, seconds, skip: 0 }
    }

    fn command(&self, bench: &Bench, seeded: &Seeded, server: &Running) -> Command {
        let mut command = pinned(bench.split.load.as_deref(), &bench.exe);
        command.args(["load", self.what, "--to", &server.address.to_string()]);
        command.args(["--application", &seeded.application, "--token", &seeded.token]);
        command.arg("--ids").arg(&seeded.ids);
        command.args(["--connections", &self.connections.to_string()]);
        command.args(["--seconds", &self.seconds.to_string()]);
        command.args(["--skip", &self.skip.to_string()]);
        command.args(["--run", &bench.next_run().to_string()]);
        command
    }

    /// What `printed` says, if every request was answered as it should be.
    fn read(&self, printed: &str) -> Result<Wrote> {
        let said: Value = serde_json::from_str(printed).context("the load did not print JSON")?;
        let status = if self.what == "create" { "201" } else { "200" };
        let statuses = said["statuses"].as_object().context("no statuses")?;
        ensure!(
            statuses.len() == 1 && statuses.contains_key(status),
            "not every answer was {status}: {statuses:?}"
        );
        let count: u64 = statuses.values().filter_map(Value::as_u64).sum();
        let coded = |name: &str| said[name].as_u64().with_context(|| format!("no {name}"));
        let (gzip, plain) = (coded("gzip")?, coded("plain")?);
        if self.what == "get-gzip" {
            ensure!(gzip > 0 && plain == 0, "{plain} long answers of {count} were not compressed");
        } else {
            ensure!(gzip == 0, "{gzip} answers of {count} were compressed");
        }
        let number = |name: &str| said[name].as_f64().with_context(|| format!("no {name}"));
        let slices = said["slices"].as_array().into_iter().flatten().filter_map(Value::as_f64);
        Ok(Wrote {
            seen: Seen {
                rate: number("rate")?,
                p50: number("p50")?,
                p99: number("p99")?,
                p999: number("p999")?,
            },
            max: number("max")?,
            count,
            slices: slices.collect(),
        })
    }

    /// Sends them to `server`.
    pub(crate) fn run(&self, bench: &Bench, seeded: &Seeded, server: &Running) -> Result<Wrote> {
        self.read(&output(&mut self.command(bench, seeded, server))?)
    }

    /// Does `work`, once they have begun, while they are sent.
    pub(crate) fn during<T>(
        &self,
        bench: &Bench,
        (seeded, server): (&Seeded, &Running),
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.beside(bench, (seeded, server), work).map(|(done, _)| done)
    }

    /// The same, and what they came to.
    pub(crate) fn beside<T>(
        &self,
        bench: &Bench,
        (seeded, server): (&Seeded, &Running),
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Wrote)> {
        const AHEAD: Duration = Duration::from_secs(1);
        let longer = Self { seconds: self.seconds + 3.0 * AHEAD.as_secs_f64(), ..*self };
        let mut command = longer.command(bench, seeded, server);
        let writer = command.stdout(Stdio::piped()).spawn()?;
        thread::sleep(AHEAD);
        let done = work();
        let written = writer.wait_with_output()?;
        let wrote = self.read(&String::from_utf8(written.stdout)?)?;
        Ok((done?, wrote))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_counts_only_if_every_answer_is_coded_as_it_should_be() {
        let said = |gzip: u64, plain: u64| {
            json!({
                "statuses": { "200": 10 }, "gzip": gzip, "plain": plain, "slices": [],
                "rate": 1, "p50": 1, "p99": 1, "p999": 1, "max": 1,
            })
            .to_string()
        };
        let read = |what, gzip, plain| Writing::new(what, 1, 1.0).read(&said(gzip, plain));
        // Short ones are left as they are.
        assert_eq!(read("get-gzip", 9, 0).unwrap().count, 10);
        assert_eq!(read("get", 0, 10).unwrap().count, 10);
        let refused = read("get-gzip", 9, 1).unwrap_err().to_string();
        assert_eq!(refused, "1 long answers of 10 were not compressed");
        assert!(read("get-gzip", 0, 0).is_err());
        assert!(read("get", 1, 9).is_err());
    }
}
