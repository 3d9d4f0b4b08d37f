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
use super::connection::{Connection, Failure};
use super::fault::{away, unusable};
use super::pooler;
use super::role::{Role, SLACK, connect};
use super::session::{Ending, Session};
use crate::error::{Error, Result};
use crate::job::{Feed, Job, Jobs, Outcome, Queue, Service};
use crate::migrate::OpenError;
use crate::options::Options;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::tx::Tx;
use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How far apart the questions to the primary are at least.
const EVERY: Duration = Duration::from_millis(1);

/// How long a standby is waited for that has not yet replayed enough, and how often it is asked.
const LAG: Duration = Duration::from_millis(20);
const AGAIN: Duration = Duration::from_micros(300);

/// How long the answer to a question may take, which is none to think about.
const ANSWER: Duration = Duration::from_millis(250);

/// How often it is looked whether the standby still answers, before reads are sent to it.
const LOOK: Duration = Duration::from_millis(100);

/// The longest pause before a standby that could not be used is looked at again.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How long a standby must have been of use to be given the shortest pause again.
const STEADY: Duration = Duration::from_mins(1);

/// How far the log of the primary is safe. Where commits are answered before that, it is how far the
/// log goes.
const SAFE: &str = "SELECT (CASE current_setting('synchronous_commit')
        WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END
    - '0/0'::pg_lsn)::bigint";

/// How far a standby has come, if it is one and has the row.
fn replayed(values: &str) -> String {
    format!(
        "SELECT CASE WHEN pg_is_in_recovery()
                AND EXISTS (SELECT 1 FROM {values} WHERE name = $1 AND value = $2)
            THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END"
    )
}

/// Which timeline a primary writes.
const TIMELINE: &str = "SELECT left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)";

/// Which database of which cluster it is; a copy that follows has the same. Not everybody may ask.
const IDENTITY: &str =
    "SELECT system_identifier::text || '/' || current_database() FROM pg_control_system()";

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
        let state = Arc::new(State { required: RwLock::new(None), at: address.to_string() });
        let threads = (0..options.readers.max(1)).map(|_| {
            let follower = Follower {
                standby: Standby::new(address, schema, options, options.read_deadline + SLACK),
                time: options.read_deadline,
                state: Arc::clone(&state),
                readers: readers.clone(),
            };
            Box::new(move |jobs: &Jobs| follower.serve(jobs)) as _
        });
        let standbys = Queue::start("store-replica", options.read_queue, threads.collect())?;
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
        let gate = Queue::start("store-gate", options.read_queue, gate)?;
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

/// A row of the store that belongs to one timeline of one cluster.
struct Mark {
    name: String,
    value: Vec<u8>,
}

/// The value `name` in the table `values`: what is there, or else one made by chance.
fn get_or_make(tx: &mut Tx<'_>, values: &str, name: &str) -> Result<Vec<u8>> {
    let get = format!("SELECT value FROM {values} WHERE name = $1");
    if let Some(value) = tx.first(&get, &[&name])? {
        return Ok(value);
    }
    // Another may do the same, and one of the two is first.
    let made = crate::chance::random::<16>().map(Vec::from).map_err(Error::internal)?;
    let add =
        format!("INSERT INTO {values} (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
    tx.change(Scope::Nothing, &add, &[&name, &made])?;
    tx.first(&get, &[&name])?.ok_or_else(|| Error::internal(format!("the value {name} has gone")))
}

/// What a standby must have to be read from.
#[derive(Clone)]
struct Required {
    mark: Arc<Mark>,
    position: i64,
}

/// What the threads know in common.
struct State {
    /// What a read needs that has passed the gate; nothing while the standby is of no use.
    required: RwLock<Option<Required>>,
    /// Where the standby is.
    at: String,
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
        tracing::info!(replica = self.at, "reads go to the replica");
    }

    /// Has reads go to the primary from now on, and says so once.
    fn stop(&self, why: &str) {
        if self.required.write().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::warn!(replica = self.at, why, "reads go to the primary");
        }
    }
}

/// A connection to ask on.
struct Ask {
    address: Address,
    setup: String,
    patience: Duration,
    extension: &'static (dyn Any + Send + Sync),
    link: Option<Connection>,
}

impl Ask {
    fn is_connected(&self) -> bool {
        self.link.as_ref().is_some_and(Connection::is_good)
    }

    fn connect(&mut self) -> Result<()> {
        let link = connect(&self.address, &self.setup, self.patience);
        self.link = Some(link.map_err(|failure: Failure| {
            Error::internal(unusable(&self.address, failure).to_string())
        })?);
        Ok(())
    }

    fn identity(&mut self) -> Result<Option<String>> {
        self.run(Role::Read, |tx| tx.first(IDENTITY, &[]))
    }

    /// Runs `ask` in a transaction of its own. Whatever fails, the connection is given up: that is
    /// rare, and nothing depends on it.
    fn run<T>(&mut self, role: Role, ask: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let mut link = self.link.take().ok_or_else(away)?;
        let until = Instant::now() + self.patience;
        let mut session = Session::new(&mut link, role, until, self.extension, None);
        let found = ask(&mut Tx::new(&mut session));
        let failed = session.failed();
        let ended = session.end(found.is_ok());
        if !failed && matches!(ended, Ending::Settled) && link.send().is_ok() {
            self.link = Some(link);
        }
        found
    }
}

/// The primary, as it is asked for its position.
struct Primary {
    ask: Ask,
    mark: Option<Arc<Mark>>,
    /// The table of named values.
    values: &'static str,
}

impl Primary {
    fn new(address: &Address, schema: &Schema, options: &Options) -> Self {
        let (address, setup) = (address.clone(), Role::Write.setup(options));
        let (patience, extension) = (ANSWER, options.extension);
        let ask = Ask { address, setup, patience, extension, link: None };
        Self { ask, mark: None, values: schema.values }
    }

    /// Connects and sees to the row of this timeline, which others may have made.
    fn connect(&mut self) -> Result<()> {
        self.mark = None;
        self.ask.connect()?;
        let values = self.values;
        let mark = self.ask.run(Role::Write, |tx| {
            let timeline: Option<String> = tx.first(TIMELINE, &[])?;
            let timeline = timeline.ok_or_else(|| Error::internal("there is no timeline"))?;
            let name = format!("timeline {timeline}");
            let value = get_or_make(tx, values, &name)?;
            Ok(Mark { name, value })
        })?;
        // Only now is the row kept.
        if self.ask.is_connected() {
            self.mark = Some(Arc::new(mark));
        }
        Ok(())
    }

    /// What a standby needs for reads that are here already.
    fn required(&mut self) -> Result<Required> {
        let mark = self.mark.clone().ok_or_else(away)?;
        let position = self.ask.run(Role::Read, |tx| tx.first::<i64>(SAFE, &[]))?;
        let position = position.ok_or_else(|| Error::internal("there is no position"))?;
        Ok(Required { mark, position })
    }
}

/// A connection to the standby.
struct Standby {
    ask: Ask,
    /// What this server has replayed, and how it is asked.
    has: Option<Required>,
    replayed: String,
}

impl Standby {
    fn new(address: &Address, schema: &Schema, options: &Options, patience: Duration) -> Self {
        let (address, setup) = (address.clone(), Role::Read.setup(options));
        let extension = options.extension;
        let ask = Ask { address, setup, patience, extension, link: None };
        Self { ask, has: None, replayed: replayed(schema.values) }
    }

    fn connect(&mut self) -> Result<()> {
        self.has = None;
        self.ask.connect()
    }

    /// Makes `attempt`, and once more on a new connection where a kept one turns out to be lost: the
    /// server may have been started anew since it was asked last, and nothing but a new connection
    /// can tell. A server that did not answer in time is not asked again.
    fn retry_if_stale<T>(&mut self, mut attempt: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let (kept, began) = (self.ask.is_connected(), Instant::now());
        match attempt(self) {
            Err(_) if kept && !self.ask.is_connected() && began.elapsed() < ANSWER => attempt(self),
            outcome => outcome,
        }
    }

    /// Waits a moment for it to replay what is required. A transaction that begins now sees that.
    fn reach(&mut self, required: &Required) -> Result<()> {
        if !self.ask.is_connected() {
            self.connect()?;
        }
        let until = Instant::now() + LAG;
        loop {
            if let Some(has) = &self.has
                && Arc::ptr_eq(&has.mark, &required.mark)
                && has.position >= required.position
            {
                return Ok(());
            }
            let mark = Arc::clone(&required.mark);
            let replayed = &self.replayed;
            let position = self.ask.run(Role::Read, |tx| {
                tx.first::<Option<i64>>(replayed, &[&mark.name, &mark.value])
            })?;
            self.has = position.flatten().map(|position| Required { mark, position });
            if self.has.as_ref().is_some_and(|has| has.position >= required.position) {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(Error::internal(match self.has {
                    Some(_) => "it is behind",
                    None => "it does not follow the primary, or is far behind",
                }));
            }
            sleep(AGAIN);
        }
    }

    /// Runs `job`: what became of it, or nothing where the primary has to be asked.
    ///
    /// # Errors
    /// When the connection is lost.
    fn run(&mut self, job: &mut dyn Job, until: Instant) -> Result<Option<Outcome>> {
        let link = self.ask.link.as_mut().ok_or_else(away)?;
        let mut session = Session::new(link, Role::Read, until, self.ask.extension, None);
        let kept = job.run(&mut session);
        let failed = session.failed();
        match session.end(kept) {
            Ending::Settled if !failed => Ok(Some(Outcome::Done)),
            Ending::Settled | Ending::Again | Ending::Refused(_) => Ok(None),
            Ending::Lost | Ending::Unknown => {
                self.ask.link = None;
                Err(away())
            }
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
            match jobs.waiting.recv_timeout(wait) {
                Ok(job) => self.pass(job, &jobs.waiting),
                Err(flume::RecvTimeoutError::Timeout) if self.began.is_none() => {
                    next = self.look();
                }
                Err(flume::RecvTimeoutError::Timeout) => {}
                Err(flume::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Sends `job`, and what is behind it, to where it is to be read.
    fn pass(&mut self, job: Box<dyn Job>, waiting: &flume::Receiver<Box<dyn Job>>) {
        if self.began.is_none() {
            return self.readers.pass(job);
        }
        if let Some(asked) = self.asked {
            sleep(EVERY.saturating_sub(asked.elapsed()));
        }
        // Before the question, because the answer is good for these and no others.
        let mut batch = vec![job];
        batch.extend(waiting.try_iter());
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
        self.standbys.take_back().for_each(|job| self.readers.pass(job));
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
        for mut job in &jobs.waiting {
            if job.gone() {
                continue;
            }
            match self.read(&mut *job) {
                Some(outcome) => job.finish(outcome),
                None => self.readers.pass(job),
            }
            if jobs.waiting.is_empty()
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
