//! The directory of an application: its end users, its groups, who is in which, and how they are
//! found.

pub mod experience;
pub mod groups;
pub mod removal;
pub mod search;
pub mod users;

pub(crate) mod filter;
pub(crate) mod memberships;
pub(crate) mod search_backlog;
pub(crate) mod sizes;
pub(crate) mod tag_index;
