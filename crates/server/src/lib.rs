//! Guestlist, as a library: the binary, and the tests, stand on it.
//!
//! `http` is the edge, `domain` the rules, `store` the database, `auth` the proof of who asks.
//! `http` calls the other three; `domain` knows neither `http` nor `store`.

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod population;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod testing;
