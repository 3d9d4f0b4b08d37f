//! A primary and a standby of it, as they are asked how far each has come.

use super::address::Address;
use super::connection::{Connection, Failure};
use super::ending::Ending;
use super::fault::{away, unusable};
use super::role::{Role, connect};
use super::session::Session;
use crate::error::{Error, Result};
use crate::job::{Job, Outcome};
use crate::options::Options;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::tx::Tx;
use std::any::Any;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a standby is waited for that has not yet replayed enough, and how often it is asked.
const LAG: Duration = Duration::from_millis(20);
const AGAIN: Duration = Duration::from_micros(300);

/// How long the answer to a question may take, which is none to think about.
pub(super) const ANSWER: Duration = Duration::from_millis(250);

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

/// A row of the store that belongs to one timeline of one cluster.
pub(super) struct Mark {
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
pub(super) struct Required {
    pub(super) mark: Arc<Mark>,
    pub(super) position: i64,
}

/// A connection to ask on.
pub(super) struct Ask {
    pub(super) address: Address,
    setup: String,
    patience: Duration,
    extension: &'static (dyn Any + Send + Sync),
    pub(super) link: Option<Connection>,
}

impl Ask {
    pub(super) fn is_connected(&self) -> bool {
        self.link.as_ref().is_some_and(Connection::is_good)
    }

    pub(super) fn connect(&mut self) -> Result<()> {
        let link = connect(&self.address, &self.setup, self.patience);
        self.link = Some(link.map_err(|failure: Failure| {
            Error::internal(unusable(&self.address, failure).to_string())
        })?);
        Ok(())
    }

    pub(super) fn identity(&mut self) -> Result<Option<String>> {
        self.run(Role::Read, |tx| tx.first(IDENTITY, &[]))
    }

    /// Runs `ask` in a transaction of its own. Whatever fails, the connection is given up: that is
    /// rare, and nothing depends on it.
    pub(super) fn run<T>(
        &mut self,
        role: Role,
        ask: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
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
pub(super) struct Primary {
    pub(super) ask: Ask,
    pub(super) mark: Option<Arc<Mark>>,
    /// The table of named values.
    values: &'static str,
}

impl Primary {
    pub(super) fn new(address: &Address, schema: &Schema, options: &Options) -> Self {
        let (address, setup) = (address.clone(), Role::Write.setup(options));
        let (patience, extension) = (ANSWER, options.extension);
        let ask = Ask { address, setup, patience, extension, link: None };
        Self { ask, mark: None, values: schema.values }
    }

    /// Connects and sees to the row of this timeline, which others may have made.
    pub(super) fn connect(&mut self) -> Result<()> {
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
        // Only now is the row committed.
        if self.ask.is_connected() {
            self.mark = Some(Arc::new(mark));
        }
        Ok(())
    }

    /// What a standby needs for reads that are here already.
    pub(super) fn required(&mut self) -> Result<Required> {
        let mark = self.mark.clone().ok_or_else(away)?;
        let position = self.ask.run(Role::Read, |tx| tx.first::<i64>(SAFE, &[]))?;
        let position = position.ok_or_else(|| Error::internal("there is no position"))?;
        Ok(Required { mark, position })
    }
}

/// A connection to the standby.
pub(super) struct Standby {
    pub(super) ask: Ask,
    /// What this server has replayed, and how it is asked.
    has: Option<Required>,
    replayed: String,
}

impl Standby {
    pub(super) fn new(
        address: &Address,
        schema: &Schema,
        options: &Options,
        patience: Duration,
    ) -> Self {
        let (address, setup) = (address.clone(), Role::Read.setup(options));
        let extension = options.extension;
        let ask = Ask { address, setup, patience, extension, link: None };
        Self { ask, has: None, replayed: replayed(schema.values) }
    }

    pub(super) fn connect(&mut self) -> Result<()> {
        self.has = None;
        self.ask.connect()
    }

    /// Makes `attempt`, and once more on a new connection where a kept one turns out to be lost: the
    /// server may have been started anew since it was asked last, and nothing but a new connection
    /// can tell. A server that did not answer in time is not asked again.
    pub(super) fn retry_if_stale<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let (was_connected, began) = (self.ask.is_connected(), Instant::now());
        match attempt(self) {
            Err(_) if was_connected && !self.ask.is_connected() && began.elapsed() < ANSWER => {
                attempt(self)
            }
            outcome => outcome,
        }
    }

    /// Waits a moment for it to replay what is required. A transaction that begins now sees that.
    pub(super) fn reach(&mut self, required: &Required) -> Result<()> {
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
    pub(super) fn run(&mut self, job: &mut dyn Job, until: Instant) -> Result<Option<Outcome>> {
        let link = self.ask.link.as_mut().ok_or_else(away)?;
        link.patience.wait_for(Some(job.caller().clone()));
        let mut session = Session::new(link, Role::Read, until, self.ask.extension, None);
        let succeeded = job.run(&mut session);
        let failed = session.failed();
        match session.end(succeeded) {
            Ending::Settled if !failed => Ok(Some(Outcome::Done)),
            Ending::Settled | Ending::Again | Ending::Refused(_) => Ok(None),
            Ending::Lost | Ending::Unknown => {
                self.ask.link = None;
                Err(away())
            }
        }
    }
}
