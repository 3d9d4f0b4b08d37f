//! What can go wrong.

use bytes::Bytes;
use guestlist_api::entity::FieldError;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused: a status that is not 2xx. Shown as its message.
    #[error("{message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The `type` of the error, such as `NotFound`; empty if the answer has none, as one of a
        /// proxy.
        kind: Box<str>,
        /// What happened, in words fit for the person at the screen.
        message: String,
        /// Every field that is wrong, when there is more than one.
        fields: Vec<FieldError>,
        /// The whole answer, as it came.
        body: Bytes,
        /// How long the server asks to be left alone (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Transport(Transport),
    /// There was no whole answer in time.
    #[error("there was no answer within {0:?}")]
    Timeout(Duration),
    /// The body of the answer is not what it should be, or the body of the request has no JSON.
    #[error("{0}")]
    Body(String),
    /// The client was told something that cannot be used; nothing was sent.
    #[error("{0}")]
    Config(String),
}

impl Error {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the server says that there is no such thing (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether what was to be changed has changed since it was read (412).
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.status() == Some(412)
    }

    /// Whether a change that was asked for may have been made all the same: the server says that it
    /// does not know, a proxy has no answer of it, or there was none. To find out, look, or send it
    /// again with the same `Idempotency-Key`. It was made if it is said to be done by whoever was asked
    /// again and has no answer left (409, `AnswerTooLarge`). Any other refusal with a status below 500,
    /// or of 503, says that nothing was done.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Status { status: 409 | 503, body, .. } => {
                let said: Said = serde_json::from_slice(body).unwrap_or_default();
                said.outcome.is_some_and(|outcome| outcome == "unknown" || outcome == "done")
            }
            Self::Status { status, .. } => *status >= 500,
            Self::Transport(broken) => !broken.is_unsent(),
            Self::Timeout(_) | Self::Body(_) => true,
            Self::Config(_) => false,
        }
    }

    /// The refusal that an answer is.
    pub(crate) fn refused(status: StatusCode, body: Bytes, retry_after: Option<Duration>) -> Self {
        let said: Said = serde_json::from_slice(&body).unwrap_or_default();
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let message = text(said.message)
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| status.to_string());
        let fields = said.validation_errors.map(serde_json::from_value).transpose();
        Self::Status {
            status: status.as_u16(),
            kind: text(said.kind).or_else(|| text(said.code)).unwrap_or_default().into(),
            message,
            fields: fields.ok().flatten().unwrap_or_default(),
            body,
            retry_after,
        }
    }
}

/// An error as it is answered; anything may be missing, as in the answer of a proxy.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(rename = "type")]
    kind: Option<Value>,
    code: Option<Value>,
    message: Option<Value>,
    validation_errors: Option<Value>,
    outcome: Option<Value>,
}

/// A connection that could not be made, or broke. Shown with its causes, without the URL.
#[derive(Debug)]
pub struct Transport {
    source: reqwest::Error,
    unsent: bool,
    proxy: Option<Box<str>>,
}

impl Transport {
    /// Whether there was no connection, so that the request cannot have reached the server.
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        self.unsent
    }

    /// The same, of a connection through a proxy.
    pub(crate) fn through(self, proxy: Option<&str>) -> Self {
        Self { proxy: proxy.map(Into::into), ..self }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // What is looked for may be in the URL, and errors are written to logs.
        let source = error.without_url();
        let unsent = source.is_connect();
        Self::Transport(Transport { source, unsent, proxy: None })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.unsent { "cannot connect" } else { "the connection broke" })?;
        if let Some(proxy) = &self.proxy {
            write!(f, " (through the proxy {proxy} that the environment names)")?;
        }
        let mut cause = std::error::Error::source(&self.source);
        while let Some(error) = cause {
            cause = error.source();
            // Only the last says something that the others do not.
            if cause.is_none() {
                write!(f, ": {error}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Transport {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_done_all_the_same_is_told_from_what_is_not() {
        let unknown = r#"{"type":"ServiceUnavailable","message":"m","outcome":"unknown"}"#;
        for (status, body, may) in [
            (503, unknown, true),
            (503, r#"{"type":"ServiceUnavailable","message":"m"}"#, false),
            (503, "busy", false),
            (409, "{}", false),
            (409, r#"{"type":"AnswerTooLarge","message":"m","outcome":"done"}"#, true),
            (500, "{}", true),
            (502, "", true),
            (504, "", true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let error = Error::refused(status, Bytes::from_static(body.as_bytes()), None);
            assert_eq!(error.may_be_done(), may, "{status} {body}");
        }
        assert!(Error::Timeout(Duration::from_secs(1)).may_be_done());
        assert!(!Error::Config(String::new()).may_be_done());
    }
}
