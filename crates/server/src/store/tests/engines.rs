//! A store of either engine, for what has to be so on both.

use super::super::ephemeral::Database;
use crate::error::{Error, Result};
use crate::rows::Tx;
use crate::store::{Options, Store};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

/// A new database in the cluster that is there for tests.
pub(super) fn database() -> Database {
    let url = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
        "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
    );
    Database::new(&url).unwrap()
}

/// A new store, which is gone with this.
pub(super) struct Own {
    store: Store,
    runtime: Runtime,
    /// After the store, which has connections to it.
    _database: Option<Database>,
}

impl Own {
    pub(super) fn on_sqlite() -> Self {
        let (store, _) = Store::ephemeral(&options()).unwrap();
        Self::new(store, None)
    }

    pub(super) fn on_postgres() -> Self {
        let database = database();
        let store = Store::open_at(&database.place(), &options()).unwrap();
        Self::new(store, Some(database))
    }

    fn new(store: Store, database: Option<Database>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { store, runtime, _database: database }
    }

    /// Runs `work` where it can write, and keeps it.
    pub(super) fn kept<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.runtime.block_on(self.store.write(work))
    }

    /// Runs `work` where it can write, and undoes it: a store that others have written to costs more
    /// to empty than to fill.
    pub(super) fn undone<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.runtime.block_on(undone(&self.store, work))
    }
}

/// One of each engine, for what has to be the same on both.
pub(super) struct Both {
    sqlite: Own,
    postgres: Own,
}

impl Both {
    pub(super) fn new() -> Self {
        Self { sqlite: Own::on_sqlite(), postgres: Own::on_postgres() }
    }

    /// What `work` gives on SQLite and on PostgreSQL, at once; as [`Own::undone`].
    pub(super) fn undone<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> [Result<T>; 2] {
        let sqlite = undone(&self.sqlite.store, work.clone());
        let postgres = undone(&self.postgres.store, work);
        self.sqlite.runtime.block_on(async { tokio::join!(sqlite, postgres) }).into()
    }
}

fn options() -> Options {
    Options { readers: 1, writers: 1, ..super::small() }
}

async fn undone<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let outcome = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&outcome);
    let undo = store.write::<()>(move |tx| {
        *kept.lock().unwrap() = Some(Ok(work(tx)?));
        Err(Error::Forbidden)
    });
    let undo = undo.await;
    let outcome = outcome.lock().unwrap().take();
    match (undo, outcome) {
        (Err(Error::Forbidden), Some(outcome)) => outcome,
        (undo, _) => Err(undo.expect_err("nothing is kept")),
    }
}
