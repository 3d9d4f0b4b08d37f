//! Backups that a server makes by itself, one after the other, and what is known of the last that failed.

use super::age::Recipient;
use super::background::on_a_thread;
use super::directory::Directory;
use super::error::BackupError;
use super::make::Begun;
use super::manifest::{Manifest, list};
use crate::clock::Clock;
use crate::store::StoreUrl;
use guestlist_api::time::DateTime;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::sleep;

/// The file that says why the last backup failed, in the directory of backups.
const FAILURE: &str = ".guestlist-backup-failure";

/// How long until one that has failed is tried again, unless the next is due before.
const AGAIN: Duration = Duration::from_mins(10);

/// The longest that is slept at once: the clock may be set meanwhile, and others make backups too.
const LOOK: Duration = Duration::from_mins(1);

/// What a server is told of the backups that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSettings {
    /// The directory that they are made in.
    pub directory: PathBuf,
    /// How long after one was begun the next is.
    pub every: Duration,
    /// How many of the newest stay; none is removed without this.
    pub keep: Option<usize>,
    /// Whom they are encrypted to, if they are.
    pub recipients: Vec<Recipient>,
}

/// A backup that was not made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// When it was begun.
    pub at: DateTime,
    /// Why it was not made.
    pub why: String,
}

/// The last backup in `directory`, if that has failed.
#[must_use]
pub fn last_failure(directory: &Path) -> Option<Failure> {
    serde_json::from_slice(&fs::read(directory.join(FAILURE)).ok()?).ok()
}

/// Notes how the last one went. What cannot be written down is in the log all the same.
fn note(directory: &Path, failure: Option<&Failure>) {
    let path = directory.join(FAILURE);
    let noted = match failure {
        Some(failure) => fs::write(&path, serde_json::to_vec(failure).unwrap_or_default()),
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        },
    };
    if let Err(error) = noted {
        tracing::warn!(%error, path = %path.display(), "how the backup went cannot be written down");
    }
}

/// Makes a backup of the store `from` in the directory `to`, encrypted to `recipients` if there are any.
///
/// # Errors
/// When one of its steps fails, or somebody else makes one there.
pub async fn make(
    from: &StoreUrl,
    to: &Path,
    recipients: &[Recipient],
    now: DateTime,
) -> Result<(PathBuf, Manifest), BackupError> {
    let seen = || Arc::new(AtomicU64::new(0));
    let copied = Begun::begin(from, to, recipients, now)?.copy(seen()).await?;
    copied.check(seen()).await?.pack(seen()).await?.finish(seen()).await
}

/// Removes all backups in the directory at `path` but the newest, of which there are to be `keep`, and
/// says how many.
///
/// # Errors
/// When somebody makes one there, or what is there cannot be read or removed.
pub fn prune(path: &Path, keep: usize) -> Result<usize, BackupError> {
    let _alone = Directory::hold(path)?;
    let mut all = list(path)?;
    all.truncate(all.len().saturating_sub(keep.max(1)));
    for (manifest, of) in &all {
        // A store without a manifest is no backup, so that one half removed is none.
        for file in [manifest.clone(), manifest.with_file_name(&of.file)] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(BackupError::file(&file, "removed")(error));
                }
                _ => {}
            }
        }
    }
    Ok(all.len())
}

impl BackupSettings {
    /// How long until the next one is due at `now`.
    fn due(&self, now: DateTime) -> Duration {
        // Where that cannot be told, the backup will say why.
        let newest = list(&self.directory).ok().and_then(|mut all| all.pop());
        let Some((_, newest)) = newest else { return Duration::ZERO };
        let age = now.millis().saturating_sub(newest.created_at.millis());
        // One of the future, by a clock that was wrong, is no reason to wait for it.
        u64::try_from(age)
            .map_or(Duration::ZERO, |age| self.every.saturating_sub(Duration::from_millis(age)))
    }

    async fn due_at(&self, clock: &Clock) -> Result<Duration, BackupError> {
        let (settings, now) = (self.clone(), clock.now());
        on_a_thread(move || Ok(settings.due(now))).await
    }

    /// Makes one, and removes those that are too many.
    async fn once(&self, from: &StoreUrl, clock: &Clock) -> Result<(), BackupError> {
        let (path, manifest) = make(from, &self.directory, &self.recipients, clock.now()).await?;
        let removed = match self.keep {
            Some(keep) => {
                let directory = self.directory.clone();
                on_a_thread(move || prune(&directory, keep)).await?
            }
            None => 0,
        };
        tracing::info!(
            path = %path.display(),
            rows = manifest.rows,
            bytes = manifest.bytes,
            removed,
            "a backup was made"
        );
        Ok(())
    }

    /// Makes backups of the store `from`, one after the other, for as long as it runs.
    pub async fn run(self, from: StoreUrl, clock: Clock) {
        loop {
            let due = self.due_at(&clock).await.unwrap_or(AGAIN);
            if !due.is_zero() {
                sleep(due.min(LOOK)).await;
                continue;
            }
            let at = clock.now();
            let directory = self.directory.clone();
            match self.once(&from, &clock).await {
                Ok(()) => note(&directory, None),
                // It is somebody else's, and will be as good.
                Err(BackupError::Busy(_)) => {
                    tracing::info!("a backup is due, and another is being made: waiting for it");
                    sleep(LOOK).await;
                }
                Err(error) => {
                    let why = format!("{:#}", anyhow::Error::from(error));
                    tracing::error!(%why, "the backup has failed");
                    note(&directory, Some(&Failure { at, why }));
                    sleep(AGAIN.min(self.every)).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_the_next_is_due_after_its_time() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().to_owned();
        let settings = BackupSettings {
            directory: directory.clone(),
            every: Duration::from_hours(1),
            keep: Some(2),
            recipients: Vec::new(),
        };
        let hour = 3_600_000;
        assert!(settings.due(DateTime::from_millis(hour)).is_zero());
        for number in 1..=4 {
            let manifest = Manifest::of_test(DateTime::from_millis(number * hour));
            let name = manifest.file.replace(".sqlite.zst", ".json");
            fs::write(directory.join(&manifest.file), "packed").unwrap();
            fs::write(directory.join(name), serde_json::to_vec(&manifest).unwrap()).unwrap();
        }
        let due = |millis| settings.due(DateTime::from_millis(millis));
        assert_eq!(due(4 * hour + 600_000), Duration::from_mins(50));
        assert!(due(5 * hour).is_zero() && due(3 * hour).is_zero());
        assert_eq!(prune(&directory, 2).unwrap(), 2);
        let left = list(&directory).unwrap();
        let times: Vec<_> = left.iter().map(|(_, of)| of.created_at.millis() / hour).collect();
        assert_eq!(times, [3, 4]);
        // Two manifests, two stores, and the lock.
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 5);
        assert_eq!(prune(&directory, 0).unwrap(), 1);
    }

    #[test]
    fn a_failure_is_known_until_one_goes_well() {
        let place = tempfile::tempdir().unwrap();
        assert!(last_failure(place.path()).is_none());
        let failure = Failure { at: DateTime::from_millis(0), why: "no room".into() };
        note(place.path(), Some(&failure));
        assert_eq!(last_failure(place.path()).unwrap().why, "no room");
        note(place.path(), None);
        assert!(last_failure(place.path()).is_none());
        note(place.path(), None);
    }
}
