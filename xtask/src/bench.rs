//! The measurements. Each writes its page under `docs/performance`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::Project;
use crate::python::{self, Profile};
use crate::steps::{Steps, cargo};
use crate::tools;

const CLIENT_PAGE: &str = "docs/performance/client.md";

const CLIENT_HEAD: &str = "\
# The Python client

How many reads a second a program gets from one client, with this package and with the official
client. `cargo xtask bench client` measures it and writes this page.

";

/// A server that ends when this does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures what `arguments` name.
pub(crate) fn run(project: &Project, steps: &mut Steps, arguments: &[&str]) -> anyhow::Result<()> {
    let help = arguments.is_empty() || arguments.iter().any(|word| ["-h", "--help"].contains(word));
    match arguments {
        _ if help => {
            let bench = ["run", "--quiet", "--release", "--package", "guestlist-bench"];
            let mut command = cargo(&bench);
            command.args(["--bin", "guestlist-bench", "--", "measure", "--help"]);
            steps.command("help", command, "mend the code that the compiler names")
        }
        ["client"] => client(project, steps),
        ["all", ..] => {
            // Both, even if a target of the first is not met.
            let served = served(project, steps, arguments);
            client(project, steps).and(served)
        }
        arguments => served(project, steps, arguments),
    }
}

/// Measures the server.
fn served(project: &Project, steps: &mut Steps, arguments: &[&str]) -> anyhow::Result<()> {
    let mut build = cargo(&["build", "--release", "--package", "guestlist"]);
    build.args(["--package", "guestlist-bench", "--bin", "guestlist", "--bin", "guestlist-bench"]);
    steps.command("build", build, "mend the code that the compiler names")?;
    let oha = steps.run("oha", || tools::oha(project))?;
    if let ["all" | "neighbours", ..] = arguments {
        steps.run("proxies in front", tools::fronts)?;
    }
    let mut measure = Command::new(project.target.join("release/guestlist-bench"));
    measure.arg("measure").args(arguments);
    measure.arg("--root").arg(&project.root).arg("--target").arg(&project.target);
    measure.arg("--oha").arg(oha);
    steps.command("measure", measure, "what is above says what could not be measured, and why")
}

/// Measures our Python client against the official one.
fn client(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    steps.command(
        "build the server",
        cargo(&["build", "--release", "--package", "guestlist", "--bin", "guestlist"]),
        "mend the code that the compiler names",
    )?;
    let python = python::install(project, steps, Profile::Release)?;
    let page = project.root.join(CLIENT_PAGE);
    steps.run("measure", || {
        let place = project.target.join("bench/client");
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        let (_server, quickstart) = serve(&project.target.join("release/guestlist"), &place)?;
        let measured = Command::new(&python)
            .args(["-B", "python/tests/bench_client.py"])
            .env("GUESTLIST_QUICKSTART", quickstart)
            .current_dir(&project.root)
            .stderr(Stdio::inherit())
            .output()?;
        let table = String::from_utf8(measured.stdout)?;
        println!("{table}");
        ensure!(!table.is_empty(), "nothing was measured");
        // Also when it is not what was hoped for.
        fs::create_dir_all(page.parent().context("a page without a directory")?)?;
        fs::write(&page, format!("{CLIENT_HEAD}{table}"))?;
        println!("written to {CLIENT_PAGE}");
        ensure!(measured.status.success(), "too few: was the machine doing something else?");
        Ok(())
    })
}

/// Starts a server with a demo store at `place`; gives what its first line says.
fn serve(binary: &Path, place: &Path) -> anyhow::Result<(Running, String)> {
    fs::create_dir_all(place)?;
    let mut child = Command::new(binary)
        .args(["quickstart", "--json", "--listen", "127.0.0.1:0", "--store"])
        .arg(place.join("guestlist.db"))
        // A line a request would be measured along.
        .env("GUESTLIST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(place.join("server.log"))?)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let output = child.stdout.take().context("the server has no output")?;
    let server = Running(child);
    let mut lines = BufReader::new(output).lines();
    let quickstart = lines.next().context("the server said nothing; its log is beside it")??;
    let ready = lines.next().context("the server did not get ready")??;
    ensure!(ready.contains(r#""ready":true"#), "the server said {ready:?}");
    Ok((server, quickstart))
}
