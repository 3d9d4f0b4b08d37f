//! Guestlist, as a library: the binary, and the tests, stand on it.
//!
//! `http` serves, `rest` is the API, `domain` the rules, `store` the database, `auth` the proof of
//! who asks. `rest` calls the others; `domain` knows neither `rest` nor `store`, and `http` none of
//! the three.

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod population;
pub mod rest;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod testing;
