//! The doctor: what is wrong with a store, with the machine that it is on and with how it is served, found
//! by looking alone, beside a running server.
//!
//! Each check is a transaction of its own that reads, so that none of them sees a change half done and no
//! WAL is held for longer than one of them takes. What is found is counted, and only a few of it are named:
//! a store that is all wrong takes no more memory than one that is well.
//!
//! What only says again what other rows say, and rows that belong to nobody, can be made anew without
//! losing anything: that is [`mend`].

mod counts;
mod disk;
mod engine;
mod environment;
mod file_systems;
mod finding;
mod invariants;
mod mend;
mod schema;
mod search;
mod values;

pub use finding::{Finding, Report};
pub use mend::{Mended, mend};

use crate::backup::BackupSettings;
use crate::config::Config;
use crate::error::Error;
use crate::moving;
use crate::rows::Tx;
use crate::store::{OpenError, StoreUrl, VERSION};
use finding::{Command, Findings};
use guestlist_api::time::DateTime;
use guestlist_store::{Dialect, Inspector};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to be examined.
#[derive(Debug)]
pub struct Examination {
    /// How the store is served.
    pub config: Config,
    /// What is given over to backups, if anything is known of it.
    pub backups: Option<BackupSettings>,
    /// Leave out what reads every row.
    pub quick: bool,
    /// When it is.
    pub now: DateTime,
}

/// Something that is looked at, and adds what it finds.
type Check = fn(&mut Looking<'_>, &mut Findings) -> Result<(), Error>;

/// What a check looks at.
struct Looking<'e> {
    inspector: Inspector,
    dialect: Dialect,
    of: &'e Examination,
}

impl Looking<'_> {
    /// Runs `f`, of which all statements see one moment.
    fn read<T>(&mut self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.inspector.read(f)
    }
}

/// All checks of a store that is of this version, in the order in which they are made.
const CHECKS: &[(&str, Check)] = &[
    ("moves", engine::moves),
    ("tables and indexes", schema::check),
    ("the engine", engine::check),
    ("pages", engine::pages),
    ("rows that refer to nothing", invariants::dangling),
    ("groups in groups", invariants::forest),
    ("the tag index", invariants::tags),
    ("counts", counts::check),
    ("the clock", engine::clock),
    ("users", values::users),
    ("groups", values::groups),
    ("tokens", values::tokens),
    ("applications and administrators", values::others),
    ("the search index", search::check),
];

/// Those that read only a little, however much there is.
const QUICK: &[&str] = &["moves", "tables and indexes", "the engine"];

/// What `error` says, to an operator.
fn detail(error: &Error) -> String {
    match error {
        Error::Internal(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

impl Examination {
    /// How many checks [`Examination::run`] makes, about.
    #[must_use]
    pub fn checks(&self) -> u64 {
        let checks = if self.quick { QUICK.len() } else { CHECKS.len() };
        u64::try_from(checks).unwrap_or_default()
    }

    /// Makes all checks, on this thread, and counts those that are done in `seen` meanwhile.
    ///
    /// # Errors
    /// When the store cannot be looked at at all.
    pub fn run(&self, seen: &AtomicU64) -> Result<Report, OpenError> {
        let mut findings = Findings::new(&self.config.store, self.backups.as_ref());
        environment::check(self, &mut findings);
        let inspector = moving::options();
        let inspector = crate::store::inspect(&self.config.store, &inspector)?;
        let dialect = match self.config.store {
            StoreUrl::Sqlite(_) => Dialect::Sqlite,
            StoreUrl::Postgres(_) => Dialect::Postgres,
        };
        let version = inspector.version();
        if version < VERSION {
            findings.add(
                "version",
                format!(
                    "the store has version {version}, and this Guestlist has version {VERSION}"
                ),
                "what is in a store of an older version is not looked at: the tables may be others",
                Command::BackUpAndServe,
            );
            return Ok(findings.end());
        }
        let mut looking = Looking { inspector, dialect, of: self };
        for (name, check) in CHECKS {
            if self.quick && !QUICK.contains(name) {
                findings.left_out(name);
                continue;
            }
            if let Err(error) = check(&mut looking, &mut findings) {
                findings.add(
                    "look",
                    format!("{name} cannot be looked at: {}", detail(&error)),
                    "what cannot be read is not served either, or not as it should be",
                    Command::Restore,
                );
            }
            seen.fetch_add(1, Ordering::Relaxed);
        }
        Ok(findings.end())
    }
}
