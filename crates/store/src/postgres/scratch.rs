//! A database of a test's own.

use super::address::Address;
use super::connection::Connection;
use super::fault::unusable;
use crate::chance;
use crate::migrate::OpenError;
use crate::url::StoreUrl;
use std::io;
use std::time::Duration;

/// How long making one and removing it may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A database in a cluster whose administrator we are. It is removed with this.
#[derive(Debug)]
pub struct Database {
    cluster: Address,
    own: Address,
}

impl Database {
    /// A new one, in the cluster at `url`.
    ///
    /// # Errors
    /// When that is no address, or cannot be reached, or makes none.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        let wrong =
            |why: String| OpenError::Postgres { at: "the cluster of the tests".into(), why };
        let cluster = Address::parse(url).map_err(wrong)?;
        let random = chance::name().map_err(|error| OpenError::Thread(io::Error::other(error)))?;
        let name = format!("guestlist_{random}");
        let own = Address { database: name.clone(), ..cluster.clone() };
        let database = Self { cluster, own };
        // From the one that nobody uses, so that many can be made at once.
        database.command(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        ))?;
        Ok(database)
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> StoreUrl {
        StoreUrl::Postgres(self.own.clone())
    }

    /// Runs `sql`, which may be several statements, as its owner and beside everybody.
    ///
    /// # Errors
    /// When one of them is refused.
    pub fn run(&self, sql: &str) -> Result<(), OpenError> {
        run(&self.own, sql)
    }

    fn command(&self, sql: &str) -> Result<(), OpenError> {
        run(&self.cluster, sql)
    }
}

fn run(address: &Address, sql: &str) -> Result<(), OpenError> {
    // What is said while connecting has to be answered sooner.
    Connection::open(address, "", PATIENCE)
        .and_then(|mut link| link.command(sql))
        .map_err(|failure| unusable(address, failure))
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.own.database);
        if let Err(error) = self.command(&sql) {
            tracing::warn!(%error, "a database of a test is left behind");
        }
    }
}
