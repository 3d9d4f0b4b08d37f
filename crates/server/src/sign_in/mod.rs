//! How the users of an application sign in to it, for its backends: `experienceAuth` and
//! `experienceUserTokens`; and what it offers to people themselves: `experienceSignIn`.

pub mod attempts;
pub mod claimant;
pub mod keys;
pub mod marks;
pub mod new_password;
pub mod rows;
pub mod rules;
pub mod settings;

pub(crate) mod key_routes;
pub(crate) mod routes;

mod password;
mod tokens;
