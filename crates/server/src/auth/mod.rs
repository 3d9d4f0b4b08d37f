//! What tells who a caller is: hashes of passwords, and tokens.

pub mod breached;
pub(crate) mod experience_token;
pub mod hasher;
pub(crate) mod keys;
pub(crate) mod meter;
mod password_hash;
pub mod places;
pub mod seal;
pub mod token;
mod verified_tokens;
