//! What one writer knows of the user that it alone changes.

use guestlist_testbed::http::{Answer, Client, Request};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    NotDone,
    Unknown,
}

impl Outcome {
    /// What `answer` says of the change it is to.
    pub(crate) fn of(answer: &Answer) -> Self {
        match answer.status {
            200 => Self::Done,
            503 if answer.body["outcome"] == "unknown" => Self::Unknown,
            503 => Self::NotDone,
            // It says nothing either way. A disk without power cannot be read.
            500 => Self::Unknown,
            _ => panic!("{} {}", answer.status, answer.body),
        }
    }
}

/// The changes of one user, in the order in which they were asked for, one after the other.
pub(crate) struct Ledger {
    path: String,
    asked: u64,
    changes: Vec<(u64, Outcome, Instant)>,
    /// What it held before all of them.
    held: u64,
}

impl Ledger {
    pub(crate) fn new(path: String) -> Self {
        Self { path, asked: 0, changes: Vec::new(), held: 0 }
    }

    /// What a user is made with, or changed to.
    pub(crate) fn fields(value: u64) -> Value {
        let text = value.to_string();
        json!({ "firstName": text, "lastName": text, "userTags": { "value": text } })
    }

    /// Asks for one more change.
    pub(crate) fn change(&mut self, client: &mut Client) -> std::io::Result<Outcome> {
        self.asked += 1;
        let fields = Self::fields(self.asked);
        let answer = client.send(&Request::new("PATCH", self.path.clone(), Some(fields)));
        let outcome = match &answer {
            Ok(answer) => Outcome::of(answer),
            Err(_) => Outcome::Unknown,
        };
        if let Ok(answer) = &answer
            && outcome == Outcome::Done
        {
            assert_eq!(value(&answer.body), self.asked);
        }
        self.changes.push((self.asked, outcome, Instant::now()));
        answer.map(|_| outcome)
    }

    /// Asks for changes until it is over or there is no answer.
    pub(crate) fn work(&mut self, address: &str, token: &str, over: &AtomicBool) {
        let Ok(mut client) = Client::connect(address, token) else { return };
        while !over.load(Ordering::Relaxed) {
            if self.change(&mut client).is_err() {
                return;
            }
        }
    }

    /// How many changes there were that ended so.
    pub(crate) fn count(&self, of: Outcome) -> usize {
        self.changes.iter().filter(|(_, outcome, _)| *outcome == of).count()
    }

    /// What is wrong with `found`, if the power was cut at `cut`: then what was answered later is in
    /// doubt.
    pub(crate) fn objection(&self, found: u64, cut: Option<Instant>) -> Option<String> {
        let certain = |(_, outcome, at): &&(u64, Outcome, Instant)| {
            *outcome == Outcome::Done && cut.is_none_or(|cut| *at < cut)
        };
        let last = self.changes.iter().rev().find(certain).map_or(self.held, |(value, ..)| *value);
        let doubt = self.changes.iter().any(|(value, outcome, _)| {
            *value == found && *value > last && *outcome != Outcome::NotDone
        });
        if found == last || doubt {
            return None;
        }
        let told = self.changes.iter().find(|(value, ..)| *value == found);
        Some(format!("{}: {last} was answered, and {found} is there: {told:?}", self.path))
    }

    /// Goes on from `found`.
    pub(crate) fn settle(&mut self, found: u64) {
        self.held = found;
        self.changes.clear();
    }

    /// What it is that is there.
    pub(crate) fn look(&self, client: &mut Client) -> u64 {
        let answer = client.send(&Request::new("GET", self.path.clone(), None));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.body);
        value(&answer.body)
    }
}

/// The value that a user holds, which it holds as a whole.
fn value(user: &Value) -> u64 {
    let first = &user["firstName"];
    assert!(*first == user["lastName"] && *first == user["userTags"]["value"], "half: {user}");
    first.as_str().and_then(|text| text.parse().ok()).expect("a number")
}

#[test]
fn what_must_not_be_there_is_objected_to() {
    let mut ledger = Ledger::new(String::new());
    let before = Instant::now();
    for (value, outcome) in
        [(1, Outcome::Done), (2, Outcome::NotDone), (3, Outcome::Unknown), (4, Outcome::Unknown)]
    {
        ledger.changes.push((value, outcome, Instant::now()));
    }
    for (found, wrong) in [(0, true), (1, false), (2, true), (3, false), (4, false), (5, true)] {
        assert_eq!(ledger.objection(found, None).is_some(), wrong, "{found}");
    }
    // Nothing was certain when the power was cut.
    for (found, wrong) in [(0, false), (1, false), (2, true), (4, false)] {
        assert_eq!(ledger.objection(found, Some(before)).is_some(), wrong, "{found}");
    }
    ledger.settle(4);
    assert_eq!(ledger.objection(4, None), None);
    assert!(ledger.objection(3, None).is_some());
}
