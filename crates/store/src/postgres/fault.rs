//! What the failures of PostgreSQL mean to whoever asked.

use super::address::Address;
use super::connection::Failure;
use super::role::Role;
use super::wire::Refusal;
use crate::error::Error;
use crate::freeze::Frozen;
use crate::job::{Outcome, busy, cannot_write, too_long};
use crate::migrate::OpenError;

/// What is in the way where sessions are shared, and what to do about it.
pub(super) const POOLED: &str = "a pooler that gives a connection another session of the database \
    for each transaction, where nothing lasts that is said for a session: name the database itself, \
    or have the pool keep sessions (pool_mode = session)";

/// What a failure means for its transaction.
pub(super) enum Meaning {
    /// The answer is this.
    Refused(Cause),
    /// Another transaction was in the way, or what was prepared is no longer right: run it again,
    /// after preparing all anew if it says so.
    Again { forget: bool },
    /// The connection is gone.
    Lost,
}

/// Why a statement is refused, as it is answered.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    Taken(String),
    Busy,
    CannotWrite,
    TooLong,
    Frozen(Frozen),
    Internal(String),
}

impl Meaning {
    /// As whoever runs a statement hears of it.
    pub(super) fn to_error(&self) -> Error {
        match self {
            Self::Again { .. } => busy(),
            Self::Lost => away(),
            Self::Refused(cause) => match cause {
                Cause::Taken(what) => Error::Taken(what.clone()),
                Cause::Busy => busy(),
                Cause::CannotWrite => cannot_write(),
                Cause::TooLong => too_long(),
                Cause::Frozen(why) => why.to_error(),
                Cause::Internal(why) => Error::internal(why.clone()),
            },
        }
    }
}

/// There is no connection to the database.
pub(super) fn away() -> Error {
    Error::Busy { what: "The database cannot be reached", retry_after: 2 }
}

/// The connection was lost in a commit.
pub(super) fn unknown() -> Outcome {
    Outcome::Unknown("The database was lost during a commit")
}

/// What `failure` means on a connection for `role`.
pub(super) fn meaning(failure: Failure, role: Role) -> Meaning {
    let refusal = match failure {
        Failure::Lost(error) => {
            tracing::warn!(%error, "a connection to the database is lost");
            return Meaning::Lost;
        }
        Failure::Refused(refusal) => refusal,
    };
    let Refusal { code, message, constraint } = &refusal;
    let says = || Cause::Internal(format!("{message} ({code})"));
    let cause = match code.as_str() {
        "23505" => Cause::Taken(constraint.clone().unwrap_or_else(|| message.clone())),
        // Serialization, deadlock; and a row that is referred to and has just gone, or the reverse,
        // because functions look before they write.
        "40001" | "40P01" | "23503" => return Meaning::Again { forget: false },
        // Names of statements are a connection's own, so this is another's.
        "42P05" => {
            tracing::error!("the database is reached through {POOLED}");
            return Meaning::Lost;
        }
        // A plan or a statement that is no longer what it was.
        "26000" => return Meaning::Again { forget: true },
        "0A000" if message.contains("cached plan") => return Meaning::Again { forget: true },
        "57014" => Cause::TooLong,
        "55P03" => Cause::Busy,
        // A server that has become one that only follows: another is the one to write to.
        "25006" if role == Role::Write => return Meaning::Lost,
        code if code.starts_with("53") && role == Role::Write => {
            tracing::error!(code, message, "the database cannot write");
            Cause::CannotWrite
        }
        code if code.starts_with("53") => Cause::Busy,
        code if code.starts_with("08") || code.starts_with("57P") => return Meaning::Lost,
        code => Frozen::from_mark(code).map_or_else(says, Cause::Frozen),
    };
    Meaning::Refused(cause)
}

/// Why `address` cannot be opened.
pub(super) fn unusable(address: &Address, failure: Failure) -> OpenError {
    OpenError::Postgres { at: address.to_string(), why: why(failure) }
}

pub(super) fn why(failure: Failure) -> String {
    match failure {
        Failure::Lost(error) => error.to_string(),
        Failure::Refused(refusal) => refusal.message,
    }
}
