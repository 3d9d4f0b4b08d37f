//! `guestlist move` and `guestlist checksum`.

use super::progress::Progress;
use super::{Output, must_exist, table};
use crate::config::{self, CliArgs, Config, ServerArgs};
use crate::moving::{self, Copied, Moving, Sums};
use crate::store::{Store, StoreUrl};
use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The store that is moved; it takes no changes from now on, and serves reads
    #[arg(
        long,
        env = "GUESTLIST_MOVE_FROM",
        hide_env_values = true,
        value_name = "URL",
        required_unless_present = "abandon"
    )]
    from: Option<String>,
    /// Where it goes: a file that is not there, or a database that nothing has used
    #[arg(
        long,
        env = "GUESTLIST_MOVE_TO",
        hide_env_values = true,
        value_name = "URL",
        required_unless_present = "abandon"
    )]
    to: Option<String>,
    /// Have the source take changes again in the end, as a store of its own
    #[arg(long, conflicts_with = "abandon")]
    keep_source: bool,
    /// Give a move up: the store of --from takes changes again, and the unfinished copy of --to is
    /// emptied
    #[arg(long)]
    abandon: bool,
}

pub(super) async fn run(args: Args, out: Output) -> Result<()> {
    let place = |name: &str, text: Option<String>| {
        let path = |text: String| config::path(&text, Path::new(""));
        let place = text.map(|text| StoreUrl::parse(&path(text))).transpose();
        place.map_err(|why| anyhow!("{name}: {why}"))
    };
    let (from, to) = (place("--from", args.from)?, place("--to", args.to)?);
    if let Some(from) = &from {
        must_exist(from, "--from")?;
    }
    match (from, to) {
        (from, to) if args.abandon => {
            if let Some(to) = &to {
                must_exist(to, "--to")?;
            }
            let done = moving::abandon(from.as_ref(), to.as_ref()).await?;
            out.result(&json!({ "abandoned": done }), || done.join("\n"))
        }
        (Some(from), Some(to)) => bring(&from, &to, args.keep_source, out).await,
        _ => Err(anyhow!("give --from and --to")),
    }
}

async fn bring(from: &StoreUrl, to: &StoreUrl, source_stays: bool, out: Output) -> Result<()> {
    let began = Instant::now();
    let moving = Moving::begin(from, to).await?;
    say(&format!(
        "{} to copy {from} to {to}; until that is done {from} takes no changes",
        if moving.resumed() { "Going on" } else { "Beginning" },
    ));
    let copied = copy(&moving).await;
    let copied = match copied {
        Ok(copied) => moving.end(&copied, source_stays).await.map(|()| copied).map_err(Into::into),
        Err(error) => Err(error),
    };
    let copied = copied.with_context(|| {
        format!(
            "{from} takes no changes until the move is done: give the same command to go on, or \
             `guestlist move --abandon` with --from and --to to give it up"
        )
    })?;
    let took = began.elapsed();
    let mut object = listed(&copied.sums);
    object["from"] = copied.from.clone().into();
    object["to"] = copied.to.clone().into();
    object["seconds"] = took.as_secs_f64().into();
    out.result(&object, || {
        let source = if source_stays {
            "which is a store of its own and takes changes again"
        } else {
            "which takes no changes any more"
        };
        format!(
            "{}\n\nMoved in {} s, and both are the same. Serve {}\nin place of {}, {source}.",
            shown(&copied.sums),
            took.as_secs(),
            copied.to,
            copied.from,
        )
    })
}

async fn copy(moving: &Moving) -> Result<Copied> {
    let (all, before) = moving.rows().await?;
    let seen = AtomicU64::new(before);
    Progress::new("rows copied", before, all).of(&seen, moving.copy(&seen)).await?;
    let seen = Arc::new(AtomicU64::new(0));
    let comparing = moving.compare(Arc::clone(&seen));
    Ok(Progress::new("rows compared", 0, all.saturating_mul(2)).of(&seen, comparing).await?)
}

/// Tells somebody at a terminal.
fn say(what: &str) {
    if std::io::stderr().is_terminal() {
        drop(writeln!(std::io::stderr(), "{what}."));
    }
}

/// What the store holds, in numbers that can be held against those of another.
pub(super) async fn checksum(given: &CliArgs, out: Output) -> Result<()> {
    let place = Config::read(given, &ServerArgs::default())?.store;
    must_exist(&place, "--store")?;
    let store = Store::open_at(&place, &moving::options())?;
    let all = store.read(moving::rows).await?;
    let seen = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&seen);
    let reading = store.read(move |tx| moving::sums(tx, &counted));
    let sums = Progress::new("rows read", 0, all).of(&seen, reading).await?;
    store.close().await;
    out.result(&listed(&sums), || shown(&sums))
}

fn listed(sums: &Sums) -> Value {
    let tables = sums.0.iter().map(
        |sum| json!({ "table": sum.table, "rows": sum.rows, "checksum": sum.checksum.to_string() }),
    );
    json!({
        "rows": sums.rows(),
        "checksum": sums.checksum().to_string(),
        "tables": tables.collect::<Vec<_>>(),
    })
}

fn shown(sums: &Sums) -> String {
    let all = (sums.rows(), sums.checksum());
    let each = sums.0.iter().map(|sum| (sum.table, (sum.rows, sum.checksum)));
    let rows: Vec<_> = each
        .chain([("all", all)])
        .map(|(name, (rows, sum))| [name.to_owned(), rows.to_string(), sum.to_string()])
        .collect();
    table(["TABLE", "ROWS", "CHECKSUM"], &rows)
}
