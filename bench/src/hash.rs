//! The floor of whatever hashes a password: the same hash on as many threads, and nothing else.

use anyhow::{Context as _, Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many threads
    threads: usize,
    /// For how long
    seconds: f64,
}

/// Prints how many hashes a second there were.
pub(crate) fn run(args: &Args) -> Result<()> {
    let time = Duration::from_secs_f64(args.seconds);
    let threads: Vec<_> = (0..args.threads).map(|_| thread::spawn(move || rate(time))).collect();
    let mut sum = 0.0;
    for thread in threads {
        sum += thread.join().map_err(|_| anyhow!("a thread panicked"))??;
    }
    println!("{sum}");
    Ok(())
}

fn rate(time: Duration) -> Result<f64> {
    // Those of the server: 19 MiB, two passes, one lane.
    let parameters = Params::new(19 * 1024, 2, 1, Some(32)).ok().context("bad parameters")?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let mut blocks = vec![Block::new(); 19 * 1024];
    let (mut tag, mut done) = ([0; 32], 0_u32);
    let began = Instant::now();
    while began.elapsed() < time {
        argon
            .hash_password_into_with_memory(
                b"Correct-h0rse",
                &[done.to_le_bytes(); 4].concat(),
                &mut tag,
                &mut blocks[..],
            )
            .map_err(|error| anyhow!("{error}"))?;
        done += 1;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}
