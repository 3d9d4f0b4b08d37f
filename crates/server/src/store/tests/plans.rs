//! Which index each statement uses that has to be fast however many there are.

use super::super::applications::{self, Within};
use super::super::list::{Paging, Start};
use super::super::moving::Closed;
use super::super::sqlite::{Durability, Role, Session, connect};
use super::super::{Changed, Engine, Param, Row, Store, Tx, experience_groups, experience_users};
use super::Scratch;
use crate::auth::hasher::PasswordHash;
use crate::domain;
use crate::error::Result;
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_group::ExperienceGroupSort;
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, GroupRef, Membership,
};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ObjectId};
use guestlist_api::query::{GroupQuery, UserQuery};
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// An engine that notes how each statement is going to be run.
struct Noting<'c> {
    session: &'c mut dyn Engine,
    plans: Vec<Plan>,
}

/// A statement, and what SQLite says of how it runs it.
pub(super) struct Plan {
    pub(super) sql: String,
    pub(super) steps: Vec<String>,
}

impl Noting<'_> {
    fn note(&mut self, sql: &str, params: &[&dyn Param]) -> Result<()> {
        let mut steps = Vec::new();
        self.session.query(&format!("EXPLAIN QUERY PLAN {sql}"), params, &mut |row| {
            steps.push(row.get("detail")?);
            Ok(true)
        })?;
        self.plans.push(Plan { sql: sql.into(), steps });
        Ok(())
    }
}

impl Engine for Noting<'_> {
    fn query(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        self.note(sql, params)?;
        self.session.query(sql, params, each)
    }

    fn try_query(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        steps: u64,
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<bool> {
        self.note(sql, params)?;
        self.session.try_query(sql, params, steps, each)
    }

    fn run(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64> {
        self.note(sql, params)?;
        self.session.run(sql, params)
    }

    fn ahead(&mut self, _: &str, _: &[&dyn Param]) -> Result<()> {
        Ok(())
    }

    fn note(&mut self, what: Changed) {
        self.session.note(what);
    }

    fn declare(&mut self, what: Changed) {
        self.session.declare(what);
    }

    fn has_user_search(&self) -> bool {
        self.session.has_user_search()
    }

    fn close(&self, tables: &[&str], why: Option<Closed>) -> Vec<String> {
        self.session.close(tables, why)
    }
}

pub(super) const APPLICATION: ApplicationId = ApplicationId(ObjectId::from_bytes([1; 12]));
pub(super) const GROUP: ExperienceGroupId = ExperienceGroupId(ObjectId::from_bytes([2; 12]));
pub(super) const USER: ExperienceUserId = ExperienceUserId(ObjectId::from_bytes([3; 12]));

/// One user, in one group, and some more who are in none and have no tags.
async fn populate(store: &Store) {
    let now = DateTime::from_millis(0);
    let post = wire::read("application", json!({ "name": "a" })).unwrap();
    let organization = "0".repeat(24).parse().unwrap();
    let application = domain::new_application(&post, APPLICATION, organization, now);
    let post = wire::read("experienceGroup", json!({ "name": "a" })).unwrap();
    let group = domain::new_group(&post, GROUP, APPLICATION, Vec::new(), Vec::new(), now);
    let post = json!({ "email": "a@b", "password": "Correct-h0rse", "userTags": { "a": "b" } });
    let post = wire::read("experienceUser", post).unwrap();
    let groups = vec![GroupRef { id: GROUP, name: "a".into(), parent_id: None }];
    let user = domain::new_user(&post, USER, APPLICATION, groups, now);
    let hash = PasswordHash::from_stored("$argon2id$".into());
    let work = store.write(move |tx| {
        applications::add(tx, &application)?;
        experience_groups::add(tx, &group)?;
        experience_users::add(tx, &user, &hash)?;
        let mut other = user.clone();
        (other.experience_groups, other.user_tags.0) = (Vec::new(), BTreeMap::new());
        add_like(tx, &other, "other", 12)
    });
    work.await.unwrap();
}

/// Adds `count` users like `user`, whose addresses start with `start`.
fn add_like(tx: &mut Tx<'_>, user: &ExperienceUser, start: &str, count: u16) -> Result<()> {
    for index in 0..count {
        let mut bytes = [0; 12];
        bytes[..2].copy_from_slice(&start.as_bytes()[..2]);
        bytes[10..].copy_from_slice(&index.to_be_bytes());
        let id = ExperienceUserId(ObjectId::from_bytes(bytes));
        let new = ExperienceUser { id, email: format!("{start}{index}@b"), ..user.clone() };
        experience_users::add(tx, &new, &PasswordHash::from_stored("x".into()))?;
    }
    Ok(())
}

/// The plans of everything that `work` does.
pub(super) async fn plans(work: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Vec<Plan> {
    let scratch = Scratch::new();
    let store = scratch.open();
    populate(&store).await;
    store.close().await;
    let mut connection = connect(&scratch.path(), Role::Write, Durability::Synced).unwrap();
    let mut session = Session::new(&mut connection, Role::Write).unwrap();
    session.command("BEGIN").unwrap();
    let (noted, late) = session.within(Duration::from_mins(1), |tx| {
        let mut noting = Noting { session: &mut *tx.0, plans: Vec::new() };
        work(&mut Tx(&mut noting)).map(|()| noting.plans)
    });
    assert!(!late);
    let noted = noted.unwrap();
    assert!(!noted.is_empty());
    for plan in &noted {
        plan.check();
    }
    noted
}

/// Statements that may read a table from its start to its end, by how they begin.
const WHOLE: [(&str, &str); 3] = [
    ("DELETE FROM ", "all of it goes: `ephemeral::clear`, in tests"),
    ("UPDATE experience_groups SET parent_id = NULL", "before all groups go: the same"),
    (
        "SELECT count(*) AS total FROM applications a WHERE a.name_key LIKE",
        "a pattern has no index",
    ),
];

impl Plan {
    /// No table that grows is read from its start to its end, whether by itself or by an index, and
    /// no more is sorted than is answered.
    fn check(&self) {
        let bare = !self.sql.contains(" WHERE ");
        let allowed = WHOLE
            .iter()
            .any(|(start, _)| self.sql.starts_with(start) && (bare || start.contains(" WHERE ")));
        for step in &self.steps {
            let scan = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next());
            // Rows that a statement has made for itself are not a table.
            let own = [Some("line"), Some("below"), Some("b"), Some("some"), Some("CONSTANT")];
            // A page of all applications is read in order until it is full.
            let page = self.sql.contains(" FROM applications a") && self.sql.contains(" LIMIT ");
            let ordered = page && !self.sorts();
            // Of this it reads what has all that is searched for, within one application.
            let searched = step.starts_with("SCAN user_search VIRTUAL TABLE INDEX 0:M")
                && step.ends_with("><")
                || step == "SCAN user_search VIRTUAL TABLE INDEX 0:=";
            let fine = searched || scan.is_none_or(|of| own.contains(&of));
            assert!(fine || ordered || allowed, "{step}\n{}", self.sql);
        }
    }

    pub(super) fn uses(&self, index: &str) -> bool {
        self.steps.iter().any(|step| step.contains(index))
    }

    fn is_page(&self) -> bool {
        self.sql.contains(" AS sorted_by ")
    }

    pub(super) fn sorts(&self) -> bool {
        self.uses("TEMP B-TREE FOR ORDER BY")
    }
}

const LISTING: experience_users::Listing = experience_users::Listing {
    query: None,
    filter: None,
    membership: None,
    ancestors: false,
    sort: ExperienceUserSort::Email,
    paging: Paging { start: Start::Page(0), per_page: 100, direction: SortDirection::Asc },
};

/// The plans of counting and of listing users.
async fn list(listing: experience_users::Listing) -> [Plan; 2] {
    let mut all = plans(move |tx| {
        let tenant = Within::allowed(APPLICATION).enter(tx)?;
        experience_users::list(tx, tenant, &listing).map(drop)
    })
    .await;
    all.drain(..1);
    let page = all.iter().position(Plan::is_page).unwrap();
    assert!(all.len() > page + 1, "nobody is listed");
    [all.swap_remove(0), all.swap_remove(page)]
}

fn users(query: Value) -> experience_users::Listing {
    let query: UserQuery = wire::read("query", query).unwrap();
    experience_users::Listing { query: Some(query), ..LISTING }
}

#[tokio::test]
async fn one_is_found_by_its_id() {
    let all = plans(|tx| {
        let tenant = Within::allowed(APPLICATION).enter(tx)?;
        let user = experience_users::get(tx, tenant, USER)?;
        let group = experience_groups::get(tx, tenant, GROUP)?;
        experience_groups::device_counts(tx, &group)?;
        experience_users::groups(tx, tenant, &[GROUP], "x")?;
        experience_groups::members(tx, tenant, &[USER])?;
        experience_groups::place(tx, tenant, None, Some(GROUP))?;
        let mut after = user.clone();
        after.user_tags.0.clear();
        experience_users::put(tx, &user, &after, None)?;
        experience_users::delete(tx, &after)?;
        experience_groups::delete(tx, &group)
    })
    .await;
    assert!(all.len() > 10);
}

#[tokio::test]
async fn a_page_is_read_from_an_index_in_its_order() {
    for (sort, index) in [
        (ExperienceUserSort::Email, "sqlite_autoindex_experience_users_2"),
        (ExperienceUserSort::Id, "sqlite_autoindex_experience_users_1"),
        (ExperienceUserSort::FirstName, "experience_users_by_first_name"),
        (ExperienceUserSort::LastName, "experience_users_by_last_name"),
        (ExperienceUserSort::CreationDate, "experience_users_by_created"),
        (ExperienceUserSort::LastUpdated, "experience_users_by_updated"),
        (ExperienceUserSort::LastLogin, "experience_users_by_last_login"),
    ] {
        for direction in [SortDirection::Asc, SortDirection::Desc] {
            let paging = Paging { direction, ..LISTING.paging };
            let [_, page] = list(experience_users::Listing { sort, paging, ..LISTING }).await;
            assert!(page.uses(index) && !page.sorts(), "{sort:?} {direction:?} {:?}", page.steps);
        }
    }
}

#[tokio::test]
async fn a_page_of_groups_too() {
    for (sort, index) in [
        (ExperienceGroupSort::Name, "experience_groups_by_name"),
        (ExperienceGroupSort::Id, "sqlite_autoindex_experience_groups_1"),
        (ExperienceGroupSort::CreationDate, "experience_groups_by_created"),
        (ExperienceGroupSort::LastUpdated, "experience_groups_by_updated"),
    ] {
        let all = plans(move |tx| {
            let tenant = Within::allowed(APPLICATION).enter(tx)?;
            let listing = experience_groups::Listing {
                query: None,
                name: None,
                sort,
                paging: LISTING.paging,
            };
            experience_groups::list(tx, tenant, &listing).map(drop)
        })
        .await;
        assert!(all[2].uses(index) && !all[2].sorts(), "{sort:?} {:?}", all[2].steps);
    }
}

/// What says how many there are, where nobody has to count.
const COUNTED: &str = "sqlite_autoindex_counts_1 (application_id=? AND counted=?)";
/// What is searched by which columns, as SQLite says it.
const BY_ID: &str = "sqlite_autoindex_experience_users_1 (application_id=? AND id=?)";
const BY_EMAIL: &str = "sqlite_autoindex_experience_users_2 (application_id=? AND email_key=?)";
const BY_TAG: &str = "user_tags_by_tag (application_id=? AND tag=? AND value=?)";
const BY_GROUP: &str = "memberships_by_group (application_id=? AND group_id=?)";
const BY_CREATED: &str = "experience_users_by_created (application_id=? AND created<?)";

#[tokio::test]
async fn a_query_finds_by_an_index_and_sorts_then() {
    let group = GROUP.to_string();
    for (query, indexes) in [
        (json!({ "id": USER.to_string() }), [BY_ID, ""]),
        (json!({ "email": "a@b" }), [BY_EMAIL, ""]),
        (json!({ "email": { "$eq": "A@B", "$ci": true } }), [BY_EMAIL, ""]),
        (json!({ "email": { "$in": ["a@b", "c@d"] } }), [BY_EMAIL, ""]),
        (json!({ "$and": [{ "$and": [{ "email": "a@b" }] }, {}] }), [BY_EMAIL, ""]),
        (json!({ "userTags": { "a": "b" }, "id": { "$gt": "0".repeat(24) } }), [BY_ID, BY_TAG]),
        (json!({ "creationDate": { "$lt": 7 } }), [BY_CREATED, ""]),
        (json!({ "userTags": { "$eq": { "$tagKey": "a", "$tagValue": "b" } } }), [BY_ID, BY_TAG]),
        (json!({ "userTags": { "a": { "$in": ["b", "c"] } } }), [BY_ID, BY_TAG]),
        (json!({ "experienceGroupId": { "$in": [group] } }), [BY_ID, BY_GROUP]),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::Id] {
            let listing = experience_users::Listing { sort, ..users(query.clone()) };
            for plan in list(listing).await {
                let all = indexes.iter().all(|index| plan.uses(index));
                assert!(all, "{query} {sort:?} {:?}", plan.steps);
            }
        }
    }
}

/// The ids are selected by themselves, so that no user has to be looked for to count them.
#[tokio::test]
async fn who_has_a_tag_or_a_group_is_counted_without_the_users() {
    let group = GROUP.to_string();
    for (query, index) in [
        (json!({ "userTags": { "a": "b" } }), BY_TAG),
        (json!({ "$and": [{ "userTags": { "a": "b" } }] }), BY_TAG),
        (json!({ "experienceGroupId": group }), BY_GROUP),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::Id] {
            let listing = experience_users::Listing { sort, ..users(query.clone()) };
            let [count, page] = list(listing).await;
            assert!(count.uses(index) && !count.uses("experience_users"), "{:?}", count.steps);
            assert!(page.uses(index) && page.uses(BY_ID), "{:?}", page.steps);
        }
    }
}

/// What a page of the members of a group is read by, when the addresses of the `members` of them
/// start with `start`, and those of `others` others with `middle`.
async fn come_upon(
    sort: ExperienceUserSort,
    start: &'static str,
    members: u16,
    others: u16,
) -> Vec<Plan> {
    let all = plans(move |tx| {
        let tenant = Within::allowed(APPLICATION).enter(tx)?;
        let before = experience_users::get(tx, tenant, USER)?;
        experience_users::delete(tx, &before)?;
        let nowhere = ExperienceUser { experience_groups: Vec::new(), ..before.clone() };
        add_like(tx, &nowhere, "middle", others)?;
        add_like(tx, &before, start, members)?;
        let paging = Paging { per_page: 1, ..LISTING.paging };
        let membership = Some(Membership::Of(GROUP));
        let listing = experience_users::Listing { membership, sort, paging, ..LISTING };
        let found = experience_users::list(tx, tenant, &listing)?;
        let (first, total) = (found.items[0].email.clone(), found.total);
        assert_eq!((first, total), (format!("{start}0@b"), u64::from(members)));
        Ok(())
    })
    .await;
    all.into_iter().filter(Plan::is_page).collect()
}

#[tokio::test]
async fn members_who_are_many_are_come_upon_in_the_order_they_are_listed_in() {
    for (sort, index) in [
        (ExperienceUserSort::Email, "experience_users_by_email"),
        (ExperienceUserSort::Id, "sqlite_autoindex_experience_users_1"),
        (ExperienceUserSort::FirstName, "experience_users_by_first_name"),
        (ExperienceUserSort::CreationDate, "experience_users_by_created"),
        (ExperienceUserSort::LastLogin, "experience_users_by_last_login"),
    ] {
        let pages = come_upon(sort, "aa", 9, 20).await;
        let [page] = pages.as_slice() else { panic!("{} pages", pages.len()) };
        assert!(page.uses(index) && page.uses(BY_GROUP) && !page.sorts(), "{:?}", page.steps);
    }
}

/// They all are at the end of the order, which nobody can know before.
#[tokio::test]
async fn members_who_are_not_come_upon_are_sorted_after_all() {
    let pages = come_upon(ExperienceUserSort::Email, "zz", 10, 380).await;
    let [tried, page] = pages.as_slice() else { panic!("{} pages", pages.len()) };
    assert!(tried.uses("experience_users_by_email") && !tried.sorts(), "{:?}", tried.steps);
    assert!(page.uses(BY_ID) && page.uses(BY_GROUP) && page.sorts(), "{:?}", page.steps);
}

const SEARCHED: &str = "SCAN user_search VIRTUAL TABLE INDEX 0:M";
const BY_NUMBER: &str = "experience_users_by_number (number=?";
const WITHIN_EMAIL: &str = "(application_id=? AND email_key>? AND email_key<?)";
const WITHIN_NAME: &str =
    "experience_users_by_first_name (application_id=? AND first_name_key>? AND first_name_key<?)";

fn filtered(field: ExperienceUserFilter, glob: &str) -> experience_users::Listing {
    experience_users::Listing { filter: Some((field, glob.into())), ..LISTING }
}

/// What is listed, where there are enough users to search and one of them matches.
async fn searched(listing: experience_users::Listing) -> Vec<Plan> {
    plans(move |tx| {
        let tenant = Within::allowed(APPLICATION).enter(tx)?;
        let before = experience_users::get(tx, tenant, USER)?;
        let after = ExperienceUser {
            email: "abcdef@example.com".into(),
            first_name: Some("abcdef".into()),
            ..before.clone()
        };
        experience_users::put(tx, &before, &after, None)?;
        for index in 0..3 {
            let id = ExperienceUserId(ObjectId::from_bytes([4 + index; 12]));
            let email = format!("{index}@b");
            let user = ExperienceUser { id, email, ..before.clone() };
            experience_users::add(tx, &user, &PasswordHash::from_stored("x".into()))?;
        }
        let found = experience_users::list(tx, tenant, &listing)?;
        assert_eq!((found.items.len(), found.total), (1, 1));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn parts_of_texts_are_searched_for() {
    let contains = |what: &str, operator: &str| {
        let query = json!({ "$and": [{ what: { operator: "bcdef" } }] });
        experience_users::Listing { ..users(query) }
    };
    for listing in [
        filtered(ExperienceUserFilter::Email, "*bcde*"),
        filtered(ExperienceUserFilter::Email, "a*cde?@example*"),
        filtered(ExperienceUserFilter::FirstName, "*bcdef"),
        contains("email", "$contains"),
        contains("firstName", "$endsWith"),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::CreationDate] {
            let all = searched(experience_users::Listing { sort, ..listing.clone() }).await;
            let looked_up = all.iter().filter(|plan| plan.uses(SEARCHED));
            let joined = looked_up.clone().filter(|plan| plan.uses(BY_NUMBER));
            // What a filter asks is in the index.
            let inside = joined.clone().filter(|plan| plan.uses("COVERING INDEX"));
            assert_eq!(inside.count(), usize::from(listing.filter.is_some()), "{listing:?}");
            // The candidates are counted, then those that match, and then they are read.
            assert_eq!((looked_up.count(), joined.count()), (3, 2), "{listing:?}");
        }
    }
}

#[tokio::test]
async fn what_a_text_starts_with_is_found_in_the_order_of_texts() {
    let starts = json!({ "email": { "$startsWith": "abc" } });
    for (listing, index) in [
        (filtered(ExperienceUserFilter::Email, "abc*"), WITHIN_EMAIL),
        (filtered(ExperienceUserFilter::Email, "ab?d*"), WITHIN_EMAIL),
        (filtered(ExperienceUserFilter::FirstName, "abc*"), WITHIN_NAME),
        (users(starts), WITHIN_EMAIL),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::CreationDate] {
            let all = searched(experience_users::Listing { sort, ..listing.clone() }).await;
            let within = all.iter().filter(|plan| plan.uses(index)).count();
            let looked_up = all.iter().filter(|plan| plan.uses(SEARCHED)).count();
            assert_eq!((within, looked_up), (2, 0), "{listing:?} {sort:?}");
        }
    }
}

/// To sort all of them would take longer than to come upon the first hundred.
#[tokio::test]
async fn many_that_start_alike_are_read_in_the_order_they_are_listed_in() {
    let all = plans(|tx| {
        let tenant = Within::allowed(APPLICATION).enter(tx)?;
        let before = experience_users::get(tx, tenant, USER)?;
        for index in 0..20 {
            let id = ExperienceUserId(ObjectId::from_bytes([4 + index; 12]));
            let user = ExperienceUser { id, email: format!("abc{index}@b"), ..before.clone() };
            experience_users::add(tx, &user, &PasswordHash::from_stored("x".into()))?;
        }
        let listing = experience_users::Listing {
            sort: ExperienceUserSort::CreationDate,
            ..filtered(ExperienceUserFilter::Email, "abc*")
        };
        experience_users::list(tx, tenant, &listing).map(drop)
    })
    .await;
    let pages: Vec<&Plan> = all.iter().filter(|plan| plan.sql.contains("LIMIT")).collect();
    let page = pages.iter().find(|plan| plan.uses("experience_users_by_created")).unwrap();
    assert!(!page.sorts(), "{:?}", page.steps);
}

#[tokio::test]
async fn members_are_found_by_their_group() {
    for ancestors in [false, true] {
        let membership = Some(Membership::Of(GROUP));
        let listing = experience_users::Listing { membership, ancestors, ..LISTING };
        let [count, page] = list(listing).await;
        assert!(page.uses(BY_ID) && page.uses(BY_GROUP), "{:?}", page.steps);
        assert!(if ancestors { count.uses(BY_GROUP) } else { count.uses(COUNTED) });
    }
}

#[tokio::test]
async fn groups_are_found_by_what_is_asked_of_them() {
    let (group, user) = (GROUP.to_string(), USER.to_string());
    let by_parent = "experience_groups_by_parent (application_id=? AND parent_id=?)";
    let by_tag = "group_tags_by_tag (application_id=? AND tag=? AND value=?)";
    let by_user = "sqlite_autoindex_memberships_1 (application_id=? AND user_id=?)";
    let by_endpoint = "group_endpoints_by_endpoint (application_id=? AND endpoint_id=?)";
    for (query, index) in [
        (json!({ "parentId": group }), by_parent),
        (json!({ "ancestorId": group }), by_parent),
        (json!({ "groupTags": { "a": "b" } }), by_tag),
        (json!({ "experienceUserId": user }), by_user),
        (json!({ "experienceEndpointId": user }), by_endpoint),
    ] {
        let query: GroupQuery = wire::read("query", query).unwrap();
        let all = plans(move |tx| {
            let tenant = Within::allowed(APPLICATION).enter(tx)?;
            let listing = experience_groups::Listing {
                query: Some(query.clone()),
                name: None,
                sort: ExperienceGroupSort::Name,
                paging: LISTING.paging,
            };
            experience_groups::list(tx, tenant, &listing).map(drop)
        })
        .await;
        assert!(all[1].uses(index), "{:?}", all[1].steps);
    }
}
