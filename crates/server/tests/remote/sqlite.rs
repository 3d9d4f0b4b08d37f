//! The commands that ask a server over its API: the real program against the real program, with its
//! store in a file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]
#![cfg(unix)]

mod commands;
mod hints;
mod profiles;
mod scene;
mod tree;
