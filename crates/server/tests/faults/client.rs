//! Clients under load: what they asked, and what they know of what became of it.

use super::site::{NODES, Site};
use super::user::{self, Groups};
use guestlist_testbed::Random;
use guestlist_testbed::http::{self, Answer, Request};
use guestlist_testbed::linear::{Action, Operation};
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What all clients share.
pub(crate) struct Scene<'s> {
    pub(crate) site: &'s Site,
    pub(crate) groups: Groups,
    /// The ids of the users that are written again and again.
    pub(crate) users: Vec<String>,
    /// The order of all that happens: one thing is before another only if this says so.
    pub(crate) time: AtomicU64,
    /// How many tried to make a user. Several want each address.
    pub(crate) rivals: AtomicU64,
    pub(crate) over: AtomicBool,
}

impl Scene<'_> {
    /// The groups that a user may be in. Most are in none: what changes those may be kept together.
    pub(crate) fn groups_of(&self, user: usize) -> &[String] {
        if user.is_multiple_of(3) { &self.groups } else { &[] }
    }
}

/// A user that somebody tried to make.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) email: String,
    pub(crate) value: u64,
    /// Its id, where that was answered.
    pub(crate) id: Option<String>,
    /// Whether it may exist, and whether it must.
    pub(crate) may: bool,
    pub(crate) must: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: u32,
    pub(crate) unanswered: u32,
    pub(crate) refused: u32,
    pub(crate) replayed: u32,
    pub(crate) made: u32,
    pub(crate) taken: u32,
}

/// One client, which does one thing after the other.
pub(crate) struct Client {
    number: u64,
    random: Random,
    node: usize,
    connection: Option<http::Client>,
    names: u64,
    /// What a user held when it was last seen, and its tag then.
    seen: HashMap<usize, (u64, String)>,
    pub(crate) histories: HashMap<usize, Vec<Operation<u64>>>,
    pub(crate) made: Vec<Made>,
    pub(crate) tally: Tally,
}

/// What became of a request.
enum Outcome {
    /// It was answered, at that time.
    Known(Answer, u64),
    Unknown,
}

impl Client {
    pub(crate) fn new(number: u64, random: Random) -> Self {
        Self {
            number,
            random,
            node: usize::try_from(number).expect("a small number") % NODES,
            connection: None,
            names: 0,
            seen: HashMap::new(),
            histories: HashMap::new(),
            made: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Works until it is over.
    pub(crate) fn work(&mut self, scene: &Scene<'_>) {
        while !scene.over.load(Ordering::Relaxed) {
            let user = self.random.one_of(0..scene.users.len()).expect("there are some");
            // What one node has told it, the others have to know.
            if self.random.once_in(10) {
                self.turn();
            }
            match self.random.below(20) {
                0 => self.make(scene),
                1..10 => self.read(scene, user),
                10..15 => self.write(scene, user),
                _ => self.swap(scene, user),
            }
            thread::sleep(Duration::from_millis(self.random.below(6)));
        }
    }

    /// Goes on with any node.
    fn turn(&mut self) {
        self.connection = None;
        self.node = self.random.one_of(0..NODES).expect("there are some");
    }

    /// Sends `request` once.
    fn send(&mut self, scene: &Scene<'_>, request: &Request) -> Outcome {
        if self.connection.is_none() {
            self.connection = scene.site.client(self.node);
        }
        let answer = self.connection.as_mut().map(|client| client.send(request));
        let time = scene.time.fetch_add(1, Ordering::SeqCst);
        match answer {
            Some(Ok(answer)) if answer.status != 503 => {
                self.tally.answered += 1;
                self.tally.replayed += u32::from(answer.replayed);
                return Outcome::Known(answer, time);
            }
            // It goes on serving.
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.connection = None,
        }
        self.tally.unanswered += 1;
        thread::sleep(Duration::from_millis(5));
        if self.random.once_in(2) {
            self.turn();
        }
        Outcome::Unknown
    }

    /// Sends a request that changes something; with a key, until it is answered.
    fn send_write(&mut self, scene: &Scene<'_>, mut request: Request) -> Outcome {
        if self.random.once_in(2) {
            return self.send(scene, &request);
        }
        request.key = Some(self.name().to_string());
        loop {
            let outcome = self.send(scene, &request);
            if matches!(outcome, Outcome::Known(..)) || scene.over.load(Ordering::Relaxed) {
                return outcome;
            }
        }
    }

    fn name(&mut self) -> u64 {
        self.names += 1;
        // No two clients come to the same.
        self.number * 1_000_000 + self.names
    }

    fn note(&mut self, user: usize, action: Action<u64>, start: u64, end: Option<u64>) {
        self.histories.entry(user).or_default().push(Operation { action, start, end });
    }

    pub(crate) fn read(&mut self, scene: &Scene<'_>, user: usize) {
        let path = scene.site.path(&format!("experience/users/{}", scene.users[user]));
        let start = scene.time.fetch_add(1, Ordering::SeqCst);
        let request = Request::new("GET", path, None);
        let Outcome::Known(answer, end) = self.send(scene, &request) else { return };
        assert_eq!(answer.status, 200, "{}", answer.body);
        let value = self.look(scene, user, answer);
        self.note(user, Action::Read(value), start, Some(end));
    }

    /// What is in an answer with a user.
    fn look(&mut self, scene: &Scene<'_>, user: usize, answer: Answer) -> u64 {
        let value = user::value(&answer.body, scene.groups_of(user));
        self.seen.insert(user, (value, answer.etag.expect("a tag")));
        value
    }

    fn patch(scene: &Scene<'_>, user: usize, value: u64) -> Request {
        let path = scene.site.path(&format!("experience/users/{}", scene.users[user]));
        Request::new("PATCH", path, Some(user::fields(value, scene.groups_of(user))))
    }

    fn write(&mut self, scene: &Scene<'_>, user: usize) {
        let value = self.name();
        let request = Self::patch(scene, user, value);
        let start = scene.time.fetch_add(1, Ordering::SeqCst);
        let end = match self.send_write(scene, request) {
            Outcome::Known(answer, end) => {
                assert_eq!(answer.status, 200, "{}", answer.body);
                assert_eq!(self.look(scene, user, answer), value);
                Some(end)
            }
            Outcome::Unknown => None,
        };
        self.note(user, Action::Write(value), start, end);
    }

    /// Changes a user if it is as this client has seen it last.
    fn swap(&mut self, scene: &Scene<'_>, user: usize) {
        let Some((from, tag)) = self.seen.get(&user).cloned() else { return };
        let to = self.name();
        let mut request = Self::patch(scene, user, to);
        request.if_match = Some(tag);
        let start = scene.time.fetch_add(1, Ordering::SeqCst);
        let (action, end) = match self.send_write(scene, request) {
            Outcome::Known(answer, end) if answer.status == 412 => {
                self.tally.refused += 1;
                // It would be refused again.
                self.seen.remove(&user);
                (Action::Refused { from }, Some(end))
            }
            Outcome::Known(answer, end) => {
                assert_eq!(answer.status, 200, "{}", answer.body);
                assert_eq!(self.look(scene, user, answer), to);
                (Action::Swap { from, to }, Some(end))
            }
            Outcome::Unknown => (Action::Swap { from, to }, None),
        };
        self.note(user, action, start, end);
    }

    /// Makes a user with an address that others want as well, and may remove it again.
    fn make(&mut self, scene: &Scene<'_>) {
        let value = self.name();
        let rivals = scene.rivals.fetch_add(1, Ordering::SeqCst) / 4;
        // They are the same without regard to case.
        let mut email = format!("rival-{rivals}@guests.test");
        let mut body = user::fields(value, &scene.groups);
        body["email"] =
            json!(if value.is_multiple_of(2) { email.to_uppercase() } else { email.clone() });
        body["password"] = json!("password");
        let request = Request::new("POST", scene.site.path("experience/users"), Some(body));
        let mut made = Made { email: String::new(), value, id: None, may: true, must: false };
        std::mem::swap(&mut made.email, &mut email);
        match self.send_write(scene, request) {
            Outcome::Known(answer, _) if answer.status == 409 => {
                self.tally.taken += 1;
                made.may = false;
            }
            Outcome::Known(answer, _) => {
                assert_eq!(answer.status, 201, "{}", answer.body);
                assert_eq!(user::value(&answer.body, &scene.groups), value);
                self.tally.made += 1;
                made.must = true;
                let id = answer.body["id"].as_str().expect("an id").to_owned();
                if self.random.once_in(3) {
                    made.must = false;
                    let path = scene.site.path(&format!("experience/users/{id}"));
                    let delete = Request::new("DELETE", path, None);
                    if let Outcome::Known(answer, _) = self.send_write(scene, delete) {
                        assert_eq!(answer.status, 200, "{}", answer.body);
                        made.may = false;
                    }
                }
                made.id = Some(id);
            }
            Outcome::Unknown => {}
        }
        self.made.push(made);
    }
}
