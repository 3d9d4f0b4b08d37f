//! A store made of a backup, and the proof that one could be made.

use super::age::{Identity, Opener};
use super::background::{in_no_hurry, on_a_thread};
use super::directory::{Unfinished, directory_of, publish};
use super::error::BackupError;
use super::make::{count, read_whole};
use super::manifest::{Manifest, table_sums};
use super::unpack::Scratch;
use crate::auth::keys;
use crate::links::rows as links;
use crate::moving::{self, MoveError, Moving, options};
use crate::rows::Tx;
use crate::sign_in::keys as experience_keys;
use crate::store::{Store, StoreUrl, VERSION};
use crate::work::rows as work;
use guestlist_api::time::DateTime;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What becomes of the tokens that a restored store knows. One that was revoked after the backup was made
/// is good in the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// They are good, as they were.
    Keep,
    /// None is good any more: the store has another key to sign with.
    End,
}

/// The store of a backup, unpacked to be read.
pub struct Unpacked {
    file: Unfinished,
    manifest: Manifest,
}

impl Unpacked {
    /// Whether this program can use the store of `manifest`, and `upgrade` lets it if that is older.
    ///
    /// # Errors
    /// When it cannot.
    pub fn allowed(manifest: &Manifest, upgrade: bool) -> Result<(), BackupError> {
        let (found, made_by) = (manifest.schema_version, manifest.made_by.clone());
        if found > VERSION {
            return Err(BackupError::Newer { found, known: VERSION, made_by });
        }
        if found < VERSION && !upgrade {
            return Err(BackupError::Older { found, known: VERSION, made_by });
        }
        Ok(())
    }

    /// Unpacks the store of `manifest`, which is at `path`, to `scratch`, holds it against what the manifest
    /// says, and counts the bytes in `seen` meanwhile. One that is encrypted is so to one of `identities`.
    ///
    /// # Errors
    /// When it is not what the manifest says, or for nobody here, or there is no room for it.
    pub async fn unpack(
        path: &Path,
        manifest: Manifest,
        scratch: Scratch,
        identities: Vec<Identity>,
        seen: Arc<AtomicU64>,
    ) -> Result<Self, BackupError> {
        let opener = (!identities.is_empty()).then(|| Opener::Identities(identities.into()));
        let at = directory_of(path).to_owned();
        in_no_hurry(move || {
            let file = scratch.unpack(&manifest, &at, opener.as_ref(), &seen)?;
            Ok(Self { file, manifest })
        })
        .await
    }

    /// Reads all of the store, counts its rows in `seen` meanwhile, and holds it against what the manifest
    /// says. One of an older version is brought up to date by that, and its tables have other checksums
    /// then; of that one it is known that it is whole, and what it was packed as.
    ///
    /// # Errors
    /// When it is not whole, or not what the manifest says.
    pub async fn check(&self, seen: Arc<AtomicU64>) -> Result<(), BackupError> {
        let (sums, _) = read_whole(self.file.path(), seen).await?;
        if self.manifest.schema_version != VERSION {
            return Ok(());
        }
        for (found, said) in table_sums(&sums).iter().zip(&self.manifest.tables) {
            if found != said {
                let what = format!(
                    "{} has {} rows with checksum {}, and {} with {} are said",
                    said.table, found.rows, found.checksum, said.rows, said.checksum
                );
                return Err(BackupError::Altered { path: self.file.path().to_owned(), what });
            }
        }
        Ok(())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// What the manifest says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Makes of the unpacked store one of its own: it is in no move, whatever the other was, and knows
    /// `tokens`.
    async fn settle(&self, tokens: Tokens, now: DateTime) -> Result<(), BackupError> {
        let path = self.file.path();
        let at = path.display().to_string();
        let store = Store::open(path, &options())?;
        let settle = move |tx: &mut Tx<'_>| {
            moving::forget(tx)?;
            match tokens {
                Tokens::Keep => Ok(()),
                Tokens::End => {
                    experience_keys::delete_all(tx)?;
                    // What was mailed since may have been used, and what was to be mailed is old.
                    links::delete_all(tx)?;
                    work::delete_all(tx)?;
                    keys::replace_all(tx, now)
                }
            }
        };
        let settled = store.write(settle).await;
        store.close().await;
        settled.map_err(BackupError::store(&at))
    }

    /// Makes the store `to` of it, where there is none, and counts what is copied in `seen` meanwhile. It was
    /// looked at before.
    ///
    /// # Errors
    /// When there is something there, or the store cannot be made.
    pub async fn restore(
        self,
        to: &StoreUrl,
        tokens: Tokens,
        now: DateTime,
        seen: Arc<AtomicU64>,
    ) -> Result<Restored, BackupError> {
        self.settle(tokens, now).await?;
        let rows = match to {
            StoreUrl::Sqlite(path) => {
                let rows = count(self.file.path()).await?;
                let path = path.clone();
                on_a_thread(move || {
                    free(&path)?;
                    let file = self.file.path();
                    let synced = File::open(file).and_then(|file| file.sync_all());
                    synced.map_err(BackupError::file(file, "synced"))?;
                    publish(file, &path)
                })
                .await?;
                rows
            }
            StoreUrl::Postgres(_) => {
                let from = StoreUrl::Sqlite(self.file.path().to_owned());
                let moving = Moving::begin(&from, to).await?;
                moving.copy(&seen).await?;
                let copied = moving.compare(Arc::new(AtomicU64::new(0))).await?;
                moving.end(&copied, false).await?;
                copied.sums.rows()
            }
        };
        Ok(Restored { rows })
    }
}

/// A store that was made of a backup.
#[derive(Debug, Clone, Copy)]
pub struct Restored {
    /// How many rows it has.
    pub rows: u64,
}

/// Where the store of a backup is unpacked that is to be `to`: on the same file system, or beside the
/// backup at `path`.
#[must_use]
pub fn scratch(to: Option<&StoreUrl>, path: &Path) -> Scratch {
    let beside = match to {
        Some(StoreUrl::Sqlite(to)) => to,
        _ => path,
    };
    Scratch(directory_of(beside).to_owned())
}

/// Refuses a place where there is a store, or what was beside one: SQLite would take a WAL that is left there
/// for that of the restored store.
///
/// # Errors
/// When there is.
fn free(path: &Path) -> Result<(), BackupError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = OsString::from(path);
        name.push(ending);
        let name = PathBuf::from(name);
        match name.symlink_metadata() {
            Ok(_) => return Err(BackupError::Taken(name)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(BackupError::file(&name, "looked at")(error)),
        }
    }
    Ok(())
}

/// Refuses a place where there is a store.
///
/// # Errors
/// When there is.
pub async fn must_be_free(to: &StoreUrl) -> Result<(), BackupError> {
    match to {
        StoreUrl::Sqlite(path) => free(path),
        StoreUrl::Postgres(_) => {
            moving::must_be_empty(to).await.map_err(|error: MoveError| error.into())
        }
    }
}
