//! What is counted of connections and requests, where somebody wants to know.
//!
//! A label has one of a few values, whatever clients send: the name of an operation, a status, the
//! `type` of an error. So a scanner that tries a million paths makes no series.

use super::failure;
use super::reply::Reply;
use crate::error::Error;
use guestlist_store::SECONDS;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

/// What answers are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    /// One method of one route.
    operation: &'static str,
    status: u16,
}

impl Hash for Answered {
    /// Most operations differ where they end, and to hash all of it would be half of what counting costs.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let end = self.operation.as_bytes().last_chunk().copied().unwrap_or_default();
        state.write_u64(u64::from_le_bytes(end).rotate_left(16) ^ u64::from(self.status));
    }
}

type Durations = Family<Answered, Histogram, fn() -> Histogram>;
type Label = [(&'static str, &'static str); 1];

/// What is counted of a server.
pub struct Meter {
    durations: Durations,
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
            "How long requests took, from their head to their answer",
            Unit::Seconds,
            self.durations.clone(),
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
    pub(super) fn finish(&self, operation: &'static str, reply: &Reply, took: Duration) {
        let operation = if operation.is_empty() { "none" } else { operation };
        let answered = Answered { operation, status: reply.status.as_u16() };
        self.durations.get_or_create(&answered).observe(took.as_secs_f64());
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
