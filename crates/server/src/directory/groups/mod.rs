//! Groups of end users: a forest in each application.

pub mod bare;
pub mod forest;
pub mod listing;
pub mod rows;
pub mod rules;

pub(crate) mod routes;
