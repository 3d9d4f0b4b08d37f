//! What tests with a database server stand on. Nothing here is part of the product.
//!
//! [`Cluster`] is a throwaway PostgreSQL that can be killed, copied to a standby and promoted;
//! [`Proxy`] a wire to it that can be cut in the middle of a commit. [`linear`] judges what was answered in the
//! meantime.

mod cluster;
mod identity;
mod keeper;
pub mod linear;
mod programs;
mod proxy;

pub use cluster::{Cluster, Settings};
pub use programs::{BIN, Programs};
pub use proxy::{Fate, Proxy};
