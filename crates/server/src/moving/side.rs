//! One of the two stores of a move: how it is opened, and tried again while others are in its way.

use super::error::MoveError;
use super::record::{Record, look, swap};
use crate::error::{Error, Result};
use crate::rows::Tx;
use crate::store::{OpenError, Options, Store, StoreUrl};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long something is tried again that others are in the way of, such as a database that is away.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// How a store is run to be moved, or read as a whole.
#[must_use]
pub fn options() -> Options {
    const DAY: Duration = Duration::from_hours(24);
    Options {
        readers: 1,
        writers: 1,
        read_deadline: DAY,
        write_deadline: DAY,
        // Others wait behind whoever waits for a lock on a table.
        lock_deadline: Duration::from_secs(1),
        ..Options::default()
    }
}

/// One of the two stores.
pub(super) struct Side {
    pub(super) store: Store,
    pub(super) at: String,
}

impl Side {
    pub(super) fn open(place: &StoreUrl) -> Result<Self, MoveError> {
        // A path is remembered as it is found from everywhere.
        let at = match place {
            StoreUrl::Sqlite(path) => std::path::absolute(path)
                .map_err(|source| OpenError::File { path: path.clone(), source })?
                .display()
                .to_string(),
            StoreUrl::Postgres(address) => address.to_string(),
        };
        Ok(Self { store: Store::open_at(place, &options())?, at })
    }

    pub(super) fn failed(&self, source: Error) -> MoveError {
        MoveError::Store { at: self.at.clone(), source }
    }

    pub(super) async fn look(&self) -> Result<Option<Record>, MoveError> {
        self.store.read(look).await.map_err(|error| self.failed(error))
    }

    /// Writes, once others are out of the way.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T, MoveError> {
        let since = Instant::now();
        loop {
            match self.store.write(work.clone()).await {
                Err(Error::Busy { .. } | Error::Unknown { .. }) if since.elapsed() < PATIENCE => {
                    pause().await;
                }
                done => return done.map_err(|error| self.failed(error)),
            }
        }
    }

    pub(super) async fn swap(
        &self,
        known: Option<&str>,
        record: Option<Record>,
    ) -> Result<(), MoveError> {
        let known = known.map(str::to_owned);
        self.write(move |tx| swap(tx, known.as_deref(), record.as_ref())).await
    }
}

pub(super) async fn pause() {
    sleep(Duration::from_millis(200)).await;
}
