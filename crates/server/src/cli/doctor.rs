//! `guestlist doctor` and `guestlist mend`.

use super::output::visible;
use super::progress::Progress;
use super::{Output, must_exist};
use crate::backup::BackupSettings;
use crate::clock::Clock;
use crate::config::{CliArgs, Config, ServerArgs};
use crate::doctor::{self, Examination, Finding, Report};
use crate::moving;
use crate::store::Store;
use anyhow::{Context as _, Result};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Leave out what reads every row
    #[arg(long)]
    quick: bool,
    /// The directory that backups are made in [default: backup-directory of the settings]
    #[arg(long, value_name = "DIRECTORY")]
    backups: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Why the doctor ends with a status that is not 0.
#[derive(Debug)]
pub(super) enum Unwell {
    /// Something was found, and said.
    Found,
    /// It cannot be looked at.
    Unseen(anyhow::Error),
}

impl Unwell {
    /// The status that the command ends with.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::Found => 1,
            Self::Unseen(_) => 2,
        }
    }
}

impl fmt::Display for Unwell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => f.write_str("something was found"),
            Self::Unseen(why) => write!(f, "{why:#}"),
        }
    }
}

impl std::error::Error for Unwell {}

pub(super) async fn run(args: Args, given: &CliArgs, out: Output) -> Result<()> {
    let report = look(args, given).await.map_err(Unwell::Unseen)?;
    out.result(&report, || shown(&report))?;
    if report.findings.is_empty() { Ok(()) } else { Err(Unwell::Found.into()) }
}

async fn look(args: Args, given: &CliArgs) -> Result<Report> {
    let config = Config::read(given, &args.server)?;
    must_exist(&config.store, "--store")?;
    let backups = args.backups.map(|directory| BackupSettings {
        directory,
        every: Duration::from_hours(24),
        keep: None,
        recipients: Vec::new(),
    });
    let backups = backups.or_else(|| config.backups.clone());
    let now = Clock::System.now();
    let examination = Examination { config, backups, quick: args.quick, now };
    let seen = Arc::new(AtomicU64::new(0));
    let (progress, counted) =
        (Progress::new("checks done", 0, examination.checks()), Arc::clone(&seen));
    let looking = tokio::task::spawn_blocking(move || examination.run(&counted));
    let looked = progress.of(&seen, looking).await.context("the doctor has ended early")?;
    Ok(looked?)
}

fn shown(report: &Report) -> String {
    let finding = |Finding { check, what, why, command }: &Finding| {
        format!("{check}: {}\n  why: {why}\n  do:  {}\n", visible(what), visible(command))
    };
    let text: String = report.findings.iter().map(finding).collect();
    let found = match report.findings.len() {
        0 => "Nothing is wrong that can be seen.".to_owned(),
        1 => "One thing is wrong.".to_owned(),
        count => format!("{count} things are wrong."),
    };
    match report.left_out.join("; ") {
        nothing if nothing.is_empty() => text + &found,
        left_out => format!("{text}{found} Not looked at: {left_out}."),
    }
}

/// Makes anew what only says again what other rows say.
pub(super) async fn mend(given: &CliArgs, out: Output) -> Result<()> {
    let place = Config::read(given, &ServerArgs::default())?.store;
    must_exist(&place, "--store")?;
    let store = Store::open_at(&place, &moving::options())?;
    let mended = store.write(doctor::mend).await;
    store.close().await;
    let mended = mended?;
    out.result(&mended, || {
        format!(
            "{} rows of nobody removed; {} rows of the tag index and {} counts made anew; the search \
             index is told of {} users",
            mended.removed, mended.tags, mended.counts, mended.searched
        )
    })
}
