//! The files of a store: where they really are, whether this process can use them, and who else can.

use crate::migrate::OpenError;
use rusqlite::{ErrorCode, ffi};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What a file of SQLite begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// How many links one after the other are followed, as systems do.
const MOST_LINKS: usize = 40;
/// Less than this is no room: a page and its place in the log.
const ROOM: u64 = 64 << 10;

/// `path` with nothing but what is there: absolute, because SQLite takes a name that starts with
/// `file:` for a URI, and with links followed, also to a file that is yet to be made: what is beside
/// the file is named after it, and not after a link to it.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            resolved => return resolved,
        }
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    Err(Errno::LOOP.into())
}

/// The database and what SQLite has beside it, there or not.
fn all(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = OsString::from(path);
        name.push(ending);
        name.into()
    })
}

/// Refuses files that this process may not read or change, before SQLite says of them no more than
/// that it cannot open something.
///
/// # Errors
/// When there is such a file, or what is missing beside the database cannot be made.
pub(super) fn check(path: &Path) -> Result<(), OpenError> {
    let files = all(path);
    for file in files.iter().filter(|file| file.exists()) {
        may(file, Access::READ_OK | Access::WRITE_OK)?;
    }
    match path.parent() {
        Some(directory) if !files.iter().all(|file| file.exists()) => {
            may(directory, Access::WRITE_OK | Access::EXEC_OK)
        }
        _ => Ok(()),
    }
}

fn may(path: &Path, access: Access) -> Result<(), OpenError> {
    match accessat(CWD, path, access, AtFlags::EACCESS) {
        Err(Errno::ROFS) => Err(OpenError::ReadOnly(path.to_owned())),
        Err(error @ (Errno::ACCESS | Errno::PERM)) => Err(denied(path, error.into())),
        // Whatever else is wrong is told by whoever uses it.
        _ => Ok(()),
    }
}

/// Why the file at `path` cannot be found or made.
pub(super) fn failed(path: &Path, source: io::Error) -> OpenError {
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match source.kind() {
        // What is there and may not be entered or written to is what is in the way.
        ErrorKind::PermissionDenied => {
            let there = path.ancestors().find(|of| fs::symlink_metadata(of).is_ok());
            denied(there.unwrap_or(path), source)
        }
        ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly(path.to_owned()),
        ErrorKind::StorageFull => OpenError::Full(path.to_owned()),
        _ => OpenError::File { path: path.to_owned(), source },
    }
}

/// Why `path` may not be used, as far as that can be told.
fn denied(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_owned();
    match fs::metadata(&path) {
        Ok(of) => OpenError::Denied {
            owner: of.uid(),
            mode: of.mode() & 0o7777,
            us: rustix::process::geteuid().as_raw(),
            remedy: if of.is_dir() { "u+rwx" } else { "u+rw" },
            path,
        },
        Err(_) => OpenError::File { path, source },
    }
}

/// Those of the files that others than their owner can read or change, with the mode of each.
#[must_use]
pub fn exposed(path: &Path) -> Vec<(PathBuf, u32)> {
    let mode = |file: PathBuf| {
        let mode = fs::metadata(&file).ok()?.mode() & 0o7777;
        (mode & 0o066 != 0).then_some((file, mode))
    };
    all(path).into_iter().filter_map(mode).collect()
}

/// Whether there is no room for what is written to `path`.
fn is_full(path: &Path) -> bool {
    let room = rustix::fs::statvfs(path.parent().unwrap_or(path));
    room.is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) < ROOM)
}

/// What is in the way of whoever writes to the store at `path`, if anything is to be seen.
pub(crate) fn obstacle(path: &Path) -> Option<OpenError> {
    let path = resolve(path).ok()?;
    check(&path).err().or_else(|| is_full(&path).then_some(OpenError::Full(path)))
}

/// What `error` says of the database at `path`.
pub(crate) fn unusable(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) if !begins_as_one(&path) => OpenError::NotADatabase(path),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::Damaged(path),
        Some(ErrorCode::DiskFull) => OpenError::Full(path),
        Some(ErrorCode::SystemIoFailure) if is_full(&path) => OpenError::Full(path),
        _ => OpenError::Sqlite { path, why: words(error) },
    }
}

/// What SQLite says, once.
pub(super) fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(words)) => words.clone(),
        rusqlite::Error::SqliteFailure(code, None) => {
            ffi::code_to_str(code.extended_code).to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether the file at `path` was a database when it was longer.
fn begins_as_one(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.is_ok() && !head.is_empty() && MAGIC.starts_with(&head)
}
