//! The floor of durable writes: what the disk syncs in a second, 8 KiB at a time.

use anyhow::Result;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A directory on the file system of the store
    directory: PathBuf,
    /// For how long
    seconds: f64,
}

/// Prints how many appends of 8 KiB a second were on the disk before the next one began.
pub(crate) fn run(args: &Args) -> Result<()> {
    let path = args.directory.join("sync.tmp");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let block = [0x5a_u8; 8192];
    let (began, time) = (Instant::now(), Duration::from_secs_f64(args.seconds));
    let mut done = 0_u32;
    while began.elapsed() < time {
        file.write_all(&block)?;
        file.sync_all()?;
        done += 1;
    }
    println!("{}", f64::from(done) / began.elapsed().as_secs_f64());
    drop(file);
    Ok(std::fs::remove_file(&path)?)
}
