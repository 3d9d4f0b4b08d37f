//! HTTP, up to where a request has a meaning: sockets, limits, bodies, queries, and what every
//! answer has in common.

pub mod body;
pub mod etag;
pub mod failure;
pub mod listen;
pub mod query;
pub mod reply;

mod coding;
mod socket;
