//! What belongs to the server itself: what it is, whether it works, and what it counts.

pub(crate) mod metrics;
mod process;
pub(crate) mod routes;
