//! What the stores of Guestlist are opened with.

use super::Options;
use super::backlog::SearchUpkeep;
use super::migrate::Migration;
use super::schema::Schema;
use super::tuning::Tuning;
use super::upkeep::Upkeep;

/// All of it.
pub(super) const SCHEMA: Schema =
    Schema { migrations: MIGRATIONS, values: "settings", upkeep: Some(upkeep) };

fn upkeep(options: &Options) -> Box<dyn Upkeep> {
    let tuning = options.extension.downcast_ref().unwrap_or(&Tuning::DEFAULT);
    Box::new(SearchUpkeep::new(tuning))
}

/// Every migration there ever was, in order: they are added to, never changed.
pub(super) const MIGRATIONS: &[Migration<'static>] = &[
    Migration { both: include_str!("../../migrations/0001_init.sql"), sqlite: "", postgres: "" },
    Migration {
        both: include_str!("../../migrations/0002_query.sql"),
        sqlite: include_str!("../../migrations/0002_query.sqlite.sql"),
        postgres: include_str!("../../migrations/0002_query.postgres.sql"),
    },
    Migration { both: include_str!("../../migrations/0003_counts.sql"), sqlite: "", postgres: "" },
    Migration {
        both: "",
        sqlite: include_str!("../../migrations/0004_search.sqlite.sql"),
        postgres: include_str!("../../migrations/0004_search.postgres.sql"),
    },
    Migration { both: include_str!("../../migrations/0005_moves.sql"), sqlite: "", postgres: "" },
    Migration {
        both: include_str!("../../migrations/0006_long_names.sql"),
        sqlite: include_str!("../../migrations/0006_long_names.sqlite.sql"),
        postgres: include_str!("../../migrations/0006_long_names.postgres.sql"),
    },
    Migration {
        both: "",
        sqlite: include_str!("../../migrations/0007_find.sqlite.sql"),
        postgres: "",
    },
    Migration {
        both: "",
        sqlite: include_str!("../../migrations/0008_late.sqlite.sql"),
        postgres: "",
    },
    Migration {
        both: include_str!("../../migrations/0009_children.sql"),
        sqlite: "",
        postgres: "",
    },
];
