//! What is known of the disk under a store: whether it has failed, and whether the files are still
//! where they were.
//!
//! After a sync that failed nothing is known of what was written since the last one that did not:
//! Linux takes those pages for clean, and the next sync says nothing of them. So the first failure
//! is the last. Nothing is answered as done after it, the WAL is neither restarted nor checkpointed
//! in closing, and the next start recovers all of it.

use crate::options::OnDiskFailure;
use crate::versions::Versions;
use rusqlite::ffi;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// `EX_IOERR` of `sysexits.h`.
const EXIT_CODE: i32 = 74;

/// How long those whose change is in doubt have to be told so before the process ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What is answered once the disk has failed.
pub(crate) const FAILED: &str = "The store is closed because its disk has failed";
const DISPLACED: &str = "The file of the store was removed or replaced";

/// Whether `error` says that a sync failed.
pub(super) fn is_failed_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_extended_error_code();
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

/// Whether a commit that failed with `error` says that the disk has. Memory that processes share is
/// made anew at the next start, and takes nothing along.
pub(super) fn is_failed_write(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure)
        && !matches!(
            error.sqlite_extended_error_code(),
            Some(
                ffi::SQLITE_IOERR_SHMOPEN
                    | ffi::SQLITE_IOERR_SHMSIZE
                    | ffi::SQLITE_IOERR_SHMLOCK
                    | ffi::SQLITE_IOERR_SHMMAP
            )
        )
}

/// The disk under one store.
pub(crate) struct Disk {
    files: Vec<Known>,
    versions: Arc<Versions>,
    on_failure: OnDiskFailure,
    failed: AtomicBool,
    /// Whether a file was not where it was when that was last looked at.
    displaced: AtomicBool,
}

/// A file, and which one it was at first.
struct Known {
    path: PathBuf,
    identity: (u64, u64),
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|of| (of.dev(), of.ino()))
}

/// The file beside the database at `path` whose name ends in `suffix`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Disk {
    /// The one under the database at `path`, which has a connection open.
    ///
    /// # Errors
    /// When a file is not there.
    pub(super) fn watch(
        path: &Path,
        versions: Arc<Versions>,
        on_failure: OnDiskFailure,
    ) -> io::Result<Self> {
        // Who removes the WAL or its index takes away what was answered, or lets another process
        // write over it.
        let files = ["", "-wal", "-shm"].map(|suffix| {
            let path = beside(path, suffix);
            Ok(Known { identity: identity(&path)?, path })
        });
        Ok(Self {
            files: files.into_iter().collect::<io::Result<_>>()?,
            versions,
            on_failure,
            failed: AtomicBool::new(false),
            displaced: AtomicBool::new(false),
        })
    }

    /// Why nothing may be written now, if so.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        if self.has_failed() {
            return Some(FAILED);
        }
        let gone = self.files.iter().find_map(|file| match identity(&file.path) {
            Ok(now) if now == file.identity => None,
            Ok(_) => Some((file, "replaced by another")),
            Err(error) if error.kind() == ErrorKind::NotFound => Some((file, "removed or moved")),
            // That it cannot be looked at says nothing about it.
            Err(_) => None,
        });
        let before = self.displaced.swap(gone.is_some(), Ordering::Relaxed);
        let Some((file, what)) = gone else {
            if before {
                tracing::warn!("the files of the store are back: changes are taken again");
            }
            return None;
        };
        if !before {
            tracing::error!(
                file = %file.path.display(),
                what,
                "a file of the store is gone: what would be written now would be lost with this \
                 process, so that no change is taken; put it back, or stop the server and restore \
                 the store"
            );
        }
        Some(DISPLACED)
    }

    /// Whether it has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Takes note that writing or syncing `what` failed: nothing is answered as done from here on.
    pub(crate) fn fail(&self, what: &str, error: &dyn Display) {
        if self.failed.swap(true, Ordering::SeqCst) {
            return;
        }
        self.versions.close();
        tracing::error!(
            what,
            %error,
            "the disk of the store has failed: nothing more is answered as done; look at the disk, \
             then start again, which recovers the whole WAL"
        );
    }

    /// After a failure: ends the process, where it is ours, without closing the database.
    pub(super) fn end_process(&self) {
        match self.on_failure {
            OnDiskFailure::CloseStore => {}
            OnDiskFailure::EndProcess => {
                sleep(LAST_WORDS);
                std::process::exit(EXIT_CODE);
            }
        }
    }
}

/// Writes what is in the WAL of the database at `path` once more, and syncs it: where the process
/// before this one ended because a sync failed, what the system has of it in memory may be on no disk.
/// Nobody may write it meanwhile.
pub(super) fn rewrite_wal(path: &Path) -> io::Result<()> {
    const PART: usize = 1 << 20;
    // SQLite has no locks on this file, so that it may be closed again.
    let wal = match File::options().read(true).write(true).open(beside(path, "-wal")) {
        Ok(wal) => wal,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let (mut part, mut at) = (vec![0; PART], 0);
    loop {
        let count = wal.read_at(&mut part, at)?;
        let Some(read) = part.get(..count).filter(|read| !read.is_empty()) else { break };
        wal.write_all_at(read, at)?;
        at += u64::try_from(count).unwrap_or_default();
    }
    if at == 0 { Ok(()) } else { wal.sync_data() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> (tempfile::TempDir, PathBuf, Disk) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        for suffix in ["", "-wal", "-shm"] {
            fs::write(beside(&path, suffix), suffix).unwrap();
        }
        let versions = Arc::new(Versions::exclusive());
        let disk = Disk::watch(&path, versions, OnDiskFailure::CloseStore).unwrap();
        (directory, path, disk)
    }

    #[test]
    fn a_file_that_is_not_the_one_it_was_is_noticed_and_so_is_its_return() {
        let (directory, path, disk) = watched();
        let aside = directory.path().join("aside");
        for suffix in ["", "-wal", "-shm"] {
            let file = beside(&path, suffix);
            assert_eq!(disk.refusal(), None, "{suffix}");
            fs::rename(&file, &aside).unwrap();
            assert_eq!(disk.refusal(), Some(DISPLACED), "{suffix} moved");
            fs::write(&file, "another").unwrap();
            assert_eq!(disk.refusal(), Some(DISPLACED), "{suffix} replaced");
            fs::rename(&aside, &file).unwrap();
        }
        assert_eq!(disk.refusal(), None);
    }

    #[test]
    fn after_a_failure_no_answer_stands() {
        let (_directory, _, disk) = watched();
        let snapshot = disk.versions.snapshot([None; 3], true).unwrap();
        assert!(disk.versions.hold(&snapshot));
        disk.fail("the WAL", &"EIO");
        assert_eq!(disk.refusal(), Some(FAILED));
        assert!(!disk.versions.hold(&snapshot));
        assert_eq!(disk.versions.snapshot([None; 3], true), None);
    }

    #[test]
    fn a_wal_that_is_written_again_is_what_it_was() {
        let (_directory, path, _) = watched();
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| (n % 251) as u8).collect();
        fs::write(beside(&path, "-wal"), &bytes).unwrap();
        rewrite_wal(&path).unwrap();
        assert!(fs::read(beside(&path, "-wal")).unwrap() == bytes);
        fs::remove_file(beside(&path, "-wal")).unwrap();
        rewrite_wal(&path).unwrap();
    }
}
