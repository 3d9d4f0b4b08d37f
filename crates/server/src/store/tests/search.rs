//! Users are found by parts of their texts, whoever they have been and whatever is asked.

use super::super::ephemeral::Database;
use super::super::migrations::MIGRATIONS;
use super::{Scratch, small};
use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::directory::search;
use crate::directory::search_backlog::IndexBacklog;
use crate::directory::users::listing::{self as user_listing, Listing};
use crate::directory::users::rows as users;
use crate::directory::users::rules::new_user;
use crate::error::{Error, Result};
use crate::rows::Tx;
use crate::rows::convert::key;
use crate::rows::list::{Paging, Start};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::store::{Options, Store};
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_user::{ExperienceUser, ExperienceUserFilter, ExperienceUserSort};
use guestlist_api::id::{ApplicationId, ExperienceUserId, ObjectId};
use guestlist_api::query::UserQuery;
use guestlist_api::search::Search;
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use guestlist_store::Migration;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

mod asked;

use asked::{ALL, ask, ask_filter, ask_search, glob, typed};

const NOW: DateTime = DateTime::from_millis(0);

fn id(kind: u8, index: u8) -> ObjectId {
    ObjectId::from_bytes([kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, index])
}

fn application(number: u8) -> ApplicationId {
    ApplicationId(id(1, number))
}

/// Who somebody is, and is going to be.
#[derive(Debug, Clone)]
struct Texts {
    email: String,
    first: Option<String>,
    last: Option<String>,
}

/// Something that happens in one of two applications, to one of its users or to all of them.
#[derive(Debug, Clone)]
enum Step {
    /// The user is there, and is this.
    Is(u8, Texts),
    /// The user, if it is there, is this as far as one of the three goes.
    Renamed(u8, u8, Texts),
    Tagged(u8),
    Removed(u8),
    AllRemoved,
    ApplicationRemoved,
    /// The table is told of some that it is late with.
    Settled,
}

/// What texts and patterns are made of: few words, so that they meet, and all that has a meaning to
/// some engine.
const WORDS: [&str; 24] = [
    "ann",
    "Anna",
    "bert",
    "abcd",
    "BCDE",
    "a",
    "",
    "%",
    "_",
    "\\",
    "'",
    "\"",
    "* ",
    "?",
    " AND ",
    "ÄÖÜ",
    "äöü",
    "ΟΔΟΣ",
    "οδος",
    "İi",
    "日本語",
    "\u{10ffff}",
    "\u{fffe}\u{ffff}",
    "-x-",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(select(&WORDS[..]), 0..6).prop_map(|words| words.concat())
}

fn texts() -> impl Strategy<Value = Texts> {
    let word = select(&["ann", "ANNA", "bert", "abcd", "%_", "'a'", "x.y"][..]);
    let local = prop::collection::vec(word, 1..4).prop_map(|words| words.concat());
    let name = || prop::option::of(text());
    (local, name(), name()).prop_map(|(local, first, last)| {
        let email = format!("{local}@example.com");
        Texts { email, first, last }
    })
}

fn step() -> impl Strategy<Value = (u8, Step)> {
    let user = 0..16_u8;
    let step = prop_oneof![
        16 => (user.clone(), texts()).prop_map(|(user, texts)| Step::Is(user, texts)),
        8 => (user.clone(), 0..3_u8, texts())
            .prop_map(|(user, one, texts)| Step::Renamed(user, one, texts)),
        1 => user.clone().prop_map(Step::Tagged),
        4 => user.prop_map(Step::Removed),
        1 => Just(Step::AllRemoved),
        1 => Just(Step::ApplicationRemoved),
        8 => Just(Step::Settled),
    ];
    (0..2_u8, step)
}

fn folded(text: &str) -> Vec<char> {
    key(text).chars().collect()
}

fn enter(tx: &mut Tx<'_>, number: u8) -> Result<Tenant> {
    if let Ok(tenant) = AuthorizedApp::allowed(application(number)).require(tx) {
        return Ok(tenant);
    }
    let post = wire::read("application", json!({ "name": "a" })).unwrap();
    let organization = "0".repeat(24).parse().unwrap();
    let new = new_application(&post, application(number), organization, NOW);
    applications::add(tx, &new)
}

fn run(tx: &mut Tx<'_>, backlog: &mut IndexBacklog, number: u8, step: &Step) -> Result<()> {
    let tenant = enter(tx, number)?;
    let find =
        |tx: &mut Tx<'_>, index| users::lock(tx, tenant, ExperienceUserId(id(2, index))).ok();
    match step {
        Step::Settled if search::is_indexed(tx) => backlog.apply(tx, 0).map(drop),
        Step::Settled => Ok(()),
        Step::ApplicationRemoved => applications::delete(tx, tenant),
        Step::AllRemoved => users::delete_all(tx, tenant),
        Step::Removed(index) => {
            find(tx, *index).map_or(Ok(()), |user| users::delete(tx, tenant, &user))
        }
        Step::Tagged(index) => {
            let Some(before) = find(tx, *index) else { return Ok(()) };
            let mut after = before.clone();
            after.user_tags.0.insert("a".into(), "abcd".into());
            users::put(tx, tenant, &before, &after, None)
        }
        Step::Renamed(index, one, texts) => {
            let Some(before) = find(tx, *index) else { return Ok(()) };
            let mut after = before.clone();
            match one {
                0 => after.email = format!("{index}{}", texts.email),
                1 => after.first_name.clone_from(&texts.first),
                _ => after.last_name.clone_from(&texts.last),
            }
            users::put(tx, tenant, &before, &after, None)
        }
        Step::Is(index, texts) => {
            // One address has one user.
            let email = format!("{index}{}", texts.email);
            let Some(before) = find(tx, *index) else {
                let post = json!({ "email": email, "password": "Correct-h0rse" });
                let post = wire::read("experienceUser", post).unwrap();
                let new = ExperienceUserId(id(2, *index));
                let mut user = new_user(&post, new, tenant.id(), Vec::new(), NOW);
                (user.first_name, user.last_name) = (texts.first.clone(), texts.last.clone());
                return users::add(tx, tenant, &user, &PasswordHash::from_stored("x".into()));
            };
            let mut after = ExperienceUser { email, ..before.clone() };
            (after.first_name, after.last_name) = (texts.first.clone(), texts.last.clone());
            users::put(tx, tenant, &before, &after, None)
        }
    }
}

/// Whom the table knows, and whom it should.
const LEFT: &str = "SELECT number FROM user_search_left";
const KNOWN: &str = "SELECT id FROM user_search_docsize ORDER BY 1";
const LATE: &str = "SELECT number FROM user_search_late";
const THERE: &str = "SELECT number FROM experience_users ORDER BY 1";

fn holds(store: &Store, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let organization = "0".repeat(24).into_bytes();
    let named =
        store.write(move |tx| crate::rows::settings::put(tx, "organization", &organization));
    runtime.block_on(named).unwrap();
    let steps = prop::collection::vec(step(), 1..80);
    let sort = select(
        &[
            ExperienceUserSort::Email,
            ExperienceUserSort::LastName,
            ExperienceUserSort::CreationDate,
        ][..],
    );
    let asked = prop::collection::vec((glob(), typed(), sort), 1..8);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&(steps, asked), |(steps, asked)| {
        let work = store.write(move |tx| {
            let mut backlog = IndexBacklog::default();
            for number in 0..2 {
                run(tx, &mut backlog, number, &Step::ApplicationRemoved)?;
            }
            for (number, step) in &steps {
                run(tx, &mut backlog, *number, step)?;
            }
            for (glob, typed, sort) in &asked {
                for number in 0..2 {
                    ask(tx, number, glob, *sort)?;
                    ask_search(tx, number, typed, glob, *sort)?;
                }
            }
            while search::is_indexed(tx) && tx.first::<i64>(LEFT, &[])?.is_some() {
                search::forget(tx, 5)?;
            }
            if search::is_indexed(tx) {
                while backlog.apply(tx, 0)? {}
                let (known, there) = (tx.all::<i64>(KNOWN, &[])?, tx.all::<i64>(THERE, &[])?);
                if known != there {
                    return Err(Error::internal(format!("{known:?}, not {there:?}")));
                }
            }
            Ok(())
        });
        let outcome = runtime.block_on(work);
        prop_assert!(outcome.is_ok(), "{outcome:?}");
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn whoever_matches_is_found() {
    let (store, _) = Store::ephemeral(&Options { readers: 1, ..small() }).unwrap();
    holds(&store, 200);
}

#[test]
fn whoever_matches_is_found_by_postgresql_too() {
    let url = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
        "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
    );
    let database = Database::new(&url).unwrap();
    let store = Store::open_at(&database.place(), &small()).unwrap();
    holds(&store, 50);
}

/// Users of an application, of which every other has gone again.
fn populate(tx: &mut Tx<'_>) -> Result<()> {
    for index in 0..40 {
        let texts = Texts {
            email: format!("abcd{}@example.com", index % 4),
            first: Some("Anna".into()),
            last: None,
        };
        run(tx, &mut IndexBacklog::default(), 0, &Step::Is(index, texts))?;
    }
    (0..20)
        .try_for_each(|index| run(tx, &mut IndexBacklog::default(), 0, &Step::Removed(index * 2)))
}

fn look(tx: &mut Tx<'_>) -> Result<()> {
    ask(tx, 0, "*abcd1@*", ExperienceUserSort::Email)?;
    ask(tx, 0, "*3abcd*", ExperienceUserSort::Email)
}

#[tokio::test]
async fn they_are_found_after_the_file_was_vacuumed() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.write(populate).await.unwrap();
    scratch.beside().execute_batch("VACUUM").unwrap();
    store.read(look).await.unwrap();
    store.write(|tx| run(tx, &mut IndexBacklog::default(), 0, &Step::Removed(13))).await.unwrap();
    store.read(look).await.unwrap();
}

#[tokio::test]
async fn who_was_there_before_is_found() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.write(populate).await.unwrap();
    store.close().await;
    let search = |migration: &Migration<'_>| migration.sqlite.contains("user_search");
    let versions = (0..).zip(MIGRATIONS).filter(|(_, migration)| search(migration));
    scratch
        .beside()
        .execute_batch(
            "DROP TRIGGER applications_numbered; DROP TRIGGER experience_users_added;
             DROP TRIGGER experience_users_renamed; DROP TRIGGER experience_users_removed;
             DROP TABLE user_search; DROP TABLE user_search_left; DROP TABLE user_search_late;
             DROP INDEX applications_by_number; ALTER TABLE applications DROP COLUMN number;
             DROP INDEX experience_users_by_number;
             ALTER TABLE experience_users DROP COLUMN number;",
        )
        .unwrap();
    versions.for_each(|(version, _)| scratch.migrate_again(version));
    let store = scratch.open();
    store.read(look).await.unwrap();
    let (known, late) =
        store.read(|tx| Ok((tx.all::<i64>(KNOWN, &[])?, tx.all::<i64>(LATE, &[])?))).await.unwrap();
    assert_eq!((known.len(), late.len()), (20, 0));
    let more = Texts { email: "abcd1@example.com".into(), first: None, last: None };
    store
        .write(move |tx| run(tx, &mut IndexBacklog::default(), 0, &Step::Is(50, more.clone())))
        .await
        .unwrap();
    store.read(look).await.unwrap();
}

/// While others write it is not told too backlog, and when nobody does it is told of all.
#[tokio::test]
async fn the_table_is_told_late_but_not_too_late() {
    let scratch = Scratch::new();
    let store = scratch.open();
    for index in 0..40 {
        let texts = Texts { email: "abcd@example.com".into(), first: None, last: None };
        let work = move |tx: &mut Tx<'_>| {
            run(tx, &mut IndexBacklog::default(), 0, &Step::Is(index, texts.clone()))?;
            tx.all::<i64>(LATE, &[])
        };
        let late = store.write(work).await.unwrap().len();
        assert!(late <= 6, "{late} after {index}");
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while !store.read(|tx| tx.all::<i64>(LATE, &[])).await.unwrap().is_empty() {
        assert!(Instant::now() < deadline, "nobody told it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (known, there) = store
        .read(|tx| Ok((tx.all::<i64>(KNOWN, &[])?, tx.all::<i64>(THERE, &[])?)))
        .await
        .unwrap();
    assert_eq!((known.len(), &known), (40, &there));
}

/// A page that is too far from the first for its rows to be kept until all were seen.
#[tokio::test]
async fn a_page_far_from_the_first_says_how_many_there_are() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.write(populate).await.unwrap();
    let pages = store.read(|tx| {
        let tenant = enter(tx, 0)?;
        let filter = Some((ExperienceUserFilter::Email, "*abcd1@*".to_owned()));
        let paging = |page| Paging { start: Start::Page(page), ..ALL.paging };
        let at = |page| Listing { filter: filter.clone(), paging: paging(page), ..ALL };
        let mut pages = Vec::new();
        for page in [0, 1, 9, 10, 11, u64::MAX] {
            let found = user_listing::list(tx, tenant, &at(page))?;
            pages.push((page, found.items.len(), found.total));
        }
        Ok(pages)
    });
    for (page, items, total) in pages.await.unwrap() {
        assert_eq!((items, total), (if page == 0 { 10 } else { 0 }, 10), "{page}");
    }
}

/// A long pattern is one search, and none is a wrong one.
#[tokio::test]
async fn long_patterns_and_many_wildcards_are_answered() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.write(populate).await.unwrap();
    let long: String = (0..4000_u32).filter_map(|n| char::from_u32(0x4e00 + n)).collect();
    let globs = [format!("*{long}*"), "*\"\"\"*".into(), "*NOT*".into(), "*ab?d*".into()];
    let work = store.read(move |tx| globs.iter().try_for_each(|glob| ask_filter(tx, glob)));
    work.await.unwrap();
}
