//! Which message is a commit, and when it has been answered.

use super::message::Message;
use std::collections::HashMap;

/// What a statement does to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Begin,
    Commit,
    Rollback,
    /// Commits itself where no transaction is open.
    Write,
    Other,
}

impl Verb {
    fn of(statement: &[u8]) -> Self {
        let text = String::from_utf8_lossy(statement).to_ascii_uppercase();
        let words = text.split(|char: char| !char.is_ascii_alphabetic());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            // The latter is several statements in one.
            ["COMMIT" | "END", ..] | ["BEGIN" | "START", .., "COMMIT"] => Self::Commit,
            ["BEGIN" | "START", ..] => Self::Begin,
            // To a savepoint: the transaction stays.
            ["ROLLBACK", "TO", ..] => Self::Other,
            ["ROLLBACK" | "ABORT", ..] => Self::Rollback,
            ["INSERT" | "UPDATE" | "DELETE", ..] => Self::Write,
            _ => Self::Other,
        }
    }
}

/// What one connection is at.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// The prepared statements and the portals, by name.
    statements: HashMap<Vec<u8>, Verb>,
    portals: HashMap<Vec<u8>, Verb>,
    /// Whether a transaction is open.
    open: bool,
    /// How often the client has asked for a `ReadyForQuery` since it connected, and how many have
    /// come, of which the first is for connecting.
    asked: u64,
    ready: u64,
    /// Nothing is answered until that many have come.
    swallow_until: Option<u64>,
    /// What is said then.
    ends: bool,
}

impl Commits {
    /// Takes note of what the client sends: whether it is a commit.
    pub(super) fn sent(&mut self, message: &Message) -> bool {
        match message.kind {
            b'Q' => {
                let commits = self.does(Verb::of(message.text(0)));
                self.asked += 1;
                commits
            }
            b'P' => {
                self.statements.insert(message.text(0).to_vec(), Verb::of(message.text(1)));
                false
            }
            b'B' => {
                let verb = self.statements.get(message.text(1)).copied();
                self.portals.insert(message.text(0).to_vec(), verb.unwrap_or(Verb::Other));
                false
            }
            b'E' => {
                let verb = self.portals.get(message.text(0)).copied();
                self.does(verb.unwrap_or(Verb::Other))
            }
            b'S' => {
                self.asked += 1;
                false
            }
            _ => false,
        }
    }

    fn does(&mut self, verb: Verb) -> bool {
        match verb {
            Verb::Begin => self.open = true,
            Verb::Commit | Verb::Rollback => self.open = false,
            Verb::Write | Verb::Other => {}
        }
        verb == Verb::Commit || verb == Verb::Write && !self.open
    }

    /// From here on nothing is answered. `commit`, which is being sent, is done first.
    pub(super) fn swallow(&mut self, commit: &Message, ends: bool) {
        self.ends = ends;
        // A simple query has been counted; what is executed is answered at the next sync.
        let asked = self.asked + u64::from(commit.kind == b'E');
        self.swallow_until = Some(asked + 1);
    }

    pub(super) fn says_that_it_ends(&self) -> bool {
        self.ends
    }

    pub(super) fn swallows(&self) -> bool {
        self.swallow_until.is_some()
    }

    /// Takes note of what the server answers: whether the time has come to cut the wire.
    pub(super) fn answered(&mut self, message: &Message) -> bool {
        if message.kind == b'Z' {
            self.ready += 1;
        }
        self.swallow_until.is_some_and(|until| self.ready >= until)
    }
}
