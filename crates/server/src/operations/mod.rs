//! What belongs to the server itself: what it is, and whether it works.

pub(crate) mod routes;
