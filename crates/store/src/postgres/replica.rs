//! Reading from a standby, and never what is older than an answer that was given before.
//!
//! A client says nothing of what it knows, and it may have written through another node. So a
//! read waits until the primary has said, after the read has arrived, how far its log is safe:
//! every answered write is in there, whichever node answered it. The standby is read once it has
//! replayed that much. One question to the primary is for all reads that have come meanwhile.
//!
//! Positions in two logs mean nothing to each other, and after a fail-over there are two. So a node
//! that connects to a primary sees to a row of the store that belongs to that primary's timeline,
//! and a standby has to show it along with its position. Each connection is asked for itself, since
//! a standby that was started anew begins before where it was.
//!
//! Whatever goes wrong, the primary is read: its own threads take the read as any other.

use super::address::Address;
use super::backoff::pause;
use super::connection::Connection;
use super::fault::away;
use super::pooler;
use super::role::SLACK;
use super::standby::{ANSWER, Primary, Required, Standby};
use crate::error::{Error, Result};
use crate::job::{Job, Outcome};
use crate::meter::Meter;
use crate::migrate::OpenError;
use crate::options::Options;
use crate::queue::{Feed, Jobs, NoJob, Queue, Room, Service};
use crate::schema::Schema;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How far apart the questions to the primary are at least.
const EVERY: Duration = Duration::from_millis(1);

/// How often it is looked whether the standby still answers, before reads are sent to it.
const LOOK: Duration = Duration::from_millis(100);

/// The longest pause before a standby that could not be used is looked at again.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How long a standby must have been of use to be given the shortest pause again.
const STEADY: Duration = Duration::from_mins(1);

/// The ways into a standby, as long as it is of use.
pub(crate) struct Replica {
    gate: Queue,
    standbys: Queue,
    state: Arc<State>,
}

impl Replica {
    /// Starts the threads that read from the standby at `address` and pass on to `readers` what they
    /// cannot. It need not be there yet.
    ///
    /// # Errors
    /// When it is no copy of the database at `primary`, or the system has no thread to give.
    pub(crate) fn start(
        primary: &Address,
        address: &Address,
        readers: &Feed,
        schema: &Schema,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let mut primary = Primary::new(primary, schema, options);
        let mut scout = Standby::new(address, schema, options, ANSWER);
        let own = primary.connect().and_then(|()| primary.ask.identity());
        let mut its = Err(away());
        // Before anything is said that lasts for a session. It need not be there.
        if let Ok(mut link) = Connection::open(address, "", ANSWER) {
            if let Ok(true) = pooler::shares(&mut link, address) {
                return Err(pooler::refused(address));
            }
            link.warn_if_exposed(address);
            drop(link);
            its = scout.connect().and_then(|()| scout.ask.identity());
        }
        // Where one cannot be asked, the row of the timeline will tell.
        if let (Ok(own), Ok(its)) = (own, its)
            && own != its
        {
            let why = format!("it is no standby of {}", primary.ask.address);
            return Err(OpenError::Postgres { at: address.to_string(), why });
        }
        let state = Arc::new(State {
            required: RwLock::new(None),
            at: address.to_string(),
            meter: options.meter.clone(),
        });
        let room = Room::shared(options.read_queue, options.readers.max(1));
        let threads = (0..options.readers.max(1)).map(|_| {
            let follower = Follower {
                standby: Standby::new(address, schema, options, options.read_deadline + SLACK),
                time: options.read_deadline,
                state: Arc::clone(&state),
                readers: readers.clone(),
            };
            Box::new(move |jobs: &Jobs| follower.serve(jobs)) as _
        });
        let standbys = Queue::start("store-replica", room, threads.collect())?;
        let gate = Gate {
            primary,
            scout,
            state: Arc::clone(&state),
            standbys: standbys.feed(),
            readers: readers.clone(),
            asked: None,
            looked: None,
            began: None,
            failed: 0,
        };
        let gate: Vec<Service> = vec![Box::new(move |jobs: &Jobs| gate.serve(jobs))];
        let gate = Queue::start("store-gate", Room::single(options.read_queue), gate)?;
        Ok(Self { gate, standbys, state })
    }

    /// Whether it is of use now.
    pub(crate) fn follows(&self) -> bool {
        self.state.required().is_some()
    }

    /// Has `job` read from it, or from the primary.
    ///
    /// # Errors
    /// As [`Queue::send`].
    pub(crate) fn send(&self, job: Box<dyn Job>) -> Result<()> {
        self.gate.send(job)
    }

    /// Ends the threads, after what waits is read or passed on.
    pub(crate) async fn end(self) {
        self.gate.end().await;
        self.standbys.end().await;
    }
}

/// What the threads know in common.
struct State {
    /// What a read needs that has passed the gate; nothing while the standby is of no use.
    required: RwLock<Option<Required>>,
    /// Where the standby is.
    at: String,
    meter: Option<Arc<Meter>>,
}

impl State {
    fn required(&self) -> Option<Required> {
        self.required.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets what is needed, if it is of use still.
    fn renew(&self, required: Required) {
        if let Some(known) = &mut *self.required.write().unwrap_or_else(PoisonError::into_inner) {
            *known = required;
        }
    }

    fn begin(&self, required: Required) {
        *self.required.write().unwrap_or_else(PoisonError::into_inner) = Some(required);
        self.follows(1);
        tracing::info!(replica = self.at, "reads go to the replica");
    }

    /// Has reads go to the primary from now on, and says so once.
    fn stop(&self, why: &str) {
        if self.required.write().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            self.follows(0);
            tracing::warn!(replica = self.at, why, "reads go to the primary");
        }
    }

    fn follows(&self, follows: i64) {
        if let Some(meter) = &self.meter {
            meter.standby_follows.set(follows);
        }
    }
}

/// Where reads wait until it is known what they need.
struct Gate {
    primary: Primary,
    /// Looks whether the standby is of use, so that no read has to.
    scout: Standby,
    state: Arc<State>,
    standbys: Feed,
    readers: Feed,
    /// When the primary was asked last, and the standby looked at.
    asked: Option<Instant>,
    looked: Option<Instant>,
    /// Since when the standby is of use, and how often it was not.
    began: Option<Instant>,
    failed: u32,
}

impl Gate {
    fn serve(mut self, jobs: &Jobs) {
        let mut next = Instant::now();
        loop {
            if self.state.required().is_none() {
                next = self.rest(next);
            }
            let wait = if self.began.is_some() {
                LOOK
            } else {
                next.saturating_duration_since(Instant::now())
            };
            match jobs.next_within(wait) {
                Ok(job) => self.pass(job, jobs),
                Err(NoJob::Timeout) if self.began.is_none() => {
                    next = self.look();
                }
                Err(NoJob::Timeout) => {}
                Err(NoJob::Closed) => return,
            }
        }
    }

    /// Sends `job`, and what is behind it, to where it is to be read.
    fn pass(&mut self, job: Box<dyn Job>, jobs: &Jobs) {
        if self.began.is_none() {
            return self.readers.pass(job);
        }
        if let Some(asked) = self.asked {
            sleep(EVERY.saturating_sub(asked.elapsed()));
        }
        // Before the question, because the answer is good for these and no others.
        let mut batch = vec![job];
        batch.extend(jobs.drain());
        self.asked = Some(Instant::now());
        let to = match self.allow() {
            Ok(()) => &self.standbys,
            Err(error) => {
                self.state.stop(&why(error));
                &self.readers
            }
        };
        for job in batch {
            to.pass(job);
        }
    }

    /// Asks what reads need that are here, and sees to it that the standby answers.
    fn allow(&mut self) -> Result<()> {
        let required = self.primary.required()?;
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.scout.retry_if_stale(|scout| scout.reach(&required))?;
            self.looked = Some(Instant::now());
        }
        self.state.renew(required);
        Ok(())
    }

    /// Lets the standby be for a while, if it was of use until now; until when.
    fn rest(&mut self, until: Instant) -> Instant {
        let Some(began) = self.began.take() else { return until };
        if began.elapsed() >= STEADY {
            self.failed = 0;
        }
        // Those who wait for a server that may never answer do not have to.
        self.standbys.take_back().into_iter().for_each(|job| self.readers.pass(job));
        self.next()
    }

    fn next(&mut self) -> Instant {
        self.failed = self.failed.saturating_add(1);
        Instant::now() + pause(self.failed + 4, LONGEST_REST)
    }

    /// Looks whether the standby is of use; when to look again if not.
    fn look(&mut self) -> Instant {
        let primary = &mut self.primary;
        let connected = if primary.ask.is_connected() && primary.mark.is_some() {
            Ok(())
        } else {
            primary.connect()
        };
        let required = connected.and_then(|()| primary.required());
        match required.and_then(|required| self.scout.reach(&required).map(|()| required)) {
            Ok(required) => {
                (self.began, self.looked) = (Some(Instant::now()), Some(Instant::now()));
                self.state.begin(required);
                Instant::now()
            }
            Err(error) => {
                if self.failed == 0 {
                    let (replica, why) = (&self.state.at, why(error));
                    tracing::warn!(replica, why, "the replica cannot be used");
                }
                self.next()
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.state.stop("its gate is closed");
    }
}

/// A thread that reads from the standby.
struct Follower {
    standby: Standby,
    time: Duration,
    state: Arc<State>,
    readers: Feed,
}

impl Follower {
    fn serve(mut self, jobs: &Jobs) {
        while let Ok(mut job) = jobs.next() {
            if job.gone() {
                continue;
            }
            match self.read(&mut *job) {
                Some(outcome) => {
                    if let Some(meter) = &self.state.meter {
                        meter.standby_reads.inc();
                    }
                    job.finish(outcome);
                }
                None => self.readers.pass(job),
            }
            if jobs.is_empty()
                && let Some(link) = &mut self.standby.ask.link
                && link.send().is_err()
            {
                self.standby.ask.link = None;
            }
        }
    }

    /// Runs `job` on the standby, if that has what it needs and refuses nothing.
    fn read(&mut self, job: &mut dyn Job) -> Option<Outcome> {
        let until = Instant::now() + self.time;
        // At least what was required when the job passed the gate.
        let required = self.state.required()?;
        let settled = self.standby.retry_if_stale(|standby| {
            standby.reach(&required)?;
            standby.run(job, until)
        });
        settled.unwrap_or_else(|error| {
            self.state.stop(&why(error));
            None
        })
    }
}

/// What is said in the log.
fn why(error: Error) -> String {
    match error {
        Error::Busy { what, .. } => what.to_owned(),
        Error::Internal(cause) => cause.to_string(),
        other => other.to_string(),
    }
}
