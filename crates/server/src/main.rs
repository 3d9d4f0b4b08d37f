//! The `guestlist` command.

use clap::Parser as _;
use guestlist::cli::{Cli, exit_code};
use std::io::Write as _;
use std::process::ExitCode;

/// Requests allocate a lot of small things on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "guestlist: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}
