//! A client of Guestlist, and of the platform whose API it speaks.

mod actions;
pub mod blocking;
pub mod bodies;
mod call;
mod client;
mod config;
mod error;
mod list;
mod request;
mod resource;
mod retry;
mod token;

pub use call::{Action, Call};
pub use client::Client;
pub use config::Config;
pub use error::{Error, Transport};
pub use guestlist_api as api;
pub use guestlist_api::entity::FieldError;
pub use list::{Items, Iter, Page};
pub use request::{Reply, Request};
pub use reqwest::Method;
pub use resource::{Kind, Listed, Many, One, Resource, action};
pub use retry::Retries;
pub use token::Token;
