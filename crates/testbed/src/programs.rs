//! Which PostgreSQL of the machine is used.

use anyhow::{Context as _, bail, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names the directory of the programs to use, and no other is looked at then.
pub const BIN: &str = "GUESTLIST_POSTGRES_BIN";

const OLDEST: u32 = 14;
const NEEDED: [&str; 5] = ["postgres", "initdb", "pg_ctl", "psql", "pg_basebackup"];

/// The programs of one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Programs {
    /// The major version.
    pub version: u32,
    directory: PathBuf,
}

impl Programs {
    /// The newest on this machine: of `PATH`, of what `pg_config` tells and of the places where
    /// distributions put them; or the one that [`BIN`] names.
    ///
    /// # Errors
    /// When there is none of version 14 or later with all that is needed.
    pub fn find() -> anyhow::Result<Self> {
        match std::env::var_os(BIN) {
            Some(directory) => Self::named(Path::new(&directory)),
            None => Self::newest(&candidates()),
        }
    }

    fn named(directory: &Path) -> anyhow::Result<Self> {
        Self::of(directory).with_context(|| format!("{BIN} names {}", directory.display()))
    }

    fn newest(candidates: &BTreeSet<PathBuf>) -> anyhow::Result<Self> {
        match candidates.iter().filter_map(|directory| Self::of(directory).ok()).max() {
            Some(newest) => Ok(newest),
            None => bail!(
                "there is no PostgreSQL {OLDEST} or later here: {} in one directory, on PATH, in \
                 /usr/lib/postgresql/*/bin or where {BIN} says",
                NEEDED.join(", ")
            ),
        }
    }

    fn of(directory: &Path) -> anyhow::Result<Self> {
        for name in NEEDED {
            ensure!(directory.join(name).is_file(), "there is no {name}");
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .context("`postgres` does not start")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = major(&said).with_context(|| format!("it is {said:?}"))?;
        ensure!(version >= OLDEST, "it is {version}, older than {OLDEST}");
        Ok(Self { version, directory: directory.to_owned() })
    }

    /// Where one of them is.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Where `program` is: on `PATH`, or where systems keep what is run by no person.
pub(crate) fn found(program: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = places.iter().map(|place| place.join(program)).find(|path| path.is_file());
    found.with_context(|| format!("there is no {program} on PATH or in /usr/sbin"))
}

/// `15` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(said: &str) -> Option<u32> {
    let version = said.split_whitespace().nth(2)?;
    let digits = version.split(|char: char| !char.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn candidates() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for directory in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        // A link to one of them says where the others are.
        if let Ok(program) = directory.join("postgres").canonicalize() {
            found.extend(program.parent().map(Path::to_owned));
        }
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output() {
        found.insert(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        found.insert(entry.path().join("bin"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_as_they_are_written() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(major("postgres (PostgreSQL)\n"), None);
        assert_eq!(major("postgres (EnterpriseDB) none\n"), None);
    }

    #[test]
    fn a_directory_without_the_programs_will_not_do() {
        let empty = tempfile::tempdir().unwrap();
        let named = format!("{:#}", Programs::named(empty.path()).unwrap_err());
        let directory = empty.path().display();
        assert_eq!(
            named,
            format!("GUESTLIST_POSTGRES_BIN names {directory}: there is no postgres")
        );
        let nowhere = Programs::newest(&[empty.path().to_owned()].into()).unwrap_err().to_string();
        for says in ["no PostgreSQL 14 or later", "pg_basebackup", "PATH", BIN] {
            assert!(nowhere.contains(says), "{nowhere}");
        }
    }
}
