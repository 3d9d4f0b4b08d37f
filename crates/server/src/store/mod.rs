//! The database: the engine of `crates/store`, opened with the tables of all capabilities.
//!
//! Reading and writing are `async` only at the door: `Store::read`, `Store::look_up` and
//! `Store::write`. What they run is a closure that calls functions of `rows`.

pub mod ephemeral;

pub(crate) mod flows;
pub(crate) mod shared_time;
pub(crate) mod tables;

mod migrations;
mod open;
mod snapshots;

#[cfg(test)]
mod tests;

pub use guestlist_store::{
    Address, Ephemeral, OnDiskFailure, OpenError, Options, Snapshot, StoreUrl,
};
pub(crate) use migrations::{MIGRATIONS, VERSION};
pub use open::Store;
pub(crate) use open::inspect;

use crate::error::Error;

/// Whether a store that reads takes changes too.
pub type Writes = guestlist_store::Writes<Error>;
