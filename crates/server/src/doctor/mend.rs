//! Making anew what only says again what other rows say, and removing rows that belong to nobody.

use super::counts::OF_APPLICATIONS;
use super::finding::Few;
use super::values::{
    Sizes, sizes_of_groups, sizes_of_memberships, sizes_of_tokens, sizes_of_users,
};
use crate::error::Result;
use crate::rows::{ChangeScope, Tx};
use guestlist_store::Dialect;
use serde::Serialize;

/// What was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mended {
    /// Rows that belonged to nobody, and are gone.
    pub removed: u64,
    /// Rows of the tag index.
    pub tags: u64,
    /// Rows of counts.
    pub counts: u64,
    /// Users whom the search index is told of anew, by the server when it is idle.
    pub searched: u64,
}

/// What nobody may change meanwhile, where writers work side by side.
const LOCK: &str = "LOCK TABLE applications, experience_users, experience_groups, memberships,
    api_tokens, counts, user_tags, group_tags, group_endpoints IN SHARE ROW EXCLUSIVE MODE";

const NOBODYS: [&str; 5] = [
    "DELETE FROM memberships WHERE NOT EXISTS (SELECT 1 FROM experience_users u
        WHERE u.application_id = memberships.application_id AND u.id = memberships.user_id)",
    "DELETE FROM memberships WHERE NOT EXISTS (SELECT 1 FROM experience_groups g
        WHERE g.application_id = memberships.application_id AND g.id = memberships.group_id)",
    "DELETE FROM api_tokens WHERE kind = 'application'
        AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.id = api_tokens.owner_id)",
    "DELETE FROM api_tokens WHERE kind <> 'application'
        AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = api_tokens.owner_id)",
    "DELETE FROM counts WHERE application_id <> ''
        AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.id = counts.application_id)",
];

/// The table of a tag index, whose rows it is of, and what reads them of the JSON on either engine.
const INDEXED: [(&str, &str, &str, &str); 3] = [
    (
        "user_tags (application_id, user_id, tag, value)",
        "SELECT o.application_id, o.id, j.key, j.value FROM experience_users o,",
        "json_each(o.tags) AS j",
        "json_each_text(o.tags::json) AS j (key, value)",
    ),
    (
        "group_tags (application_id, group_id, tag, value)",
        "SELECT o.application_id, o.id, j.key, j.value FROM experience_groups o,",
        "json_each(o.tags) AS j",
        "json_each_text(o.tags::json) AS j (key, value)",
    ),
    (
        "group_endpoints (application_id, group_id, endpoint_id)",
        "SELECT DISTINCT o.application_id, o.id, j.value FROM experience_groups o,",
        "json_each(o.endpoint_ids) AS j",
        "json_array_elements_text(o.endpoint_ids::json) AS j (value)",
    ),
];

/// Everybody, and whatever the search index has beside them.
const SEARCHED: &str = "INSERT INTO user_search_late (number)
    SELECT number FROM experience_users WHERE number IS NOT NULL
    UNION SELECT d.id FROM user_search_docsize d
        WHERE NOT EXISTS (SELECT 1 FROM user_search_left l WHERE l.number = d.id >> 32)
    ON CONFLICT DO NOTHING";

/// Makes anew what can be made of other rows. All of it is done, or nothing.
///
/// # Errors
/// When the store fails, or others are in the way for too long.
pub fn mend(tx: &mut Tx<'_>) -> Result<Mended> {
    let mut mended = Mended::default();
    let dialect = tx.dialect();
    if dialect == Dialect::Postgres {
        tx.run(LOCK, &[])?;
    }
    for sql in NOBODYS {
        mended.removed += tx.change(ChangeScope::Everything, sql, &[])?;
    }
    for (table, rows, sqlite, postgres) in INDEXED {
        let name = table.split(' ').next().unwrap_or_default();
        tx.run(&format!("DELETE FROM {name}"), &[])?;
        let json = if dialect == Dialect::Sqlite { sqlite } else { postgres };
        let sql = format!("INSERT INTO {table} {rows} {json}");
        mended.tags += tx.change(ChangeScope::Everything, &sql, &[])?;
    }
    mended.counts = count_anew(tx)?;
    if dialect == Dialect::Sqlite {
        mended.searched = tx.change(ChangeScope::Everything, SEARCHED, &[])?;
    }
    Ok(mended)
}

/// Counts everything, but for what only grows.
fn count_anew(tx: &mut Tx<'_>) -> Result<u64> {
    tx.run("DELETE FROM counts WHERE counted <> 'placements'", &[])?;
    let mut counted = tx.change(
        ChangeScope::Everything,
        "INSERT INTO counts (application_id, counted, total)
         SELECT '', 'applications', count(*) FROM applications",
        &[],
    )?;
    for (word, rows) in OF_APPLICATIONS {
        let sql = format!(
            "INSERT INTO counts (application_id, counted, total)
             SELECT r.application_id, '{word}', r.n FROM ({rows}) r"
        );
        counted += tx.change(ChangeScope::Everything, &sql, &[])?;
    }
    counted += tx.change(
        ChangeScope::Everything,
        "INSERT INTO counts (application_id, counted, total)
         SELECT application_id, group_id, count(*) FROM memberships GROUP BY application_id, group_id",
        &[],
    )?;
    let mut some = Few::default();
    let sizes: [(&str, Sizes); 4] = [
        ("users", sizes_of_users(tx, &mut some)?),
        ("groups", sizes_of_groups(tx, &mut some)?),
        ("tokens", sizes_of_tokens(tx, &mut some)?),
        ("members", sizes_of_memberships(tx)?),
    ];
    for (word, sizes) in sizes {
        for (application, bytes) in sizes {
            tx.change(
                ChangeScope::Everything,
                "UPDATE counts SET bytes = $3 WHERE application_id = $1 AND counted = $2",
                &[&application, &word, &bytes],
            )?;
        }
    }
    Ok(counted)
}
