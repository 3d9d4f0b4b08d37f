//! PostgreSQL: its connections, its errors, and the threads that own a connection each.
//!
//! Messages are those of `postgres-protocol`. Who sends them when is decided here rather than by a
//! client on top of it, because the threads are ours and what matters is in which order messages
//! are sent and waited for (`session.rs`): a read is one way to the database and back where its
//! statements are told ahead, and its transaction needs neither a beginning nor an end of its own.

pub(crate) mod address;
pub(crate) mod freeze;
pub(crate) mod migrate;
pub(crate) mod replica;
pub(crate) mod row;
pub(crate) mod scratch;
pub(crate) mod start;

mod ahead;
mod backoff;
mod connection;
mod end_point;
mod ending;
mod fault;
mod pooler;
mod read_batch;
mod role;
mod session;
mod socket;
mod standby;
mod statements;
mod tls;
mod wire;
mod worker;
mod write_batch;
