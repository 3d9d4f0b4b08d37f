//! A client of Guestlist, and of the platform whose API it speaks.
//!
//! ```
//! # mod demo { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo/mod.rs")); }
//! use guestlist_client::bodies::{ExperienceUserPatch, ExperienceUserPost};
//! use guestlist_client::{Client, Config, Token};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), guestlist_client::Error> {
//! # let demo = demo::Demo::start();
//! # let (url, token, application) = (demo.url.clone(), demo.token.clone(), demo.application);
//! let client = Client::new(Config::new(url).token(token))?;
//!
//! let ann = ExperienceUserPost::new("ann@example.com", "correct horse").first_name("Ann");
//! let ann = client.experience_users(application).create(ann).await?;
//!
//! let user = client.experience_user(application, ann.id).get().await?;
//! assert_eq!(user.email, "ann@example.com");
//!
//! // Only if nobody has changed it since it was read:
//! let user = user.patch(ExperienceUserPatch::new().last_name("Lee")).if_unchanged().await?;
//! assert_eq!(user.last_name.as_deref(), Some("Lee"));
//!
//! // All of them, page by page:
//! let mut users = client.experience_users(application).list().stream();
//! while let Some(user) = users.next().await {
//!     println!("{}", user?.email);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without an asynchronous runtime, [`blocking::Client`] has the same actions, which are done by
//! [`Call::send`]:
//!
//! ```
//! # mod demo { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo/mod.rs")); }
//! use guestlist_client::{Config, Token, blocking};
//!
//! # fn main() -> Result<(), guestlist_client::Error> {
//! # let demo = demo::Demo::start();
//! # let (url, email, password) = (demo.url.clone(), demo::EMAIL, demo::PASSWORD);
//! let client = blocking::Client::new(Config::new(url))?;
//! let session = client.sign_in(email, password).send()?;
//! let client = client.with_token(&Token::new(session.token.unwrap_or_default()))?;
//! assert_eq!(client.me().get().send()?.email, email);
//! for application in client.applications().list().items() {
//!     println!("{}", application?.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What goes wrong
//!
//! Every [`Error`] of a server has the status, the type, the message, and the fields that are
//! wrong. What may pass is tried again, as [`Retries`] says, if it is safe: a write carries an
//! `Idempotency-Key`, which this server honours. Against the hosted platform, which does not, use
//! [`Retries::hosted`].
//!
//! ```
//! # mod demo { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo/mod.rs")); }
//! use guestlist_client::{Error, bodies::ExperienceUserPost};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let demo = demo::Demo::start();
//! # let (client, application) = (demo.client(), demo.application);
//! let nobody = ExperienceUserPost::new("nobody", "short");
//! match client.experience_users(application).create(nobody).await {
//!     Err(Error::Status { status: 400, fields, .. }) => {
//!         assert_eq!(fields[0].field, "experienceUser.email");
//!         assert_eq!(fields[0].validation_message, "must be email format");
//!     }
//!     other => panic!("{other:?}"),
//! }
//! # }
//! ```
//!
//! # Below the actions
//!
//! [`Client::send`] takes a [`Request`] with any path and answers a [`Reply`]. A call shows its own
//! with [`Call::request`].

mod actions;
pub mod blocking;
pub mod bodies;
mod call;
mod client;
mod config;
mod error;
mod list;
mod parameters;
mod proxy;
mod request;
mod resource;
mod retry;
mod sign_in;
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
pub use resource::{Experience, Kind, Listed, Made, Many, One, Resource, action};
pub use retry::Retries;
pub use token::Token;
