//! A thread that owns a connection, and takes what waits in a queue.

use super::address::Address;
use super::backoff::pause;
use super::connection::{self, Connection};
use super::ending::Ending;
use super::fault::{self, unusable};
use super::read_batch::{self, ReadBatch};
use super::role::{Role, SLACK, connect};
use super::session::Session;
use super::write_batch::WriteBatch;
use crate::error::Result;
use crate::job::{Job, Outcome, busy};
use crate::meter::Meter;
use crate::migrate::OpenError;
use crate::options::Options;
use crate::queue::{Jobs, Service};
use crate::versions::Versions;
use std::any::Any;
use std::iter;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a job is run at most when others are in its way.
const TRIES: u32 = 8;

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A thread, and its connection if it has one.
pub(super) struct Worker {
    address: Address,
    role: Role,
    /// How many do the same.
    threads: usize,
    setup: String,
    time: Duration,
    extension: &'static (dyn Any + Send + Sync),
    link: Option<Connection>,
    versions: Arc<Versions>,
    meter: Option<Arc<Meter>>,
    /// Whether its connection is counted as one that is there.
    counted: bool,
    /// Attempts to connect that have failed, and when the next may be made.
    failed: u32,
    next: Instant,
}

impl Worker {
    pub(super) fn start(
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
            meter: options.meter.clone(),
            counted: false,
            failed: 0,
            next: Instant::now(),
        };
        worker.link = Some(worker.connect().map_err(|failure| unusable(address, failure))?);
        worker.count_link();
        Ok(Box::new(move |jobs: &Jobs| worker.serve(jobs)))
    }

    fn connect(&self) -> connection::ConnectionResult<Connection> {
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
                    if let Some(meter) = &self.meter {
                        meter.link_failures.inc();
                    }
                    let error = unusable(&self.address, failure);
                    tracing::error!(%error, "the database cannot be reached");
                }
            }
        }
        self.link.as_mut().ok_or_else(fault::away)
    }

    /// Counts the connection, or that it is gone.
    fn count_link(&mut self) {
        let Some(meter) = &self.meter else { return };
        let is_there = self.link.as_ref().is_some_and(Connection::is_good);
        if is_there != self.counted {
            meter.links.inc_by(if is_there { 1 } else { -1 });
            self.counted = is_there;
        }
    }

    fn serve(mut self, jobs: &Jobs) {
        while let Ok(job) = jobs.next() {
            if jobs.is_empty() {
                self.one(job);
            } else {
                self.several(job, jobs);
            }
            // The end of a read is sent with the beginning of the next, if that is here already.
            if jobs.is_empty()
                && let Some(link) = &mut self.link
                && link.send().is_err()
            {
                self.link = None;
            }
            self.count_link();
        }
    }

    /// Does `first` and what waits behind it together, or this thread's share of it.
    fn several(&mut self, first: Box<dyn Job>, jobs: &Jobs) {
        let most = (1 + jobs.len().div_ceil(self.threads)).min(read_batch::MOST);
        let (role, until, extension, versions) =
            (self.role, Instant::now() + self.time, self.extension, Arc::clone(&self.versions));
        let meter = self.meter.clone();
        let Ok(link) = self.link() else { return self.one(first) };
        // Jobs that are run by themselves are left to other threads, but for the first.
        let gather = |add: &mut dyn FnMut(Box<dyn Job>) -> Result<(), Box<dyn Job>>| {
            let behind = iter::from_fn(|| jobs.try_next());
            let some = iter::once(first).chain(behind).filter(|job| !job.gone()).take(most);
            some.map(add).find_map(Result::err)
        };
        let (other, (again, lost)) = match role {
            Role::Read => {
                let mut together = ReadBatch::new(link);
                (gather(&mut |job| together.add(job)), together.answer())
            }
            Role::Write => {
                let session = Session::new(link, role, until, extension, Some(&versions));
                let mut group = WriteBatch::new(session, meter);
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
            let meter = self.meter.clone().filter(|_| role == Role::Write);
            let link = match self.link() {
                Ok(link) => link,
                Err(error) => return Outcome::NotDone(error),
            };
            link.patience.wait_for(Some(job.caller().clone()));
            let mut session = Session::new(link, role, until, extension, Some(&versions));
            let succeeded = job.run(&mut session);
            let began = meter.as_ref().map(|_| Instant::now());
            match session.end(succeeded) {
                Ending::Settled => {
                    if let (true, Some(meter), Some(began)) = (succeeded, meter, began) {
                        meter.committed(1, began.elapsed());
                    }
                    return Outcome::Done;
                }
                Ending::Refused(error) => return Outcome::NotDone(error),
                Ending::Again if tries < TRIES && Instant::now() < until && !job.gone() => {
                    sleep(pause(tries, Duration::from_millis(100)));
                    tries += 1;
                }
                Ending::Again => return Outcome::NotDone(busy()),
                // One that has been idle may have been cut long before: nothing is committed of what
                // was begun on it.
                Ending::Lost if !lost && !job.gone() => {
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
