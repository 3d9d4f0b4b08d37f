//! How the engines run the statements of the store.

mod ahead;
mod postgres;
mod sqlite;
mod statements;
mod together;

use super::engines::Own;
use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rows as groups;
use crate::directory::groups::rules::new_group;
use crate::directory::users::rules::new_user;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::error::Result;
use crate::rows::list::{Paging, Start};
use crate::rows::tenant::Tenant;
use crate::rows::{Param, Tx};
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_user::{ExperienceUser, ExperienceUserSort, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ObjectId};
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use guestlist_store::{self as store, Change, Each, Engine, Environment, Query};
use serde_json::json;
use std::collections::BTreeMap;

/// What an engine says of how it would run a statement, a text for each step.
type Explain = fn(&mut dyn Engine, &str, &[&dyn Param]) -> Result<Vec<String>>;

/// An engine that notes how each statement is going to be run.
struct Noting<'c> {
    session: &'c mut dyn Engine,
    explain: Explain,
    plans: Vec<Plan>,
}

/// A statement, and how it is run.
#[derive(Debug)]
struct Plan {
    sql: String,
    steps: Vec<String>,
}

/// Statements that may read a table from its start to its end, by how they begin.
const WHOLE: [(&str, &str); 7] = [
    ("DELETE FROM ", "all of it goes: `ephemeral::clear`, in tests"),
    ("UPDATE experience_groups SET parent_id = NULL", "before all groups go: the same"),
    (
        "SELECT count(*) AS total FROM applications a WHERE a.name_key LIKE",
        "a pattern has no index",
    ),
    ("SELECT count(*) AS total FROM users a", "administrators are few"),
    ("SELECT count(*) AS total FROM users a WHERE a.email_key LIKE", "the same"),
    ("SELECT count(*), min(due) FROM (SELECT due FROM work", "for a metric, and so many at most"),
    ("SELECT last FROM sign_in_attempts ORDER BY last DESC", "now and then, and so many at most"),
];

impl Plan {
    /// Whether it is one of those, or a page of all applications or administrators: these are read in order until the
    /// page is full.
    fn may_read_all(&self) -> bool {
        let bare = !self.sql.contains(" WHERE ");
        let named = WHOLE
            .iter()
            .any(|(start, _)| self.sql.starts_with(start) && (bare || start.contains(" WHERE ")));
        let few = [" FROM applications a", " FROM users a"];
        let page = few.iter().any(|few| self.sql.contains(few)) && self.sql.contains(" LIMIT ");
        named || page
    }

    /// Whether rows are put in order, rather than read in it. Not so those that are alike but for
    /// their ids.
    fn sorts(&self) -> bool {
        let sort = |step: &String| {
            step.starts_with("USE TEMP B-TREE FOR ORDER BY") || step.starts_with("Sort ")
        };
        self.steps.iter().any(sort)
    }

    fn is_page(&self) -> bool {
        self.sql.contains(" AS sorted_by ")
    }

    fn uses(&self, index: &str) -> bool {
        self.steps.iter().any(|step| step.contains(index))
    }
}

impl Noting<'_> {
    fn note(&mut self, sql: &str, params: &[&dyn Param]) -> store::Result<()> {
        let steps = (self.explain)(self.session, sql, params).map_err(store::Error::internal)?;
        self.plans.push(Plan { sql: sql.into(), steps });
        Ok(())
    }
}

impl Engine for Noting<'_> {
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> store::Result<bool> {
        self.note(query.sql, query.params)?;
        // It is run as any other is.
        self.session.query(&Query { single: false, ..*query }, each)
    }

    fn run(&mut self, change: &Change<'_>) -> store::Result<u64> {
        self.note(change.sql, change.params)?;
        self.session.run(&Change { deferred: false, ..*change })
    }

    fn environment(&self) -> Environment {
        self.session.environment()
    }
}

const APPLICATION: ApplicationId = ApplicationId(ObjectId::from_bytes([1; 12]));
const GROUP: ExperienceGroupId = ExperienceGroupId(ObjectId::from_bytes([2; 12]));
const USER: ExperienceUserId = ExperienceUserId(ObjectId::from_bytes([3; 12]));

/// One user, in one group, and some more who are in none and have no tags.
fn populate(tx: &mut Tx<'_>) -> Result<()> {
    let now = DateTime::from_millis(0);
    let post = wire::read("application", json!({ "name": "a" })).unwrap();
    let organization = "0".repeat(24).parse().unwrap();
    let new = new_application(&post, APPLICATION, organization, now);
    let tenant = applications::add(tx, &new)?;
    let post = wire::read("experienceGroup", json!({ "name": "a" })).unwrap();
    let group = new_group(&post, GROUP, APPLICATION, Vec::new(), Vec::new(), now);
    groups::add(tx, tenant, &group)?;
    let post = json!({ "email": "a@b", "password": "Correct-h0rse", "userTags": { "a": "b" } });
    let post = wire::read("experienceUser", post).unwrap();
    let groups = vec![GroupRef { id: GROUP, name: "a".into(), parent_id: None }];
    let user = new_user(&post, USER, APPLICATION, groups, now);
    users::add(tx, tenant, &user, &PasswordHash::from_stored("$argon2id$".into()))?;
    let mut other = user.clone();
    (other.experience_groups, other.user_tags.0) = (Vec::new(), BTreeMap::new());
    add_like(tx, tenant, &other, "other", 12)
}

/// Adds `count` users like `user`, whose addresses start with `start`.
fn add_like(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user: &ExperienceUser,
    start: &str,
    count: u16,
) -> Result<()> {
    for index in 0..count {
        let mut bytes = [0; 12];
        bytes[..2].copy_from_slice(&start.as_bytes()[..2]);
        bytes[10..].copy_from_slice(&index.to_be_bytes());
        let id = ExperienceUserId(ObjectId::from_bytes(bytes));
        let new = ExperienceUser { id, email: format!("{start}{index}@b"), ..user.clone() };
        users::add(tx, tenant, &new, &PasswordHash::from_stored("x".into()))?;
    }
    Ok(())
}

/// How everything that `work` does is run, once `before` was done.
fn noted(
    own: &Own,
    explain: Explain,
    before: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
) -> Vec<Plan> {
    let noted = own.undone(move |tx| {
        before(tx)?;
        let mut noting = Noting { session: tx.engine(), explain, plans: Vec::new() };
        work(&mut Tx::new(&mut noting)).map(|()| noting.plans)
    });
    let noted = noted.unwrap();
    assert!(!noted.is_empty());
    noted
}

const LISTING: user_listing::Listing = user_listing::Listing {
    query: None,
    filter: None,
    membership: None,
    search: None,
    ancestors: false,
    sort: ExperienceUserSort::Email,
    paging: Paging { start: Start::Page(0), per_page: 100, direction: SortDirection::Asc },
};
