//! What becomes of a database from one version of Guestlist to the next, and why one cannot be
//! opened. How it is done is each engine's own affair.

use std::io;
use std::path::{Path, PathBuf};

/// The way from one version to the next. The text of the engine follows the one for both, in the
/// same transaction.
#[derive(Debug, Clone, Copy)]
pub struct Migration<'t> {
    /// What both engines do, each in its spelling.
    pub both: &'t str,
    /// What SQLite does beside, word for word.
    pub sqlite: &'t str,
    /// What PostgreSQL does beside, word for word.
    pub postgres: &'t str,
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is a directory where the file should be.
    #[error("{} is a directory, and the database is a file", .0.display())]
    Directory(PathBuf),
    /// The file, or a directory that leads to it, cannot be made or read.
    #[error("{} cannot be opened or created", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no store, and none is to be made.
    #[error(
        "there is no store at {0}, and must-exist says that none is to be made: is its volume \
         mounted, and is this the right place?"
    )]
    Missing(String),
    /// A file of the store, or its directory, may not be used by this process.
    #[error(
        "this process, of user {us}, may not read and write {}, which is of user {owner} with mode \
         {mode:04o}: {}", path.display(), advice(*us, *owner, remedy, path)
    )]
    Denied {
        /// The file or directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Its mode.
        mode: u32,
        /// Whose this process is.
        us: u32,
        /// What is to be added to the mode where it is one's own.
        remedy: &'static str,
    },
    /// The file system takes no changes.
    #[error("{} is on a file system that is mounted read-only, and a store is written to", .0.display())]
    ReadOnly(PathBuf),
    /// There is no room for what is written.
    #[error("there is no room left where {} is: make room, and try again", .0.display())]
    Full(PathBuf),
    /// The file is no database.
    #[error("{} is not a SQLite database", .0.display())]
    NotADatabase(PathBuf),
    /// The file was a database, and is not whole.
    #[error("{} is damaged, or was cut short: restore a backup", .0.display())]
    Damaged(PathBuf),
    /// It is the database of something else.
    #[error("{0} is a database of another application")]
    Foreign(String),
    /// A newer Guestlist has written it.
    #[error(
        "{at} has version {found} and this Guestlist knows versions up to {known}: \
         upgrade Guestlist or restore a backup"
    )]
    Newer {
        /// Where it is.
        at: String,
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// An older Guestlist serves it, and nobody has asked to bring it up to date.
    #[error(
        "{at} has version {found} and this Guestlist has version {known}: use the Guestlist that \
         serves it"
    )]
    Older {
        /// Where it is.
        at: String,
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// The database can be read, and is not whole.
    #[error("{} is damaged: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A migration failed, and left everything as it was before.
    #[error("{at} cannot be brought to version {version}: {why}")]
    Migration {
        /// Where the database is.
        at: String,
        /// The version that the migration leads to.
        version: usize,
        /// Why.
        why: String,
    },
    /// A migration leaves rows that refer to nothing; the file is as it was before.
    #[error("{} cannot be brought to version {version}: rows refer to nothing", path.display())]
    Dangling {
        /// The file.
        path: PathBuf,
        /// The version that the migration leads to.
        version: usize,
    },
    /// SQLite cannot use the file.
    #[error("{} cannot be used: {why}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// PostgreSQL cannot be reached, or refuses.
    #[error("{at} cannot be used: {why}")]
    Postgres {
        /// Where it is.
        at: String,
        /// Why.
        why: String,
    },
    /// The system has no thread to give.
    #[error("the store cannot start a thread")]
    Thread(#[source] io::Error),
}

/// What to do about a file that may not be used.
fn advice(us: u32, owner: u32, mode: &str, path: &Path) -> String {
    let path = path.display();
    if us == owner {
        format!("chmod {mode} {path}")
    } else {
        format!("run it as user {owner}, or chown {us} {path}")
    }
}
