//! Backups: copies of a store to keep, which are known to be whole, and how a store is made of one again.
//!
//! A backup is two files. The store, packed by zstd, is a SQLite file whichever engine it came from: a copy
//! of all pages on SQLite, all rows on PostgreSQL, of one moment either way, made while servers go on.
//! The manifest says how long the store is, its digests, and the checksum of each table. It is written
//! last: a store without its manifest is no backup.

mod age;
mod background;
mod directory;
mod error;
mod extract;
mod make;
mod manifest;
mod restore;
mod schedule;
mod unpack;

pub use age::{Identity, KeyError, Recipient, read_identities};
pub use error::BackupError;
pub use extract::{Extract, Extracted};
pub use make::{Begun, Checked, Copied, Packed};
pub use manifest::{Encryption, Manifest, Source, TableSum, find, list};
pub use restore::{Restored, Tokens, Unpacked, must_be_free, scratch};
pub use schedule::{BackupSettings, Failure, last_failure, make, prune};
pub use unpack::Scratch;
