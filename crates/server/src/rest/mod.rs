//! The frame of the REST API: from a request to a row of the route table, through the gate to a
//! handler, and back with an answer. A file imports only from lines below its own, and none of
//! `http` imports any of these:
//!
//! ```text
//! service           looks into the response cache, finds the row, has the request answered
//! table, openapi    every row; the document that describes them
//!                   the routes of the capabilities are here
//! route             what a row is, and the order of the checks
//! actions, pages    what a handler does with a resource, and with a list
//! call              who asks, and the means to answer
//! cached            what goes into the response cache
//! gate, idempotency what becomes of a token; requests that are safe to repeat
//! visitor           who comes to an application without a token of this server
//! caller, state     who calls; what is the same for all requests
//! input             what a request says
//! conditions, outcome
//! resource, schemas, etag, cursor, response_cache, grant_cache, answer_budget, meter
//! ```

pub mod etag;

pub(crate) mod actions;
pub(crate) mod answer_budget;
pub(crate) mod cached;
pub(crate) mod call;
pub(crate) mod caller;
pub(crate) mod conditions;
pub(crate) mod cursor;
pub(crate) mod gate;
pub(crate) mod grant_cache;
pub(crate) mod idempotency;
pub(crate) mod input;
pub(crate) mod meter;
pub(crate) mod openapi;
pub(crate) mod outcome;
pub(crate) mod pages;
pub(crate) mod resource;
pub(crate) mod response_cache;
pub(crate) mod route;
pub(crate) mod schemas;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod visitor;

pub use meter::Meter;
pub use route::Route;
pub use service::{Service, document as openapi};
pub use state::{App, AppParts};
pub use table::table;
