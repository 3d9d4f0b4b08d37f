//! The advanced query: what the store finds is what a plain reading of the query over plain structs
//! finds, in the same order and number.
//!
//! `GUESTLIST_QUERY_CASES` says how many populations are tried, each with several queries; 500
//! unless it does.

mod ask;
mod evaluate;
mod population;

use crate::auth::hasher::PasswordHash;
use crate::domain::new_application;
use crate::error::Result;
use crate::store::applications::{self, Tenant, Within};
use crate::store::list::{Paging, Start};
use crate::store::{Options, Place, Store, Tx, experience_groups, experience_users};
use guestlist_api::application::ApplicationPost;
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_group::ExperienceGroupSort;
use guestlist_api::experience_user::ExperienceUserSort;
use guestlist_api::id::ApplicationId;
use guestlist_api::query::{GroupQuery, Json, UserQuery};
use guestlist_api::time::DateTime;
use guestlist_api::wire::{self, Wire};
use population::Population;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};
use std::any::Any;
use std::cell::Cell;
use std::env;
use tokio::runtime::Runtime;

/// How a list is asked for.
#[derive(Debug, Clone)]
struct Order {
    user_sort: &'static str,
    group_sort: &'static str,
    direction: SortDirection,
    page: u64,
    per_page: u64,
}

fn order() -> impl Strategy<Value = Order> {
    (
        select(ExperienceUserSort::WORDS),
        select(ExperienceGroupSort::WORDS),
        any::<bool>(),
        prop_oneof![4 => Just((0, 1000)), 1 => (0..4_u64, 1..8_u64)],
    )
        .prop_map(|(user_sort, group_sort, up, (page, per_page))| Order {
            user_sort,
            group_sort,
            direction: if up { SortDirection::Asc } else { SortDirection::Desc },
            page,
            per_page,
        })
}

impl Order {
    const fn paging(&self) -> Paging {
        Paging { start: Start::Page(self.page), per_page: self.per_page, direction: self.direction }
    }

    /// The ids on the page, and how many there are on all.
    fn of<T, K: Ord>(&self, mut found: Vec<T>, key: impl Fn(&T) -> (K, String)) -> Answer {
        found.sort_by_key(&key);
        if self.direction == SortDirection::Desc {
            found.reverse();
        }
        let ids = found.iter().map(|one| key(one).1);
        let skip = usize::try_from(self.page * self.per_page).unwrap();
        let page = ids.skip(skip).take(usize::try_from(self.per_page).unwrap());
        (page.collect(), found.len() as u64)
    }
}

/// Ids in their order, and how many there are in all.
type Answer = (Vec<String>, u64);

fn read<T: Wire>(query: &Value) -> Result<T, TestCaseError> {
    wire::read::<Json<T>>("query", query.to_string().into())
        .map(|json| json.0)
        .map_err(|problems| TestCaseError::fail(format!("{problems:?}")))
}

fn listed_users(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    query: &UserQuery,
    order: &Order,
) -> Result<Answer> {
    let listing = experience_users::Listing {
        query: Some(query.clone()),
        filter: None,
        membership: None,
        ancestors: false,
        sort: ExperienceUserSort::parse(order.user_sort).unwrap(),
        paging: order.paging(),
    };
    let found = experience_users::list(tx, tenant, &listing)?;
    Ok((found.items.iter().map(|user| user.id.to_string()).collect(), found.total))
}

fn listed_groups(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    query: &GroupQuery,
    order: &Order,
) -> Result<Answer> {
    let listing = experience_groups::Listing {
        query: Some(query.clone()),
        name: None,
        sort: ExperienceGroupSort::parse(order.group_sort).unwrap(),
        paging: order.paging(),
    };
    let found = experience_groups::list(tx, tenant, &listing)?;
    Ok((found.items.iter().map(|group| group.id.to_string()).collect(), found.total))
}

/// A store for two applications: one to look in, and one beside it with the same ids in it.
struct Scene {
    runtime: Runtime,
    store: Store,
    hash: PasswordHash,
    /// What the store is in, and goes with this.
    _home: Box<dyn Any>,
}

impl Scene {
    fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(directory.path().join("guestlist.db"));
        Self::new(&place, Box::new(directory))
    }

    fn on_postgres() -> Self {
        let database = super::postgres::database();
        Self::new(&database.place(), Box::new(database))
    }

    fn new(place: &Place, home: Box<dyn Any>) -> Self {
        let options = Options { readers: 1, writers: 1, ..Options::default() };
        let store = Store::open_at(place, &options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hash = PasswordHash::from_stored("$argon2id$".into());
        Self { runtime, store, hash, _home: home }
    }

    /// Puts `population` into an application, asks in it, and takes all of it away again.
    fn within<T: Send + 'static>(
        &self,
        population: &Population,
        ask: impl Fn(&mut Tx<'_>, Tenant) -> Result<T> + Send + 'static,
    ) -> T {
        let (populations, hash) = ([population.clone(), population.turned()], self.hash.clone());
        let post: ApplicationPost = wire::read("application", json!({ "name": "a" })).unwrap();
        let organization = "0".repeat(24).parse().unwrap();
        let applications = [8, 9].map(|kind| {
            let id = ApplicationId(population::id(kind, 0));
            new_application(&post, id, organization, DateTime::from_millis(0))
        });
        let work = self.store.write(move |tx| {
            let mut tenants = Vec::new();
            for (application, population) in applications.iter().zip(&populations) {
                applications::add(tx, application)?;
                let tenant = Within::allowed(application.id).enter(tx)?;
                population.keep(tx, tenant, &hash)?;
                tenants.push(tenant);
            }
            let answer = ask(tx, tenants[0])?;
            for tenant in tenants {
                applications::delete(tx, tenant)?;
            }
            Ok(answer)
        });
        self.runtime.block_on(work).unwrap()
    }
}

/// How many populations are tried.
fn cases() -> u32 {
    env::var("GUESTLIST_QUERY_CASES").map_or(500, |count| count.parse().expect("a number"))
}

/// What is put to the test: that it finds some and not others, as often as not.
#[derive(Default)]
struct Tally {
    queries: Cell<u64>,
    some: Cell<u64>,
}

impl Tally {
    fn count(&self, found: u64, of: usize) {
        self.queries.set(self.queries.get() + 1);
        let some = found > 0 && found < of as u64;
        self.some.set(self.some.get() + u64::from(some));
    }

    #[expect(clippy::print_stderr, reason = "for whoever runs many cases")]
    fn check(&self, what: &str) {
        let (queries, some) = (self.queries.get(), self.some.get());
        eprintln!("{queries} queries about {what}, {some} of which hold of some and not of others");
        assert!(some > queries / 4, "{some} of {queries}");
    }
}

type Asked<Q> = (Value, Q, Order);

/// `asked` as it is read.
fn all_read<Q: Wire>(asked: Vec<(Value, Order)>) -> Result<Vec<Asked<Q>>, TestCaseError> {
    asked.into_iter().map(|(json, order)| Ok((json.clone(), read(&json)?, order))).collect()
}

fn several(queries: BoxedStrategy<Value>) -> impl Strategy<Value = Vec<(Value, Order)>> {
    prop::collection::vec((queries, order()), 1..6)
}

#[test]
fn the_store_finds_what_the_query_says() {
    finds_what_the_query_says(&Scene::on_sqlite(), cases());
}

/// A fifth as many: it is the same text that is asked, and a way to another program for each.
#[test]
fn postgres_finds_what_the_query_says() {
    finds_what_the_query_says(&Scene::on_postgres(), cases() / 5);
}

fn finds_what_the_query_says(scene: &Scene, cases: u32) {
    let (about_users, about_groups) = (Tally::default(), Tally::default());
    let strategy =
        (population::population(), several(ask::about_users()), several(ask::about_groups()));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let outcome = TestRunner::new(config).run(&strategy, |(population, users, groups)| {
        let (users, groups) = (all_read::<UserQuery>(users)?, all_read::<GroupQuery>(groups)?);
        prop_assert_eq!(population.distinct(), population.users.len() + population.groups.len());
        let (asked_users, asked_groups) = (users.clone(), groups.clone());
        let (found_users, found_groups) = scene.within(&population, move |tx, tenant| {
            let users = asked_users.iter().map(|(_, q, order)| listed_users(tx, tenant, q, order));
            let users = users.collect::<Result<Vec<_>>>()?;
            let groups =
                asked_groups.iter().map(|(_, q, order)| listed_groups(tx, tenant, q, order));
            Ok((users, groups.collect::<Result<Vec<_>>>()?))
        });
        for ((json, _, order), found) in users.iter().zip(found_users) {
            let expected = order.of(evaluate::users(json, &population), |user| {
                (evaluate::user_key(user, order.user_sort), user.id.to_string())
            });
            about_users.count(expected.1, population.users.len());
            prop_assert_eq!(found, expected, "{} {:?}", json, order);
        }
        for ((json, _, order), found) in groups.iter().zip(found_groups) {
            let expected = order.of(evaluate::groups(json, &population), |group| {
                (evaluate::group_key(group, order.group_sort), group.id.to_string())
            });
            about_groups.count(expected.1, population.groups.len());
            prop_assert_eq!(found, expected, "{} {:?}", json, order);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    about_users.check("users");
    about_groups.check("groups");
}

/// The longest and deepest queries there can be are not too much for the engine.
#[test]
fn the_largest_query_is_answered() {
    the_largest_is_answered(&Scene::on_sqlite());
}

#[test]
fn the_largest_query_is_answered_by_postgres() {
    the_largest_is_answered(&Scene::on_postgres());
}

fn the_largest_is_answered(scene: &Scene) {
    let wide: Vec<Value> = (0..98).map(|n| json!({ "email": { "$ne": format!("{n}") } })).collect();
    let level = json!({ "$nor": [{ "$and": wide }, { "$or": wide }] });
    let mut deep = json!({ "userTags": { "a": { "$in": vec!["x"; 100] } } });
    for _ in 0..18 {
        deep = json!({ "$nor": [deep, { "$or": [{ "id": null }] }] });
    }
    let tree = population::population().new_tree(&mut TestRunner::deterministic()).unwrap();
    let population = tree.current();
    for json in [level, deep] {
        let query: UserQuery = read(&json).unwrap();
        let order = Order {
            user_sort: "email",
            group_sort: "name",
            direction: SortDirection::Asc,
            page: 0,
            per_page: 1000,
        };
        let asked = order.clone();
        let found =
            scene.within(&population, move |tx, tenant| listed_users(tx, tenant, &query, &asked));
        let expected = order.of(evaluate::users(&json, &population), |user| {
            (evaluate::user_key(user, "email"), user.id.to_string())
        });
        assert_eq!(found, expected);
    }
}
