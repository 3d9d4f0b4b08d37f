//! Administrators of this server, who sign in to it: the wire's `user`, `me` and `auth`.

pub mod rows;
pub mod rules;
pub mod sign_ins;

pub(crate) mod accounts;
pub(crate) mod routes;

mod password;
