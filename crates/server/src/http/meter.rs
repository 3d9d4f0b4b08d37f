//! What is counted of connections and requests, where somebody wants to know.
//!
//! A label has one of a few values, whatever clients send: the name of an operation, a method that is
//! one, a status, the `type` of an error. So a scanner that tries a million paths makes no series.

use super::failure;
use super::reply::Reply;
use crate::error::Error;
use guestlist_store::SECONDS;
use hyper::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::time::Duration;

/// What durations are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    method: &'static str,
    class: &'static str,
}

/// What answers are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Responded {
    operation: &'static str,
    status: u16,
}

type Durations = Family<Answered, Histogram, fn() -> Histogram>;
type Label = [(&'static str, &'static str); 1];

/// What is counted of a server.
pub struct Meter {
    durations: Durations,
    responses: Family<Responded, Counter>,
    errors: Family<Label, Counter>,
    body: Counter,
    active: Gauge,
    abandoned: Counter,
    connections: Gauge,
    most_connections: Gauge,
    accepted: Counter,
    refused_all: Counter,
    refused_own: Counter,
    refused: Family<Label, Counter>,
}

impl Default for Meter {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(SECONDS);
        let refused = Family::<Label, Counter>::default();
        let of = |limit| refused.get_or_create_owned(&[("limit", limit)]);
        Self {
            durations: Durations::new_with_constructor(durations),
            responses: Family::default(),
            errors: Family::default(),
            body: Counter::default(),
            active: Gauge::default(),
            abandoned: Counter::default(),
            connections: Gauge::default(),
            most_connections: Gauge::default(),
            accepted: Counter::default(),
            refused_all: of("max-connections"),
            refused_own: of("max-connections-per-client"),
            refused,
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Meter {
    /// Has `registry` show all of it.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "http_request_duration",
            "How long requests took, from their head to their answer, by operation, method and class of \
             the status",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "http_responses",
            "Answers, by operation and status",
            self.responses.clone(),
        );
        registry.register(
            "http_errors",
            "Answers that are an error, by the type that they give",
            self.errors.clone(),
        );
        registry.register_with_unit(
            "http_response_body",
            "What bodies of answers took before they were packed",
            Unit::Bytes,
            self.body.clone(),
        );
        registry.register(
            "http_active_requests",
            "Requests that are being answered",
            self.active.clone(),
        );
        registry.register(
            "http_abandoned_requests",
            "Requests that were not answered, because their client left or the server stopped",
            self.abandoned.clone(),
        );
        registry.register(
            "http_connections",
            "Connections that are open",
            self.connections.clone(),
        );
        registry.register(
            "http_connections_limit",
            "Connections that may be open at once",
            self.most_connections.clone(),
        );
        registry.register(
            "http_accepted_connections",
            "Connections that were let in",
            self.accepted.clone(),
        );
        registry.register(
            "http_refused_connections",
            "Connections that were refused, by the setting that did not let them in",
            self.refused.clone(),
        );
    }

    /// A request is being answered.
    pub(super) fn begin(&self) {
        self.active.inc();
    }

    /// It has been answered.
    pub(super) fn finish(
        &self,
        operation: &'static str,
        method: &Method,
        reply: &Reply,
        took: Duration,
    ) {
        let operation = if operation.is_empty() { "none" } else { operation };
        let status = reply.status.as_u16();
        let answered = Answered { operation, method: name(method), class: class(status) };
        self.durations.get_or_create(&answered).observe(took.as_secs_f64());
        self.responses.get_or_create(&Responded { operation, status }).inc();
        self.body.inc_by(reply.body.len() as u64);
        self.active.dec();
    }

    /// It was answered with `error`.
    pub(super) fn failed(&self, error: &Error) {
        self.errors.get_or_create(&[("type", failure::type_of(error))]).inc();
    }

    /// Nobody waited for its answer.
    pub(super) fn abandon(&self) {
        self.abandoned.inc();
        self.active.dec();
    }

    /// So many connections may be open.
    pub(super) fn limit_connections(&self, most: usize) {
        self.most_connections.set(i64::try_from(most).unwrap_or(i64::MAX));
    }

    /// So many connections are open.
    pub(super) fn set_connections(&self, open: usize) {
        self.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// A connection was let in.
    pub(super) fn accept(&self) {
        self.accepted.inc();
    }

    /// A connection was refused, because of all or because of those of its network.
    pub(super) fn refuse(&self, own: bool) {
        if own { &self.refused_own } else { &self.refused_all }.inc();
    }
}

/// The method, if it is one of HTTP's: anybody may make up others.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

const fn class(status: u16) -> &'static str {
    match status {
        ..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
