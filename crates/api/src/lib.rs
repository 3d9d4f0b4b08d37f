//! The wire of Guestlist: what goes over HTTP, as types. The server and its clients share them;
//! a field here is a promise.
//!
//! What comes in is read by [`wire::Wire`] into types that are known to be good; what goes out are
//! plain structs. A resource has a module by its own name.

mod email;
mod switch;

pub mod administrator;
pub mod api_token;
pub mod application;
pub mod entity;
pub mod experience;
pub mod experience_auth;
pub mod experience_group;
pub mod experience_key;
pub mod experience_link;
pub mod experience_mail;
pub mod experience_sign_in;
pub mod experience_user;
pub mod id;
pub mod query;
pub mod quotas;
pub mod scope;
pub mod search;
pub mod secret;
pub mod text;
pub mod time;
pub mod user;
pub mod wire;
