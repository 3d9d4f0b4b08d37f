//! A directory as a whole: what it begins with, and emptying it.

pub mod rules;

pub(crate) mod routes;
