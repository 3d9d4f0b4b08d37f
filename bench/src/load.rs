//! Writes, each with a body of its own, which `oha` cannot send, and GETs of which it is looked at how
//! each answer is coded, which `oha` does not do: as many connections as are asked
//! for, each sending its next request when the last one is answered.

use crate::stats;
use anyhow::{Context as _, Result, ensure};
use guestlist_bench::http;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// Changes of a name, each another, of users drawn from the file
    Patch,
    /// The same change always: what can be compared with another generator
    Fixed,
    /// New users
    Create,
    /// Deletions, of each user of the file once
    Delete,
    /// GETs of users drawn from the file
    Get,
    /// The same, accepting gzip
    GetGzip,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    what: What,
    #[arg(long)]
    to: SocketAddr,
    #[arg(long)]
    application: String,
    #[arg(long)]
    token: String,
    /// The ids of users, one a line
    #[arg(long)]
    ids: PathBuf,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    seconds: f64,
    /// Users of the file that are left out
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// What makes this run another than the one before
    #[arg(long)]
    run: u64,
}

/// The body that [`What::Fixed`] sends.
pub(crate) const FIXED: &str = r#"{"firstName":"Always"}"#;

/// Bytes from which on the server compresses what it may.
const LONG: usize = 1024;

/// What one connection saw: microseconds by request, and where in the run it ended.
#[derive(Default)]
struct Seen {
    micros: Vec<(u64, u64)>,
    statuses: BTreeMap<u16, u64>,
    /// How many were compressed, and how many were not although they are long.
    gzip: u64,
    plain: u64,
}

struct Shared {
    args: Args,
    ids: Vec<String>,
    next: AtomicUsize,
}

/// Prints what was seen, as JSON.
#[tokio::main]
pub(crate) async fn run(args: Args) -> Result<()> {
    let ids = std::fs::read_to_string(&args.ids)?.lines().map(str::to_owned).collect();
    let time = Duration::from_secs_f64(args.seconds);
    let connections = args.connections;
    let next = AtomicUsize::new(args.skip);
    let shared = Arc::new(Shared { args, ids, next });
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for number in 0..connections {
        let shared = Arc::clone(&shared);
        tasks.spawn(async move { shared.connection(number as u64, began, time).await });
    }
    let mut all = Seen::default();
    while let Some(seen) = tasks.join_next().await {
        let seen = seen??;
        all.micros.extend(seen.micros);
        all.gzip += seen.gzip;
        all.plain += seen.plain;
        for (status, count) in seen.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
    }
    println!("{}", report(&all, began.elapsed()));
    Ok(())
}

fn report(seen: &Seen, took: Duration) -> Value {
    const SLICE: u64 = 5_000_000;
    let mut micros: Vec<f64> = seen.micros.iter().map(|(took, _)| stats::float(*took)).collect();
    micros.sort_by(f64::total_cmp);
    // Whole slices only: the last one ends when the run does.
    let whole = u64::try_from(took.as_micros()).unwrap_or(0) / SLICE;
    let slices: Vec<usize> = (0..whole)
        .map(|slice| seen.micros.iter().filter(|(_, end)| end / SLICE == slice).count() / 5)
        .collect();
    let millis = |share: f64| stats::quantile(&micros, share) / 1000.0;
    json!({
        "rate": stats::float(micros.len() as u64) / took.as_secs_f64(),
        "p50": millis(0.5), "p99": millis(0.99), "p999": millis(0.999), "max": millis(1.0),
        "slices": slices,
        "statuses": seen.statuses,
        "gzip": seen.gzip,
        "plain": seen.plain,
    })
}

impl Shared {
    async fn connection(&self, number: u64, began: Instant, time: Duration) -> Result<Seen> {
        let mut stream = TcpStream::connect(self.args.to).await?;
        stream.set_nodelay(true)?;
        let (mut seen, mut read) = (Seen::default(), Vec::with_capacity(16 * 1024));
        let mut chance = stats::Chance::new(self.args.run << 32 ^ number);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        while began.elapsed() < time {
            let Some(request) = self.request(&mut chance)? else { break };
            let sent = Instant::now();
            stream.write_all(&request).await?;
            read.clear();
            let head = loop {
                ensure!(stream.read_buf(&mut read).await? > 0, "the connection was closed");
                if let Some(head) = http::head(&read)?
                    && read.len() >= head.end + head.length
                {
                    break head;
                }
            };
            seen.micros.push((micros(sent.elapsed()), micros(began.elapsed())));
            *seen.statuses.entry(head.status).or_default() += 1;
            seen.gzip += u64::from(head.gzip);
            seen.plain += u64::from(!head.gzip && head.length >= LONG);
        }
        Ok(seen)
    }

    /// The next request, unless there is nobody left to delete.
    fn request(&self, chance: &mut stats::Chance) -> Result<Option<Vec<u8>>> {
        let Args { application, token, run, .. } = &self.args;
        let users = format!("/applications/{application}/experience/users");
        let anybody = |chance: &mut stats::Chance| {
            let id = self.ids.get(chance.below(self.ids.len())).context("the file is empty")?;
            Ok::<_, anyhow::Error>(format!("{users}/{id}"))
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(Some(match self.args.what {
            What::Patch => {
                let body = format!(r#"{{"firstName":"Visitor {run}-{number}"}}"#);
                http::request("PATCH", &anybody(chance)?, token, &body)
            }
            What::Fixed => http::request("PATCH", &anybody(chance)?, token, FIXED),
            What::Get => http::request("GET", &anybody(chance)?, token, ""),
            What::GetGzip => http::gzip_request(&anybody(chance)?, token),
            What::Create => {
                let body = json!({
                    "email": format!("new.{run}.{number}@example.com"),
                    "password": "Correct-h0rse",
                    "firstName": "New",
                    "lastName": "Comer",
                    "userTags": { "plan": "free" },
                });
                http::request("POST", &users, token, &body.to_string())
            }
            What::Delete if number >= self.ids.len() => return Ok(None),
            What::Delete => {
                // Each once and no two that are neighbours: the factor is a prime.
                let place = number.wrapping_mul(2_147_483_647) % self.ids.len();
                http::request("DELETE", &format!("{users}/{}", self.ids[place]), token, "")
            }
        }))
    }
}
