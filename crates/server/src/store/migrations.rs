//! What the stores of Guestlist are opened with.

use crate::directory::search_backlog::SearchUpkeep;
use crate::rows::tuning::Tuning;
use guestlist_store::{Migration, Options, Schema, Upkeep};

/// All of it.
pub(super) const SCHEMA: Schema = Schema {
    name: "guestlist",
    migrations: MIGRATIONS,
    values: "settings",
    secret: "the key that signs tokens",
    upkeep: Some(upkeep),
};

fn upkeep(options: &Options) -> Box<dyn Upkeep> {
    let tuning = options.extension.downcast_ref().unwrap_or(&Tuning::DEFAULT);
    Box::new(SearchUpkeep::new(tuning))
}

/// Which of all versions stores have that this program opens.
pub(crate) const VERSION: usize = MIGRATIONS.len();

/// Every migration there ever was, in the order of the numbers of their files.
pub(crate) const MIGRATIONS: &[Migration<'static>] =
    include!(concat!(env!("OUT_DIR"), "/migrations.rs"));
