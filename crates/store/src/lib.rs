//! Transactions on SQLite or PostgreSQL, behind one door: the engine under the tables of Guestlist.
//!
//! # What it is
//!
//! A [`Store`] is a database, the threads that work on it and the queues before them. A use case is a
//! closure over a [`Tx`] that calls plain synchronous functions; [`Store::read`], [`Store::look_up`] and
//! [`Store::write`] are the `async` functions that run one. One closure is one transaction: all of it is
//! committed, or nothing.
//!
//! - **One SQL text for both engines.** Parameters are `$1`, `$2`, … in any order. What the two spell
//!   differently, such as ` FOR UPDATE`, the engine spells; what they do differently asks
//!   [`Tx::dialect`].
//! - **Statements are data.** A [`Query`] and a [`Change`] say what belongs to the statement beside its
//!   text: what it changes at most, whether anybody waits for its result, what a conflict is called.
//!   Both engines are two functions over these, and a hint ([`Engine`]). What is known before it is
//!   run is a value as well: the one statement of a [`Lookup`], and those that a [`RowChange`] begins
//!   with.
//! - **Commits are shared.** On SQLite writes that wait share a sync (group commit), on PostgreSQL
//!   changes of different rows share a transaction ([`Store::write_row`]), and lookups a round trip
//!   ([`Store::find`]).
//! - **A write has one of three outcomes**: done, not done, or [`Error::Unknown`]. After the first sync
//!   that failed nothing is answered as done.
//! - **Caches can tell whether they are out of date.** A [`Snapshot`] is taken of the rows that an answer
//!   is made of; [`Store::holds`] says whether they are still what they were.
//! - **It knows no table.** A [`Schema`] has the migrations, and the work that its tables need of the
//!   thread that writes on SQLite ([`Upkeep`]).
//!
//! # What it is not
//!
//! It is no query builder and no mapper: SQL is written by hand, and rows are read by [`FromRow`]. It is
//! no client for any statement there is: values are texts, whole numbers, truths and bytes; constraints
//! are immediate; there is no `COPY`, no `LISTEN` and no session that outlives a transaction. It does not
//! go back to an older version of a schema.
//!
//! # An example
//!
//! ```
//! use guestlist_store::{Error, Migration, Options, Result, Schema, Scope, Store, Tx};
//!
//! const SCHEMA: Schema = Schema {
//!     name: "bank",
//!     migrations: &[Migration {
//!         both: "CREATE TABLE named (
//!     name TEXT NOT NULL PRIMARY KEY,
//!     value BYTEA NOT NULL
//! );
//! CREATE TABLE accounts (
//!     owner TEXT NOT NULL PRIMARY KEY,
//!     balance BIGINT NOT NULL CHECK (balance >= 0)
//! );
//! INSERT INTO accounts VALUES ('ada', 10), ('grace', 0);",
//!         sqlite: "",
//!         postgres: "",
//!     }],
//!     values: "named",
//!     secret: "everybody's balance",
//!     upkeep: None,
//! };
//!
//! fn pay(tx: &mut Tx<'_>, from: &str, to: &str, amount: i64) -> Result<()> {
//!     for (owner, by) in [(from, -amount), (to, amount)] {
//!         let sql = "UPDATE accounts SET balance = balance + $2 WHERE owner = $1";
//!         tx.change(Scope::Everything, sql, &[&owner, &by])?;
//!     }
//!     Ok(())
//! }
//!
//! fn balances(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
//!     tx.all("SELECT owner, balance FROM accounts ORDER BY owner", &[])
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let (store, _) = Store::<Error>::ephemeral(&SCHEMA, &Options::default())?;
//! store.write(|tx| pay(tx, "ada", "grace", 3)).await?;
//! // What fails is undone as a whole: there is no such balance.
//! assert!(store.write(|tx| pay(tx, "grace", "ada", 100)).await.is_err());
//! assert_eq!(store.read(balances).await?, [("ada".into(), 7), ("grace".into(), 3)]);
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! | To read about | Open |
//! |---|---|
//! | the door, and what waits behind it | `store.rs`, `job.rs`, `queue.rs` |
//! | who is served when | `flow.rs`, `turns.rs` |
//! | what a function of a schema can ask for | `tx.rs`, `engine.rs`, `statement.rs` |
//! | commits on SQLite, its WAL and its disk | `sqlite/writer.rs`, `sqlite/wal.rs`, `sqlite/disk.rs` |
//! | the order of messages to PostgreSQL | `postgres/mod.rs`, `postgres/session.rs` |
//! | what goes to PostgreSQL together | `postgres/read_batch.rs`, `postgres/write_batch.rs` |
//! | what is counted, for whoever watches | `meter.rs` |
//! | how caches know what has changed | `versions.rs`, `scope.rs` |

mod chance;
mod engine;
mod error;
mod flow;
mod freeze;
mod inspect;
mod job;
mod meter;
mod migrate;
mod options;
mod pools;
mod postgres;
mod queue;
mod row;
mod schema;
mod scope;
mod scratch;
mod sqlite;
mod statement;
mod store;
mod turns;
mod tx;
mod upkeep;
mod url;
mod value;
mod versions;

#[cfg(test)]
mod tests;

pub use engine::{Change, Dialect, Each, Engine, Environment, Query};
pub use error::{Error, JobError, Result};
pub use flow::Flow;
pub use freeze::Frozen;
pub use inspect::Inspector;
pub use meter::{Meter, SECONDS};
pub use migrate::{Migration, OpenError};
pub use options::{OnDiskFailure, Options};
pub use postgres::address::Address;
pub use postgres::scratch::Database;
pub use row::{FromRow, Row};
pub use schema::{MakeUpkeep, Schema};
pub use scope::{RowKey, Scope};
pub use scratch::Ephemeral;
pub use sqlite::backup::{Pages, check_database, copy_database, count_pages};
pub use sqlite::files::exposed;
pub use sqlite::migrate::{SCHEMA_OBJECTS, SchemaObject, schema_objects};
pub use statement::{Lookup, RowChange, Rows, Statement};
pub use store::{Store, Writes, migrate};
pub use turns::{Held, Turns};
pub use tx::Tx;
pub use upkeep::{Upkeep, UpkeepError};
pub use url::StoreUrl;
pub use value::{Column, Param, ValueType};
pub use versions::Snapshot;
