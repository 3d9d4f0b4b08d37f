//! What is counted and timed of a store, where somebody wants to know ([`Options::meter`]).
//!
//! Most of it is counted by the threads that work for the store, beside what they do. Names, units and
//! help are here, beside what is counted.
//!
//! [`Options::meter`]: crate::Options::meter

use crate::job::{Access, Outcome};
use crate::url::StoreUrl;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The bounds of durations, in seconds: those that OpenTelemetry advises for requests, and shorter ones,
/// because a read takes a few hundredths of a millisecond.
pub const SECONDS: [f64; 16] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// The bounds of how many writes share a commit.
const WRITES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// A label, which has one of a few values.
type Label = [(&'static str, &'static str); 1];
/// Two of them.
type Labels = [(&'static str, &'static str); 2];
/// How long was waited in each queue.
type Waits = Family<Label, Histogram, fn() -> Histogram>;

/// What is counted of a store. Clones count in the same place.
#[derive(Clone)]
pub struct Meter {
    waits: Waits,
    jobs: Family<Labels, Counter>,
    reads: QueueMeter,
    writes: QueueMeter,
    /// Reads on the thread of their caller, which wait for nothing.
    pub(crate) inline_reads: Counter,
    commit_seconds: Histogram,
    commit_writes: Histogram,
    /// Pages in the WAL.
    pub(crate) wal_pages: Gauge,
    checkpoint_seconds: Histogram,
    /// Times that the WAL was begun anew from its front.
    pub(crate) wal_restarts: Counter,
    /// Connections to the database that are there.
    pub(crate) links: Gauge,
    /// Attempts to connect that failed.
    pub(crate) link_failures: Counter,
    /// Whether reads go to the standby.
    pub(crate) standby_follows: Gauge,
    /// Reads that were sent there.
    pub(crate) standby_reads: Counter,
}

/// What becomes of the jobs of one queue.
#[derive(Clone)]
struct QueueMeter {
    wait: Histogram,
    done: Counter,
    undone: Counter,
    refused: Counter,
    unknown: Counter,
}

impl QueueMeter {
    fn new(waits: &Waits, jobs: &Family<Labels, Counter>, queue: &'static str) -> Self {
        let of = |outcome| jobs.get_or_create_owned(&[("queue", queue), ("outcome", outcome)]);
        Self {
            wait: waits.get_or_create_owned(&[("queue", queue)]),
            done: of("done"),
            undone: of("undone"),
            refused: of("refused"),
            unknown: of("unknown"),
        }
    }
}

impl Default for Meter {
    fn default() -> Self {
        let waits = Waits::new_with_constructor(durations);
        let jobs = Family::default();
        Self {
            reads: QueueMeter::new(&waits, &jobs, "read"),
            writes: QueueMeter::new(&waits, &jobs, "write"),
            waits,
            jobs,
            inline_reads: Counter::default(),
            commit_seconds: durations(),
            commit_writes: Histogram::new(WRITES),
            wal_pages: Gauge::default(),
            checkpoint_seconds: durations(),
            wal_restarts: Counter::default(),
            links: Gauge::default(),
            link_failures: Counter::default(),
            standby_follows: Gauge::default(),
            standby_reads: Counter::default(),
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

impl Meter {
    /// Has `registry` show what is counted of a store at `place`, which may have a standby.
    pub fn register(&self, registry: &mut Registry, place: &StoreUrl, standby: bool) {
        registry.register_with_unit(
            "store_queue_wait",
            "How long a job of the store waited for a thread",
            Unit::Seconds,
            self.waits.clone(),
        );
        registry.register(
            "store_jobs",
            "Jobs of the store: done as they asked, undone, refused because too many waited, or unknown \
             because the store was lost in the commit",
            self.jobs.clone(),
        );
        registry.register_with_unit(
            "store_commit",
            "How long a commit took, with its sync",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        registry.register(
            "store_commit_writes",
            "How many writes shared a commit",
            self.commit_writes.clone(),
        );
        match place {
            StoreUrl::Sqlite(_) => self.register_sqlite(registry),
            StoreUrl::Postgres(_) => self.register_postgres(registry),
        }
        if standby {
            self.register_standby(registry);
        }
    }

    fn register_sqlite(&self, registry: &mut Registry) {
        registry.register(
            "store_inline_reads",
            "Reads on the thread of their request, which waited for no other",
            self.inline_reads.clone(),
        );
        registry.register("store_wal_pages", "Pages in the WAL", self.wal_pages.clone());
        registry.register_with_unit(
            "store_checkpoint",
            "How long it took to copy the WAL into the database file, and to sync that",
            Unit::Seconds,
            self.checkpoint_seconds.clone(),
        );
        registry.register(
            "store_wal_restarts",
            "Times that writing paused until the WAL was begun anew",
            self.wal_restarts.clone(),
        );
    }

    fn register_postgres(&self, registry: &mut Registry) {
        registry.register(
            "store_connections",
            "Connections to the database that are there",
            self.links.clone(),
        );
        registry.register(
            "store_connect_failures",
            "Attempts to connect to the database that failed",
            self.link_failures.clone(),
        );
    }

    fn register_standby(&self, registry: &mut Registry) {
        registry.register(
            "store_standby_follows",
            "1 while reads go to the standby, 0 while the primary answers them",
            self.standby_follows.clone(),
        );
        registry.register(
            "store_standby_reads",
            "Reads that were sent to the standby",
            self.standby_reads.clone(),
        );
    }

    const fn queue(&self, access: Access) -> &QueueMeter {
        match access {
            Access::Read => &self.reads,
            Access::Write => &self.writes,
        }
    }

    /// `writes` of them were committed together.
    pub(crate) fn committed(&self, writes: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        // There are no more than some hundred.
        self.commit_writes.observe(u32::try_from(writes).map_or(f64::MAX, f64::from));
    }

    pub(crate) fn checkpointed(&self, took: Duration) {
        self.checkpoint_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, access: Access) {
        self.queue(access).refused.inc();
    }
}

/// A job that is metered: since when it waits.
pub(crate) struct Metered {
    meter: Arc<Meter>,
    access: Access,
    /// Until a thread takes it.
    since: Cell<Option<Instant>>,
}

impl Metered {
    pub(crate) fn new(meter: &Arc<Meter>, access: Access) -> Self {
        Self { meter: Arc::clone(meter), access, since: Cell::new(Some(Instant::now())) }
    }

    /// A thread has taken it, now or before.
    pub(crate) fn begin(&self) {
        if let Some(since) = self.since.take() {
            self.meter.queue(self.access).wait.observe(since.elapsed().as_secs_f64());
        }
    }

    pub(crate) fn finish(&self, outcome: &Outcome) {
        let queue = self.meter.queue(self.access);
        match outcome {
            Outcome::Done => &queue.done,
            Outcome::NotDone(_) => &queue.undone,
            Outcome::Unknown(_) => &queue.unknown,
        }
        .inc();
    }
}
