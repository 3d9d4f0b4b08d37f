//! On SQLite, the whole service over real sockets: who may do what, what a repeated or conditional request
//! does, the command line, and the bounds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test each of these is a failure that says where"
)]

mod access;
mod administrators;
mod answers;
mod audit;
mod behind;
mod bounds;
mod browsers;
mod cli;
mod client;
mod conditions;
mod credentials;
mod experience;
mod files;
mod groups;
mod guessing;
mod hostile;
mod idempotency;
mod lengths;
mod links;
mod lists;
mod mail;
mod memberships;
mod metrics;
mod mistakes;
mod neighbours;
mod proxies;
mod quotas;
mod races;
mod ready;
mod refresh;
#[path = "../remote/mod.rs"]
mod remote;
mod search;
mod sign_in;
mod slow_readers;
mod testing;
mod visitors;
mod world;
