//! The one event that the log has of each request, which is counted there too.

use super::failure::type_of;
use super::meter::Meter;
use super::reply::{Reply, RequestMeta};
use super::trace::TraceId;
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
        let reason = answered.as_ref().err().map(type_of);
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
            reason,
            bytes = reply.body.len(),
            micros = self.micros(),
            peer = %Shown(self.peer),
            trace_id = self.meta.trace.as_ref().map(TraceId::as_str),
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
                trace_id = self.meta.trace.as_ref().map(TraceId::as_str),
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
    use crate::error::Error;
    use crate::telemetry::guide;
    use hyper::HeaderMap;
    use hyper::header::HeaderValue;

    #[test]
    fn the_fields_of_a_request_are_those_of_the_field_guide() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static(trace));
        let (meta, peer) = (RequestMeta::of(&headers), SocketAddr::from(([127, 0, 0, 1], 9)));
        let request = Request::new(());
        let events = guide::events(|| {
            AccessLog::now(&request, &meta, peer, None).finish("a.b", Err(Error::Forbidden));
            let served = Ok(Reply::empty(hyper::StatusCode::NO_CONTENT));
            AccessLog::now(&request, &meta, peer, None).finish("a.b", served);
            drop(AccessLog::now(&request, &meta, peer, None));
        });
        let [refused, served, abandoned] = events.try_into().unwrap();
        let told = guide::fields("Requests");
        assert_eq!(refused.names, told);
        assert_eq!(refused.values["reason"], "Forbidden");
        assert_eq!(refused.values["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(served.values.get("reason"), None);
        let rest = told
            .into_iter()
            .filter(|name| !["operation", "status", "reason", "bytes"].contains(&name.as_str()));
        assert_eq!(abandoned.names, rest.collect::<Vec<_>>());
    }

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
