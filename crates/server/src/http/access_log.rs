//! The one event that the log has of each request, which is counted there too.

use super::meter::Meter;
use super::reply::{Reply, RequestMeta};
use crate::error::Result;
use hyper::{Method, Request};
use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

/// The bytes of the longest path that is logged whole: longer than any of ours, and a log of
/// refusals is not to grow by what is refused.
const LONGEST: usize = 512;

/// A request that is being answered.
pub(crate) struct AccessLog<'a> {
    meta: &'a RequestMeta,
    peer: SocketAddr,
    method: Method,
    path: String,
    began: Instant,
    meter: Option<&'a Meter>,
    /// Whether nothing was logged of it yet.
    open: bool,
}

impl<'a> AccessLog<'a> {
    pub(crate) fn now<B>(
        request: &Request<B>,
        meta: &'a RequestMeta,
        peer: SocketAddr,
        meter: Option<&'a Meter>,
    ) -> Self {
        if let Some(meter) = meter {
            meter.begin();
        }
        // The query is left out: it may hold a token.
        let path = shortened(request.uri().path()).to_owned();
        Self {
            meta,
            peer,
            method: request.method().clone(),
            path,
            began: Instant::now(),
            meter,
            open: true,
        }
    }

    /// The reply that is `answered`. Logs that `operation`, if it came so far, was answered with it.
    pub(crate) fn finish(mut self, operation: &'static str, answered: Result<Reply>) -> Reply {
        self.open = false;
        if let (Err(error), Some(meter)) = (&answered, self.meter) {
            meter.failed(error);
        }
        let reply = answered.unwrap_or_else(Reply::from);
        if let Some(meter) = self.meter {
            meter.finish(operation, &reply, self.began.elapsed());
        }
        tracing::info!(
            target: "guestlist::request",
            request_id = self.meta.request_id.to_str().unwrap_or_default(),
            method = self.method.as_str(),
            path = self.path,
            operation,
            status = reply.status.as_u16(),
            bytes = reply.body.len(),
            micros = self.micros(),
            peer = %Shown(self.peer),
            "request"
        );
        reply
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for AccessLog<'_> {
    /// One that was not answered: the client left, or the server stopped.
    fn drop(&mut self) {
        if self.open {
            if let Some(meter) = self.meter {
                meter.abandon();
            }
            tracing::info!(
                target: "guestlist::request",
                request_id = self.meta.request_id.to_str().unwrap_or_default(),
                method = self.method.as_str(),
                path = self.path,
                micros = self.micros(),
                peer = %Shown(self.peer),
                "request abandoned"
            );
        }
    }
}

/// An address, with its port where that is known.
struct Shown(SocketAddr);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.port() == 0 { self.0.ip().fmt(f) } else { self.0.fmt(f) }
    }
}

/// As much of `path` as is logged.
fn shortened(path: &str) -> &str {
    path.get(..path.floor_char_boundary(LONGEST)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_between_two_characters() {
        assert_eq!(shortened("/short"), "/short");
        let whole = "a".repeat(LONGEST);
        assert_eq!(shortened(&whole), whole);
        assert_eq!(shortened(&format!("{whole}b")), whole);
        // Whatever byte would be the last, most of them are in the middle of a character.
        for shift in 0..4 {
            for character in ["é", "€", "😀"] {
                let path = format!("{}{}", "a".repeat(shift), character.repeat(4000));
                let logged = shortened(&path);
                assert!(path.starts_with(logged), "{logged}");
                assert!((LONGEST - 3..=LONGEST).contains(&logged.len()), "{}", logged.len());
            }
        }
    }
}
