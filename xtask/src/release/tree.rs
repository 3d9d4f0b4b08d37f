//! A tree of files that becomes a package, and archives that are the same each time they are made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::clients::succeed;
use crate::tools;

/// Files as they will be where the package is installed.
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// An empty one at `root`, in place of what was there.
    pub(crate) fn new(root: PathBuf) -> anyhow::Result<Self> {
        if root.exists() {
            fs::remove_dir_all(&root)
                .with_context(|| format!("cannot remove {}", root.display()))?;
        }
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        mode(&root, 0o755)?;
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a directory that everybody may read, and those above it.
    pub(crate) fn directory(&self, path: &str) -> anyhow::Result<PathBuf> {
        let mut place = self.root.clone();
        for part in Path::new(path).components() {
            place.push(part);
            if !place.exists() {
                fs::create_dir(&place)
                    .with_context(|| format!("cannot make {}", place.display()))?;
                mode(&place, 0o755)?;
            }
        }
        Ok(place)
    }

    /// Writes a file of that mode.
    pub(crate) fn put(
        &self,
        path: &str,
        permissions: u32,
        content: impl AsRef<[u8]>,
    ) -> anyhow::Result<()> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let place = self.directory(directory)?.join(name);
        fs::write(&place, content).with_context(|| format!("cannot write {}", place.display()))?;
        mode(&place, permissions)
    }

    /// Copies a file that everybody may read, whatever it is a link to.
    pub(crate) fn copy(&self, from: &Path, path: &str, permissions: u32) -> anyhow::Result<()> {
        let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.put(path, permissions, content)
    }

    /// Copies a directory of files that everybody may read, and what is in it.
    pub(crate) fn copy_all(&self, from: &Path, path: &str) -> anyhow::Result<()> {
        let entries =
            fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
        for entry in entries {
            let entry = entry?;
            let inside = format!("{path}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.copy_all(&entry.path(), &inside)?;
            } else {
                self.copy(&entry.path(), &inside, 0o644)?;
            }
        }
        Ok(())
    }

    /// The sum of the lengths of its files, in units of 1,024 bytes, each rounded up.
    pub(crate) fn blocks(&self) -> anyhow::Result<u64> {
        blocks(&self.root)
    }
}

fn mode(place: &Path, permissions: u32) -> anyhow::Result<()> {
    Ok(fs::set_permissions(place, fs::Permissions::from_mode(permissions))?)
}

fn blocks(place: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() {
            1 + blocks(&entry.path())?
        } else {
            entry.metadata()?.len().div_ceil(1024)
        };
    }
    Ok(sum)
}

/// `tar` with everything fixed that differs from one time to the next, and everything of root.
pub(crate) fn tar(epoch: u64) -> Command {
    let mut command = Command::new("tar");
    command
        .args(["--sort=name", "--format=gnu", "--numeric-owner", "--owner=0", "--group=0"])
        .arg(format!("--mtime=@{epoch}"))
        .env("LC_ALL", "C");
    command
}

/// Packs a file, which is gone then. The packed one has no name and no time in it.
pub(crate) fn gzip(file: &Path) -> anyhow::Result<()> {
    succeed(Command::new("gzip").args(["--no-name", "--best", "--force"]).arg(file))
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(file: &Path) -> anyhow::Result<String> {
    let printed = tools::output(Command::new("sha256sum").arg("--binary").arg(file))?;
    let sum = printed.split_whitespace().next().unwrap_or_default().to_owned();
    ensure!(sum.len() == 64, "sha256sum printed `{printed}`");
    Ok(sum)
}
