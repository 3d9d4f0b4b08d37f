//! The commands that ask a server over its API: the real program against the real program.
#![expect(clippy::unwrap_used, reason = "these are tests")]
#![cfg(unix)]

mod commands;
mod profiles;
mod scene;
