//! The suites that drive a real server with the official clients, and with clients that are made from
//! its description. The clients are installed under the target directory, from the lock files beside
//! the suites; nothing else is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use guestlist_testbed::Programs;

use crate::Project;
use crate::steps::{Steps, cargo};
use crate::tools;

/// What names a server's program to the suites.
pub(crate) const BIN: &str = "GUESTLIST_BIN";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Python,
    JavaScript,
    /// What others make of the OpenAPI document.
    OpenApi,
}

impl Client {
    pub(crate) const ALL: [Self; 3] = [Self::Python, Self::JavaScript, Self::OpenApi];

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "python" => Some(Self::Python),
            "js" => Some(Self::JavaScript),
            "openapi" => Some(Self::OpenApi),
            _ => None,
        }
    }
}

/// The interpreters that the suites need.
pub(crate) fn prerequisites(steps: &mut Steps, clients: &[Client]) -> anyhow::Result<()> {
    steps.run("prerequisites", || {
        let missing = missing(clients);
        tools::system_packages(&missing)?;
        let missing = self::missing(clients);
        ensure!(missing.is_empty(), "still missing after the installation: {}", missing.join(" "));
        if clients.iter().any(|client| matches!(client, Client::Python | Client::OpenApi)) {
            // The lock files of the Python suites have no versions for older ones.
            ensure!(
                tools::works(
                    "python3",
                    &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
                ),
                "python3 is older than 3.11\nwhat to do: put a newer one first on PATH"
            );
        }
        println!("all there");
        Ok(())
    })
}

/// The names of the Debian packages that are not there.
fn missing(clients: &[Client]) -> Vec<&'static str> {
    let any = |of: &[Client]| clients.iter().any(|client| of.contains(client));
    let mut missing = Vec::new();
    // Debian splits both off: without ensurepip a venv has no pip.
    if any(&[Client::Python, Client::OpenApi])
        && !tools::works("python3", &["-c", "import venv, ensurepip"])
    {
        missing.extend(["python3", "python3-venv"]);
    }
    // The description's tools bring a Node of their own, and npm runs on the machine's.
    if any(&[Client::JavaScript, Client::OpenApi]) {
        if !tools::works("node", &["--version"]) {
            missing.push("nodejs");
        }
        if !tools::works("npm", &["--version"]) {
            missing.push("npm");
        }
    }
    missing
}

/// Builds the server and runs the suites against it.
pub(crate) fn run(project: &Project, steps: &mut Steps, clients: &[Client]) -> anyhow::Result<()> {
    let server = server(project, steps)?;
    for client in clients {
        match client {
            Client::Python => python(project, steps, &server)?,
            Client::JavaScript => javascript(project, steps, &server)?,
            Client::OpenApi => openapi(project, steps, &server)?,
        }
    }
    Ok(())
}

/// The server that the suites run against.
pub(crate) fn server(project: &Project, steps: &mut Steps) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(BIN) {
        // The suites run in directories of their own.
        return fs::canonicalize(&path)
            .with_context(|| format!("GUESTLIST_BIN names {}", path.display()));
    }
    steps.command(
        "build the server",
        cargo(&["build", "--package", "guestlist", "--bin", "guestlist"]),
        "mend the code that the compiler names",
    )?;
    Ok(project.target.join("debug").join("guestlist"))
}

const SUITE_HINT: &str =
    "the output above names the failing test; `cargo xtask clients` runs only these suites again";

fn python(project: &Project, steps: &mut Steps, server: &Path) -> anyhow::Result<()> {
    let suite = project.root.join("tests/clients/python");
    let venv = project.target.join("clients/python");
    let python = venv.join("bin/python");
    let requirements = suite.join("requirements.txt");
    steps.run("install the Python client", || pip_install(&venv, &requirements))?;
    let mut pytest = Command::new(&python);
    pytest
        // The suite leaves nothing in the source tree.
        .args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "tests/clients/python"])
        .env(BIN, server);
    steps.command("suite with the Python client", pytest, SUITE_HINT)
}

fn javascript(project: &Project, steps: &mut Steps, server: &Path) -> anyhow::Result<()> {
    let suite = project.root.join("tests/clients/js");
    let place = project.target.join("clients/js");
    steps.run("install the JavaScript client", || npm_install(&place, &suite))?;
    let mut node = Command::new("node");
    // Most of a file's time is waiting, so more of them than there are processors run at once, where
    // this Node can say so.
    let together = "--test-concurrency=4";
    if tools::works("node", &[together, "--version"]) {
        node.arg(together);
    }
    // Named one by one: what a directory means to `node --test` differs between its versions.
    node.arg("--test").args(test_files(&project.root, "tests/clients/js")?);
    node.env("NODE_PATH", place.join("node_modules")).env(BIN, server);
    steps.command("suite with the JavaScript client", node, SUITE_HINT)
}

/// What others make of the OpenAPI document: whether they accept it, the clients that they make of
/// it, and what the server answers to whatever it allows. On both engines, so beside a PostgreSQL.
fn openapi(project: &Project, steps: &mut Steps, server: &Path) -> anyhow::Result<()> {
    let suite = project.root.join("tests/clients/openapi");
    let place = project.target.join("clients/openapi");
    let (venv, modules) = (place.join("python"), place.join("js"));
    let requirements = suite.join("requirements.txt");
    steps.run("install what reads the OpenAPI document", || {
        pip_install(&venv, &requirements)?;
        npm_install(&modules, &suite)
    })?;
    let psql = Programs::find()?.path("psql");
    let mut pytest = Command::new(venv.join("bin/python"));
    pytest
        .args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "--durations=0"])
        .arg("tests/clients/openapi")
        .env(BIN, server)
        .env("GUESTLIST_NODE_MODULES", modules.join("node_modules"))
        .env("GUESTLIST_TEST_PSQL", psql);
    steps.command("suite of the OpenAPI document", pytest, SUITE_HINT)
}

/// Makes a virtual environment with what `requirements` pin.
fn pip_install(venv: &Path, requirements: &Path) -> anyhow::Result<()> {
    install_once(venv, &[requirements], || {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
        succeed(
            Command::new(venv.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--require-hashes", "--requirement"])
                .arg(requirements),
        )
    })
}

/// Installs into `place` what the manifests of `suite` pin.
fn npm_install(place: &Path, suite: &Path) -> anyhow::Result<()> {
    let manifests = [suite.join("package.json"), suite.join("package-lock.json")];
    install_once(place, &[&manifests[0], &manifests[1]], || {
        // npm installs beside the manifest, so the manifest goes where the modules may be.
        fs::create_dir_all(place)?;
        for manifest in &manifests {
            let name = manifest.file_name().context("a manifest without a name")?;
            fs::copy(manifest, place.join(name))?;
        }
        succeed(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(place),
        )
    })
}

/// The test files of the JavaScript suite, relative to the root.
fn test_files(root: &Path, directory: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(directory))? {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(".test.js") {
            files.push(Path::new(directory).join(name));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{directory} has no *.test.js");
    Ok(files)
}

/// Installs unless the last complete installation was from the same lock files.
pub(crate) fn install_once(
    place: &Path,
    locks: &[&Path],
    install: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stamp = place.join("installed-from");
    let mut wanted = String::new();
    for lock in locks {
        wanted +=
            &fs::read_to_string(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    }
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        println!("already in {}", place.display());
        return Ok(());
    }
    install()?;
    // Last, so that an installation that broke off is not taken for a complete one.
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "{} ended with {status}", program.display());
    Ok(())
}
