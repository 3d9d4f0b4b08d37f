//! What tells who a caller is: hashes of passwords, and tokens.

pub mod hasher;
mod recent;
pub mod seal;
pub mod token;
