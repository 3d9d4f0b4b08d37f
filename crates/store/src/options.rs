//! How a store is run.

use crate::meter::Meter;
use crate::postgres::address::Address;
use std::any::Any;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What happens when the disk under a file of SQLite fails: when what is written to it, or already
/// was, cannot be synced. Nothing is answered as done from then on, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDiskFailure {
    /// The store is closed, and refuses all that is asked of it. What it has open stays so until the
    /// process ends. For those that live in a process of somebody else's.
    CloseStore,
    /// The process ends, with the code 74. The next one starts from what the log has.
    EndProcess,
}

/// How a [`Store`](crate::Store) is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a store that is not there is an error, rather than made.
    pub must_exist: bool,
    /// What happens when the disk fails.
    pub on_disk_failure: OnDiskFailure,
    /// Threads that read, each with a connection. A third of them (of two, one) only find rows by their
    /// keys, so that no query keeps those who look up; of the others one flow has at most half.
    pub readers: usize,
    /// Threads that write, each with a connection, on PostgreSQL, of which one flow has at most half.
    /// On SQLite there is one.
    pub writers: usize,
    /// Reads that may wait, of one flow half as many; one more is refused with
    /// [`Error::Busy`](crate::Error::Busy).
    pub read_queue: usize,
    /// Writes that may wait, of one flow half as many; one more is refused with
    /// [`Error::Busy`](crate::Error::Busy).
    pub write_queue: usize,
    /// Writes that may share a commit.
    pub group: usize,
    /// How long a group may gather before it is committed.
    pub group_time: Duration,
    /// A standby of the database, on PostgreSQL, that is read from while it is up to date.
    pub replica: Option<Address>,
    /// How long one read may run.
    pub read_deadline: Duration,
    /// How long one write may run.
    pub write_deadline: Duration,
    /// How long a statement may wait for another transaction, on PostgreSQL.
    pub lock_deadline: Duration,
    /// How long a brief snapshot is good, on PostgreSQL, where other nodes may change what it is of.
    pub trust: Duration,
    /// How long [`Store::ready`](crate::Store::ready) waits for its answer.
    pub ready_deadline: Duration,
    /// How long [`Store::close`](crate::Store::close) waits for what is under way.
    pub close_deadline: Duration,
    /// Steps of SQLite's machine between two looks at the clock: some 50 us.
    pub steps_per_check: u16,
    /// Steps of SQLite's machine that a read may take for each second of its deadline, so that what is too
    /// much on one machine is too much on another, however busy it is. PostgreSQL counts none.
    pub steps_per_second: u64,
    /// Where it is counted what the store does, if somebody wants to know.
    pub meter: Option<Arc<Meter>>,
    /// What the functions of the schema need to know of how the store is run: [`Tx::extension`](crate::Tx::extension) finds
    /// it. It is a reference because whatever is asked of the store carries it.
    pub extension: &'static (dyn Any + Send + Sync),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            must_exist: false,
            on_disk_failure: OnDiskFailure::CloseStore,
            // A read is work for a processor. So as many as there are processors look up by key,
            // and as many are what one flow may have of the rest.
            readers: 3 * thread::available_parallelism()
                .map_or(2, |count| count.get().clamp(2, 16)),
            // A commit waits for a disk, or for a standby far away, and others go on meanwhile.
            writers: 8,
            // 20 ms of reads at 50,000 a second.
            read_queue: 1024,
            // About a second of writes on a disk that syncs 250 times a second, grouped: what
            // `retry_after` promises.
            write_queue: 1024,
            // Beyond this the sync is no longer what a write costs.
            group: 128,
            // No more than what a slow disk's sync takes, so gathering never doubles the wait.
            group_time: Duration::from_millis(10),
            replica: None,
            // Clients give up by then.
            read_deadline: Duration::from_secs(10),
            // What takes long is done in parts, but a disk may take its time.
            write_deadline: Duration::from_mins(5),
            // Those who wait for a lock keep others from a connection.
            lock_deadline: Duration::from_secs(5),
            // Half of what is promised.
            trust: Duration::from_millis(500),
            // Below the timeout of a common probe.
            ready_deadline: Duration::from_secs(5),
            // What was answered is safe, so this is only for tidiness: within the 10 s in which a
            // server stops, most of which its requests may take.
            close_deadline: Duration::from_millis(1500),
            steps_per_check: 4096,
            // 500 million in ten seconds, where twenty conditions of any kind about a million users, with
            // their count, take 375 million.
            steps_per_second: 50_000_000,
            meter: None,
            extension: &(),
        }
    }
}
