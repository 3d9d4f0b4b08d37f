//! The database: the tables of Guestlist, on the engine of `crates/store`.
//!
//! Queries are plain synchronous functions over a [`Tx`]. They run on the store's own threads;
//! `Store::read` and `Store::write` are the only `async` here, so that composing queries is calling
//! functions inside one closure, and no use case is ever half kept.
//!
//! SQL is written once for every engine, with parameters `$1`, `$2`, … that may come in any order
//! and more than once. What an engine says differently is spelled by the engine alone: SQLite drops
//! what locks rows, such as ` FOR UPDATE`, from statements and replaces column types in migrations.
//! Tables keep to immediate constraints, because a deferred one would fail at the commit, which a
//! whole group of writes shares.

pub mod administrators;
pub mod api_tokens;
pub mod applications;
pub mod bare_groups;
pub mod ephemeral;
pub mod experience_groups;
pub mod experience_users;
pub mod idempotency;
pub mod list;
pub mod moving;
pub mod search;
pub mod settings;
pub mod sign_ins;
pub mod tenant;

mod backlog;
mod change_scope;
mod convert;
mod counts;
mod filter;
mod memberships;
mod migrations;
mod open;
mod table;
mod tag_index;
mod tuning;

#[cfg(test)]
mod tests;

pub use change_scope::ChangeScope;
pub use guestlist_store::{
    Address, Ephemeral, FromRow, OnDiskFailure, OpenError, Options, Param, Row, Snapshot, StoreUrl,
};
pub use open::Store;
pub use tuning::Tuning;

use crate::error::Error;

/// A transaction.
pub type Tx<'a> = guestlist_store::Tx<'a, Error>;

/// Whether a store that reads takes changes too.
pub type Writes = guestlist_store::Writes<Error>;
