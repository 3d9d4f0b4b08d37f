//! What the errors of SQLite mean to whoever asked.

use super::connect::Role;
use crate::error::Error;
use crate::freeze::Frozen;
use crate::job::{FULL, busy, cannot_write, refused, too_long};
use rusqlite::{ErrorCode, ffi};

/// Whether a commit that failed with `error` may be found all the same: what it wrote to the WAL may
/// have the mark of a commit, whether it is on the disk or not. A full disk is refused before that
/// mark is whole.
pub(super) fn leaves_doubt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory))
}

/// What `error` means to whoever asked.
pub(super) fn fault(error: &rusqlite::Error, role: Role) -> Error {
    const UNIQUE: &str = "UNIQUE constraint failed: ";
    let Some(cause) = error.sqlite_error() else {
        return Error::internal(error.to_string());
    };
    match (cause.code, cause.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            let message = error.to_string();
            Error::Taken(message.strip_prefix(UNIQUE).unwrap_or(&message).to_owned())
        }
        (_, ffi::SQLITE_CONSTRAINT_TRIGGER) => {
            let message = error.to_string();
            Frozen::from_mark(&message).map_or_else(|| Error::internal(message), Frozen::to_error)
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => busy(),
        (ErrorCode::OperationInterrupted, _) => too_long(),
        (ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly, _)
            if role == Role::Write =>
        {
            tracing::error!(%error, "the store cannot write");
            if cause.code == ErrorCode::DiskFull { refused(FULL) } else { cannot_write() }
        }
        _ => Error::internal(error.to_string()),
    }
}
