//! What a connection is for, and what is said to the server at first.

use super::address::Address;
use super::connection::{self, Connection, Failure};
use crate::options::Options;
use std::time::Duration;

/// How much longer than a statement may take its answer is waited for.
pub(super) const SLACK: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Looking.
    Read,
    /// Changing.
    Write,
}

impl Role {
    pub(super) fn time(self, options: &Options) -> Duration {
        match self {
            Self::Read => options.read_deadline,
            Self::Write => options.write_deadline,
        }
    }

    /// How many threads are for it.
    pub(super) fn threads(self, options: &Options) -> usize {
        match self {
            Self::Read => options.readers.max(1),
            Self::Write => options.writers.max(1),
        }
    }

    /// What is said to the server at first.
    pub(super) fn setup(self, options: &Options) -> String {
        let transaction = match self {
            Self::Read => "REPEATABLE READ, READ ONLY",
            Self::Write => "READ COMMITTED, READ WRITE",
        };
        format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET TIME ZONE 'UTC';
             SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {transaction}",
            self.time(options).as_millis().max(1),
            options.lock_deadline.as_millis().max(1),
        )
    }
}

/// Connects to the server at `address`, and says `setup`.
pub(super) fn connect(
    address: &Address,
    setup: &str,
    patience: Duration,
) -> connection::ConnectionResult<Connection> {
    let mut link = Connection::open(address, setup, patience)?;
    // Compiling a statement takes longer than any of these does. Not every engine knows it.
    match link.command("SET jit = off") {
        Err(Failure::Lost(error)) => Err(Failure::Lost(error)),
        _ => Ok(link),
    }
}
