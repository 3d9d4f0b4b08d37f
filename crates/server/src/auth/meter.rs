//! What is counted of hashing: so seldom, beside what a hash takes, that it always is.

use guestlist_store::SECONDS;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What is counted. Clones count in the same place.
#[derive(Clone)]
pub(crate) struct Meter {
    /// How many threads there are.
    pub(super) workers: Gauge,
    /// How many hashes were made.
    pub(super) hashed: Counter,
    /// How many who wanted one were told to come back.
    pub(super) refused: Counter,
    waiting: Gauge,
    wait: Histogram,
    busy: Counter<f64, AtomicU64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            workers: Gauge::default(),
            hashed: Counter::default(),
            refused: Counter::default(),
            waiting: Gauge::default(),
            wait: Histogram::new(SECONDS),
            busy: Counter::default(),
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
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("hash_workers", "Threads that hash passwords", self.workers.clone());
        registry.register_with_unit(
            "hash_busy",
            "How long these threads hashed, all together",
            Unit::Seconds,
            self.busy.clone(),
        );
        registry.register("hash_waiting", "Passwords that wait to be hashed", self.waiting.clone());
        registry.register_with_unit(
            "hash_wait",
            "How long a password waited for a thread",
            Unit::Seconds,
            self.wait.clone(),
        );
        registry.register("hashes", "Hashes that were made", self.hashed.clone());
        registry.register(
            "hash_refusals",
            "Requests that needed a hash and were told to come back",
            self.refused.clone(),
        );
    }

    /// A password waits.
    pub(super) fn put(&self) {
        self.waiting.inc();
    }

    /// A thread has taken it.
    pub(super) fn take(&self, waited: Duration) {
        self.waiting.dec();
        self.wait.observe(waited.as_secs_f64());
    }

    /// A thread has done what it took.
    pub(super) fn worked(&self, took: Duration) {
        self.busy.inc_by(took.as_secs_f64());
    }
}
