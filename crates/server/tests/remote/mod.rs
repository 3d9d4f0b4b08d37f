//! The commands that ask a server over its API: the real program against the real program.

#![cfg(unix)]

mod commands;
mod hints;
mod of_a_server;
mod profiles;
mod scene;
mod tree;
