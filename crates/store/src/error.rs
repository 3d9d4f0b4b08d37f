//! What goes wrong in a store. What it means to whoever asked is for the error of their own to say,
//! which is made of this one.

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too much asked at once; worth another try after `retry_after` seconds.
    #[error("{what}: try again in {retry_after} s")]
    Busy {
        /// What is too busy, such as `The store is busy`.
        what: &'static str,
        /// Seconds to wait.
        retry_after: u32,
    },
    /// More work than one read may be. It is no less another time.
    #[error("the read takes too much work")]
    TooMuch,
    /// A change whose commit was begun, and nobody knows how it ended: it may be there or not, as a
    /// whole. What the store answers in any other way was not done, and is not found later either.
    #[error("{what}: the change may be there, as a whole, or not")]
    Unknown {
        /// What happened, such as `The database was lost during a commit`.
        what: &'static str,
        /// Seconds to wait.
        retry_after: u32,
    },
    /// A unique constraint was violated: which one.
    #[error("unique constraint violated: {0}")]
    Taken(String),
    /// The same, in the words that came with the statement.
    #[error("{0}")]
    Conflict(String),
    /// A fault of the engine, of a statement or of what runs it.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A fault, because of `cause`.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The same, in the words of `conflict` if a unique constraint was violated.
    pub(crate) fn in_words_of(self, conflict: Option<&str>) -> Self {
        match (self, conflict) {
            (Self::Taken(_), Some(words)) => Self::Conflict(words.to_owned()),
            (other, _) => other,
        }
    }
}

/// What a job fails with: an error of whoever wrote it, which the store's own can be made into.
pub trait JobError: From<Error> + Send + 'static {
    /// What is too busy, or cannot be done, if this is [`Error::Busy`].
    fn busy(&self) -> Option<&'static str>;
}

impl JobError for Error {
    fn busy(&self) -> Option<&'static str> {
        match self {
            Self::Busy { what, .. } => Some(what),
            _ => None,
        }
    }
}

/// What almost everything here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
