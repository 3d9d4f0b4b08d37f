//! SQLite: its connections, its spelling and its errors, the thread that writes and those that read.

pub(crate) mod backup;
pub(crate) mod connect;
pub(crate) mod disk;
pub(crate) mod files;
pub(crate) mod freeze;
pub(crate) mod inspect;
pub(crate) mod migrate;
pub(crate) mod readers;
pub(crate) mod start;

mod fault;
mod session;
mod spell;
mod wal;
mod writer;

#[cfg(test)]
pub(crate) use connect::{Durability, Opening, Role, connect};
#[cfg(test)]
pub(crate) use session::{Bounds, Session};
#[cfg(test)]
pub(crate) use spell::spell;
