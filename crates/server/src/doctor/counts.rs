//! What is counted, against what there is.

use super::Looking;
use super::finding::{Command, Few, Findings};
use crate::error::Error;

const WHY: &str = "lists, quotas and summaries show what is counted, and nobody counts again";

/// Rows that are counted for each application: the word, and what counts them anew.
pub(super) const OF_APPLICATIONS: [(&str, &str); 4] = [
    ("users", "SELECT application_id, count(*) AS n FROM experience_users GROUP BY application_id"),
    ("groups", "SELECT application_id, count(*) AS n FROM experience_groups GROUP BY application_id"),
    (
        "members",
        "SELECT application_id, count(DISTINCT user_id) AS n FROM memberships GROUP BY application_id",
    ),
    (
        "tokens",
        "SELECT owner_id AS application_id, count(*) AS n FROM api_tokens WHERE kind = 'application'
         GROUP BY owner_id",
    ),
];

/// Whether all counts are of what there is.
pub(super) fn check(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let mut ask = |sql: &str| {
        let mut some = Few::default();
        looking.ask(sql, &mut some)?;
        findings.add_some("counts", some, WHY, Command::Mend);
        Ok::<_, Error>(())
    };
    ask("SELECT 'there are ' || r.n || ' applications, and ' || coalesce(c.total, 0) || ' are counted'
         FROM (SELECT count(*) AS n FROM applications) r LEFT JOIN counts c
            ON c.application_id = '' AND c.counted = 'applications'
         WHERE coalesce(c.total, 0) <> r.n",
    )?;
    for (word, rows) in OF_APPLICATIONS {
        let sql = format!(
            "SELECT 'application ' || coalesce(r.application_id, c.application_id) || ' has '
                || coalesce(r.n, 0) || ' {word}, and ' || coalesce(c.total, 0) || ' are counted'
             FROM ({rows}) r
             FULL JOIN (SELECT application_id, total FROM counts WHERE counted = '{word}') c
                ON c.application_id = r.application_id
             WHERE coalesce(r.n, 0) <> coalesce(c.total, 0)"
        );
        ask(&sql)?;
    }
    ask("SELECT 'group ' || coalesce(r.group_id, c.counted) || ' has ' || coalesce(r.n, 0)
            || ' members, and ' || coalesce(c.total, 0) || ' are counted'
         FROM (SELECT application_id, group_id, count(*) AS n FROM memberships
            GROUP BY application_id, group_id) r
         FULL JOIN (SELECT application_id, counted, total FROM counts WHERE counted NOT IN
            ('applications', 'users', 'groups', 'members', 'tokens', 'placements')) c
            ON c.application_id = r.application_id AND c.counted = r.group_id
         WHERE coalesce(r.n, 0) <> coalesce(c.total, 0)")?;
    ask("SELECT 'something is counted of the application ' || c.application_id
            || ', which is not there'
         FROM counts c WHERE c.application_id <> '' AND c.total <> 0
            AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.id = c.application_id)")?;
    Ok(())
}
