//! What rows say of one another: whom they refer to, and what a tag index repeats.

use super::Looking;
use super::finding::{Command, Few, Findings};
use crate::directory::groups::forest::MAX_DEPTH;
use crate::error::Error;
use guestlist_store::Dialect;

impl Looking<'_> {
    /// Adds what the first column of `sql` says, which is what is wrong, a row each.
    pub(super) fn ask(&mut self, sql: &str, some: &mut Few) -> Result<(), Error> {
        self.read(|tx| {
            tx.each(sql, &[], |row| {
                let what: String = row.get_at(0)?;
                Ok(some.add(|| what))
            })
        })
    }
}

/// Rows that refer to others: what is said of one that is not there, and the rows.
const REFERENCES: [(&str, &str, &str); 8] = [
    (
        "user ' || r.id || ' is of the application ' || r.application_id || ', which is not there",
        "experience_users r",
        "applications t WHERE t.id = r.application_id",
    ),
    (
        "group ' || r.id || ' is of the application ' || r.application_id || ', which is not there",
        "experience_groups r",
        "applications t WHERE t.id = r.application_id",
    ),
    (
        "user ' || r.user_id || ' is in the group ' || r.group_id || ', and there is no such user",
        "memberships r",
        "experience_users t WHERE t.application_id = r.application_id AND t.id = r.user_id",
    ),
    (
        "user ' || r.user_id || ' is in the group ' || r.group_id || ', and there is no such group",
        "memberships r",
        "experience_groups t WHERE t.application_id = r.application_id AND t.id = r.group_id",
    ),
    (
        "token ' || r.id || ' is of the application ' || r.owner_id || ', which is not there",
        "(SELECT * FROM api_tokens WHERE kind = 'application') r",
        "applications t WHERE t.id = r.owner_id",
    ),
    (
        "token ' || r.id || ' is of the administrator ' || r.owner_id || ', who is not there",
        "(SELECT * FROM api_tokens WHERE kind <> 'application') r",
        "users t WHERE t.id = r.owner_id",
    ),
    (
        "the tag ' || r.tag || ' is of the user ' || r.user_id || ', who is not there",
        "user_tags r",
        "experience_users t WHERE t.application_id = r.application_id AND t.id = r.user_id",
    ),
    (
        "the tag ' || r.tag || ' is of the group ' || r.group_id || ', which is not there",
        "group_tags r",
        "experience_groups t WHERE t.application_id = r.application_id AND t.id = r.group_id",
    ),
];

/// Rows that refer to what is not there.
pub(super) fn dangling(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    for (says, rows, target) in REFERENCES {
        let sql = format!("SELECT '{says}' FROM {rows} WHERE NOT EXISTS (SELECT 1 FROM {target})");
        let mut some = Few::default();
        looking.ask(&sql, &mut some)?;
        let lost = rows.starts_with("experience");
        findings.add_some(
            "references",
            some,
            "a row that refers to nothing is counted, and found where it is not looked for",
            if lost { Command::Restore } else { Command::Mend },
        );
    }
    Ok(())
}

/// Groups that no group in no group leads to, or that are too deep.
pub(super) fn forest(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let missing =
        "SELECT 'group ' || g.id || ' is in the group ' || g.parent_id || ', which is not there'
        FROM experience_groups g WHERE g.parent_id IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM experience_groups p
             WHERE p.application_id = g.application_id AND p.id = g.parent_id)";
    let lost = format!(
        "WITH RECURSIVE reached (application_id, id, depth) AS (
            SELECT application_id, id, 1 FROM experience_groups WHERE parent_id IS NULL
            UNION ALL
            SELECT g.application_id, g.id, r.depth + 1 FROM reached r JOIN experience_groups g
                ON g.application_id = r.application_id AND g.parent_id = r.id
            WHERE r.depth < {MAX_DEPTH})
         SELECT 'group ' || g.id || ' is in a circle of groups, or more than {MAX_DEPTH} deep'
         FROM experience_groups g JOIN experience_groups p
            ON p.application_id = g.application_id AND p.id = g.parent_id
         WHERE NOT EXISTS (SELECT 1 FROM reached r
            WHERE r.application_id = g.application_id AND r.id = g.id)"
    );
    for sql in [missing, &lost] {
        let mut some = Few::default();
        looking.ask(sql, &mut some)?;
        findings.add_some(
            "groups",
            some,
            "what is above a group and below it is asked group by group, and that has no end or no root",
            Command::Restore,
        );
    }
    Ok(())
}

/// A table that repeats what a JSON column of others says.
struct Repeated {
    table: &'static str,
    /// Its columns: whose, what it is called, and what it holds, which may be the same.
    columns: [&'static str; 3],
    of: &'static str,
    column: &'static str,
    /// What PostgreSQL and SQLite read the column with.
    postgres: &'static str,
    what: &'static str,
}

const REPEATED: [Repeated; 3] = [
    Repeated {
        table: "user_tags",
        columns: ["user_id", "tag", "value"],
        of: "experience_users",
        column: "tags",
        postgres: "json_each_text(o.tags::json) AS j (key, value)",
        what: "tag",
    },
    Repeated {
        table: "group_tags",
        columns: ["group_id", "tag", "value"],
        of: "experience_groups",
        column: "tags",
        postgres: "json_each_text(o.tags::json) AS j (key, value)",
        what: "tag",
    },
    Repeated {
        table: "group_endpoints",
        columns: ["group_id", "endpoint_id", "endpoint_id"],
        of: "experience_groups",
        column: "endpoint_ids",
        postgres: "json_array_elements_text(o.endpoint_ids::json) AS j (value)",
        what: "endpoint",
    },
];

impl Repeated {
    /// The statement that finds what is in the one and not in the other.
    fn statement(&self, dialect: Dialect) -> String {
        let Self { table, columns: [whose, name, value], of, column, postgres, what } = self;
        let json = match dialect {
            Dialect::Sqlite => format!(
                "json_each(CASE WHEN json_valid(o.{column}) THEN o.{column} ELSE '[]' END) AS j"
            ),
            Dialect::Postgres => (*postgres).to_owned(),
        };
        let key = if name == value { "j.value" } else { "j.key" };
        format!(
            "SELECT '{what} ' || {key} || ' of ' || o.id || ' is not in the tag index'
             FROM {of} o CROSS JOIN LATERAL {json} WHERE NOT EXISTS (SELECT 1 FROM {table} t
                WHERE t.application_id = o.application_id AND t.{whose} = o.id
                AND t.{name} = {key} AND t.{value} = j.value)
             UNION ALL
             SELECT '{what} ' || t.{name} || ' of ' || o.id || ' is in the tag index alone'
             FROM {table} t JOIN {of} o ON o.application_id = t.application_id AND o.id = t.{whose}
             WHERE NOT EXISTS (SELECT 1 FROM {json} WHERE {key} = t.{name})"
        )
    }
}

/// What the tag index says that no user or group says, or the other way around.
pub(super) fn tags(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    for repeated in &REPEATED {
        let mut sql = repeated.statement(looking.dialect);
        if looking.dialect == Dialect::Sqlite {
            // To SQLite it is the only way.
            sql = sql.replace("CROSS JOIN LATERAL", "CROSS JOIN");
        }
        let mut some = Few::default();
        looking.ask(&sql, &mut some)?;
        findings.add_some(
            "tags",
            some,
            "a query that asks for a tag or an endpoint finds whom the index names, and nobody else",
            Command::Mend,
        );
    }
    Ok(())
}
