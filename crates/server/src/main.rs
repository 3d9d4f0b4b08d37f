//! The `guestlist` command.

use std::process::ExitCode;

/// Requests allocate a lot of small things on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    guestlist::cli::run(std::env::args_os()).into()
}
