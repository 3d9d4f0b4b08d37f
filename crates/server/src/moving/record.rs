//! What a store says of its move: the one row of `moves`, and the triggers that go with it.

use crate::error::{Error, Result};
use crate::rows::{FromRow, Row, Tx};
use crate::store::tables::TABLES;
use guestlist_store::Frozen;

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

/// Has a store forget of which move it was, and its tables take changes.
///
/// # Errors
/// When the store fails.
pub(crate) fn forget(tx: &mut Tx<'_>) -> Result<()> {
    match look(tx)? {
        Some(Record { id, .. }) => swap(tx, Some(&id), None),
        None => Ok(()),
    }
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
