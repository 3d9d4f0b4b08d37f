//! Tables that take no changes, because their store is being moved or was.

use crate::error::Error;

/// Why a store takes no changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frozen {
    /// It is being moved.
    Moving,
    /// It was moved.
    Moved,
}

impl Frozen {
    /// How an engine says it: to PostgreSQL the code of an error, to SQLite its message.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Moving => "GL001",
            Self::Moved => "GL002",
        }
    }

    /// What is meant by `mark`, if it is one.
    pub(crate) fn from_mark(mark: &str) -> Option<Self> {
        [Self::Moving, Self::Moved].into_iter().find(|frozen| frozen.mark() == mark)
    }

    /// As whoever wants to change something hears of it.
    pub(crate) const fn to_error(self) -> Error {
        match self {
            Self::Moving => Error::Busy {
                what: "The store is being moved and takes no changes until that is done",
                retry_after: 10,
            },
            Self::Moved => Error::Busy {
                what: "The store was moved and takes no changes here any more",
                retry_after: 60,
            },
        }
    }
}
