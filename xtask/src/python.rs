//! The Python package: built as `pip install ./python` builds it, into a virtual environment under
//! the target directory, and tested there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::Project;
use crate::clients::{self, install_once, succeed};
use crate::steps::Steps;
use crate::tools;

const HINT: &str =
    "the output above names what failed; `cargo xtask python` runs only this part again";

/// The tests of the official client that do not hold for this package, and why.
const OTHERWISE: [(&str, &str); 2] = [
    ("test_wire.py::test_what_is_false[True0]", "`True` is sent as `true`, not as `True`"),
    ("test_guide.py::test_flask", "it asks nothing of a client, and Flask is not installed here"),
];

/// How the compiled half is built.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// As everything else that is tested, so that most of it is compiled already.
    Dev,
    Release,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
    pip
}

/// Makes an environment with what the package is built and tested with; gives its interpreter.
fn prepare(project: &Project, steps: &mut Steps, profile: Profile) -> anyhow::Result<PathBuf> {
    let venv = project.target.join("python").join(profile.name());
    let python = venv.join("bin/python");
    let requirements = project.root.join("python/tests/requirements.txt");
    steps.run("install what the Python package is tested with", || {
        install_once(&venv, &[&requirements], || {
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
            let mut install = pip(&python);
            succeed(
                install.args(["install", "--require-hashes", "--requirement"]).arg(&requirements),
            )
        })
    })?;
    Ok(python)
}

/// Builds the wheel with what is in the environment of `python`, told what is in `environment` beside.
fn build(
    project: &Project,
    steps: &mut Steps,
    profile: Profile,
    python: &Path,
    environment: &[(&str, OsString)],
) -> anyhow::Result<PathBuf> {
    let wheels = project.target.join("python").join(format!("{}-wheels", profile.name()));
    if wheels.exists() {
        fs::remove_dir_all(&wheels)?;
    }
    let bin = python.parent().context("an interpreter is in a directory")?;
    let mut wheel = pip(python);
    wheel
        // maturin is there, of the version that the package asks for.
        .args(["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir"])
        .arg(&wheels)
        .arg("./python")
        .env("MATURIN_PEP517_ARGS", format!("--profile {}", profile.name()))
        .env("CARGO_TARGET_DIR", &project.target)
        .env("PATH", path_with(bin)?)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    steps.command("Python package", wheel, "mend the code that the compiler names")?;
    let made = fs::read_dir(&wheels)?.next().context("there is no wheel")?;
    Ok(made?.path())
}

/// Builds the wheel that is handed out.
pub(crate) fn wheel(
    project: &Project,
    steps: &mut Steps,
    environment: &[(&str, OsString)],
) -> anyhow::Result<PathBuf> {
    let python = prepare(project, steps, Profile::Release)?;
    build(project, steps, Profile::Release, &python, environment)
}

fn put(python: &Path, wheel: &Path) -> Command {
    let mut install = pip(python);
    install.args(["install", "--no-deps", "--no-index", "--force-reinstall"]).arg(wheel);
    install
}

/// Installs the package and what its tests need; gives the interpreter that has them, and the wheel.
fn install_wheel(
    project: &Project,
    steps: &mut Steps,
    profile: Profile,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let python = prepare(project, steps, profile)?;
    let wheel = build(project, steps, profile, &python, &[])?;
    steps.command("install the Python package", put(&python, &wheel), HINT)?;
    Ok((python, wheel))
}

/// Installs the package and what its tests need; gives the interpreter that has them.
pub(crate) fn install(
    project: &Project,
    steps: &mut Steps,
    profile: Profile,
) -> anyhow::Result<PathBuf> {
    install_wheel(project, steps, profile).map(|(python, _)| python)
}

/// Installs the wheel where nothing else is, and takes the first minute with the command that it brings.
fn first_minute(
    project: &Project,
    steps: &mut Steps,
    python: &Path,
    wheel: &Path,
) -> anyhow::Result<()> {
    let venv = project.target.join("python/empty");
    steps.run("the wheel in an empty environment", || {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        succeed(&mut put(&venv.join("bin/python"), wheel))
    })?;
    let mut pytest = Command::new(python);
    pytest.args([
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "python/tests/test_command.py",
    ]);
    pytest.env("GUESTLIST_COMMAND", venv.join("bin/guestlist"));
    steps.command("the command that the wheel brings", pytest, HINT)
}

/// `PATH`, with `first` before all else: pip has to find the maturin that is there.
fn path_with(first: &Path) -> anyhow::Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(all)?)
}

/// The types of the API's resources.
const RESOURCES: &str = "python/lib/guestlist/_resources.py";

/// Writes the types of the API's resources from its OpenAPI document.
pub(crate) fn generate(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let server = clients::server(project, steps)?;
    fs::write(project.root.join(RESOURCES), resources(project, &server)?)?;
    Ok(())
}

/// What `RESOURCES` has to be.
fn resources(project: &Project, server: &Path) -> anyhow::Result<String> {
    let mut openapi =
        Command::new(server).arg("openapi").stdout(Stdio::piped()).spawn().context("openapi")?;
    let document = openapi.stdout.take().context("no output")?;
    let types = tools::output(
        Command::new("python3")
            .arg("-B")
            .arg(project.root.join("python/generate_types.py"))
            .stdin(document),
    )?;
    ensure!(openapi.wait()?.success(), "`guestlist openapi` failed");
    Ok(types)
}

/// The tests of the package, and its types.
pub(crate) fn test(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let server = clients::server(project, steps)?;
    steps.run("generated types", || {
        let there = fs::read_to_string(project.root.join(RESOURCES))?;
        ensure!(
            there == resources(project, &server)?,
            "{RESOURCES} is not what the API is\nwhat to do: cargo xtask generate"
        );
        Ok(())
    })?;
    let (python, wheel) = install_wheel(project, steps, Profile::Dev)?;
    first_minute(project, steps, &python, &wheel)?;
    let mut pytest = Command::new(&python);
    pytest.args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "python/tests"]);
    steps.command("tests of the Python package", pytest, HINT)?;

    let mut suite = Command::new(&python);
    suite.args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/clients/python"]);
    for (test, _why) in OTHERWISE {
        suite.args(["--deselect", &format!("tests/clients/python/{test}")]);
    }
    suite.env("PYTHONPATH", project.root.join("python/tests/drop_in")).env(clients::BIN, &server);
    steps.command("suite of the official client with the Python package", suite, HINT)?;

    let cache = project.target.join("python/mypy");
    let mut mypy = Command::new(&python);
    mypy.args(["-m", "mypy", "--strict", "--cache-dir"])
        .arg(&cache)
        .args(["python/examples", "python/lib/guestlist"]);
    steps.command("types of the Python package", mypy, HINT)?;
    let mut stubs = Command::new(&python);
    // Holds what the stubs say against what is there at run time.
    stubs.args([
        "-m",
        "mypy.stubtest",
        "--concise",
        "guestlist",
        "--allowlist",
        "python/tests/stubtest.txt",
    ]);
    stubs.env("MYPY_CACHE_DIR", &cache);
    steps.command("stubs of the Python package", stubs, HINT)
}
