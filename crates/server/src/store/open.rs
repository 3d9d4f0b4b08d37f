//! The engine, opened with the tables of Guestlist.

use super::migrations::SCHEMA;
use crate::error::Error;
use guestlist_store::{Ephemeral, Inspector, OpenError, Options, StoreUrl};
use std::ops::Deref;
use std::path::Path;

/// The database. Clones share it; its threads end when the last is dropped, or with
/// [`Store::close`].
#[derive(Debug, Clone)]
pub struct Store(pub(super) guestlist_store::Store<Error>);

impl Store {
    /// Opens the database at `url`, brought up to date, and starts its threads.
    ///
    /// # Errors
    /// As [`Store::open`]; or when the database cannot be reached.
    pub fn open_at(url: &StoreUrl, options: &Options) -> Result<Self, OpenError> {
        guestlist_store::Store::open_at(url, &SCHEMA, options).map(Self)
    }

    /// Opens the SQLite database at `path`, brought up to date, and starts its threads. Where there
    /// is none it makes one that only its owner can read, and the directories that lead to it.
    ///
    /// # Errors
    /// When the file cannot be made, is not a database of ours or is a newer one, or when a
    /// migration or a thread fails.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        guestlist_store::Store::open(path, &SCHEMA, options).map(Self)
    }

    /// Opens a new, empty database that is this store's alone and is gone with it. The proof that it
    /// is one comes along.
    ///
    /// # Errors
    /// When there is no place for its files, or as [`Store::open`].
    pub fn ephemeral(options: &Options) -> Result<(Self, Ephemeral), OpenError> {
        let (store, proof) = guestlist_store::Store::ephemeral(&SCHEMA, options)?;
        Ok((Self(store), proof))
    }

    /// Refuses what comes from now on, finishes what waits, checkpoints the WAL on SQLite and ends
    /// the threads. When that takes too long it returns all the same: what was not answered
    /// by then may not be kept, and what was is safe.
    pub async fn close(self) {
        self.0.close().await;
    }
}

/// Connects to the store at `url` to look at it, whatever version it has.
///
/// # Errors
/// When there is none, or it cannot be reached or read.
pub(crate) fn inspect(url: &StoreUrl, options: &Options) -> Result<Inspector, OpenError> {
    Inspector::open(url, &SCHEMA, options)
}

impl Deref for Store {
    type Target = guestlist_store::Store<Error>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
