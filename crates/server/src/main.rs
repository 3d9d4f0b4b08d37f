//! The `guestlist` command.

use guestlist::cli::{Cli, report};
use std::io::Write as _;
use std::process::ExitCode;

/// Requests allocate a lot of small things on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nothing is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "guestlist: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(Cli::read().run());
    // A thread that makes a backup is not waited for: what it leaves is none, and the next removes it.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(report(&error)),
    }
}
