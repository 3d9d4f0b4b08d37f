//! The wire's edge: sockets, limits and bodies, then the route table, then a handler for each row.

pub mod body;
pub mod etag;
pub mod failure;
pub mod limits;
pub mod listen;
pub mod query;
pub mod reply;

mod access_log;
mod actions;
mod administrators;
mod api_tokens;
mod applications;
mod buffer;
mod cached;
mod call;
mod caller;
mod coding;
mod conditions;
mod cursor;
mod experience;
mod experience_groups;
mod experience_users;
mod gate;
mod grant_cache;
mod idempotency;
mod input;
mod memory;
mod openapi;
mod outcome;
mod pages;
mod resource;
mod response_body;
mod response_cache;
mod root;
mod route;
mod schemas;
mod service;
mod socket;
mod state;
mod table;

pub(crate) use response_body::AbortAt;

pub use route::Route;
pub use service::{Service, document as openapi};
pub use state::{App, Parts};
pub use table::table;
