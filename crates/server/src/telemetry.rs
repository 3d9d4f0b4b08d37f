//! The log: one event a request, on standard error, for people on a terminal and as JSON elsewhere.

use std::io::IsTerminal as _;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Lines that may wait for a slow reader; beyond that the newest are dropped rather than have
/// requests wait.
const WAITING_LINES: usize = 16 * 1024;

/// Starts the log, at the level in `GUESTLIST_LOG` (`info` unless it is set). What is waiting is
/// written when the guard goes.
pub fn start() -> WorkerGuard {
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(std::io::stderr());
    let filter =
        EnvFilter::try_from_env("GUESTLIST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A second start in one process, as in tests, goes on with the first.
    let _ = if std::io::stderr().is_terminal() {
        log.compact().try_init()
    } else {
        log.json().flatten_event(true).with_ansi(false).try_init()
    };
    guard
}
