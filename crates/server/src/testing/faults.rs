//! Faults on demand: what goes wrong between a client and a server, when a test wants it to.

use crate::error::Error;
use crate::http::AbortAt;
use crate::http::reply::Reply;
use guestlist_api::entity;
use guestlist_api::time::DateTime;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that goes wrong with the next request, or with the next few that match.
///
/// ```
/// use guestlist::testing::{Fault, Server};
///
/// let server = Server::blocking()?;
/// // The next two changes are refused, and the third goes through.
/// server.faults().add(Fault::unavailable(1).times(2).method("PATCH"));
/// assert_eq!(server.faults().left(), 2);
/// # anyhow::Ok(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) times: u32,
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    TooManyRequests { retry_after: u32 },
    Internal,
    Unavailable { retry_after: u32 },
    Delay(Duration),
    DropRequest,
    DropAnswer,
    TearAnswer,
}

impl Fault {
    /// The answer is a 429 that says to come back after so many seconds; nothing else is done.
    #[must_use]
    pub const fn too_many_requests(retry_after: u32) -> Self {
        Self::of(Kind::TooManyRequests { retry_after })
    }

    /// The answer is a 500; nothing else is done.
    #[must_use]
    pub const fn internal() -> Self {
        Self::of(Kind::Internal)
    }

    /// The answer is a 503 that says to come back after so many seconds; nothing else is done.
    #[must_use]
    pub const fn unavailable(retry_after: u32) -> Self {
        Self::of(Kind::Unavailable { retry_after })
    }

    /// The request waits before anything is done; then all is as usual.
    #[must_use]
    pub const fn delay(time: Duration) -> Self {
        Self::of(Kind::Delay(time))
    }

    /// The connection ends before anything is done.
    #[must_use]
    pub const fn drop_request() -> Self {
        Self::of(Kind::DropRequest)
    }

    /// What was asked is done, and the connection ends without an answer.
    #[must_use]
    pub const fn drop_answer() -> Self {
        Self::of(Kind::DropAnswer)
    }

    /// What was asked is done, and the connection ends in the middle of the answer's body.
    #[must_use]
    pub const fn tear_answer() -> Self {
        Self::of(Kind::TearAnswer)
    }

    pub(super) const fn of(kind: Kind) -> Self {
        Self { kind, times: 1, method: None, path: None }
    }

    /// So many times rather than once.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Only to requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Only to requests whose path begins so.
    #[must_use]
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(prefix.to_owned());
        self
    }

    fn strikes(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method.as_str())
            && self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
    }
}

/// The faults that are still to come. The first that matches a request strikes it, alone.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// Adds one behind those that are there.
    pub fn add(&self, fault: Fault) {
        if fault.times > 0 {
            self.coming().push_back(fault);
        }
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.coming().clear();
    }

    /// How many are still to come.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.coming().iter().map(|fault| u64::from(fault.times)).sum()
    }

    /// What strikes this request, which is then used up.
    pub(super) fn strike<B>(&self, request: &Request<B>) -> Option<Kind> {
        let (method, path) = (request.method(), request.uri().path());
        let mut coming = self.coming();
        let index = coming.iter().position(|fault| fault.strikes(method, path))?;
        let fault = coming.get_mut(index)?;
        let kind = fault.kind.clone();
        fault.times -= 1;
        if fault.times == 0 {
            coming.remove(index);
        }
        Some(kind)
    }

    fn coming(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    /// The answer that takes the place of the service's, if one does.
    pub(super) fn instead(&self) -> Option<Reply> {
        Some(match self {
            Self::TooManyRequests { retry_after } => too_many_requests(*retry_after),
            Self::Internal => Error::internal("a test asked for it").into(),
            Self::Unavailable { retry_after } => {
                Error::Busy { what: "A test asked for it", retry_after: *retry_after }.into()
            }
            Self::DropRequest => Reply::empty(StatusCode::NO_CONTENT).breaking(AbortAt::Before),
            Self::Delay(_) | Self::DropAnswer | Self::TearAnswer => return None,
        })
    }

    /// What becomes of the service's answer to a request with `method`.
    pub(super) fn strike(&self, reply: Reply, method: &Method) -> Reply {
        match self {
            // Of an answer without a body there is no half.
            Self::TearAnswer if reply.body.len() > 1 && method != Method::HEAD => {
                reply.breaking(AbortAt::Middle)
            }
            Self::DropAnswer | Self::TearAnswer => reply.breaking(AbortAt::Before),
            _ => reply,
        }
    }
}

fn too_many_requests(retry_after: u32) -> Reply {
    let error = entity::Error {
        kind: "TooManyRequests".into(),
        message: format!("A test asked for it: try again in {retry_after} s"),
        validation_errors: Vec::new(),
        outcome: None,
    };
    Reply::json(StatusCode::TOO_MANY_REQUESTS, &error)
        .unwrap_or_else(Reply::from)
        .with(header::RETRY_AFTER, HeaderValue::from(retry_after))
}

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When, by the server's clock.
    pub time: DateTime,
    /// Its method.
    pub method: String,
    /// Its path, without the query, which may hold a token.
    pub path: String,
    /// The status of the answer, unless the connection broke.
    pub status: Option<u16>,
}

/// The requests that were made lately, in the order in which they were answered.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<VecDeque<Seen>>);

impl Requests {
    /// How many are remembered.
    const MOST: usize = 1000;

    pub(super) fn add(&self, seen: Seen) {
        let mut all = self.all();
        if all.len() == Self::MOST {
            all.pop_front();
        }
        all.push_back(seen);
    }

    pub(super) fn list(&self) -> Vec<Seen> {
        self.all().iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
