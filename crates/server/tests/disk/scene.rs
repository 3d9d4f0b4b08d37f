//! A store, the program on it, and users that are changed.

use super::ledger::{Ledger, Outcome};
use guestlist_testbed::http::{Answer, Client, Request};
use guestlist_testbed::process::{Place, Server};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) struct Scene {
    pub(crate) place: Place,
    /// The file of the store.
    pub(crate) store: PathBuf,
    pub(crate) token: String,
    pub(crate) ledgers: Vec<Ledger>,
    users: String,
}

impl Scene {
    /// With a store in a directory of its own and so many users.
    pub(crate) fn new(users: usize) -> Self {
        let place = Place::new(env!("CARGO_BIN_EXE_guestlist"));
        let store = place.store();
        Self::of(place, store, users)
    }

    /// With a store in `directory`.
    pub(crate) fn within(directory: &Path, users: usize) -> Self {
        let store = directory.join("guestlist.db");
        let url = store.to_str().expect("a path in UTF-8").to_owned();
        Self::of(Place::beside(env!("CARGO_BIN_EXE_guestlist"), url), store, users)
    }

    fn of(place: Place, store: PathBuf, users: usize) -> Self {
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let application =
            text(&place.run(&["application", "create", "--name", "a"])["applicationId"]);
        let arguments = ["token", "create", "--application", &application, "--name", "t"];
        let token = place.run(&[&arguments[..], &["--scope", "all.Application"]].concat());
        let token = text(&token["token"]);
        let path = format!("/applications/{application}/experience/users");
        let server = place.spawn().ready();
        let mut client = Client::connect(&server.address, &token).expect("it serves");
        let ledgers = (0..users).map(|number| {
            let mut body = Ledger::fields(0);
            body["email"] = format!("{number}@disk.test").into();
            body["password"] = "password".into();
            let made = client.send(&Request::new("POST", path.clone(), Some(body)));
            let made = made.expect("an answer");
            assert_eq!(made.status, 201, "{}", made.body);
            Ledger::new(format!("{path}/{}", text(&made.body["id"])))
        });
        let ledgers = ledgers.collect();
        server.kill();
        Self { place, store, token, ledgers, users: path }
    }

    pub(crate) fn start(&self) -> Server {
        self.place.spawn().ready()
    }

    pub(crate) fn client(&self, server: &Server) -> Client {
        Client::connect(&server.address, &self.token).expect("it serves")
    }

    /// The file beside that of the store.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.store.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// A request that makes another user.
    pub(crate) fn post(&self, email: &str) -> Request {
        let mut body = Ledger::fields(0);
        body["email"] = email.into();
        body["password"] = "password".into();
        Request::new("POST", self.users.clone(), Some(body))
    }

    /// Has all users changed while `during` is done, and until all have noticed that it is over.
    pub(crate) fn work<R>(&mut self, server: &Server, during: impl FnOnce() -> R) -> R {
        let over = AtomicBool::new(false);
        let (address, token) = (&server.address, &self.token);
        thread::scope(|scope| {
            for ledger in &mut self.ledgers {
                let over = &over;
                scope.spawn(move || ledger.work(address, token, over));
            }
            let done = during();
            over.store(true, Ordering::Relaxed);
            done
        })
    }

    /// How many changes ended so since that was last judged.
    pub(crate) fn count(&self, of: Outcome) -> usize {
        self.ledgers.iter().map(|ledger| ledger.count(of)).sum()
    }

    /// How many changes were done since that was last judged, and what is wrong with what `server`
    /// has, which is gone on from.
    pub(crate) fn judge(&mut self, server: &Server, cut: Option<Instant>) -> (usize, Vec<String>) {
        let mut client = self.client(server);
        let (done, mut wrong) = (self.count(Outcome::Done), Vec::new());
        for ledger in &mut self.ledgers {
            let found = ledger.look(&mut client);
            wrong.extend(ledger.objection(found, cut));
            ledger.settle(found);
        }
        (done, wrong)
    }

    /// What a server would find if this one was killed now, of the first user: SQLite reads a copy of
    /// the files as it would read them. Nothing may be changing them.
    pub(crate) fn after_a_crash(&self) -> u64 {
        let directory = tempfile::tempdir().expect("a directory");
        let copy = directory.path().join("guestlist.db");
        std::fs::copy(&self.store, &copy).expect("a copy");
        std::fs::copy(self.beside("-wal"), directory.path().join("guestlist.db-wal"))
            .expect("a copy of the log");
        let copy = Connection::open(copy).expect("a database");
        let sql = "SELECT first_name FROM experience_users WHERE email = '0@disk.test'";
        let name: String = copy.query_row(sql, [], |row| row.get(0)).expect("the user");
        name.parse().expect("a number")
    }
}

/// What `/readyz` answers, with `query` behind it.
pub(crate) fn ready(server: &Server, query: &str) -> Answer {
    let mut client = Client::connect(&server.address, "").expect("it serves");
    let path = format!("/readyz{query}");
    client.send(&Request::new("GET", path, None)).expect("an answer")
}

/// Waits until `done`, for much longer than that takes.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what} never was");
        thread::sleep(Duration::from_millis(20));
    }
}
