//! PostgreSQL: its connections, its errors, and the threads that own a connection each.
//!
//! Messages are those of `postgres-protocol`. Who sends them when is decided here rather than by a
//! client on top of it, because the threads are ours and what matters is in which order messages
//! are sent and waited for (`session.rs`): a read is one way to the database and back where its
//! statements are told ahead, and its transaction needs neither a beginning nor an end of its own.

mod address;
mod connection;
mod end_point;
mod fault;
mod freeze;
pub(super) mod migrate;
mod pooler;
mod read_batch;
mod replica;
mod scratch;
mod session;
mod tls;
mod wire;
mod write_batch;

pub use address::Address;
pub(super) use freeze::statements as freeze;
pub(super) use replica::Replica;
pub use scratch::Database;

use super::job::{Job, Jobs, Outcome, Queue, Service, busy};
use super::migrate::OpenError;
use super::schema::Schema;
use super::value::{self, Column};
use super::versions::Versions;
use super::{Options, Pools, Tx};
use crate::error::{Error, Result};
use connection::{Connection, Failure};
use read_batch::ReadBatch;
use session::{Ending, Session};
use std::any::Any;
use std::iter;
use std::ops::Range;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::ColumnOf;
use write_batch::WriteBatch;

/// Reads something of the database, whatever is in it.
const PROBE: &str = "SELECT count(*) FROM guestlist_store";

/// Writes something of the database that is there already.
const PROBE_WRITE: &str = "UPDATE guestlist_store SET version = version";

/// How often a job is run at most when others are in its way.
const TRIES: u32 = 8;

/// How much longer than a statement may take its answer is waited for.
const SLACK: Duration = Duration::from_secs(5);

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Looking.
    Read,
    /// Changing.
    Write,
}

impl Role {
    fn time(self, options: &Options) -> Duration {
        match self {
            Self::Read => options.read_deadline,
            Self::Write => options.write_deadline,
        }
    }

    /// How many threads are for it.
    fn threads(self, options: &Options) -> usize {
        match self {
            Self::Read => options.readers.max(1),
            Self::Write => options.writers.max(1),
        }
    }

    /// What is said to the server at first.
    fn setup(self, options: &Options) -> String {
        let transaction = match self {
            Self::Read => "REPEATABLE READ, READ ONLY",
            Self::Write => "READ COMMITTED, READ WRITE",
        };
        format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET TIME ZONE 'UTC';
             SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {transaction}",
            self.time(options).as_millis().max(1),
            options.lock_deadline.as_millis().max(1),
        )
    }
}

fn connect(address: &Address, setup: &str, patience: Duration) -> connection::Outcome<Connection> {
    let mut link = Connection::open(address, setup, patience)?;
    // Compiling a statement takes longer than any of these does. Not every engine knows it.
    match link.command("SET jit = off") {
        Err(Failure::Lost(error)) => Err(Failure::Lost(error)),
        _ => Ok(link),
    }
}

/// A row as it was sent.
pub(super) struct Row<'r> {
    columns: &'r [ColumnOf],
    data: &'r [u8],
    places: &'r [Option<Range<usize>>],
}

impl Row<'_> {
    /// The value of the column called `name`.
    pub(super) fn get<T: Column>(&self, name: &str) -> Result<T> {
        self.get_at(self.place(name)?)
    }

    /// The text in the column called `name`; `None` is nothing.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        let (oid, bytes) = self.cell(self.place(name)?)?;
        bytes.map(|bytes| value::text(oid, bytes)).transpose()
    }

    fn place(&self, name: &str) -> Result<usize> {
        let place = self.columns.iter().position(|column| *column.name == *name);
        place.ok_or_else(|| Error::internal(format!("there is no column {name}")))
    }

    /// The value of the column at `index`.
    pub(super) fn get_at<T: Column>(&self, index: usize) -> Result<T> {
        let (oid, bytes) = self.cell(index)?;
        T::take(oid, bytes)
    }

    /// The type and the bytes of what is at `index`.
    fn cell(&self, index: usize) -> Result<(u32, Option<&[u8]>)> {
        let (Some(column), Some(place)) = (self.columns.get(index), self.places.get(index)) else {
            return Err(Error::internal(format!("there is no column {index}")));
        };
        Ok((column.oid, place.clone().and_then(|place| self.data.get(place))))
    }

    /// How many bytes its values have.
    pub(super) fn size(&self) -> usize {
        self.places.iter().flatten().map(Range::len).sum()
    }
}

/// Brings the database at `address` up to date and starts the threads.
///
/// # Errors
/// When it cannot be reached or is not ours to touch, or when a migration or a thread fails.
pub(super) fn start(
    address: &Address,
    schema: &Schema,
    options: &Options,
) -> Result<Pools, OpenError> {
    migrate::prepare(address, schema.migrations, options.must_exist)?;
    let versions = Arc::new(Versions::with_trust(options.trust));
    let threads = |role: Role| {
        (0..role.threads(options))
            .map(|_| Worker::start(address, role, options, Arc::clone(&versions)))
            .collect::<Result<_, _>>()
    };
    let readers = threads(Role::Read)?;
    let writers = threads(Role::Write)?;
    let readers = Queue::start("store-read", options.read_queue, readers)?;
    let replica = options.replica.as_ref();
    let replica = replica.map(|at| Replica::start(address, at, &readers.feed(), schema, options));
    Ok(Pools {
        inline_readers: None,
        replica: replica.transpose()?,
        readers,
        writer: Queue::start("store-write", options.write_queue, writers)?,
        probe: PROBE,
        probe_write: PROBE_WRITE.to_owned(),
        disk: None,
        versions: Some(versions),
    })
}

/// Why `address` cannot be opened.
fn unusable(address: &Address, failure: Failure) -> OpenError {
    OpenError::Postgres { at: address.to_string(), why: why(failure) }
}

fn why(failure: Failure) -> String {
    match failure {
        Failure::Lost(error) => error.to_string(),
        Failure::Refused(refusal) => refusal.message,
    }
}

/// A thread, and its connection if it has one.
struct Worker {
    address: Address,
    role: Role,
    /// How many do the same.
    threads: usize,
    setup: String,
    time: Duration,
    extension: &'static (dyn Any + Send + Sync),
    link: Option<Connection>,
    versions: Arc<Versions>,
    /// Attempts to connect that have failed, and when the next may be made.
    failed: u32,
    next: Instant,
}

impl Worker {
    fn start(
        address: &Address,
        role: Role,
        options: &Options,
        versions: Arc<Versions>,
    ) -> Result<Service, OpenError> {
        let mut worker = Self {
            address: address.clone(),
            role,
            threads: role.threads(options),
            setup: role.setup(options),
            time: role.time(options),
            extension: options.extension,
            link: None,
            versions,
            failed: 0,
            next: Instant::now(),
        };
        worker.link = Some(worker.connect().map_err(|failure| unusable(address, failure))?);
        Ok(Box::new(move |jobs: &Jobs| worker.serve(jobs)))
    }

    fn connect(&self) -> connection::Outcome<Connection> {
        connect(&self.address, &self.setup, self.time + SLACK)
    }

    /// The connection: the one there is, or a new one if it is time to try.
    fn link(&mut self) -> Result<&mut Connection> {
        if !self.link.as_ref().is_some_and(Connection::is_good) {
            self.link = None;
            if Instant::now() < self.next {
                return Err(fault::away());
            }
            match self.connect() {
                Ok(link) => {
                    self.failed = 0;
                    self.link = Some(link);
                }
                Err(failure) => {
                    self.next = Instant::now() + pause(self.failed, LONGEST_PAUSE);
                    self.failed = self.failed.saturating_add(1);
                    let error = unusable(&self.address, failure);
                    tracing::error!(%error, "the database cannot be reached");
                }
            }
        }
        self.link.as_mut().ok_or_else(fault::away)
    }

    fn serve(mut self, jobs: &Jobs) {
        for job in &jobs.waiting {
            if jobs.waiting.is_empty() {
                self.one(job);
            } else {
                self.several(job, jobs);
            }
            // The end of a read is sent with the beginning of the next, if that is here already.
            if jobs.waiting.is_empty()
                && let Some(link) = &mut self.link
                && link.send().is_err()
            {
                self.link = None;
            }
        }
    }

    /// Does `first` and what waits behind it together, or this thread's share of it.
    fn several(&mut self, first: Box<dyn Job>, jobs: &Jobs) {
        let most = (1 + jobs.waiting.len().div_ceil(self.threads)).min(read_batch::MOST);
        let (role, until, extension, versions) =
            (self.role, Instant::now() + self.time, self.extension, Arc::clone(&self.versions));
        let Ok(link) = self.link() else { return self.one(first) };
        // Jobs that are run by themselves are left to other threads, but for the first.
        let gather = |add: &mut dyn FnMut(Box<dyn Job>) -> Result<(), Box<dyn Job>>| {
            let behind = iter::from_fn(|| jobs.waiting.try_recv().ok());
            let some = iter::once(first).chain(behind).filter(|job| !job.gone()).take(most);
            some.map(add).find_map(Result::err)
        };
        let (other, (again, lost)) = match role {
            Role::Read => {
                let mut together = ReadBatch::new(link, extension);
                (gather(&mut |job| together.add(job)), together.answer())
            }
            Role::Write => {
                let session = Session::new(link, role, until, extension, Some(&versions));
                let mut group = WriteBatch::new(session);
                (gather(&mut |job| group.add(job)), group.answer())
            }
        };
        if lost {
            self.link = None;
        }
        for job in again.into_iter().chain(other) {
            self.one(job);
        }
    }

    fn one(&mut self, mut job: Box<dyn Job>) {
        if !job.gone() {
            let outcome = self.run(&mut *job);
            job.finish(outcome);
        }
    }

    /// Runs `job` until it is kept or refused.
    fn run(&mut self, job: &mut dyn Job) -> Outcome {
        let until = Instant::now() + self.time;
        let (mut tries, mut lost) = (1, false);
        loop {
            let (role, extension, versions) =
                (self.role, self.extension, Arc::clone(&self.versions));
            let link = match self.link() {
                Ok(link) => link,
                Err(error) => return Outcome::NotDone(error),
            };
            let mut session = Session::new(link, role, until, extension, Some(&versions));
            let kept = job.run(&mut Tx::new(&mut session));
            match session.end(kept) {
                Ending::Settled => return Outcome::Done,
                Ending::Refused(error) => return Outcome::NotDone(error),
                Ending::Again if tries < TRIES && Instant::now() < until => {
                    sleep(pause(tries, Duration::from_millis(100)));
                    tries += 1;
                }
                Ending::Again => return Outcome::NotDone(busy()),
                // One that has been idle may have been cut long before: nothing is kept of what
                // was begun on it.
                Ending::Lost if !lost => {
                    self.link = None;
                    lost = true;
                }
                Ending::Lost => {
                    self.link = None;
                    return Outcome::NotDone(fault::away());
                }
                Ending::Unknown => {
                    self.link = None;
                    return fault::unknown();
                }
            }
        }
    }
}

/// How long to wait after `failed` failures: twice as long each time, and never as long as others.
fn pause(failed: u32, longest: Duration) -> Duration {
    let most = Duration::from_millis(2 << failed.min(16)).min(longest);
    let random = crate::clock::random::<1>().map_or(0, |[byte]| u32::from(byte));
    most / 2 + most * random / 512
}
