//! The wire of Guestlist: what goes over HTTP, as types. The server and its clients share them;
//! a field here is a promise.

pub mod id;
pub mod scope;
pub mod secret;
pub mod time;
pub mod wire;
