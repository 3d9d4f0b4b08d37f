//! Applications: the tenants of a server.

pub mod rows;
pub mod rules;

pub(crate) mod quotas;
pub(crate) mod routes;
