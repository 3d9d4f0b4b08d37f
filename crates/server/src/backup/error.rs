//! Why a backup is not made, or not used.

use crate::error::Error;
use crate::moving::MoveError;
use crate::store::OpenError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a backup is not made, or not used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A store cannot be opened, or is not whole.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A store cannot be moved to where it should go.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// A store fails.
    #[error("{at} fails")]
    Store {
        /// Which.
        at: String,
        /// How.
        source: Error,
    },
    /// A file or directory cannot be read or written.
    #[error("{} cannot be {what}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Somebody else makes a backup there.
    #[error("another backup is being made in {}: wait until it is done", .0.display())]
    Busy(PathBuf),
    /// The store is half of a move.
    #[error(
        "{at} is an unfinished copy of {of}: finish that move, or give it up, and back it up then"
    )]
    Unfinished {
        /// Where it is.
        at: String,
        /// What it is to be a copy of.
        of: String,
    },
    /// There is no backup at all.
    #[error("there is no backup in {}: a backup is a store and its manifest, a file that ends in .json", .0.display())]
    None(PathBuf),
    /// The file is not the manifest of a backup.
    #[error("{} is not the manifest of a backup: {why}", path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store of a backup is not what its manifest says.
    #[error("{} is not what its manifest says: {what}. This backup cannot be used", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What is different.
        what: String,
    },
    /// It is encrypted, and nobody has said who reads it.
    #[error("{} is encrypted to {recipients}: give --identity with the file that has the key of one of them", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
        /// Who can read it.
        recipients: String,
    },
    /// It is encrypted to others.
    #[error("{} is encrypted to {recipients}, and no key that was given is of one of them", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// Who can read it.
        recipients: String,
    },
    /// It was made by an older Guestlist.
    #[error(
        "the backup is of version {found} and this Guestlist has version {known}: give --upgrade to bring \
         the restored store up to date, or use the Guestlist that made it, which is {made_by}"
    )]
    Older {
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
        /// The version of the program.
        made_by: String,
    },
    /// It was made by a newer Guestlist.
    #[error(
        "the backup is of version {found} and this Guestlist knows versions up to {known}: use Guestlist \
         {made_by} or a later one"
    )]
    Newer {
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
        /// The version of the program.
        made_by: String,
    },
    /// There is something at the place where the store should go.
    #[error(
        "there is something at {} already: restore to another path, or move that file and what is \
         beside it away", .0.display()
    )]
    Taken(PathBuf),
    /// A thread has ended before its work.
    #[error("the thread that does the work has ended before it was done")]
    Panicked,
}

impl BackupError {
    /// For `map_err`: `path` cannot be `what`, such as read.
    pub(super) fn file(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, what, source }
    }

    /// For `map_err`: the store at `at` fails.
    pub(super) fn store(at: &str) -> impl FnOnce(Error) -> Self {
        let at = at.to_owned();
        move |source| Self::Store { at, source }
    }
}
