//! Transactions on SQLite or PostgreSQL, behind one door.

mod chance;
mod engine;
mod error;
mod freeze;
mod job;
mod migrate;
mod options;
mod pools;
mod postgres;
mod row;
mod schema;
mod scope;
mod scratch;
mod sqlite;
mod store;
mod tx;
mod upkeep;
mod url;
mod value;
mod versions;

#[cfg(test)]
mod tests;

pub use engine::{Change, Dialect, Each, Engine, Query};
pub use error::{Error, JobError, Result};
pub use freeze::Frozen;
pub use migrate::{Migration, OpenError};
pub use options::{OnDiskFailure, Options};
pub use postgres::address::Address;
pub use postgres::scratch::Database;
pub use row::{FromRow, Row};
pub use schema::{MakeUpkeep, Schema};
pub use scope::{RowKey, Scope};
pub use scratch::Ephemeral;
pub use store::{Store, Writes, migrate};
pub use tx::Tx;
pub use upkeep::{Upkeep, UpkeepError};
pub use url::StoreUrl;
pub use value::{Column, Kind, Param};
pub use versions::Snapshot;
