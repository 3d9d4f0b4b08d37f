//! The development tasks. `cargo xtask check` is the fast half, for every commit;
//! `cargo xtask test` is the whole suite, and the one command that continuous integration runs.

#![expect(clippy::print_stdout, reason = "a task runner speaks on the terminal")]
#![expect(clippy::print_stderr, reason = "a task runner speaks on the terminal")]

mod bench;
mod clients;
mod fuzz;
mod instructions;
mod keep_store;
mod monitoring;
mod parity;
mod postgres;
mod python;
mod quick;
mod release;
mod steps;
mod tools;
mod torture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use clients::Client;
use steps::{Steps, cargo};

const USAGE: &str = "\
usage: cargo xtask TASK

  quick     format, lints, and the unit tests that need no PostgreSQL and take no seconds
  check     format, lints, docs, parity page, licences, unit tests, doc tests
  test      check, the integration tests, the suites with the official clients, then the
            Python package
  clients   only the suites with the official clients, and with what is made of the OpenAPI
            document; `clients python`, `clients js` or `clients openapi` for one
            (GUESTLIST_BIN=PATH tests that binary instead of building one)
  python    only the Python package: built, tested, its types checked
  generate  writes the types of the Python package from the OpenAPI document
  nightly   the advanced query on 20,000 populations rather than 500: a quarter of an hour or more
  fuzz      hostile bytes for what reads them: `fuzz` for every target, `fuzz TARGET` for one, each
            for `--seconds N`, which is a minute; with `--add` what comes to something new is added to
            tests/corpora. The suite tries each for a second
  keep-store
            adds to tests/stores a store of each version of the schema of which none is there
  torture   a store is worked on while everything goes wrong: `torture --minutes N`, on both engines, or
            `--engine sqlite` or `postgres`; `--layer NAME` for one thing that goes wrong, `--seed N` for
            what a run printed; `--mutants` for programs that break the promise, each of which has to be
            found out. The suite has a short one
  postgres  `postgres -- COMMAND` runs a command beside a PostgreSQL that lives as long, with its
            URL in GUESTLIST_TEST_POSTGRES
  bench     measures and writes docs/performance: `bench get`, `patch`, `create`, `delete`, `list`,
            `login`, `applications`, `footprint`, `neighbours`, `postgres`, `backup`, `client` (the Python
            one), or `all`; see `bench get --help` for how many users, rounds and seconds.
            `bench compare --other PROGRAM` measures this program beside another one
  instructions
            counts what a request takes and compares it with bench/instructions.txt; part of test.
            `instructions record REASON` writes anew what differs
  monitoring
            the alert rules and the dashboard in ops, read and tried by promtool; part of test
  release   builds the program and makes what is handed out, in target/dist: a package for Debian, an
            archive, an image for containers, the wheel of the Python package, the list of what is in it,
            and checksums;
            `release twice` builds in another place too, and compares (GUESTLIST_BIN=PATH packs that)
  packages  the package for Debian, made of the server that is tested and installed in an empty
            root, with what an operator does with it; part of test
  licences  licences, banned crates and sources; part of check and of test
  audit     known vulnerabilities in the dependencies; needs the network, so not part of test";

/// Where the repository is and where everything that is built goes.
struct Project {
    root: PathBuf,
    target: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> anyhow::Result<()> {
    if matches!(arguments, [] | ["help" | "--help" | "-h"]) {
        println!("{USAGE}");
        return Ok(());
    }
    if let ["postgres", "--", command @ ..] = arguments {
        return postgres::beside(command);
    }
    if let ["beside", tasks @ ..] = arguments {
        steps::end_with_parent();
        return tasks.split(|word| *word == "then").try_for_each(run);
    }
    let project = Project::locate()?;
    let mut steps = Steps::new(&project.root);
    let outcome = match arguments {
        ["quick"] => quick::run(&mut steps),
        ["check"] => {
            let _server = postgres::start(&mut steps)?;
            check(&project, &mut steps, Tests::Unit)
        }
        ["test"] => test(&project, &mut steps),
        ["nightly"] => nightly(&mut steps),
        ["keep-store"] => keep_store::run(&project, &mut steps),
        ["torture", arguments @ ..] => torture::run(&project, &mut steps, arguments),
        ["fuzz", arguments @ ..] => fuzz::run(&project, &mut steps, arguments),
        ["clients"] => only_clients(&project, &mut steps, &Client::ALL),
        ["clients", name] => match Client::named(name) {
            Some(client) => only_clients(&project, &mut steps, &[client]),
            None => bail!("there is no client suite `{name}`\n{USAGE}"),
        },
        ["python"] => only_python(&project, &mut steps),
        ["generate"] => python::generate(&project, &mut steps),
        ["bench", arguments @ ..] => bench::run(&project, &mut steps, arguments),
        ["instructions"] => steps
            .run("callgrind", instructions::prerequisites)
            .and_then(|()| instructions::check(&project, &mut steps)),
        ["instructions", "record", reason] => instructions::record(&project, &mut steps, reason),
        ["monitoring"] => steps
            .run("promtool", monitoring::prerequisites)
            .and_then(|()| monitoring::check(&project, &mut steps)),
        ["release"] => release::run(&project, &mut steps),
        ["release", "twice"] => release::twice(&project, &mut steps),
        ["packages"] => steps
            .run("what packages are made with", release::prerequisites)
            .and_then(|()| release::test(&project, &mut steps)),
        ["licences"] => licences(&project, &mut steps),
        ["audit"] => audit(&project, &mut steps),
        _ => bail!("unknown task `{}`\n{USAGE}", arguments.join(" ")),
    };
    println!("{}", steps.summary());
    outcome
}

impl Project {
    fn locate() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the xtask package has no parent directory")?
            .to_owned();
        let metadata = tools::output(
            cargo(&["metadata", "--no-deps", "--format-version", "1"]).current_dir(&root),
        )?;
        let target = tools::target_directory(&metadata)
            .context("`cargo metadata` did not name a target directory")?;
        Ok(Self { root, target: PathBuf::from(target) })
    }
}

/// Which tests of the workspace a run takes in.
#[derive(Clone, Copy)]
enum Tests {
    Unit,
    UnitAndIntegration,
}

impl Tests {
    /// The targets that have them. Not `--all-targets`: a benchmark is not a test.
    const fn targets(self) -> &'static [&'static str] {
        match self {
            Self::Unit => &["--lib", "--bins"],
            Self::UnitAndIntegration => &["--lib", "--bins", "--tests"],
        }
    }
}

const TESTS_HINT: &str =
    "the output above names the failing test; run it alone with `cargo test NAME`";

fn format(steps: &mut Steps) -> anyhow::Result<()> {
    steps.command(
        "format",
        cargo(&["fmt", "--all", "--check"]),
        "run `cargo fmt --all` and commit what it changed",
    )
}

fn lints(steps: &mut Steps) -> anyhow::Result<()> {
    steps.command(
        "lints",
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        "mend the code; an exception is `#[expect(lint, reason = \"...\")]` beside it",
    )
}

fn check(project: &Project, steps: &mut Steps, tests: Tests) -> anyhow::Result<()> {
    format(steps)?;
    lints(steps)?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    steps.command("docs", docs, "mend the doc comments that rustdoc names")?;

    steps.run("parity page", || parity::check(&project.root))?;

    if matches!(tests, Tests::Unit) {
        licences(project, steps)?;
    }

    let name = match tests {
        Tests::Unit => "unit tests",
        Tests::UnitAndIntegration => "unit and integration tests",
    };
    let mut run = if tools::has_nextest() {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast"])
    };
    run.args(tests.targets());
    steps.command(name, run, TESTS_HINT)?;
    // nextest does not run these.
    steps.command("doc tests", cargo(&["test", "--workspace", "--doc"]), TESTS_HINT)
}

fn licences(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let deny = steps.run("cargo-deny", || tools::cargo_deny(project))?;
    let mut licences = std::process::Command::new(deny);
    licences.args(["--locked", "check", "bans", "licenses", "sources"]);
    steps.command(
        "licences",
        licences,
        "replace the dependency, or change deny.toml and say there why",
    )
}

fn test(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    // First, so that a machine without them learns it now and not after the long builds.
    clients::prerequisites(steps, &Client::ALL)?;
    steps.run("callgrind", instructions::prerequisites)?;
    steps.run("failing disks", tools::failing_disks)?;
    steps.run("promtool", monitoring::prerequisites)?;
    monitoring::check(project, steps)?;
    steps.run("proxies in front", tools::fronts)?;
    steps.run("backups", tools::backups)?;
    steps.run("what packages are made with", release::prerequisites)?;
    let _server = postgres::start(steps)?;
    let logs = project.target.join("xtask");
    // They build for themselves, and count what nothing else on the machine changes.
    let apart = steps.beside(&["licences", "then", "instructions"], &logs)?;
    check(project, steps, Tests::UnitAndIntegration)?;
    steps.join(apart)?;
    // Each waits for its server most of the time.
    let server = clients::server(project, steps)?;
    steps.tell(clients::BIN, server.to_string_lossy().into_owned());
    let one = steps.beside(&["clients", "js", "then", "packages", "then", "python"], &logs)?;
    let other = steps.beside(&["clients", "python", "then", "clients", "openapi"], &logs)?;
    steps.join(one)?;
    steps.join(other)
}

/// What says how many populations are tried.
const CASES: &str = "GUESTLIST_QUERY_CASES";

/// What is tried more often than a suite that everybody runs has time for.
fn nightly(steps: &mut Steps) -> anyhow::Result<()> {
    let _server = postgres::start(steps)?;
    // Not by nextest, which ends a test after some minutes.
    let mut query = cargo(&["test", "--package", "guestlist", "--lib"]);
    query.args(["a_plain_reading_and_both_engines_find_the_same", "--", "--nocapture"]);
    if std::env::var_os(CASES).is_none() {
        query.env(CASES, "20000");
    }
    let hint = "the output above has the smallest population and query that were found";
    steps.command("the advanced query", query, hint)
}

fn only_clients(project: &Project, steps: &mut Steps, clients: &[Client]) -> anyhow::Result<()> {
    clients::prerequisites(steps, clients)?;
    let _server =
        if clients.contains(&Client::OpenApi) { Some(postgres::start(steps)?) } else { None };
    clients::run(project, steps, clients)
}

fn only_python(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    clients::prerequisites(steps, &[Client::Python])?;
    python::test(project, steps)
}

fn audit(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let deny = steps.run("cargo-deny", || tools::cargo_deny(project))?;
    let mut advisories = std::process::Command::new(deny);
    advisories.args(["--locked", "check", "advisories"]);
    steps.command(
        "advisories",
        advisories,
        "update the dependency that is named; without a network the database cannot be fetched",
    )
}
