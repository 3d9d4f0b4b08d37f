//! Groups of end users: a forest in each application.

pub mod bare;
pub mod rows;
pub mod rules;

pub(crate) mod routes;
