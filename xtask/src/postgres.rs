//! The PostgreSQL that tests run on: a cluster that lives as long as they do.

use std::process::Command;

use anyhow::{Context as _, ensure};
use guestlist_testbed::{Cluster, Pooler, Programs, Settings};

use crate::steps::Steps;
use crate::tools;

/// What tells tests where it is: a URL of its superuser.
const URL: &str = "GUESTLIST_TEST_POSTGRES";

/// Starts one for all the steps to come, unless whoever started this has one. It is gone when what
/// this gives is dropped.
pub(crate) fn start(steps: &mut Steps) -> anyhow::Result<Option<Cluster>> {
    if std::env::var_os(URL).is_some() {
        return Ok(None);
    }
    let cluster = steps.run("PostgreSQL", cluster)?;
    steps.tell(URL, cluster.url());
    Ok(Some(cluster))
}

/// Runs a command beside one.
pub(crate) fn beside(command: &[&str]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("there is no command to run")?;
    let cluster = cluster()?;
    let status = Command::new(program)
        .args(arguments)
        .env(URL, cluster.url())
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    drop(cluster);
    ensure!(status.success(), "`{}` ended with {status}", command.join(" "));
    Ok(())
}

fn cluster() -> anyhow::Result<Cluster> {
    // What was named is used, or nothing is.
    let named = std::env::var_os(guestlist_testbed::BIN).is_some();
    if !named && let Err(none) = Programs::find() {
        tools::system_packages(&["postgresql"]).with_context(|| none.to_string())?;
    }
    if let Err(none) = Pooler::find() {
        println!("PgBouncer is what tests put between a server and its database");
        tools::system_packages(&["pgbouncer"]).with_context(|| none.to_string())?;
    }
    let cluster = Cluster::start(&Settings::default())?;
    println!("PostgreSQL {} at {}", cluster.version(), cluster.address());
    Ok(cluster)
}
