//! API tokens of applications and of administrators, and the sessions that signing in begins.

pub mod grant;
pub mod rows;
pub mod rules;
pub mod sessions;

pub(crate) mod routes;
