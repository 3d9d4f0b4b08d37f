//! What tests with a database server stand on. Nothing here is part of the product.
//!
//! [`Cluster`] is a throwaway PostgreSQL that can be killed, copied to a standby and promoted;
//! [`Proxy`] a wire to it that can be cut in the middle of a commit. [`linear`] judges what was answered in the
//! meantime. [`process`] and [`http`] are the program under test and a client of it.

mod cluster;
pub mod http;
mod identity;
mod keeper;
pub mod linear;
pub mod process;
mod programs;
mod proxy;
mod random;

pub use cluster::{Certificate, Cluster, Settings};
pub use programs::{BIN, Programs};
pub use proxy::{Fate, Proxy};
pub use random::Random;
