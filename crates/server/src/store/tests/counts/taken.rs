//! What is counted, and what there is to count: the rows, and the bytes that they take.

use super::super::super::migrations::MIGRATIONS;
use super::super::Scratch;
use super::{EACH, Step, run};
use guestlist_store::Migration;
use std::collections::BTreeSet;

/// Every count that is kept, but for those of nothing.
pub(super) const KEPT: &str =
    "SELECT application_id || ' ' || counted || ' ' || total || ' ' || bytes
    FROM counts WHERE total <> 0 OR bytes <> 0 ORDER BY 1";
/// What they should be.
pub(super) const THERE: &str = "
    SELECT ' applications ' || count(*) || ' 0' FROM applications HAVING count(*) > 0 UNION ALL
    SELECT u.application_id || ' users ' || count(*) || ' ' || sum((640 + 5 * octet_length(u.email)
        + 4 * (coalesce(octet_length(u.first_name), 0) + coalesce(octet_length(u.last_name), 0))
        + coalesce((SELECT sum(256 + 3 * (octet_length(t.tag) + octet_length(t.value)))
            FROM user_tags t WHERE t.application_id = u.application_id AND t.user_id = u.id), 0)
        + 1023) / 1024 * 1024)
    FROM experience_users u GROUP BY u.application_id UNION ALL
    SELECT g.application_id || ' groups ' || count(*) || ' ' || sum((640 + 4 * octet_length(g.name)
        + coalesce(octet_length(g.description), 0) + 8 * octet_length(g.endpoint_ids)
        + octet_length(g.device_ids) + octet_length(g.device_tags)
        + coalesce(octet_length(g.device_query), 0)
        + coalesce((SELECT sum(256 + 3 * (octet_length(t.tag) + octet_length(t.value)))
            FROM group_tags t WHERE t.application_id = g.application_id AND t.group_id = g.id), 0)
        + 1023) / 1024 * 1024)
    FROM experience_groups g GROUP BY g.application_id UNION ALL
    SELECT application_id || ' members ' || count(DISTINCT user_id) || ' ' || (count(*) * 256)
    FROM memberships GROUP BY application_id UNION ALL
    SELECT application_id || ' ' || group_id || ' ' || count(*) || ' 0' FROM memberships
    GROUP BY application_id, group_id UNION ALL
    SELECT owner_id || ' tokens ' || count(*) || ' ' || sum((640 + 3 * octet_length(name)
        + coalesce(octet_length(description), 0) + octet_length(scope) + 1023) / 1024 * 1024)
    FROM api_tokens GROUP BY owner_id ORDER BY 1";

#[tokio::test]
async fn what_was_there_before_it_was_counted_is_counted() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let work = store.write(|tx| {
        for number in 0..2 {
            run(tx, number, &Step::Application)?;
            for index in 0..EACH {
                run(tx, number, &Step::Group(index, BTreeSet::new()))?;
            }
            for index in 0..EACH {
                let joined = (0..index).map(|group| group + number).collect();
                run(tx, number, &Step::User(index, joined))?;
                run(tx, number, &Step::Token(index))?;
                run(tx, number, &Step::Say(index, 700 * u16::from(index)))?;
            }
        }
        tx.all::<String>(KEPT, &[])
    });
    let kept = work.await.unwrap();
    assert!(kept.len() > 12, "{kept:?}");
    store.close().await;
    for (made, undo) in [
        ("CREATE TABLE counts", "DROP TABLE counts"),
        ("ALTER TABLE counts ADD COLUMN bytes", "ALTER TABLE applications DROP COLUMN quotas"),
    ] {
        let makes = |migration: &Migration<'_>| migration.both.contains(made);
        let version = MIGRATIONS.iter().position(makes).unwrap();
        scratch.beside().execute_batch(undo).unwrap();
        scratch.migrate_again(version);
    }
    let store = scratch.open();
    let again = store.read(|tx| tx.all::<String>(KEPT, &[])).await.unwrap();
    assert_eq!(again, kept);
}
