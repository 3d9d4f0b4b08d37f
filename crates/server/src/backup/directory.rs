//! The directory of backups: who makes one in it, and names that appear once what they name is whole.

use super::error::BackupError;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What the names of files begin with that are not finished.
const UNFINISHED: &str = ".guestlist-unfinished-";
/// Whoever makes a backup holds this file locked.
const LOCK: &str = ".guestlist-backup.lock";

/// A directory in which this process alone makes backups.
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory at `path` if there is none, which only its owner can read then, and removes what
    /// those have left there that ended before their backup was done.
    pub(super) fn hold(path: &Path) -> Result<Self, BackupError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(BackupError::file(path, "made"))?;
        let name = path.join(LOCK);
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name);
        let lock = lock.map_err(BackupError::file(&name, "opened"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(path.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(BackupError::file(&name, "locked")(source));
            }
        }
        let entries = fs::read_dir(path).map_err(BackupError::file(path, "read"))?;
        for entry in entries {
            let entry = entry.map_err(BackupError::file(path, "read"))?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let left = entry.path();
                fs::remove_file(&left).map_err(BackupError::file(&left, "removed"))?;
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file that is to be called `name` once it is finished.
    pub(super) fn unfinished(&self, name: &str) -> Unfinished {
        Unfinished(self.path.join(format!("{UNFINISHED}{name}")))
    }

    /// Gives `file`, which is synced, the name `name`, for good.
    pub(super) fn finish(&self, file: &Unfinished, name: &str) -> Result<(), BackupError> {
        publish(file.path(), &self.path.join(name))
    }

    /// Writes a file called `name` with `bytes` in it, all of it or none.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        let file = self.unfinished(name);
        let written = create(file.path()).and_then(|mut new| {
            new.write_all(bytes)?;
            new.sync_all()
        });
        written.map_err(BackupError::file(file.path(), "written"))?;
        self.finish(&file, name)
    }
}

/// Where the file at `path` is.
pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// A new file that only its owner can use.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Gives the file at `from`, which is synced, the name `to`, where there is nothing, so that a power failure
/// does not undo it.
pub(super) fn publish(from: &Path, to: &Path) -> Result<(), BackupError> {
    // Unlike a rename, a link replaces nothing.
    fs::hard_link(from, to)
        .and_then(|()| fs::remove_file(from))
        .map_err(BackupError::file(to, "made"))?;
    let directory = directory_of(to);
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(BackupError::file(directory, "synced"))
}

/// A file that is removed with this, and what SQLite has beside it, unless it has been given its name.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// A file beside `path`, which it is to be.
    pub(super) fn beside(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self(path.with_file_name(format!("{UNFINISHED}{name}")))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut name = OsString::from(&self.0);
            name.push(ending);
            // It was given its name, or was never made.
            let _ = fs::remove_file(PathBuf::from(name));
        }
    }
}
