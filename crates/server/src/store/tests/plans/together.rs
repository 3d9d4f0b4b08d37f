//! What a query asks of one field is read together: many conditions cost what one does.

use super::super::engines::Own;
use super::{APPLICATION, LISTING, Plan, add_like, postgres, sqlite};
use crate::directory::groups::listing as group_listing;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::tenant::AuthorizedApp;
use guestlist_api::experience_group::ExperienceGroupSort;
use guestlist_api::experience_user::Membership;
use guestlist_api::wire;
use guestlist_store::{self as store, Change, Each, Engine, Environment, Query};
use serde_json::{Value, json};

/// Conditions on one field, of which `number` is another each time.
type Conditions = fn(number: usize) -> Value;

/// How they are put together, and what they are.
const OF_USERS: [(&str, Conditions); 13] = [
    ("$nor", |number| json!({ "experienceGroupId": { "$gt": id(number) } })),
    ("$nor", |number| json!({ "experienceGroupId": id(number) })),
    ("$and", |number| json!({ "experienceGroupId": { "$ne": id(number) } })),
    ("$and", |number| json!({ "experienceGroupId": { "$nin": [id(number), id(900)] } })),
    ("$and", |number| json!({ "experienceGroupId": { "$gte": id(number) } })),
    ("$or", |number| json!({ "experienceGroupId": { "$lt": id(number) } })),
    ("$or", |number| json!({ "$nor": [{ "experienceGroupId": { "$lte": id(number) } }] })),
    ("$or", |number| json!({ "$or": [{ "$and": [{ "experienceGroupId": id(number) }] }] })),
    ("$and", |number| json!({ "userTags": { "$ne": { "a": format!("{number}") } } })),
    ("$nor", |number| json!({ "userTags": { format!("k{number}"): "a" } })),
    ("$or", |number| json!({ "userTags": { "$tagValue": format!("{number}") } })),
    ("$and", |number| json!({ "userTags": { format!("k{number}"): { "$nin": ["a", "b"] } } })),
    ("$nor", |number| json!({ "userTags": { "$tagKey": { "$in": ["a", format!("{number}")] } } })),
];

/// Each is a range of an index of its own.
const OF_TAGS: (&str, Conditions) =
    ("$nor", |number| json!({ "userTags": { format!("k{number}"): format!("{number}") } }));

const OF_GROUPS: [(&str, Conditions); 6] = [
    ("$nor", |number| json!({ "experienceUserId": { "$gt": id(number) } })),
    ("$and", |number| json!({ "experienceUserId": { "$ne": id(number) } })),
    ("$nor", |number| json!({ "ancestorId": { "$lt": id(number) } })),
    ("$and", |number| json!({ "ancestorId": { "$ne": id(number) } })),
    ("$nor", |number| json!({ "experienceEndpointId": id(number) })),
    ("$and", |number| json!({ "groupTags": { "$ne": { "a": format!("{number}") } } })),
];

/// An id, not of any group or user.
fn id(number: usize) -> String {
    format!("ff{number:022}")
}

fn several((how, condition): (&str, Conditions), count: usize) -> Value {
    json!({ how: (0..count).map(condition).collect::<Vec<_>>() })
}

fn list_users(tx: &mut Tx<'_>, query: &Value) -> Result<()> {
    let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
    let query = Some(wire::read("query", query.clone()).unwrap());
    let listing = user_listing::Listing { query, ..LISTING };
    user_listing::list(tx, tenant, &listing).map(drop)
}

fn list_groups(tx: &mut Tx<'_>, query: &Value) -> Result<()> {
    let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
    let listing = group_listing::Listing {
        query: Some(wire::read("query", query.clone()).unwrap()),
        name: None,
        parent: None,
        bare: true,
        sort: ExperienceGroupSort::Name,
        paging: LISTING.paging,
    };
    group_listing::list(tx, tenant, &listing).map(drop)
}

/// How often a table is read in the statements that count and list. It is once where several ranges of
/// an index are put together.
fn reads(plans: &[Plan]) -> Vec<usize> {
    let reads = |plan: &Plan| {
        let before = [""].into_iter().chain(plan.steps.iter().map(String::as_str));
        let reads = before.zip(&plan.steps).filter(|(before, step)| {
            let range = before.starts_with("INDEX ") || step.starts_with("Bitmap Index Scan");
            !range && (step.starts_with("SEARCH ") || step.contains(" Scan "))
        });
        reads.count()
    };
    plans.iter().filter(|plan| plan.sql.contains(" WHERE ")).map(reads).collect()
}

/// Asserts that as many tables are read for thirty conditions as for two.
fn are_read_together(plans: impl Fn(fn(&mut Tx<'_>, &Value) -> Result<()>, Value) -> Vec<Plan>) {
    let each = |all: &[(&str, Conditions)], list: fn(&mut Tx<'_>, &Value) -> Result<()>| {
        for conditions in all {
            let (two, many) = (several(*conditions, 2), several(*conditions, 30));
            assert_eq!(reads(&plans(list, two.clone())), reads(&plans(list, many)), "{two}");
        }
    };
    each(&OF_USERS, list_users);
    each(&OF_GROUPS, list_groups);
}

#[test]
fn conditions_on_one_field_are_read_together() {
    are_read_together(|list, query| sqlite::plans(move |tx| list(tx, &query)));
}

#[test]
fn conditions_on_one_field_are_read_together_on_postgres() {
    are_read_together(|list, query| postgres::plans(move |tx| list(tx, &query)));
}

/// An engine that tells how many steps of SQLite's machine its statements take, to within a factor of
/// two.
struct Stepping<'c> {
    session: &'c mut dyn Engine,
    steps: u64,
}

impl Engine for Stepping<'_> {
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> store::Result<bool> {
        let mut steps = 1000;
        let within = |steps| Query { steps: Some(steps), ..*query };
        while !self.session.query(&within(steps), &mut |_| Ok(true))? {
            steps *= 2;
        }
        self.steps += steps;
        self.session.query(query, each)
    }

    fn run(&mut self, change: &Change<'_>) -> store::Result<u64> {
        self.session.run(change)
    }

    fn environment(&self) -> Environment {
        self.session.environment()
    }
}

/// The steps that a list takes, of a thousand users.
#[test]
fn many_conditions_take_as_many_steps_as_one() {
    let own = Own::on_sqlite();
    let steps = own.undone(|tx| {
        super::populate(tx)?;
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        let user = users::get(tx, tenant, super::USER)?;
        add_like(tx, tenant, &user, "like", 1000)?;
        let mut steps = |query: &Value| {
            let mut stepping = Stepping { session: tx.engine(), steps: 0 };
            list_users(&mut Tx::new(&mut stepping), query)?;
            Ok::<_, crate::error::Error>(stepping.steps)
        };
        let mut all = Vec::new();
        for conditions in OF_USERS.into_iter().chain([OF_TAGS]) {
            let (one, many) = (several(conditions, 1), several(conditions, 30));
            all.push((steps(&one)?, steps(&many)?, one));
        }
        Ok(all)
    });
    for (one, many, query) in steps.unwrap() {
        assert!(many <= one * 6, "{one} for one, and {many} for thirty: {query}");
    }
}

/// Who is in no group is not found by reading who is in one.
#[test]
fn a_page_of_those_in_no_group_is_read_by_users() {
    let all = sqlite::plans(|tx| {
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        for membership in [Membership::Any, Membership::None] {
            let membership = Some(membership);
            user_listing::list(tx, tenant, &user_listing::Listing { membership, ..LISTING })?;
        }
        Ok(())
    });
    for page in all.iter().filter(|plan| plan.is_page()) {
        assert!(page.uses("memberships_1 (application_id=? AND user_id=?)"), "{:?}", page.steps);
    }
}
