//! The wire's edge: sockets, limits and bodies, then the route table, then a handler for each row.

pub mod body;
pub mod etag;
pub mod failure;
pub mod limits;
pub mod listen;
pub mod query;
pub mod reply;

mod access_log;
mod administrators;
mod api_tokens;
mod app;
mod applications;
mod buffer;
mod call;
mod coding;
mod cursor;
mod experience;
mod experience_groups;
mod experience_users;
mod grant_cache;
mod input;
mod memory;
mod openapi;
mod pages;
mod resource;
mod response_body;
mod response_cache;
mod root;
mod route;
mod socket;

pub(crate) use response_body::AbortAt;

pub use app::{App, Identity, Parts, Service};
pub use route::Route;

/// The OpenAPI document of the service.
#[must_use]
pub fn openapi() -> serde_json::Value {
    openapi::document(&table())
}

/// Every route of the service: the whole of what it offers.
fn table() -> Vec<Route> {
    root::routes()
        .into_iter()
        .chain(administrators::routes())
        .chain(applications::routes())
        .chain(api_tokens::routes())
        .chain(experience::routes())
        .chain(experience_users::routes())
        .chain(experience_groups::routes())
        .flat_map(route::Routes::into_rows)
        .collect()
}
