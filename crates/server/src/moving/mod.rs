//! Moving a store: everything it holds is copied into an empty one, on the same engine or another.
//!
//! The source stays as it is from the first row that is copied to the last that is compared. Its
//! tables refuse changes themselves, by triggers that are made when a move begins and removed when
//! it is given up. So every process that uses the store is held to it from the moment it begins,
//! also after a crash, and a store that is not being moved pays nothing for it. Both engines wait
//! for writes that are under way before they make a trigger.
//!
//! How far a copy has come is seen from the copy: rows are added in the order of their keys, so
//! that the greatest key is the last. That it is a copy of *this* source as it is now is known by
//! the id of the move, which both remember. A move that is given up and begun anew has another.

mod copy;
mod sum;

pub use copy::{Copied, MoveError, Moving, abandon};
pub use sum::{Checksum, Sum, Sums, sums};

use crate::error::{Error, Result};
use crate::rows::{FromRow, Row, Tx};
use crate::store::tables::TABLES;
use crate::store::{Options, StoreUrl};
use guestlist_store::Frozen;
use std::time::Duration;

/// What a store has to do with a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being copied, and takes no changes.
    Leaving,
    /// It was copied, and takes no changes.
    Left,
    /// It is a copy that is not finished.
    Arriving,
}

impl State {
    const ALL: [Self; 3] = [Self::Leaving, Self::Left, Self::Arriving];

    const fn word(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Arriving => "arriving",
        }
    }
}

/// What a store says of its move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which move.
    pub id: String,
    /// What this store has to do with it.
    pub state: State,
    /// Where the other store is; no password is in it.
    pub other: String,
}

impl FromRow<Error> for Record {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let word: String = row.get("state")?;
        let state = State::ALL.into_iter().find(|state| state.word() == word);
        let state = state.ok_or_else(|| Error::internal(format!("a store cannot be {word}")))?;
        Ok(Self { id: row.get("id")?, state, other: row.get("other")? })
    }
}

/// What the store says of its move, if there is one.
///
/// # Errors
/// When the store fails.
pub fn look(tx: &mut Tx<'_>) -> Result<Option<Record>> {
    tx.first("SELECT id, state, other FROM moves", &[])
}

/// Puts `record` in the place of that of the move `known`, or of none, and has the tables take
/// changes or not.
///
/// # Errors
/// When the store says something else by now, or fails.
pub(crate) fn swap(tx: &mut Tx<'_>, known: Option<&str>, record: Option<&Record>) -> Result<()> {
    let closed = match record.map(|record| record.state) {
        Some(State::Leaving) => Some(Frozen::Moving),
        Some(State::Left) => Some(Frozen::Moved),
        Some(State::Arriving) | None => None,
    };
    let names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    // Before anything is looked at: of two who do this at once, one waits for the other here.
    tx.freeze(&names, closed)?;
    let found = look(tx)?;
    if found.is_some() && found.as_ref() == record {
        return Ok(()); // it was done before, and the answer was lost
    }
    if found.map(|found| found.id).as_deref() != known {
        return Err(Error::AlreadyExists(
            "somebody else moves it, or has given the move up".into(),
        ));
    }
    tx.run("DELETE FROM moves", &[])?;
    if let Some(Record { id, state, other }) = record {
        tx.run(
            "INSERT INTO moves (id, state, other) VALUES ($1, $2, $3)",
            &[id, &state.word(), other],
        )?;
    }
    Ok(())
}

/// How many rows a store has.
///
/// # Errors
/// When the store fails.
pub fn rows(tx: &mut Tx<'_>) -> Result<u64> {
    TABLES.iter().map(|table| table.count(tx)).sum()
}

/// How a store at `place` is run to be moved, or read as a whole.
#[must_use]
pub fn options(place: &StoreUrl) -> Options {
    const DAY: Duration = Duration::from_hours(24);
    Options {
        readers: 1,
        writers: 1,
        read_deadline: DAY,
        write_deadline: DAY,
        // Others wait behind whoever waits for a lock on a table.
        lock_deadline: Duration::from_secs(1),
        ..Options::usual(place)
    }
}
