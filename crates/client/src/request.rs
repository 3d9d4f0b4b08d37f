//! One request and one answer, as the wire has them.

use crate::error::Error;
use bytes::Bytes;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// One request. Shown without its body and its headers, which may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Where: a path that begins with `/`, with its variable parts filled in and encoded.
    pub path: String,
    /// The parameters after the path, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Headers beside those that every request has; one of the same name takes its place.
    pub headers: Vec<(String, String)>,
    /// What is sent as JSON, if anything is.
    pub body: Option<Value>,
    pub(crate) key: Key,
}

/// The `Idempotency-Key` of a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// A new one for a write, if the client repeats writes.
    Automatic,
    /// This one.
    Given(String),
    /// None: a write is sent once.
    None,
}

impl Request {
    /// A request for `method` at `path`, which begins with `/`.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            key: Key::Automatic,
        }
    }

    /// With one more parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// A write under a key of the caller's: a server that has answered one with this key gives the
    /// same answer again instead of doing it twice. 1 to 255 visible ASCII characters. Without
    /// this, a write gets a key of its own.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.key = Key::Given(key.into());
        self
    }

    /// A write without a key: it is sent once, unless no connection could be made.
    #[must_use]
    pub fn without_idempotency_key(mut self) -> Self {
        self.key = Key::None;
        self
    }

    /// Only if what is there has this tag ([`Reply::etag`]); else it is a 412.
    #[must_use]
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.header("If-Match", etag)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.path)
    }
}

/// The answer to a request: a status of 2xx, or 304.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The tag of the resource as it was answered, for [`Request::if_match`].
    pub etag: Option<String>,
    /// The body; empty for a 204.
    pub body: Bytes,
}

impl Reply {
    /// The body, read as a `T`. No body counts as `null`.
    ///
    /// # Errors
    /// [`Error::Body`] if it is none.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body)
            .map_err(|error| Error::Body(format!("the answer is not as expected: {error}")))
    }
}
