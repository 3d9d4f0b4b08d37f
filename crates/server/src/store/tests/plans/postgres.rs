//! Which index PostgreSQL uses for each statement that has to be fast however many there are.

use super::super::engines::Own;
use super::{APPLICATION, LISTING, Plan, noted, populate};
use crate::directory::groups::listing as group_listing;
use crate::directory::users::listing as user_listing;
use crate::error::Result;
use crate::rows::list::{Paging, Position, Start, Value};
use crate::rows::tenant::AuthorizedApp;
use crate::rows::{Param, Tx, idempotency};
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_group::{ExperienceGroupSort, Parent};
use guestlist_api::experience_user::{ExperienceUserFilter, ExperienceUserSort, Membership};
use guestlist_api::id::{ExperienceGroupId, ObjectId};
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use guestlist_store::{Engine, ValueType};
use serde_json::json;
use std::collections::BTreeMap;

/// What the server says of a statement: a text for each node of the plan, with its conditions.
fn steps(engine: &mut dyn Engine, sql: &str, params: &[&dyn Param]) -> Result<Vec<String>> {
    let mut steps: Vec<String> = Vec::new();
    Tx::new(engine).each(sql, params, |row| {
        let line: String = row.get_at(0)?;
        match (line.trim_start().strip_prefix("->"), steps.last_mut()) {
            (None, Some(step)) => *step = format!("{step} {}", line.trim_start()),
            (node, _) => steps.push(node.unwrap_or(&line).trim_start().to_owned()),
        }
        Ok(true)
    })?;
    Ok(steps)
}

/// The plan for these values, of those there are the one that the server thinks the fastest.
fn chosen(engine: &mut dyn Engine, sql: &str, params: &[&dyn Param]) -> Result<Vec<String>> {
    steps(engine, &format!("EXPLAIN (COSTS OFF) {sql}"), params)
}

/// The plan for whatever values.
fn general(engine: &mut dyn Engine, sql: &str, params: &[&dyn Param]) -> Result<Vec<String>> {
    let types = params.iter().map(|param| match param.value_type() {
        ValueType::Truth => "boolean",
        ValueType::Bytes => "bytea",
        ValueType::Whole => "bigint",
        ValueType::Text => "text",
    });
    let listed = |words: Vec<&str>| match words[..] {
        [] => String::new(),
        _ => format!("({})", words.join(", ")),
    };
    Tx::new(engine).run(&format!("PREPARE noted{} AS {sql}", listed(types.collect())), &[])?;
    let values = listed(vec!["NULL"; params.len()]);
    let steps = steps(engine, &format!("EXPLAIN (COSTS OFF) EXECUTE noted{values}"), &[])?;
    Tx::new(engine).run("DEALLOCATE noted", &[])?;
    Ok(steps)
}

/// An index, and the first of its columns.
type Indexes = BTreeMap<String, String>;

const INDEXES: &str = "SELECT c.relname::text, a.attname::text FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]";

/// Any of the columns of this is as good as the first.
const BY_PART: &str = "experience_users_by_part";

/// The steps that read all of a table, or of an index.
fn whole<'p>(plan: &'p Plan, indexes: &Indexes) -> Vec<&'p String> {
    let reads_all = |step: &&String| {
        let Some((scan, rest)) = step.split_once(" Scan ") else { return false };
        let words: Vec<&str> = rest.split(' ').collect();
        let index = match (scan, &words[..]) {
            ("Seq" | "Parallel Seq", _) => return true,
            ("Bitmap Index", ["on", index, ..])
            | (_, ["using", index, ..] | ["Backward", "using", index, ..]) => index,
            _ => return false,
        };
        let condition = step.split_once("Index Cond: ").map_or("", |(_, condition)| condition);
        let first = &indexes[*index];
        *index != BY_PART
            && ![' ', ','].iter().any(|end| condition.contains(&format!("({first}{end}")))
            || condition.is_empty()
    };
    plan.steps.iter().filter(reads_all).collect()
}

/// How everything that `work` does is run after `before`, if the server reads a table from its start
/// to its end only where nothing else serves; and the indexes there are.
fn forced(
    before: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
) -> (Vec<Plan>, Indexes) {
    let own = Own::on_postgres();
    let indexes = own.undone(|tx| tx.all::<(String, String)>(INDEXES, &[])).unwrap();
    let before = move |tx: &mut Tx<'_>| {
        populate(tx)?;
        before(tx)?;
        tx.run("SET LOCAL enable_seqscan = off", &[])?;
        tx.run("SET LOCAL plan_cache_mode = force_generic_plan", &[]).map(drop)
    };
    (noted(&own, general, before, work), indexes.into_iter().collect())
}

/// The plans of everything that `work` does: none reads all of what grows.
pub(super) fn plans(work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static) -> Vec<Plan> {
    let (plans, indexes) = forced(|_| Ok(()), work);
    for plan in &plans {
        let whole = whole(plan, &indexes);
        assert!(
            whole.is_empty() || plan.may_read_all() && !plan.sorts(),
            "{whole:?}\n{}",
            plan.sql
        );
    }
    plans
}

/// What the test of all statements is worth.
#[test]
fn an_index_that_is_missed_is_noticed() {
    let forget = |tx: &mut Tx<'_>| idempotency::forget(tx, DateTime::from_millis(0), 9).map(drop);
    for (before, missed) in [("SELECT 1", false), ("DROP INDEX answers_by_age", true)] {
        let (plans, indexes) = forced(move |tx| tx.run(before, &[]).map(drop), forget);
        let noticed = plans.iter().any(|plan| !whole(plan, &indexes).is_empty());
        assert_eq!(noticed, missed, "{plans:#?}");
    }
}

/// Two applications with some thousand users and groups each.
const CROWD: [&str; 8] = [
    "INSERT INTO applications (id, name, name_key, created, updated, kept)
        SELECT repeat('9', 24), name, name_key, created, updated, kept FROM applications",
    "INSERT INTO experience_users (application_id, id, email, email_key, first_name, first_name_key,
            last_name, last_name_key, password_hash, created, updated, last_login, tags)
        SELECT a.id, lpad(n::text, 24, '0'), 'user' || n || 'x@b', 'user' || n || 'x@b', 'F' || n % 900,
            'f' || n % 900, 'L' || n % 700, 'l' || n % 700, 'x', n::bigint * 7919 % 6007, n::bigint * 104729 % 6007,
            CASE WHEN n % 3 > 0 THEN n::bigint * 1299709 % 6007 END, '{}'
        FROM applications a, generate_series(1, 6000) n",
    "INSERT INTO experience_groups (application_id, id, name, name_key, created, updated, tags,
            endpoint_ids, device_ids, device_tags)
        SELECT a.id, lpad(n::text, 24, '0'), 'G' || n, 'g' || n, n::bigint * 7919 % 6007, n::bigint * 104729 % 6007,
            '{}', '[]', '[]', '[]'
        FROM applications a, generate_series(1, 2000) n",
    "INSERT INTO memberships (application_id, user_id, group_id)
        SELECT a.id, lpad(n::text, 24, '0'), lpad((1 + n % 2000)::text, 24, '0')
        FROM applications a, generate_series(1, 6000) n",
    "INSERT INTO user_tags (application_id, user_id, tag, value)
        SELECT a.id, lpad(n::text, 24, '0'), 'role', 'v' || n % 1500
        FROM applications a, generate_series(1, 6000) n",
    "INSERT INTO counts (application_id, counted, total)
        SELECT application_id, group_id, count(*) FROM memberships GROUP BY application_id, group_id
        ON CONFLICT (application_id, counted) DO UPDATE SET total = excluded.total",
    "UPDATE counts SET total = 6001 WHERE counted IN ('users', 'members')",
    "UPDATE counts SET total = 2001 WHERE counted = 'groups'",
];

fn crowd(tx: &mut Tx<'_>) -> Result<()> {
    populate(tx)?;
    for sql in CROWD {
        tx.run(sql, &[])?;
    }
    // What was added last is in no order yet.
    let merged = "SELECT gin_clean_pending_list(oid::regclass) FROM pg_class WHERE relname = $1";
    tx.all::<i64>(merged, &[&BY_PART])?;
    let tables = "experience_users, experience_groups, memberships, user_tags, counts";
    tx.run(&format!("ANALYZE applications, {tables}"), &[]).map(drop)
}

/// A store with that crowd in it.
fn crowded() -> Own {
    let own = Own::on_postgres();
    own.kept(crowd).unwrap();
    own
}

/// What the server chooses to do.
fn choice(own: &Own, work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static) -> Vec<Plan> {
    noted(own, chosen, |_| Ok(()), work)
}

fn list(tx: &mut Tx<'_>, listing: &user_listing::Listing) -> Result<()> {
    let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
    let found = user_listing::list(tx, tenant, listing)?;
    assert!(!found.items.is_empty(), "nobody is listed: {listing:?}");
    Ok(())
}

/// The first page and the last, and those from a position in the middle on and back, in both
/// directions.
fn pagings(text: Option<&str>, moment: Option<i64>) -> Vec<Paging> {
    let value = match (text, moment) {
        (Some(text), _) => Value::Text(text.into()),
        (_, Some(moment)) => Value::Moment(moment),
        _ => Value::Nothing,
    };
    let id = format!("{:0>24}", 1000).parse().unwrap();
    let middle = Position { value, id };
    let starts = [Start::Page(0), Start::End, Start::After(middle.clone()), Start::Before(middle)]
        .into_iter();
    let each = |start: Start| {
        [SortDirection::Asc, SortDirection::Desc].map(|direction| Paging {
            start: start.clone(),
            per_page: 100,
            direction,
        })
    };
    starts.flat_map(each).collect()
}

/// How the pages that `work` asks for are read: from `index`, in its order.
fn is_read_in_order(
    own: &Own,
    index: &'static str,
    work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
) {
    let mut pages = choice(own, work);
    pages.retain(|plan| plan.sql.contains(" LIMIT "));
    assert!(pages.len() >= 8);
    for page in pages {
        assert!(page.uses(&format!(" {index} ")) && !page.sorts(), "{index} {page:#?}");
    }
}

#[test]
fn a_page_is_read_from_an_index_in_its_order_on_postgres() {
    let own = crowded();
    for (sort, index, text, moment) in [
        (
            ExperienceUserSort::Email,
            "experience_users_application_id_email_key_key",
            Some("user3"),
            None,
        ),
        (ExperienceUserSort::Id, "experience_users_pkey", None, None),
        (ExperienceUserSort::FirstName, "experience_users_by_first_name", Some("f5"), None),
        (ExperienceUserSort::LastName, "experience_users_by_last_name", Some("l4"), None),
        (ExperienceUserSort::CreationDate, "experience_users_by_created", None, Some(3000)),
        (ExperienceUserSort::LastUpdated, "experience_users_by_updated", None, Some(3000)),
        (ExperienceUserSort::LastLogin, "experience_users_by_last_login", None, Some(3000)),
    ] {
        is_read_in_order(&own, index, move |tx| {
            pagings(text, moment)
                .into_iter()
                .try_for_each(|paging| list(tx, &user_listing::Listing { sort, paging, ..LISTING }))
        });
    }
}

#[test]
fn a_page_of_groups_too_on_postgres() {
    let own = crowded();
    for (sort, index, text, moment) in [
        (ExperienceGroupSort::Name, "experience_groups_by_name", Some("g5"), None),
        (ExperienceGroupSort::Id, "experience_groups_pkey", None, None),
        (ExperienceGroupSort::CreationDate, "experience_groups_by_created", None, Some(3000)),
        (ExperienceGroupSort::LastUpdated, "experience_groups_by_updated", None, Some(3000)),
    ] {
        is_read_in_order(&own, index, move |tx| {
            let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
            pagings(text, moment).into_iter().try_for_each(|paging| {
                let (query, name, parent, bare) = (None, None, None, false);
                let listing = group_listing::Listing { query, name, parent, bare, sort, paging };
                group_listing::list(tx, tenant, &listing).map(drop)
            })
        });
    }
}

/// The groups in none by an index of theirs alone, and those in one by its range of another.
#[test]
fn a_page_of_the_groups_in_one_or_in_none_is_read_in_its_order_on_postgres() {
    let own = crowded();
    own.kept(|tx| {
        // So many that it does not pay to sort them, half of them in one.
        tx.run(
            "INSERT INTO experience_groups (application_id, id, name, name_key, parent_id, created,
                updated, tags, endpoint_ids, device_ids, device_tags)
             SELECT $1, lpad(n::text, 24, '0'), 'G' || n % 10 || n, 'g' || n % 10 || n,
                CASE WHEN n % 4 < 2 THEN lpad('1', 24, '0') END, n, n, '{}', '[]', '[]', '[]'
             FROM generate_series(10001, 50000) n",
            &[&APPLICATION.to_string()],
        )?;
        tx.run("ANALYZE experience_groups", &[]).map(drop)
    })
    .unwrap();
    let within = Parent::Of(format!("{:0>24}", 1).parse().unwrap());
    for (parent, index) in
        [(within, "experience_groups_in_group"), (Parent::None, "experience_groups_in_none")]
    {
        is_read_in_order(&own, index, move |tx| {
            pagings(Some("g5"), None).into_iter().try_for_each(|paging| {
                let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
                let (query, name, bare) = (None, None, true);
                let (parent, sort) = (Some(parent), ExperienceGroupSort::Name);
                let listing = group_listing::Listing { query, name, parent, bare, sort, paging };
                let found = group_listing::list(tx, tenant, &listing)?;
                assert_eq!(found.items.len(), 100);
                Ok(())
            })
        });
    }
}

/// What few have is found by its index, to be counted and to be listed.
#[test]
fn a_few_are_found_by_an_index_on_postgres() {
    let own = crowded();
    let by_part = "SELECT count(*) FROM pg_class WHERE relname = $1";
    let by_part = own.undone(move |tx| tx.first::<i64>(by_part, &[&BY_PART])).unwrap() == Some(1);
    let asking = |query| {
        let query = Some(wire::read("query", query).unwrap());
        user_listing::Listing { query, ..LISTING }
    };
    let matching = |glob: &str| {
        let filter = Some((ExperienceUserFilter::Email, glob.to_owned()));
        user_listing::Listing { filter, ..LISTING }
    };
    let searching = |words: &str| {
        let search = Some(wire::read("search", words.into()).unwrap());
        user_listing::Listing { search, ..LISTING }
    };
    let group = ExperienceGroupId(format!("{:0>24}", 7).parse::<ObjectId>().unwrap());
    let members = user_listing::Listing { membership: Some(Membership::Of(group)), ..LISTING };
    // Where the server has no index of parts, all users of the application are read.
    let part = if by_part { BY_PART } else { "experience_users_" };
    for (listing, index) in [
        (asking(json!({ "userTags": { "role": "v7" } })), "user_tags_by_tag"),
        (asking(json!({ "experienceGroupId": group.to_string() })), "memberships_by_group"),
        (members, "memberships_by_group"),
        (asking(json!({ "email": { "$contains": "R4321X", "$ci": true } })), part),
        (asking(json!({ "email": { "$contains": "r4321x" } })), part),
        (asking(json!({ "email": { "$endsWith": "r4321x@b" } })), part),
        (matching("*r4321x*"), part),
        (searching("r4321x"), part),
        (searching("user432 r4321x"), part),
        (matching("user4321*"), "experience_users_application_id_email_key_key"),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::CreationDate] {
            let listing = user_listing::Listing { sort, ..listing.clone() };
            let asked = listing.clone();
            let plans = choice(&own, move |tx| list(tx, &asked));
            let found = plans.iter().filter(|plan| plan.sql.contains("FROM experience_users u"));
            for plan in found {
                let seq = plan.steps.iter().any(|step| step.starts_with("Seq Scan"));
                assert!(plan.uses(index) && !seq, "{listing:?} {plan:#?}");
            }
        }
    }
}

/// Who is listed unfiltered, or by a group, is not counted: how many there are is kept.
#[test]
fn nobody_counts_what_is_kept_on_postgres() {
    let own = crowded();
    let group = ExperienceGroupId(format!("{:0>24}", 7).parse::<ObjectId>().unwrap());
    for membership in [None, Some(Membership::Any), Some(Membership::Of(group))] {
        let listing = user_listing::Listing { membership, ..LISTING };
        let plans = choice(&own, move |tx| list(tx, &listing));
        assert!(plans.iter().any(|plan| plan.uses("counts_pkey")), "{plans:#?}");
        assert!(!plans.iter().any(|plan| plan.sql.contains("count(*)")), "{plans:#?}");
    }
}
