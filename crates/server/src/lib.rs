//! Guestlist, as a library: the binary, and the tests, stand on it.
//!
//! A capability is a folder: `rules` know neither HTTP nor SQL, `rows` are its tables, and `routes`
//! its part of the API. They are `directory`, `applications`, `tokens`, `administrators`,
//! `sign_in` and `operations`, which has routes only. What they stand on: `rest` is the frame of the API, on
//! `http`, which serves; `rows` is what all tables share, on the engine in `crates/store`; `auth`
//! proves who asks. `store` opens the engine with all tables, `moving` copies them, `backup` makes
//! copies to keep, and `doctor` says what is wrong with them.
//!
//! A capability may import from another, but never its routes. `http` knows no route, and `rows`
//! imports no capability.

pub mod administrators;
pub mod applications;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod directory;
pub mod doctor;
pub mod error;
pub mod http;
pub mod links;
pub mod mail;
pub mod moving;
pub mod operations;
pub mod population;
pub mod public_url;
pub mod rest;
pub mod rows;
pub mod server;
pub mod sign_in;
pub mod store;
pub mod telemetry;
pub mod testing;
pub mod tokens;
pub mod work;

mod priority;
