//! Guestlist, as a library: the binary, and the tests, stand on it.

pub mod auth;
pub mod clock;
pub mod error;
pub mod http;
