//! Links that are mailed to the users of an application, and to those who are to become some.
//!
//! Each is a secret for one purpose, used once. To follow it shows a page and changes nothing; what is sent from
//! there uses it. A newer link of its purpose takes the place of an older one.

pub mod rows;
pub mod rules;
pub mod secret;

pub(crate) mod public;
pub(crate) mod routes;

mod make;
mod spend;
