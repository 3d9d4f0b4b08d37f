//! The log: one event a request, on standard error, for people on a terminal and as JSON elsewhere.

mod lines;
mod spool;
mod visible;

#[cfg(test)]
pub(crate) mod guide;

use lines::Lines;
use spool::Spool;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

pub use spool::{Guard, dropped};

/// Starts the log, at the level in `GUESTLIST_LOG` (`info` unless it is set). What is waiting is
/// written when the guard goes.
#[must_use]
pub fn start() -> Guard {
    let (spool, guard) = Spool::start(std::io::stderr());
    let filter =
        EnvFilter::try_from_env("GUESTLIST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(spool);
    // A second start in one process, as in tests, goes on with the first.
    let _ = if std::io::stderr().is_terminal() {
        log.compact().fmt_fields(visible::fields()).try_init()
    } else {
        log.event_format(Lines).try_init()
    };
    guard
}
