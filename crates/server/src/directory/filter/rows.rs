//! Rows of other tables: a thing has any number of them. What is asked of them is asked once, whether
//! there is one.

use super::sql::{Filter, joined};
use guestlist_store::Dialect;

/// Rows that belong to a thing.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// The id of the thing.
    pub(super) own: &'static str,
    /// The table, with the name by which its columns are called.
    pub(super) table: &'static str,
    /// Which thing a row belongs to.
    pub(super) of: &'static str,
    /// Whose application it is.
    pub(super) application: &'static str,
    /// SQLite's index of the rows of one thing.
    index: &'static str,
}

/// The groups that a user is a direct member of.
pub(super) const GROUPS_OF_USER: Rows = Rows {
    own: "u.id",
    table: "memberships m",
    of: "m.user_id",
    application: "m.application_id",
    index: "sqlite_autoindex_memberships_1",
};

/// The direct members of a group.
pub(super) const USERS_OF_GROUP: Rows =
    Rows { own: "g.id", of: "m.group_id", index: "memberships_by_group", ..GROUPS_OF_USER };

/// The endpoints of a group.
pub(super) const ENDPOINTS_OF_GROUP: Rows = Rows {
    own: "g.id",
    table: "group_endpoints e",
    of: "e.group_id",
    application: "e.application_id",
    index: "sqlite_autoindex_group_endpoints_1",
};

/// The tags of a user.
pub(super) const TAGS_OF_USER: Rows = Rows {
    own: "u.id",
    table: "user_tags t",
    of: "t.user_id",
    application: "t.application_id",
    index: "sqlite_autoindex_user_tags_1",
};

/// The tags of a group.
pub(super) const TAGS_OF_GROUP: Rows = Rows {
    own: "g.id",
    table: "group_tags t",
    of: "t.group_id",
    index: "sqlite_autoindex_group_tags_1",
    ..TAGS_OF_USER
};

impl Rows {
    /// Where the rows are of which `condition` holds.
    pub(super) fn from(self, application: &str, condition: &str) -> String {
        let Self { table, application: whose, .. } = self;
        let all = joined(vec![format!("{whose} = {application}"), condition.into()], " AND ");
        format!("{table} WHERE {all}")
    }
}

impl Filter<'_> {
    /// That one of `rows` fulfils one of `conditions`, or, unless it `holds`, none. On SQLite, what is
    /// `found` by an index is listed once, and so is what is asked alone; else a thing is looked at,
    /// and then its rows. PostgreSQL decides that by itself, but for a list that is negated: if that
    /// is long it is read again for each thing.
    pub(super) fn some(
        &self,
        rows: Rows,
        conditions: Vec<String>,
        holds: bool,
        found: bool,
    ) -> String {
        let Rows { own, of, table, application: whose, index } = rows;
        let (application, not) = (self.application, if holds { "" } else { "NOT " });
        let by = match self.dialect {
            Dialect::Sqlite if found || self.alone => {
                // Where one of several holds it would rather read all of the index.
                let each = conditions.iter().map(|condition| {
                    format!("SELECT {of} FROM {}", rows.from(application, condition))
                });
                let all = each.collect::<Vec<_>>().join(" UNION ALL ");
                return format!("{not}{own} IN ({all})");
            }
            // It would rather read all rows of the application from another index.
            Dialect::Sqlite => format!(" INDEXED BY {index}"),
            Dialect::Postgres => String::new(),
        };
        let condition = joined(conditions, " OR ");
        format!(
            "{not}EXISTS (SELECT 1 FROM {table}{by}
                WHERE {whose} = {application} AND {of} = {own} AND {condition})"
        )
    }
}
