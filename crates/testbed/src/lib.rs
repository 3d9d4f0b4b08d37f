//! What tests with a database server stand on. Nothing here is part of the product.
//!
//! [`Cluster`] is a throwaway PostgreSQL that can be killed, copied to a standby and promoted;
//! [`Proxy`] a wire to it that can be cut in the middle of a commit.

mod cluster;
mod identity;
mod keeper;
mod programs;
mod proxy;

pub use cluster::{Cluster, Settings};
pub use programs::{BIN, Programs};
pub use proxy::{Fate, Proxy};
