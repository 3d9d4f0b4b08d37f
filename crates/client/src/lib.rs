//! A client of Guestlist, and of the platform whose API it speaks.

pub mod blocking;
mod client;
mod config;
mod error;
mod request;
mod retry;
mod token;

pub use client::Client;
pub use config::Config;
pub use error::{Error, Transport};
pub use guestlist_api as api;
pub use guestlist_api::entity::FieldError;
pub use request::{Reply, Request};
pub use reqwest::Method;
pub use retry::Retries;
pub use token::Token;
