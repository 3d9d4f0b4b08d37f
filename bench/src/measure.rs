//! A run: which subjects, with what, and where the pages go.

use crate::machine::{self, Split};
use crate::oha::{Load, Seen};
use crate::report::{self, Goal};
use crate::subjects;
use anyhow::{Context as _, Result, bail};
use std::cell::Cell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Subject {
    /// Reading one user
    Get,
    /// Changing one user
    Patch,
    /// Making users, a hash each
    Create,
    /// Deleting users
    Delete,
    /// Lists, at three sizes
    List,
    /// Signing in, a hash each
    Login,
    /// Ten thousand applications
    Applications,
    /// Memory, start and the size of the program
    Footprint,
    /// What one tenant at its worst does to another
    Neighbours,
    /// Reading and changing one user with PostgreSQL as the store
    Postgres,
    /// A backup while 64 clients PATCH
    Backup,
    /// This program beside the one that `--other` names, in turn; no page is written
    Compare,
    /// All of them, and the Python client, which `client` measures by itself
    All,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    subject: Subject,
    /// How many users the store has
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    users: u64,
    /// How often each side of a comparison has its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// How long a turn is
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// How long a turn is that must show that a rate can be sustained
    #[arg(long, default_value_t = 60.0)]
    sustain: f64,
    /// Which stores [default: the one in a file, and both for neighbours and for all subjects]
    #[arg(long, alias = "engine", value_enum)]
    store: Option<Stores>,
    /// Of neighbours, only the scenes with this in their name
    #[arg(long)]
    scene: Option<String>,
    /// The program that this one is compared with, such as one of an earlier commit
    #[arg(long, value_name = "PATH")]
    other: Option<PathBuf>,
    /// The repository
    #[arg(long, hide = true)]
    root: PathBuf,
    /// The load generator
    #[arg(long, hide = true)]
    oha: PathBuf,
    /// Where what is built is
    #[arg(long, hide = true)]
    target: PathBuf,
}

/// What the subjects need.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    pub(crate) root: PathBuf,
    /// Where the stores are.
    pub(crate) place: PathBuf,
    /// The server.
    pub(crate) binary: PathBuf,
    /// This program, for the floors and the load.
    pub(crate) exe: PathBuf,
    oha: PathBuf,
    pub(crate) split: Split,
    pub(crate) users: u64,
    pub(crate) rounds: u64,
    pub(crate) seconds: f64,
    pub(crate) sustain: f64,
    /// What neighbours are measured on.
    pub(crate) engines: Vec<Engine>,
    /// What the names of their scenes have in common.
    pub(crate) scene: Option<String>,
    /// What this program is compared with.
    pub(crate) other: Option<PathBuf>,
    runs: Cell<u64>,
}

impl Bench {
    fn new(args: &Args) -> Result<Self> {
        let place = args.target.join("bench");
        fs::create_dir_all(&place)?;
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self {
            root: args.root.clone(),
            place,
            binary: args.target.join("release/guestlist"),
            exe: std::env::current_exe()?,
            oha: args.oha.clone(),
            split: Split::of(cores),
            users: args.users,
            rounds: args.rounds,
            seconds: args.seconds,
            sustain: args.sustain,
            engines: args.store.unwrap_or(Stores::Both).engines().to_vec(),
            scene: args.scene.clone(),
            other: args.other.clone(),
            runs: Cell::new(u64::from(std::process::id()) << 16),
        })
    }

    /// The same for another program, with a place of its own.
    pub(crate) fn of(&self, binary: PathBuf, place: PathBuf) -> Self {
        Self { place, binary, ..self.clone() }
    }

    /// A number that no run had before.
    pub(crate) fn next_run(&self) -> u64 {
        self.runs.set(self.runs.get() + 1);
        self.runs.get()
    }

    /// Runs a load where loads run.
    pub(crate) fn load(&self, load: &Load) -> Result<Seen> {
        load.run(&self.oha, self.split.load.as_deref())
    }
}

/// Which stores are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stores {
    /// The one in a file
    Sqlite,
    /// PostgreSQL, which has two subjects: neighbours, and reading and changing one user
    Postgres,
    /// Both
    Both,
}

impl Stores {
    const fn engines(self) -> &'static [Engine] {
        match self {
            Self::Sqlite => &[Engine::Sqlite],
            Self::Postgres => &[Engine::Postgres],
            Self::Both => &[Engine::Sqlite, Engine::Postgres],
        }
    }
}

/// What a store is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// The subjects that `args` come to.
fn subjects_of(args: &Args) -> Vec<Subject> {
    let all = args.subject == Subject::All;
    match args.store {
        // They have those that are asked for, or one.
        _ if matches!(args.subject, Subject::Neighbours | Subject::Compare) => vec![args.subject],
        Some(Stores::Postgres) if all => vec![Subject::Neighbours, Subject::Postgres],
        Some(Stores::Postgres) => vec![Subject::Postgres],
        Some(Stores::Sqlite) if all => {
            ALL.into_iter().filter(|subject| *subject != Subject::Postgres).collect()
        }
        _ if all => ALL.to_vec(),
        Some(Stores::Both) => vec![args.subject, Subject::Postgres],
        _ => vec![args.subject],
    }
}

const ALL: [Subject; 11] = [
    Subject::Get,
    Subject::List,
    Subject::Create,
    Subject::Login,
    Subject::Footprint,
    Subject::Applications,
    Subject::Delete,
    Subject::Patch,
    Subject::Backup,
    Subject::Neighbours,
    Subject::Postgres,
];

/// Measures and writes the pages. A subject that fails does not keep the others from being
/// measured.
pub(crate) fn run(args: &Args) -> Result<()> {
    let bench = Bench::new(args)?;
    let cores = std::thread::available_parallelism()?.get();
    let machine = machine::describe(&bench.place, cores);
    println!("{machine}; load average {}", machine::load_average());
    let (mut all, mut failed, began): (Vec<Goal>, Vec<String>, _) =
        (Vec::new(), Vec::new(), Instant::now());
    for subject in subjects_of(args) {
        println!("\n--- {subject:?}");
        let (load, since) = (machine::load_average(), Instant::now());
        let page = match subjects::measure(&bench, subject) {
            Ok(page) => page,
            Err(error) => {
                println!("{subject:?} failed: {error:#}");
                failed.push(format!("{subject:?}: {error:#}"));
                continue;
            }
        };
        let took = since.elapsed().as_secs_f64();
        let machine = format!(
            "Machine: {machine}. {} The load average was {load} when it began. {} rounds; it took \
             {took:.0} s.",
            pinning(&bench),
            bench.rounds,
        );
        if subject != Subject::Compare {
            let path = args.root.join(format!("docs/performance/{}.md", page.name));
            let command = format!("{subject:?}").to_lowercase();
            fs::write(&path, page.text(&machine, &command))?;
            println!("written to {} after {took:.0} s", path.display());
        }
        failed.extend(page.failures);
        all.extend(page.goals);
    }
    println!("\n{}", report::goals(&all));
    println!("measured in {:.1} minutes", began.elapsed().as_secs_f64() / 60.0);
    if args.subject == Subject::All {
        summary(&args.root, &bench, &all, &machine, began.elapsed().as_secs_f64() / 60.0)?;
    }
    if !failed.is_empty() {
        bail!("not measured, or not answered as it should be:\n{}", failed.join("\n"));
    }
    Ok(())
}

fn pinning(bench: &Bench) -> String {
    match (&bench.split.server, &bench.split.load) {
        (Some(server), Some(load)) => {
            format!("The server and the floors ran on processors {server}, the load on {load}.")
        }
        _ => "Server and load shared all processors.".into(),
    }
}

const BEGIN: &str = "<!-- written by cargo xtask bench all: from here -->\n";
const END: &str = "<!-- to here -->\n";

/// Puts the table of targets into the page that explains it.
fn summary(root: &Path, bench: &Bench, all: &[Goal], machine: &str, minutes: f64) -> Result<()> {
    let path = root.join("docs/performance/README.md");
    let page = fs::read_to_string(&path)?;
    let table = format!(
        "\n{}\n{} users, {} rounds, {minutes:.0} minutes. Machine: {machine}. {}\n\n",
        report::goals(all),
        bench.users,
        bench.rounds,
        pinning(bench),
    );
    fs::write(&path, between(&page, &table).context("the page has lost its marks")?)?;
    println!("written to {}", path.display());
    Ok(())
}

/// `page` with `table` between its marks.
fn between(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, table, END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_written() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(between(&page, "new\n"), Some(format!("before\n{BEGIN}new\n{END}after\n")));
        assert_eq!(between("no marks", "new"), None);
    }
}
