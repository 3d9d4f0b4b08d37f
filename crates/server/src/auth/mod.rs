//! What tells who a caller is: hashes of passwords, and tokens.

pub mod hasher;
pub mod seal;
pub mod token;
mod verified_tokens;
