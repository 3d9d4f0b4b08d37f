//! The Python package: built as `pip install ./python` builds it, into a virtual environment under
//! the target directory, and tested there.

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
const OTHERWISE: [(&str, &str); 1] =
    [("test_wire.py::test_what_is_false[True0]", "`True` is sent as `true`, not as `True`")];

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

/// Installs the package and what its tests need; gives the interpreter that has them.
pub(crate) fn install(
    project: &Project,
    steps: &mut Steps,
    profile: Profile,
) -> anyhow::Result<PathBuf> {
    let venv = project.target.join("python").join(profile.name());
    let python = venv.join("bin/python");
    let requirements = project.root.join("python/tests/requirements.txt");
    let pip = || {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip
    };
    steps.run("install what the Python package is tested with", || {
        install_once(&venv, &[&requirements], || {
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
            succeed(pip().args(["--require-hashes", "--requirement"]).arg(&requirements))
        })
    })?;
    let mut package = pip();
    package
        // maturin is there, of the version that the package asks for.
        .args(["--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall", "./python"])
        .env("MATURIN_PEP517_ARGS", format!("--profile {}", profile.name()))
        .env("CARGO_TARGET_DIR", &project.target)
        .env("PATH", path_with(&venv.join("bin"))?);
    steps.command("python package", package, "mend the code that the compiler names")?;
    Ok(python)
}

/// `PATH`, with `first` before all else: pip has to find the maturin that is there.
fn path_with(first: &Path) -> anyhow::Result<std::ffi::OsString> {
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
    let python = install(project, steps, Profile::Dev)?;
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
