//! Serving HTTP: sockets, limits and bodies, and what every answer carries. What is asked for is no
//! matter of it: that is a [`Handler`](listen::Handler).

pub mod body;
pub mod client_address;
pub mod failure;
pub mod ingress;
pub mod limits;
pub mod listen;
pub mod meter;
pub mod network;
pub mod origins;
pub mod query;
pub mod reply;
pub mod tls;

pub(crate) mod access_log;
pub(crate) mod allowance;
pub(crate) mod coding;
pub(crate) mod heavy;
pub(crate) mod memory;

mod buffer;
mod connections;
mod proxy_protocol;
mod response_body;
mod socket;
mod trace;
mod transfer;
mod transport;
mod unless;

pub(crate) use response_body::AbortAt;
