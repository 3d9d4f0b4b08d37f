//! What a store is opened with: its tables, as migrations make them, and what is done for them.

use crate::migrate::Migration;
use crate::options::Options;
use crate::upkeep::Upkeep;

/// Makes what the writer does beside what it is asked.
pub type MakeUpkeep = fn(&Options) -> Box<dyn Upkeep>;

/// What a store consists of.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Whose it is, as PostgreSQL lists the connections to it (`application_name`).
    pub name: &'static str,
    /// Every migration there ever was, in order: they are added to, never changed.
    pub migrations: &'static [Migration<'static>],
    /// A table of named values that a migration makes, `name TEXT PRIMARY KEY, value BYTEA NOT NULL`.
    /// The engine keeps a few of its own there.
    pub values: &'static str,
    /// The most secret thing in it, as the warning names it that others on the machine can read it.
    pub secret: &'static str,
    /// Makes what the writer does beside what it is asked, on SQLite.
    pub upkeep: Option<MakeUpkeep>,
}
