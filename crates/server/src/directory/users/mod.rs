//! End users of an application.

pub mod by_id;
pub mod listing;
pub mod rows;
pub mod rules;

pub(crate) mod routes;
