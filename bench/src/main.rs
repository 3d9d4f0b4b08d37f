//! The measurements: what Guestlist does on this machine, beside what the machine could do at
//! most, in the same minutes. `cargo xtask bench` builds everything and runs `measure`; the other
//! commands are the floors and the load, each a process of its own so that it can be given its own
//! processors.

#![expect(clippy::print_stdout, reason = "a measurement speaks on the terminal")]
#![expect(clippy::format_push_string, reason = "nothing that is measured is written this way")]

mod disk;
mod floor;
mod hash;
mod load;
mod machine;
mod measure;
mod oha;
mod process;
mod report;
mod stats;
mod subjects;
mod target;

use anyhow::Result;
use clap::Parser as _;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, clap::Parser)]
#[command(name = "cargo xtask bench")]
enum Command {
    /// Measure
    #[command(name = "measure")]
    Measure(measure::Args),
    /// Serve the same bytes always: the floor of reads
    #[command(hide = true)]
    Floor(floor::Args),
    /// Sync appended blocks for a while: the floor of writes
    #[command(hide = true)]
    Sync(disk::Args),
    /// Hash passwords for a while: the floor of whatever hashes one
    #[command(hide = true)]
    Hash(hash::Args),
    /// Send writes for a while, each with a body of its own
    #[command(hide = true)]
    Load(load::Args),
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Measure(args) => measure::run(&args),
        Command::Floor(args) => floor::run(&args),
        Command::Sync(args) => disk::run(&args),
        Command::Hash(args) => hash::run(&args),
        Command::Load(args) => load::run(args),
    }
}
