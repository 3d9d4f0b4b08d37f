//! Which index SQLite uses for each statement that has to be fast however many there are.

use super::{APPLICATION, GROUP, LISTING, Plan, USER, add_like};
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::{forest, listing as group_listing, rows as groups};
use crate::directory::search_backlog::IndexBacklog;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::rows::list::Paging;
use crate::rows::tenant::AuthorizedApp;
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_group::ExperienceGroupSort;
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, Membership,
};
use guestlist_api::id::{ExperienceUserId, ObjectId};
use guestlist_api::query::{GroupQuery, UserQuery};
use guestlist_api::wire;
use serde_json::{Value, json};

mod explained;

pub(super) use explained::plans;

/// The plans of counting and of listing users.
fn list(listing: user_listing::Listing) -> [Plan; 2] {
    let mut all = plans(move |tx| {
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        user_listing::list(tx, tenant, &listing).map(drop)
    });
    all.drain(..1);
    let page = all.iter().position(Plan::is_page).unwrap();
    assert!(all.len() > page + 1, "nobody is listed");
    [all.swap_remove(0), all.swap_remove(page)]
}

fn users(query: Value) -> user_listing::Listing {
    let query: UserQuery = wire::read("query", query).unwrap();
    user_listing::Listing { query: Some(query), ..LISTING }
}

#[test]
fn one_is_found_by_its_id() {
    let all = plans(|tx| {
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        let user = users::get(tx, tenant, USER)?;
        let group = groups::get(tx, tenant, GROUP)?;
        forest::device_counts(tx, &group)?;
        users::groups(tx, tenant, &[GROUP], "x")?;
        groups::members(tx, tenant, &[USER])?;
        forest::place(tx, tenant, None, Some(GROUP), None)?;
        let mut after = user.clone();
        after.user_tags.0.clear();
        users::put(tx, tenant, &user, &after, None)?;
        users::delete(tx, tenant, &after)?;
        groups::delete(tx, tenant, &group)
    });
    assert!(all.len() > 10);
}

#[test]
fn a_page_is_read_from_an_index_in_its_order() {
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
            let [_, page] = list(user_listing::Listing { sort, paging, ..LISTING });
            assert!(page.uses(index) && !page.sorts(), "{sort:?} {direction:?} {:?}", page.steps);
        }
    }
}

#[test]
fn a_page_of_groups_too() {
    for (sort, index) in [
        (ExperienceGroupSort::Name, "experience_groups_by_name"),
        (ExperienceGroupSort::Id, "sqlite_autoindex_experience_groups_1"),
        (ExperienceGroupSort::CreationDate, "experience_groups_by_created"),
        (ExperienceGroupSort::LastUpdated, "experience_groups_by_updated"),
    ] {
        let all = plans(move |tx| {
            let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
            let listing = group_listing::Listing {
                query: None,
                name: None,
                parent: None,
                bare: false,
                sort,
                paging: LISTING.paging,
            };
            group_listing::list(tx, tenant, &listing).map(drop)
        });
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

#[test]
fn a_query_finds_by_an_index_and_sorts_then() {
    let group = GROUP.to_string();
    for (query, indexes) in [
        (json!({ "id": USER.to_string() }), [BY_ID, ""]),
        (json!({ "email": "a@b" }), [BY_EMAIL, ""]),
        (json!({ "email": { "$eq": "A@B", "$ci": true } }), [BY_EMAIL, ""]),
        (json!({ "email": { "$in": ["a@b", "c@d"] } }), [BY_EMAIL, ""]),
        (json!({ "$and": [{ "$and": [{ "email": "a@b" }] }, {}] }), [BY_EMAIL, ""]),
        (json!({ "userTags": { "a": "b" }, "id": { "$gt": "0".repeat(24) } }), [BY_ID, BY_TAG]),
        (json!({ "creationDate": { "$lt": 7 } }), [BY_CREATED, ""]),
        (
            json!({ "$or": [{ "userTags": { "a": "b" } }, { "userTags": { "c": "d" } }] }),
            [BY_ID, BY_TAG],
        ),
        (json!({ "experienceGroupId": { "$in": [group, USER.to_string()] } }), [BY_ID, BY_GROUP]),
        (json!({ "userTags": { "a": "b" }, "experienceGroupId": group }), [BY_ID, BY_TAG]),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::Id] {
            let listing = user_listing::Listing { sort, ..users(query.clone()) };
            for plan in list(listing) {
                let all = indexes.iter().all(|index| plan.uses(index));
                assert!(all, "{query} {sort:?} {:?}", plan.steps);
            }
        }
    }
}

/// The ids are selected by themselves, so that no user has to be looked for to count them.
#[test]
fn who_has_a_tag_or_a_group_is_counted_without_the_users() {
    let group = GROUP.to_string();
    for (query, index) in [
        (json!({ "userTags": { "a": "b" } }), BY_TAG),
        (json!({ "$and": [{ "userTags": { "a": "b" } }] }), BY_TAG),
        (json!({ "userTags": { "$eq": { "$tagKey": "a", "$tagValue": "b" } } }), BY_TAG),
        (json!({ "userTags": { "a": { "$in": ["b", "c"] } } }), BY_TAG),
        (json!({ "$or": [{ "userTags": { "a": "b" } }, { "userTags": { "a": "c" } }] }), BY_TAG),
        (json!({ "experienceGroupId": { "$in": [group] } }), BY_GROUP),
        (json!({ "experienceGroupId": group }), BY_GROUP),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::Id] {
            let listing = user_listing::Listing { sort, ..users(query.clone()) };
            let [count, page] = list(listing);
            assert!(count.uses(index) && !count.uses("experience_users"), "{:?}", count.steps);
            assert!(page.uses(index) && page.uses(BY_ID), "{:?}", page.steps);
        }
    }
}

/// What a page of the members of a group is read by, when the addresses of the `members` of them
/// start with `start`, and those of `others` others with `middle`.
fn come_upon(
    sort: ExperienceUserSort,
    start: &'static str,
    members: u16,
    others: u16,
) -> Vec<Plan> {
    let all = plans(move |tx| {
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        let before = users::get(tx, tenant, USER)?;
        users::delete(tx, tenant, &before)?;
        let nowhere = ExperienceUser { experience_groups: Vec::new(), ..before.clone() };
        add_like(tx, tenant, &nowhere, "middle", others)?;
        add_like(tx, tenant, &before, start, members)?;
        let paging = Paging { per_page: 1, ..LISTING.paging };
        let membership = Some(Membership::Of(GROUP));
        let listing = user_listing::Listing { membership, sort, paging, ..LISTING };
        let found = user_listing::list(tx, tenant, &listing)?;
        let (first, total) = (found.items[0].email.clone(), found.total);
        assert_eq!((first, total), (format!("{start}0@b"), u64::from(members)));
        Ok(())
    });
    all.into_iter().filter(Plan::is_page).collect()
}

#[test]
fn members_who_are_many_are_come_upon_in_the_order_they_are_listed_in() {
    for (sort, index) in [
        (ExperienceUserSort::Email, "experience_users_by_email"),
        (ExperienceUserSort::Id, "sqlite_autoindex_experience_users_1"),
        (ExperienceUserSort::FirstName, "experience_users_by_first_name"),
        (ExperienceUserSort::CreationDate, "experience_users_by_created"),
        (ExperienceUserSort::LastLogin, "experience_users_by_last_login"),
    ] {
        let pages = come_upon(sort, "aa", 9, 20);
        let [page] = pages.as_slice() else { panic!("{} pages", pages.len()) };
        assert!(page.uses(index) && page.uses(BY_GROUP) && !page.sorts(), "{:?}", page.steps);
    }
}

/// They all are at the end of the order, which nobody can know before.
#[test]
fn members_who_are_not_come_upon_are_sorted_after_all() {
    let pages = come_upon(ExperienceUserSort::Email, "zz", 10, 380);
    let [tried, page] = pages.as_slice() else { panic!("{} pages", pages.len()) };
    assert!(tried.uses("experience_users_by_email") && !tried.sorts(), "{:?}", tried.steps);
    assert!(page.uses(BY_ID) && page.uses(BY_GROUP) && page.sorts(), "{:?}", page.steps);
}

const SEARCHED: &str = "SCAN user_search VIRTUAL TABLE INDEX 0:M";
const BY_NUMBER: &str = "experience_users_by_number (number=?";
const WITHIN_EMAIL: &str = "(application_id=? AND email_key>? AND email_key<?)";
const WITHIN_NAME: &str = "experience_users_by_first_name (application_id=? AND first_name_start>? AND first_name_start<?)";

fn filtered(field: ExperienceUserFilter, glob: &str) -> user_listing::Listing {
    user_listing::Listing { filter: Some((field, glob.into())), ..LISTING }
}

/// What is listed, where there are enough users to search and one of them matches.
fn searched(listing: user_listing::Listing) -> Vec<Plan> {
    plans(move |tx| {
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        let before = users::get(tx, tenant, USER)?;
        let after = ExperienceUser {
            email: "abcdef@example.com".into(),
            first_name: Some("abcdef".into()),
            ..before.clone()
        };
        users::put(tx, tenant, &before, &after, None)?;
        for index in 0..3 {
            let id = ExperienceUserId(ObjectId::from_bytes([4 + index; 12]));
            let email = format!("{index}@b");
            let user = ExperienceUser { id, email, ..before.clone() };
            users::add(tx, tenant, &user, &PasswordHash::from_stored("x".into()))?;
        }
        let overdue = IndexBacklog::overdue(tx)?;
        assert!(IndexBacklog::default().apply(tx, overdue + 9)?);
        let found = user_listing::list(tx, tenant, &listing)?;
        assert_eq!((found.items.len(), found.total), (1, 1));
        Ok(())
    })
}

#[test]
fn parts_of_texts_are_searched_for() {
    let contains = |what: &str, operator: &str| {
        let query = json!({ "$and": [{ what: { operator: "bcdef" } }] });
        user_listing::Listing { ..users(query) }
    };
    let search = |words: &str| {
        let search = Some(wire::read("search", words.into()).unwrap());
        user_listing::Listing { search, ..LISTING }
    };
    let any = ["email", "firstName", "lastName"];
    let any = json!({ "$or": any.map(|field| json!({ field: { "$contains": "bcdef" } })) });
    for listing in [
        search("bcde"),
        search("x BCD def@"),
        user_listing::Listing { query: users(any.clone()).query, ..search("ef") },
        users(any),
        filtered(ExperienceUserFilter::Email, "*bcde*"),
        filtered(ExperienceUserFilter::Email, "a*cde?@example*"),
        filtered(ExperienceUserFilter::FirstName, "*bcdef"),
        contains("email", "$contains"),
        contains("firstName", "$endsWith"),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::CreationDate] {
            let all = searched(user_listing::Listing { sort, ..listing.clone() });
            let tag_index = all.iter().filter(|plan| plan.uses(SEARCHED));
            let joined = tag_index.clone().filter(|plan| plan.uses(BY_NUMBER));
            // What a filter asks of addresses is in the index, and their order too.
            let inside = joined.clone().filter(|plan| plan.uses("COVERING INDEX")).count();
            let address = matches!(listing.filter, Some((ExperienceUserFilter::Email, _)));
            let address = address && sort == ExperienceUserSort::Email;
            assert_eq!(inside, usize::from(address), "{listing:?} {sort:?}");
            // The candidates are counted, then each is looked at, and then those of the page are read.
            assert_eq!((tag_index.count(), joined.count()), (2, 1), "{listing:?}");
            let read = all.iter().filter(|plan| plan.uses("SCAN wanted") && plan.uses(BY_NUMBER));
            assert_eq!(read.count(), 1, "{listing:?}");
        }
    }
}

/// Once, and in the order in which they are beside each other.
#[test]
fn users_are_read_one_by_one_for_words_that_are_too_short() {
    let search = Some(wire::read("search", "bc ef".into()).unwrap());
    for sort in [ExperienceUserSort::Email, ExperienceUserSort::LastLogin] {
        let search = search.clone();
        let all = searched(user_listing::Listing { search, sort, ..LISTING });
        let pages: Vec<&Plan> = all.iter().filter(|plan| plan.is_page()).collect();
        let [page] = pages.as_slice() else { panic!("{} pages", pages.len()) };
        let range = "experience_users_by_number (number>? AND number<?)";
        assert!(page.uses(range) && !page.sorts(), "{:?}", page.steps);
    }
}

#[test]
fn what_a_text_starts_with_is_found_in_the_order_of_texts() {
    let starts = json!({ "email": { "$startsWith": "abc" } });
    for (listing, index) in [
        (filtered(ExperienceUserFilter::Email, "abc*"), WITHIN_EMAIL),
        (filtered(ExperienceUserFilter::Email, "ab?d*"), WITHIN_EMAIL),
        (filtered(ExperienceUserFilter::FirstName, "abc*"), WITHIN_NAME),
        (users(starts), WITHIN_EMAIL),
    ] {
        for sort in [ExperienceUserSort::Email, ExperienceUserSort::CreationDate] {
            let all = searched(user_listing::Listing { sort, ..listing.clone() });
            let within = all.iter().filter(|plan| plan.uses(index)).count();
            let tag_index = all.iter().filter(|plan| plan.uses(SEARCHED)).count();
            assert_eq!((within, tag_index), (2, 0), "{listing:?} {sort:?}");
        }
    }
}

/// To sort all of them would take longer than to come upon the first hundred.
#[test]
fn many_that_start_alike_are_read_in_the_order_they_are_listed_in() {
    let all = plans(|tx| {
        let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
        let before = users::get(tx, tenant, USER)?;
        for index in 0..20 {
            let id = ExperienceUserId(ObjectId::from_bytes([4 + index; 12]));
            let user = ExperienceUser { id, email: format!("abc{index}@b"), ..before.clone() };
            users::add(tx, tenant, &user, &PasswordHash::from_stored("x".into()))?;
        }
        let listing = user_listing::Listing {
            sort: ExperienceUserSort::CreationDate,
            ..filtered(ExperienceUserFilter::Email, "abc*")
        };
        user_listing::list(tx, tenant, &listing).map(drop)
    });
    let pages: Vec<&Plan> = all.iter().filter(|plan| plan.sql.contains("LIMIT")).collect();
    let page = pages.iter().find(|plan| plan.uses("experience_users_by_created")).unwrap();
    assert!(!page.sorts(), "{:?}", page.steps);
}

#[test]
fn members_are_found_by_their_group() {
    for ancestors in [false, true] {
        let membership = Some(Membership::Of(GROUP));
        let listing = user_listing::Listing { membership, ancestors, ..LISTING };
        let [count, page] = list(listing);
        assert!(page.uses(BY_ID) && page.uses(BY_GROUP), "{:?}", page.steps);
        assert!(if ancestors { count.uses(BY_GROUP) } else { count.uses(COUNTED) });
    }
}

#[test]
fn groups_are_found_by_what_is_asked_of_them() {
    let (group, user) = (GROUP.to_string(), USER.to_string());
    let by_parent = "experience_groups_in_group (application_id=? AND parent_id=?)";
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
            let tenant = AuthorizedApp::allowed(APPLICATION).require(tx)?;
            let listing = group_listing::Listing {
                query: Some(query.clone()),
                name: None,
                parent: None,
                bare: false,
                sort: ExperienceGroupSort::Name,
                paging: LISTING.paging,
            };
            group_listing::list(tx, tenant, &listing).map(drop)
        });
        assert!(all[1].uses(index), "{:?}", all[1].steps);
    }
}
