//! A store that nobody keeps, for tests.
//!
//! It is the very store that production uses: files, a write-ahead log, readers that see a moment
//! while another thread writes, writes that share a commit. SQLite's own databases in memory have
//! no write-ahead log, so readers and the writer would wait for each other there, and a test would
//! not see what the server does. What differs is where the files are and what a commit promises.
//! They are in a directory that only their owner can enter: under `/dev/shm`, which is memory,
//! where there is one with room, or else among the temporary files, never waiting for the disk.
//! No two stores share one. It is removed with the store; one that a killed process left behind is
//! removed when the next such store of the same user is made.

use super::Tx;
use super::migrate::OpenError;
use crate::error::Result;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The proof that there is a store which nobody keeps: what is only right for such a store asks
/// for it. Only [`Store::ephemeral`](super::Store::ephemeral) gives one.
///
/// ```compile_fail
/// guestlist::store::Ephemeral(());
/// ```
#[derive(Debug, Clone)]
pub struct Ephemeral(());

/// How the directories are called, before what is random.
const NAME: &str = "guestlist-ephemeral-";
/// A file in each, locked as long as its store lives.
const LOCK: &str = "lock";
/// What is memory on Linux.
const MEMORY: &str = "/dev/shm";
/// The least that has to be free there: containers often have but 64 MiB of it, which others use
/// as well.
const ROOM: u64 = 256 << 20;

/// The directory of one store; it goes when this goes.
pub(super) struct Scratch {
    directory: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new directory, and the proof that what is in it is nobody's.
    pub(super) fn new() -> Result<(Self, Ephemeral), OpenError> {
        static SWEEP: Once = Once::new();
        let base = base();
        SWEEP.call_once(|| sweep(&base));
        let failed = |source| OpenError::File { path: base.clone(), source };
        // Another process that sweeps may be faster than the lock: then once more.
        for _ in 0..8 {
            let random: [u8; 12] =
                crate::clock::random().map_err(|error| failed(io::Error::other(error)))?;
            let random = guestlist_api::id::ObjectId::from_bytes(random);
            let directory = base.join(format!("{NAME}{random}"));
            DirBuilder::new().mode(0o700).create(&directory).map_err(failed)?;
            let Some(lock) = lock(&directory.join(LOCK), true) else { continue };
            let scratch = Self { directory, _lock: lock };
            // Made here, because a store makes sure that the name of a new file lasts.
            let mut file = File::options();
            if file.write(true).create_new(true).mode(0o600).open(scratch.database()).is_ok() {
                return Ok((scratch, Ephemeral(())));
            }
        }
        Err(failed(io::Error::other("no directory could be locked")))
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        self.directory.join("guestlist.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The threads of a store that was not closed may be about to remove a file as well.
        for _ in 0..3 {
            if fs::remove_dir_all(&self.directory).is_ok() {
                return;
            }
        }
        tracing::warn!(directory = %self.directory.display(), "left to the next to sweep up");
    }
}

/// The file at `path`, locked, unless it is locked already.
fn lock(path: &Path, create: bool) -> Option<File> {
    let file = File::options().write(true).create_new(create).open(path).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Removes what processes that were killed have left in `base`.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(NAME)
            && let Some(_lock) = lock(&entry.path().join(LOCK), false)
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Where the directories are.
fn base() -> PathBuf {
    let memory = Path::new(MEMORY);
    let free = rustix::fs::statvfs(memory).map_or(0, |room| room.f_bavail * room.f_frsize);
    if free >= ROOM { memory.to_owned() } else { std::env::temp_dir() }
}

/// Forgets everything but what the store as a whole is.
///
/// # Errors
/// When the store fails.
pub fn clear(tx: &mut Tx<'_>, _: &Ephemeral) -> Result<()> {
    for sql in [
        "DELETE FROM memberships",
        "DELETE FROM experience_users",
        "UPDATE experience_groups SET parent_id = NULL",
        "DELETE FROM experience_groups",
        "DELETE FROM answers",
        "DELETE FROM sign_in_attempts",
        "DELETE FROM api_tokens",
        "DELETE FROM applications",
        "DELETE FROM users",
    ] {
        tx.run(sql, &[])?;
    }
    Ok(())
}
