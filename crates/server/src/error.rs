//! The one error of the service, in the service's own words. `http/failure.rs` is the one place
//! that knows how each looks on the wire.

use guestlist_api::wire::Problem;

/// Why a request cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Parameters or body that break the rules of the wire; never empty.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Invalid(Vec<Problem>),
    /// A request that cannot be read at all; the message says why.
    #[error("{0}")]
    Malformed(String),
    /// The email or the password is not right. It never says which.
    #[error("Unauthorized")]
    BadCredentials,
    /// A change of what one signs in with, by whoever has not given the password lately.
    #[error("Give the present password as currentPassword, or sign in again")]
    ReauthenticationRequired,
    /// Too many wrong passwords in a row for one address; worth another try after `retry_after`
    /// seconds.
    #[error("Too many failed sign-ins: try again in {retry_after} s")]
    AccountLocked {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// A token for a user whose tokens are not good before a moment that is far ahead.
    #[error("No token of the user is good before its cutoff, which is in the future")]
    TokensSuspended,
    /// A link that was used, has ended, or was never made: nobody is told which.
    #[error("The link is not good any more: ask for a new one")]
    LinkExpired,
    /// Another mail to somebody who was just sent some; worth another try after `retry_after` seconds.
    #[error("Too many mails to this address: try again in {retry_after} s")]
    TooManyMails {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Something that whoever runs the server has not set up; the message says what is missing.
    #[error("{0}")]
    SwitchedOff(&'static str),
    /// A token that was good once.
    #[error("Access token has expired")]
    TokenExpired,
    /// A token that is unknown, revoked, inactive or unreadable.
    #[error("Invalid access token")]
    TokenInvalid,
    /// No token, where one is needed.
    #[error("Access is forbidden")]
    NoToken,
    /// A token without the scope that is needed.
    #[error("Access is forbidden")]
    Forbidden,
    /// Nothing there, or nothing the caller may know of: what was looked for, such as
    /// `Experience user`.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// No route leads to this path.
    #[error("{0} does not exist")]
    NoRoute(String),
    /// There is such a path, but not for this method.
    #[error("{0} is not allowed")]
    MethodNotAllowed(String),
    /// A unique value is taken; the message names it.
    #[error("{0}")]
    AlreadyExists(String),
    /// An application that holds as much as it may of something.
    #[error("The application may hold {limit} {what} and no more: {remedy}")]
    QuotaExceeded {
        /// Of what, such as `users`.
        what: &'static str,
        /// How much.
        limit: u64,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The resource is not what `If-Match` says it is.
    #[error("The resource has changed since it was read: get it again and retry")]
    PreconditionFailed,
    /// An `Idempotency-Key` that came with another request before.
    #[error("Idempotency-Key was used with a different request")]
    KeyReused,
    /// A request that was done when it first came with its `Idempotency-Key`, and cannot be answered as
    /// it was then.
    #[error(
        "The request was done when it first came with this Idempotency-Key, and its answer was too large \
         to store: read what it was about"
    )]
    DoneBefore,
    /// A body beyond the limit.
    #[error("The request body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A URL beyond the limit.
    #[error("The URL is longer than {limit} bytes")]
    UrlTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A head beyond the limit.
    #[error("The request headers are larger than {limit} bytes")]
    HeadersTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A body in a form that is not spoken here; the message says which are.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// A body that is coded for its transfer in a way that is not spoken here.
    #[error("The Transfer-Encoding must be chunked and nothing else")]
    TransferCoding,
    /// The rest of the request did not come in time.
    #[error("The request body did not arrive in time")]
    RequestTimeout,
    /// Too much asked at once; worth another try after `retry_after` seconds.
    #[error("{what}: try again in {retry_after} s")]
    Busy {
        /// What is too busy, such as `The store is busy`.
        what: &'static str,
        /// Seconds to wait.
        retry_after: u32,
    },
    /// More work than one request may be, whenever it comes.
    #[error(
        "The request takes more work than one may: ask with fewer conditions, for something that is \
         in an index, or from a cursor on rather than for a page far from the first"
    )]
    TooMuch,
    /// A change whose commit was begun, and nobody knows how it ended: it may be there or not, as a
    /// whole. What the store answers in any other way was not done, and is not found later either.
    #[error(
        "{what}: the change may be there, as a whole, or not. Look, or send it again with the same \
         Idempotency-Key"
    )]
    Unknown {
        /// What happened, such as `The database was lost during a commit`.
        what: &'static str,
        /// Seconds to wait.
        retry_after: u32,
    },
    /// A unique constraint of the store was violated. Store functions turn it into
    /// [`Error::AlreadyExists`]; one that reaches the wire is our fault.
    #[error("unique constraint violated: {0}")]
    Taken(String),
    /// Our fault. The cause is logged, never sent.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Our fault, because of `cause`.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<guestlist_store::Error> for Error {
    fn from(error: guestlist_store::Error) -> Self {
        match error {
            guestlist_store::Error::Busy { what, retry_after } => Self::Busy { what, retry_after },
            guestlist_store::Error::Unknown { what, retry_after } => {
                Self::Unknown { what, retry_after }
            }
            guestlist_store::Error::TooMuch => Self::TooMuch,
            guestlist_store::Error::Taken(constraint) => Self::Taken(constraint),
            guestlist_store::Error::Conflict(words) => Self::AlreadyExists(words),
            guestlist_store::Error::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl guestlist_store::JobError for Error {
    fn busy(&self) -> Option<&'static str> {
        match self {
            Self::Busy { what, .. } => Some(what),
            _ => None,
        }
    }
}

/// What almost everything here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
