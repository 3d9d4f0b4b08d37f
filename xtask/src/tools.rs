//! The programs that the tasks need, found or installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use guestlist_testbed::FrontProgram;

use crate::Project;
use crate::steps::cargo;

/// Pinned: another version may know other licences or other checks.
const CARGO_DENY: &str = "0.20.2";
/// Pinned: what it prints is read, and figures of one version are compared.
const OHA: &str = "1.16.0";

/// The standard output of a program that must succeed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{} ended with {}",
        command.get_program().display(),
        output.status
    );
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}

/// Whether a program starts and ends well, silently.
pub(crate) fn works(program: impl AsRef<Path>, arguments: &[&str]) -> bool {
    Command::new(program.as_ref())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The `target_directory` of `cargo metadata`. Reading the one string spares a JSON parser here.
pub(crate) fn target_directory(metadata: &str) -> Option<String> {
    let (_, rest) = metadata.split_once("\"target_directory\":\"")?;
    let (path, _) = rest.split_once('"')?;
    Some(path.replace("\\\\", "\\"))
}

pub(crate) fn has_nextest() -> bool {
    let found = works("cargo-nextest", &["nextest", "--version"]);
    if !found {
        println!("cargo-nextest is not installed: using `cargo test`");
    }
    found
}

/// The path of the pinned cargo-deny: from PATH, or from an earlier run, or built now. It has a
/// second's work to do, and takes minutes to optimise.
pub(crate) fn cargo_deny(project: &Project) -> anyhow::Result<PathBuf> {
    installed(project, "cargo-deny", CARGO_DENY, "dev")
}

/// The path of the pinned oha, in the same way.
pub(crate) fn oha(project: &Project) -> anyhow::Result<PathBuf> {
    installed(project, "oha", OHA, "release")
}

fn installed(
    project: &Project,
    name: &str,
    version: &str,
    profile: &str,
) -> anyhow::Result<PathBuf> {
    let root = project.target.join("tools");
    let own = root.join("bin").join(name);
    for candidate in [PathBuf::from(name), own.clone()] {
        let found = Command::new(&candidate).arg("--version").stderr(Stdio::null()).output();
        if found.is_ok_and(|it| is_version(&String::from_utf8_lossy(&it.stdout), version)) {
            println!("{name} {version}: {}", candidate.display());
            return Ok(candidate);
        }
    }
    println!("{name} {version} is not here: building it, once, into {}", root.display());
    let status = cargo(&["install", name, "--version", version, "--locked", "--root"])
        .arg(&root)
        .args(["--profile", profile])
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .current_dir(&project.root)
        .status()?;
    if !status.success() {
        bail!(
            "{name} could not be built\nwhat to do: \
             `cargo install {name} --version {version} --locked`, then try again"
        );
    }
    Ok(own)
}

fn is_version(printed: &str, wanted: &str) -> bool {
    printed.split_whitespace().nth(1) == Some(wanted)
}

/// Makes sure of programs that come with the system: installs the packages when this may, as root
/// or with a sudo that asks nothing, on a machine with apt, and says so; says which they are
/// otherwise.
pub(crate) fn system_packages(missing: &[&str]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let may = root || works("sudo", &["--non-interactive", "true"]);
    if !may || !works("apt-get", &["--version"]) {
        bail!("missing: {list}\nwhat to do: `apt-get install {list}`, or the same for this system");
    }
    println!("missing: {list}; this may be installed, so: apt-get install {list}");
    let apt = |arguments: &[&str]| -> anyhow::Result<()> {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        if !root {
            command.args(["--non-interactive", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        let status = command.args(arguments).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "`apt-get {}` ended with {status}", arguments.join(" "));
        Ok(())
    };
    apt(&["--quiet", "update"])?;
    let mut install = vec!["--quiet", "install", "--yes", "--no-install-recommends"];
    install.extend(missing);
    apt(&install)
}

/// Makes sure of what the tests of failing disks need: strace, and for root, who may mount a disk, what
/// makes one.
pub(crate) fn failing_disks() -> anyhow::Result<()> {
    let mut missing = Vec::new();
    if !works("strace", &["--version"]) {
        missing.push("strace");
    }
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if root {
        // It says its version on standard error, and ends well.
        for (program, package) in [("mkfs.ext4", "e2fsprogs"), ("mount", "mount")] {
            if !works(program, &["-V"]) {
                missing.push(package);
            }
        }
        if !works("python3", &["--version"]) {
            missing.push("python3");
        }
    } else {
        println!(
            "tests that cut the power of a disk or fill it are left out: only root mounts one"
        );
    }
    system_packages(&missing)
}

/// Makes sure of the proxies that tests put in front of a server.
pub(crate) fn fronts() -> anyhow::Result<()> {
    let missing = FrontProgram::ALL.into_iter().filter(|program| program.find().is_err());
    let missing: Vec<_> = missing.map(FrontProgram::name).collect();
    if !missing.is_empty() {
        println!("{} are what tests put in front of a server", missing.join(", "));
    }
    // Debian has each in a package of its name.
    system_packages(&missing)
}

/// Makes sure of what the tests of backups need: `age`, which reads what is encrypted here, and pgBackRest, which
/// the guide for PostgreSQL is about.
pub(crate) fn backups() -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for (program, version, package) in
        [("age", "--version", "age"), ("pgbackrest", "version", "pgbackrest")]
    {
        if !works(program, &[version]) {
            println!("{program} is what backups are held against");
            missing.push(package);
        }
    }
    system_packages(&missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_directory_is_read_from_the_metadata() {
        let metadata = r#"{"packages":[],"target_directory":"/a b/target","version":1}"#;
        assert_eq!(target_directory(metadata).as_deref(), Some("/a b/target"));
        assert_eq!(target_directory("{}"), None);
    }

    #[test]
    fn only_the_pinned_version_will_do() {
        assert!(is_version("cargo-deny 0.20.2\n", "0.20.2"));
        assert!(!is_version("cargo-deny 0.20.20\n", "0.20.2"));
        assert!(!is_version("", "0.20.2"));
    }
}
