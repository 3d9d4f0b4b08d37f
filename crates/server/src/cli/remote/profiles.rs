//! Servers that were signed in to, with their tokens, in a file that is the person's own.

use super::failure::usage;
use anyhow::{Context as _, Result, bail};
use guestlist_api::id::ApplicationId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What the file says.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profiles {
    /// The one that is meant when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<String>,
    /// Each by its name.
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Profile>,
}

/// One server, and who is known there.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// Where it is.
    pub(super) url: String,
    /// What is shown to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// The application that is meant when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) application: Option<ApplicationId>,
}

/// Where the file is: below `XDG_CONFIG_HOME`, or `~/.config`. `None` for somebody without a home.
pub(super) fn path() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".config"));
    Some(absolute("XDG_CONFIG_HOME").or_else(home)?.join("guestlist/profiles.toml"))
}

impl Profiles {
    /// What there is; nothing if there is no file.
    pub(super) fn read() -> Result<Self> {
        path().map_or_else(|| Ok(Self::default()), |path| Self::read_from(&path))
    }

    fn read_from(path: &Path) -> Result<Self> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let mode = file.metadata()?.permissions().mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            bail!("{path} holds tokens, and others may read it: run `chmod 600 {path}`");
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // What is wrong is told without the line, which may hold a token.
        toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{} is not good: {}", path.display(), error.message()))
    }

    /// The profile called `name`.
    pub(super) fn named(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            usage(format!(
                "there is no profile {name:?}: make one with `guestlist login --profile {name}`"
            ))
        })
    }

    /// Writes everything down, for nobody else to read.
    pub(super) fn write(&self) -> Result<PathBuf> {
        let path = path().context("there is no place for profiles: set HOME")?;
        let text = toml::to_string(self)?;
        let wrote = write_private(&path, &text);
        wrote.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// Puts `text` in the place of the file, at once, so that it is never half there.
fn write_private(path: &Path, text: &str) -> Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let wrote = open.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if wrote.is_err() {
        // It may hold a token, and is of no use.
        let _ = fs::remove_file(&new);
    }
    Ok(wrote?)
}
