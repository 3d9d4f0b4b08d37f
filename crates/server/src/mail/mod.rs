//! Mail to the users of an application: written down in the transaction that wants it, sent by the worker of the
//! queue.

pub mod rows;
pub mod rules;

pub(crate) mod letter;
pub(crate) mod routes;

mod deliver;
mod inbox;
mod transport;

pub(crate) use deliver::{KIND, url};
pub use inbox::{Inbox, Received};
pub use transport::{Mail, MailSettings};
