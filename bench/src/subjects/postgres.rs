//! The other store, beside what its own benchmark makes of the same statements.

use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::{output, pinned};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number};
use crate::target::{Seeded, Writing};
use anyhow::{Context as _, Result, ensure};
use guestlist_testbed::{Cluster, Programs, Settings};
use std::fs;
use std::path::Path;

/// Few enough to be put there in a minute, a statement at a time.
const MOST: u64 = 50_000;

const READ: &str = "\\set n random(1, :users)
SELECT u.id, u.email, u.first_name, u.last_name, u.created, u.updated, u.password_updated,
    u.last_login, u.token_cutoff, u.tags
FROM drawn d JOIN experience_users u ON u.application_id = :application AND u.id = d.id
WHERE d.n = :n;
";

const WRITE: &str = "\\set n random(1, :users)
\\set name random(1, 1000000000)
UPDATE experience_users SET first_name = 'Visitor ' || :name,
    first_name_key = 'visitor ' || :name, updated = 1700000000000 + :name
WHERE application_id = :application AND id = (SELECT id FROM drawn WHERE n = :n);
";

/// A throwaway server that waits for the disk, with users in it.
pub(super) fn filled(bench: &Bench) -> Result<(Cluster, Seeded)> {
    let cluster = Cluster::start(&Settings { fsync: true, ..Settings::default() })?;
    let ids = bench.place.join("postgres.txt");
    let seeded = Seeded::fill(bench, &cluster.url(), &ids, bench.users.min(MOST))?;
    Ok((cluster, seeded))
}

/// A throwaway server with users in it.
struct Scene {
    cluster: Cluster,
    programs: Programs,
    seeded: Seeded,
    users: u64,
}

impl Scene {
    fn new(bench: &Bench) -> Result<Self> {
        let place = bench.place.join("postgres");
        fs::create_dir_all(&place)?;
        fs::write(place.join("read.sql"), READ)?;
        fs::write(place.join("write.sql"), WRITE)?;
        let (cluster, seeded) = filled(bench)?;
        cluster.sql(
            "CREATE TABLE drawn AS SELECT row_number() OVER (ORDER BY id) AS n, id
                FROM experience_users;
             ALTER TABLE drawn ADD PRIMARY KEY (n)",
        )?;
        cluster.sql("VACUUM ANALYZE")?;
        let users = seeded.users;
        Ok(Self { cluster, programs: Programs::find()?, seeded, users })
    }

    /// Statements a second over so many connections.
    fn pgbench(&self, bench: &Bench, script: &str, connections: usize) -> Result<f64> {
        let mut command =
            pinned(bench.split.load.as_deref(), Path::new(&self.programs.path("pgbench")));
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
        command.args([format!("--client={connections}"), format!("--time={:.0}", bench.seconds)]);
        command.arg(format!("--define=users={}", self.users));
        // A parameter of the prepared statement, so without quotes.
        command.arg(format!("--define=application={}", self.seeded.application));
        command.arg("--file").arg(bench.place.join("postgres").join(script));
        command.arg(self.cluster.url());
        let said = output(&mut command)?;
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rest| rest.split(' ').next()).context("pgbench said no rate")?;
        Ok(rate.parse()?)
    }
}

pub(super) fn postgres(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "postgres",
        "PostgreSQL",
        "GETs and PATCHes over 64 connections with PostgreSQL as the store, beside `pgbench` running one \
         prepared statement on the same cluster: the select of a user's row, and the update that the \
         PATCH comes to, over as many connections as the server has for each. A GET is more than the \
         select, for it finds the user's groups as well, and twice a second asks about its token; the \
         statements of `pgbench` look a drawn number up in a table first.\n\n\
         PostgreSQL may use all processors, `pgbench` those of the load. So `pgbench` shares them with \
         PostgreSQL alone, and a GET also pays for the server and for the load over HTTP: where all \
         processors are busy, which is so with four, the ratio is one of processor time.",
    );
    let scene = Scene::new(bench)?;
    // As many connections as the server has on its processors, see `store::Options`.
    let (for_reads, for_writes) = (bench.split.cores.clamp(2, 16) * 2, 8);
    let server = scene.seeded.serve(bench)?;
    let urls = To::Any(scene.seeded.urls(bench, &server, None)?);
    let get = Load::get(urls, &scene.seeded.token, 64, bench.seconds);
    let patch = Writing::new("patch", 64, bench.seconds);
    bench.load(&get)?;
    let mut reads: (Vec<Seen>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut writes: (Vec<Seen>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        reads.1.push(scene.pgbench(bench, "read.sql", for_reads)?);
        reads.0.push(bench.load(&get)?);
        writes.1.push(scene.pgbench(bench, "write.sql", for_writes)?);
        let changed = scene
            .cluster
            .sql("SELECT count(*) FROM experience_users WHERE first_name LIKE 'Visitor %'")?;
        ensure!(changed.trim() != "0", "pgbench changed nobody");
        writes.0.push(patch.run(bench, &scene.seeded, &server)?.seen);
    }
    for (what, (ours, base), connections) in
        [("GET", &reads, for_reads), ("PATCH", &writes, for_writes)]
    {
        page.series(&format!("{what}, PostgreSQL"), ours, &[]);
        let rate = Spread::of(ours.iter().map(|seen| seen.rate)).median;
        let pgbench = Spread::of(base.iter().copied()).median;
        page.goal(Goal {
            what: format!("PostgreSQL {what}, {} users", number(float(scene.users))),
            ours: format!("{}/s", number(rate)),
            base: format!("pgbench {}/s over {connections}", number(pgbench)),
            figure: Spread::of(ours.iter().zip(base).map(|(ours, base)| ours.rate / base)),
            unit: "",
            bound: Bound::AtLeast(0.7, 0.9),
        });
    }
    server.stop()?;
    Ok(page)
}
