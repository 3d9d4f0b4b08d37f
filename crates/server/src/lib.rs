//! Guestlist, as a library: the binary, and the tests, stand on it.

pub mod clock;
pub mod error;
pub mod store;
