//! How the users of an application sign in to it, for its backends: `experienceAuth` and
//! `experienceUserTokens`.

pub mod keys;
pub mod rows;
pub mod rules;

pub(crate) mod routes;

mod password;
mod tokens;
