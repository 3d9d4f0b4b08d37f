//! A pooler between us and the database that shares sessions: with each transaction of a connection
//! it may be another one's (`pool_mode = transaction` or `statement`, as PgBouncer calls it).
//!
//! What is said once for a session would be lost there and said to others: the isolation in which a
//! read without `BEGIN` sees one moment, the time limits, and the names of prepared statements. To do
//! without prepared statements would mend the last of the three alone. To say it all again in each
//! transaction would take from everybody what connections of one's own are for, so such a pooler is
//! found out at the start and refused.

use super::address::Address;
use super::connection::{Connection, ConnectionResult, Failure};
use super::fault::{POOLED, unusable};
use crate::migrate::OpenError;
use std::time::Duration;

/// How long the second connection may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// In which order two connections ask. Whether a pool gives out the session that was used last, the
/// one that was used first or any: with one session, two or more, either both see the same one or one
/// of them sees two.
const ORDER: [usize; 12] = [0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0];

/// Which process of the server answers; each session has its own as long as it lasts.
const SESSION: &str = "SELECT pg_backend_pid()";

/// Refuses `address` if whoever is there shares sessions. `link` is a connection to it.
///
/// # Errors
/// When it does, or cannot be reached.
pub(super) fn check(link: &mut Connection, address: &Address) -> Result<(), OpenError> {
    match shares(link, address) {
        Ok(true) => Err(refused(address)),
        // An engine that refuses the question has no such processes, and no such poolers either.
        Ok(false) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(unusable(address, failure)),
    }
}

/// Why `address` is refused.
pub(super) fn refused(address: &Address) -> OpenError {
    OpenError::Postgres { at: address.to_string(), why: format!("there is {POOLED}") }
}

/// Whether whoever is at `address`, where `link` leads, shares sessions.
pub(super) fn shares(link: &mut Connection, address: &Address) -> ConnectionResult<bool> {
    let mut other = Connection::open(address, "", PATIENCE)?;
    let mut seen: [Option<String>; 2] = [None, None];
    for which in ORDER {
        let asked = if which == 0 { &mut *link } else { &mut other };
        let session = asked.ask(SESSION)?;
        // Some engines answer without a process.
        let Some(session) = session.filter(|session| session.parse::<u32>().is_ok_and(|of| of > 0))
        else {
            return Ok(false);
        };
        if seen[1 - which].as_ref() == Some(&session)
            || seen[which].as_ref().is_some_and(|before| *before != session)
        {
            return Ok(true);
        }
        seen[which] = Some(session);
    }
    Ok(false)
}
