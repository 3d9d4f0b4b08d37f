//! Why a store is not moved.

use crate::error::Error;
use crate::store::OpenError;

/// Why a store is not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing would be moved.
    #[error("{0} cannot be moved to itself")]
    Itself(String),
    /// There is something at the place where it should go.
    #[error("{0} is not empty: give a new database, or one that nothing has used")]
    NotEmpty(String),
    /// What is there is the copy of something else.
    #[error(
        "{at} is an unfinished copy of {of}, as it was for another move: remove it with `guestlist \
         move --abandon --to …`"
    )]
    OtherCopy {
        /// Where it is.
        at: String,
        /// What it was to be a copy of.
        of: String,
    },
    /// The source is half of something.
    #[error("{at} is an unfinished copy of {of}: finish that move, or give it up")]
    Unfinished {
        /// Where it is.
        at: String,
        /// What it is to be a copy of.
        of: String,
    },
    /// It is under way to somewhere else.
    #[error("{at} is being moved to {to}: finish that move, or give it up")]
    Elsewhere {
        /// Where it is.
        at: String,
        /// Where it goes.
        to: String,
    },
    /// It has been moved before.
    #[error(
        "{at} was moved to {to}: what is there now may be newer. `guestlist move --abandon --from \
         …` has it take changes again"
    )]
    Moved {
        /// Where it is.
        at: String,
        /// Where it went.
        to: String,
    },
    /// There is nothing to give up.
    #[error("{0} is neither being moved nor was it")]
    NoMove(String),
    /// What is there is not half of something.
    #[error("{0} is no unfinished copy: nothing in it is removed")]
    NoCopy(String),
    /// Something has gone wrong with a row.
    #[error("the rows of {table} cannot be copied from {from} to {to}")]
    Rows {
        /// The table.
        table: &'static str,
        /// Where they come from.
        from: String,
        /// Where they go.
        to: String,
        /// Why.
        source: Error,
    },
    /// The copy is not the same.
    #[error("{table} is not the same: {both}")]
    Differs {
        /// The table.
        table: &'static str,
        /// What is in the one and in the other.
        both: String,
    },
    /// A store fails.
    #[error("{at} fails")]
    Store {
        /// Which.
        at: String,
        /// How.
        source: Error,
    },
}
