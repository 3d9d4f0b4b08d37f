//! What the programs here have in common.

pub mod http;
