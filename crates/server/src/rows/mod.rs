//! What the rows of all tables share, and the tables that belong to no capability: settings, counts
//! and stored answers. The other tables are in the `rows.rs` of their capability, or in a file beside
//! it that is named for what it has. These stand on this and on nothing of `rest`.
//!
//! Queries are plain synchronous functions over a [`Tx`]. They run on the store's own threads, so
//! that composing queries is calling functions inside one closure, and no use case is ever half
//! done.
//!
//! SQL is written once for every engine, with parameters `$1`, `$2`, … that may come in any order
//! and more than once. What an engine says differently is spelled by the engine alone: SQLite drops
//! what locks rows, such as ` FOR UPDATE`, from statements and replaces column types in migrations.
//! Tables have only immediate constraints, because a deferred one would fail at the commit, which a
//! whole group of writes shares.

pub mod idempotency;
pub mod list;
pub mod quotas;
pub mod settings;
pub mod tenant;
pub mod tuning;

pub(crate) mod change_scope;
pub(crate) mod convert;
pub(crate) mod counts;
pub(crate) mod table;

pub use change_scope::ChangeScope;
pub use guestlist_store::{FromRow, Lookup, Param, Row, RowChange, Rows, Statement};

use crate::error::Error;

/// A transaction.
pub type Tx<'a> = guestlist_store::Tx<'a, Error>;
