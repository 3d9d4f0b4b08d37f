//! What tests with a database server stand on. Nothing here is part of the product.
//!
//! [`Cluster`] is a throwaway PostgreSQL that can be killed, copied to a standby and promoted;
//! [`Pooler`] a PgBouncer in front of it, and
//! [`Proxy`] a wire to it that can be cut in the middle of a commit. [`Front`] is a proxy in front of the
//! service itself. [`linear`] judges what was answered in the
//! meantime. [`Disk`] loses its power or its space and [`Calls`] of the system fail when they are told
//! to. [`MailServer`] takes mails. [`connect_from`] connects from
//! where nobody is. [`process`] and [`http`] are the program under test and a client of it. [`Fuzz`] has
//! hostile bytes read.

mod calls;
mod cluster;
mod disk;
mod front;
mod fuzz;
pub mod http;
mod identity;
mod keeper;
pub mod linear;
mod mail_server;
mod pooler;
pub mod process;
mod programs;
mod proxy;
mod random;
mod socket;

pub use calls::Calls;
pub use cluster::{Certificate, Cluster, Settings};
pub use disk::{Cutter, Disk};
pub use front::{Front, FrontProgram};
pub use fuzz::Fuzz;
pub use identity::unprivileged;
pub use mail_server::{MailFate, MailServer, TakenMail};
pub use pooler::{Pooler, Pooling};
pub use programs::{BIN, Programs};
pub use proxy::{Fate, Proxy};
pub use random::Random;
pub use socket::connect_from;
