//! Whom a server runs as that refuses to be root, or that is to have no privileges.

use anyhow::{Context as _, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// Users without privileges that systems have.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user and the group of a process.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    user: u32,
    group: u32,
    name: &'static str,
}

/// Whether this process is root's.
pub(crate) fn is_root() -> anyhow::Result<bool> {
    Ok(id(&["-u"])? == 0)
}

impl Identity {
    /// The one to change to, which is none where this process is not root.
    pub(crate) fn to_assume() -> anyhow::Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        for name in CANDIDATES {
            if let (Ok(user), Ok(group)) = (id(&["-u", name]), id(&["-g", name])) {
                return Ok(Some(Self { user, group, name }));
            }
        }
        bail!("PostgreSQL does not run as root, and there is no user {}", CANDIDATES.join(" or "))
    }

    /// Makes a directory theirs.
    pub(crate) fn own(&self, directory: &Path) -> anyhow::Result<()> {
        std::os::unix::fs::chown(directory, Some(self.user), Some(self.group))
            .with_context(|| format!("{} cannot be given to {}", directory.display(), self.name))
    }

    /// A command that runs as they, to which program and arguments are added.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        if starts("setpriv") {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={}", self.user));
            command.arg(format!("--regid={}", self.group));
            command.args(["--clear-groups", "--"]);
            return Ok(command);
        }
        if starts("runuser") {
            let mut command = Command::new("runuser");
            command.args(["-u", self.name, "--"]);
            return Ok(command);
        }
        bail!("PostgreSQL does not run as root, and there is neither setpriv nor runuser")
    }
}

/// `program` as it is run by somebody without privileges, to whom `directory` is given where this
/// process is root.
///
/// # Errors
/// When there is nobody such, or no way to become one.
pub fn unprivileged(program: &Path, directory: &Path) -> anyhow::Result<Command> {
    match Identity::to_assume()? {
        None => Ok(Command::new(program)),
        Some(identity) => {
            identity.own(directory)?;
            let mut command = identity.command()?;
            command.arg(program);
            Ok(command)
        }
    }
}

fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn id(arguments: &[&str]) -> anyhow::Result<u32> {
    let output = Command::new("id").args(arguments).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().with_context(|| format!("`id {}` says {said:?}", arguments.join(" ")))
}
