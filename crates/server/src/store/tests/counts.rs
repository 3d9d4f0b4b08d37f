//! What is counted is what there is, whatever was made, joined, left and removed, and by whom.

mod taken;

use super::engines::Own;
use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rules::new_group;
use crate::directory::groups::{listing as group_listing, rows as groups};
use crate::directory::users::rules::new_user;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::error::{Error, Result};
use crate::rows::counts::{self, Counted};
use crate::rows::list::{Listed, Paging, Start};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{Tx, settings};
use crate::store::{Options, Store};
use crate::tokens::rows::{self as tokens, Owner};
use crate::tokens::rules::new_token;
use guestlist_api::api_token::ApiToken;
use guestlist_api::entity::{OwnerType, SortDirection};
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort};
use guestlist_api::experience_user::{ExperienceUser, ExperienceUserSort, GroupRef, Membership};
use guestlist_api::id::{
    ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, ForeignId, ObjectId,
};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use taken::{KEPT, THERE};

/// Few of each, so that they meet.
const EACH: u8 = 5;

fn id(kind: u8, application: u8, index: u8) -> ObjectId {
    let mut bytes = [kind; 12];
    // The same ids in each application, but for those that are the store's.
    (bytes[0], bytes[11]) = (if kind == TOKEN { application } else { 0 }, index);
    ObjectId::from_bytes(bytes)
}

const USER: u8 = 1;
const GROUP: u8 = 2;
const TOKEN: u8 = 3;

fn application(index: u8) -> ApplicationId {
    ApplicationId(id(4, 0, index))
}

/// One thing that somebody does, in an application.
#[derive(Debug, Clone)]
enum Step {
    /// It is removed. Whoever wants something of it next makes it anew.
    Application,
    /// All of its users, or all of its groups, are removed.
    Users,
    Groups,
    User(u8, BTreeSet<u8>),
    Group(u8, BTreeSet<u8>),
    Token(u8),
    /// All its groups, all its members.
    Join(u8, BTreeSet<u8>),
    Gather(u8, BTreeSet<u8>),
    /// Nothing that counts.
    Rename(u8),
    /// A user, a group and a token say so much.
    Say(u8, u16),
    /// As a user was read before somebody else changed the groups it is in.
    Stale(u8, u8, BTreeSet<u8>),
}

fn some() -> impl Strategy<Value = BTreeSet<u8>> {
    prop::collection::btree_set(0..EACH, 0..4)
}

fn step() -> impl Strategy<Value = (u8, Step)> {
    let step = prop_oneof![
        1 => Just(Step::Application),
        1 => prop_oneof![Just(Step::Users), Just(Step::Groups)],
        4 => (0..EACH, some()).prop_map(|(user, groups)| Step::User(user, groups)),
        3 => (0..EACH, some()).prop_map(|(group, users)| Step::Group(group, users)),
        2 => (0..EACH).prop_map(Step::Token),
        4 => (0..EACH, some()).prop_map(|(user, groups)| Step::Join(user, groups)),
        4 => (0..EACH, some()).prop_map(|(group, users)| Step::Gather(group, users)),
        1 => (0..EACH).prop_map(Step::Rename),
        3 => (0..EACH, 0..2000_u16).prop_map(|(index, much)| Step::Say(index, much)),
        2 => (0..EACH, 0..EACH, some())
            .prop_map(|(user, group, users)| Step::Stale(user, group, users)),
    ];
    (0..2_u8, step)
}

/// An application that steps are taken in.
#[derive(Clone, Copy)]
struct Place {
    number: u8,
    tenant: Tenant,
}

const NOW: DateTime = DateTime::from_millis(0);

impl Place {
    /// The application `number`, made if it is not there: then there is nothing to do in it yet.
    fn enter(tx: &mut Tx<'_>, number: u8) -> Result<Option<Self>> {
        if let Ok(tenant) = AuthorizedApp::allowed(application(number)).require(tx) {
            return Ok(Some(Self { number, tenant }));
        }
        let post = wire::read("application", json!({ "name": "a" })).unwrap();
        let organization = "0".repeat(24).parse().unwrap();
        let new = new_application(&post, application(number), organization, NOW);
        applications::add(tx, &new)?;
        Ok(None)
    }

    fn user_id(self, index: u8) -> ExperienceUserId {
        ExperienceUserId(id(USER, self.number, index))
    }

    fn group_id(self, index: u8) -> ExperienceGroupId {
        ExperienceGroupId(id(GROUP, self.number, index))
    }

    /// Those of the groups that are there.
    fn groups(self, tx: &mut Tx<'_>, indexes: &BTreeSet<u8>) -> Result<Vec<GroupRef>> {
        let ids = indexes.iter().map(|index| self.group_id(*index));
        let there: Vec<_> = ids.filter(|id| groups::get(tx, self.tenant, *id).is_ok()).collect();
        users::groups(tx, self.tenant, &there, "x")
    }

    /// Those of the users that are there.
    fn users(self, tx: &mut Tx<'_>, indexes: &BTreeSet<u8>) -> Vec<ExperienceUserId> {
        let ids = indexes.iter().map(|index| self.user_id(*index));
        ids.filter(|id| users::get(tx, self.tenant, *id).is_ok()).collect()
    }

    fn user(self, tx: &mut Tx<'_>, index: u8, joined: &BTreeSet<u8>) -> Result<()> {
        if let Ok(user) = users::lock(tx, self.tenant, self.user_id(index)) {
            return users::delete(tx, self.tenant, &user);
        }
        let email = format!("u{index}@example.com");
        let post = json!({ "email": email, "password": "Correct-h0rse" });
        let post = wire::read("experienceUser", post).unwrap();
        let groups = self.groups(tx, joined)?;
        let user = new_user(&post, self.user_id(index), self.tenant.id(), groups, NOW);
        users::add(tx, self.tenant, &user, &PasswordHash::from_stored("x".into()))
    }

    fn group(self, tx: &mut Tx<'_>, index: u8, members: &BTreeSet<u8>) -> Result<()> {
        if let Ok(group) = groups::lock(tx, self.tenant, self.group_id(index)) {
            return groups::delete(tx, self.tenant, &group);
        }
        let post = wire::read("experienceGroup", json!({ "name": "g" })).unwrap();
        let (members, application) = (self.users(tx, members), self.tenant.id());
        let id = self.group_id(index);
        let group = new_group(&post, id, application, members, Vec::new(), NOW);
        groups::add(tx, self.tenant, &group)
    }

    fn token(self, tx: &mut Tx<'_>, index: u8) -> Result<()> {
        let (id, owner) = (ApiTokenId(id(TOKEN, self.number, index)), self.tenant.id());
        if let Ok(token) = tokens::get(tx, Owner::of(self.tenant), id) {
            return tokens::delete(tx, &token);
        }
        let post = wire::read("apiToken", json!({ "name": "t" })).unwrap();
        let (owner, scopes) = (ForeignId(owner.0), [].into_iter().collect());
        let new = new_token(&post, id, owner, OwnerType::Application, scopes, NOW);
        tokens::add(tx, &new)
    }

    /// Changes a user, if it is there.
    fn join(self, tx: &mut Tx<'_>, user: u8, joined: &BTreeSet<u8>) -> Result<()> {
        let user = users::lock(tx, self.tenant, self.user_id(user));
        let Ok(before) = user else { return Ok(()) };
        let experience_groups = self.groups(tx, joined)?;
        let after = ExperienceUser { experience_groups, ..before.clone() };
        users::put(tx, self.tenant, &before, &after, None)
    }

    /// Changes a group, if it is there.
    fn gather(self, tx: &mut Tx<'_>, group: u8, members: Option<&BTreeSet<u8>>) -> Result<()> {
        let group = groups::lock(tx, self.tenant, self.group_id(group));
        let Ok(before) = group else { return Ok(()) };
        let mut after = before.clone();
        match members {
            Some(members) => after.experience_user_ids = Some(self.users(tx, members)),
            None => after.name.push('x'),
        }
        groups::put(tx, self.tenant, &before, &after)
    }

    /// Has those that are there say so much.
    fn say(self, tx: &mut Tx<'_>, index: u8, much: u16) -> Result<()> {
        let text = "\u{e9}".repeat(usize::from(much) / 2);
        let tags = Tags((0..much % 4).map(|tag| (format!("t{tag}"), text.clone())).collect());
        if let Ok(before) = users::lock(tx, self.tenant, self.user_id(index)) {
            let mut after = ExperienceUser { user_tags: tags.clone(), ..before.clone() };
            (after.email, after.last_name) = (format!("{much}-{index}@b"), Some(text.clone()));
            users::put(tx, self.tenant, &before, &after, None)?;
        }
        if let Ok(before) = groups::lock(tx, self.tenant, self.group_id(index)) {
            let mut after = ExperienceGroup { group_tags: tags, ..before.clone() };
            after.device_query_json = Some(text.clone());
            after.experience_endpoint_ids =
                vec![ForeignId(id(USER, 0, index)); usize::from(much % 3)];
            after.device_ids = Some(vec![ForeignId(id(USER, 0, index)); usize::from(much % 9)]);
            groups::put(tx, self.tenant, &before, &after)?;
        }
        let token = ApiTokenId(id(TOKEN, self.number, index));
        if let Ok(before) = tokens::lock(tx, Owner::of(self.tenant), token) {
            let after = ApiToken { description: Some(text), ..before.clone() };
            tokens::put(tx, &before, &after)?;
        }
        Ok(())
    }
}

fn run(tx: &mut Tx<'_>, number: u8, step: &Step) -> Result<()> {
    let Some(place) = Place::enter(tx, number)? else { return Ok(()) };
    match step {
        Step::Application => applications::delete(tx, place.tenant),
        Step::Users => users::delete_all(tx, place.tenant),
        Step::Groups => groups::delete_all(tx, place.tenant),
        Step::User(index, joined) => place.user(tx, *index, joined),
        Step::Group(index, members) => place.group(tx, *index, members),
        Step::Token(index) => place.token(tx, *index),
        Step::Join(user, joined) => place.join(tx, *user, joined),
        Step::Gather(group, members) => place.gather(tx, *group, Some(members)),
        Step::Rename(group) => place.gather(tx, *group, None),
        Step::Say(index, much) => place.say(tx, *index, *much),
        Step::Stale(user, group, members) => {
            let before = users::lock(tx, place.tenant, place.user_id(*user));
            place.gather(tx, *group, Some(members))?;
            let Ok(before) = before else { return Ok(()) };
            let after = ExperienceUser { experience_groups: Vec::new(), ..before.clone() };
            users::put(tx, place.tenant, &before, &after, None)
        }
    }
}

const PAGING: Paging =
    Paging { start: Start::Page(0), per_page: 1000, direction: SortDirection::Asc };

/// Every list of the application says how many items it has, which are all on its page.
fn lists(tx: &mut Tx<'_>, number: u8) -> Result<()> {
    let Ok(tenant) = AuthorizedApp::allowed(application(number)).require(tx) else { return Ok(()) };
    let mut memberships = vec![None, Some(Membership::Any), Some(Membership::None)];
    for index in 0..EACH {
        let group = ExperienceGroupId(id(GROUP, number, index));
        memberships.push(Some(Membership::Of(group)));
    }
    let mut totals = Vec::new();
    for membership in memberships {
        let listing = user_listing::Listing {
            query: None,
            filter: None,
            membership,
            search: None,
            ancestors: false,
            sort: ExperienceUserSort::Email,
            paging: PAGING,
        };
        let Listed { items: users, total, .. } = user_listing::list(tx, tenant, &listing)?;
        assert_eq!(users.len() as u64, total, "{membership:?}");
        totals.push(total);
    }
    assert_eq!(totals[0], totals[1] + totals[2], "in a group or in none");
    let listing = group_listing::Listing {
        query: None,
        name: None,
        parent: None,
        bare: false,
        sort: ExperienceGroupSort::Name,
        paging: PAGING,
    };
    let Listed { items: groups, total, .. } = group_listing::list(tx, tenant, &listing)?;
    assert_eq!(groups.len() as u64, total);
    // Without its members each group is the same, and says how many there are.
    let listing = group_listing::Listing { bare: true, ..listing };
    let bare = group_listing::list(tx, tenant, &listing)?.items;
    let counted = groups.iter().map(|group| ExperienceGroup {
        experience_user_ids: None,
        device_ids: None,
        direct_user_count: group.experience_user_ids.as_ref().map(|ids| ids.len() as u64),
        has_children: Some(groups.iter().any(|other| other.parent_id == Some(group.id))),
        direct_device_count: group.device_ids.as_ref().map(|ids| ids.len().min(1) as u64),
        ..group.clone()
    });
    assert_eq!(bare, counted.collect::<Vec<_>>());
    let summary = applications::get(tx, tenant)?.summary;
    assert_eq!(summary.experience_user_count, Some(totals[0]));
    assert_eq!(summary.experience_group_count, Some(total));
    Ok(())
}

#[test]
fn what_is_counted_is_what_there_is() {
    counts_hold(&Own::on_sqlite());
}

#[test]
fn what_is_counted_is_what_there_is_on_postgres() {
    counts_hold(&Own::on_postgres());
}

fn counts_hold(own: &Own) {
    proptest!(
        ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() },
        |(steps in prop::collection::vec(step(), 1..60))| {
            let outcome = own.undone(move |tx| {
                settings::put(tx, "organization", "0".repeat(24).as_bytes())?;
                for (number, step) in &steps {
                    run(tx, *number, step)?;
                    let (kept, there) = (tx.all::<String>(KEPT, &[])?, tx.all::<String>(THERE, &[])?);
                    if kept != there {
                        return Err(Error::internal(format!("{step:?}\n{kept:?}\n{there:?}")));
                    }
                }
                lists(tx, 0)?;
                lists(tx, 1)
            });
            prop_assert!(outcome.is_ok(), "{outcome:?}");
        }
    );
}

/// More users than are asked about in one statement.
#[tokio::test]
async fn a_large_group_is_counted() {
    let (store, _) = Store::ephemeral(&Options { readers: 1, ..Options::default() }).unwrap();
    let work = store.write(|tx| {
        run(tx, 0, &Step::Application)?;
        let tenant = AuthorizedApp::allowed(application(0)).require(tx)?;
        let group = ExperienceGroupId(id(GROUP, 0, 0));
        for index in 0..=1 {
            run(tx, 0, &Step::Group(index, BTreeSet::new()))?;
        }
        let mut members = Vec::new();
        for index in 0..=250 {
            run(
                tx,
                0,
                &Step::User(
                    index,
                    (0..2).filter(|group| group % 2 == 1 && index % 2 == 0).collect(),
                ),
            )?;
            members.push(ExperienceUserId(id(USER, 0, index)));
        }
        let counted = |tx: &mut Tx<'_>| {
            let of = Counted::MembersOf(tenant.id(), group);
            Ok::<_, Error>((counts::of(tx, Counted::Members(tenant.id()))?, counts::of(tx, of)?))
        };
        let before = groups::lock(tx, tenant, group)?;
        let after = ExperienceGroup { experience_user_ids: Some(members), ..before.clone() };
        let mut seen = vec![counted(tx)?];
        groups::put(tx, tenant, &before, &after)?;
        seen.push(counted(tx)?);
        groups::delete(tx, tenant, &after)?;
        seen.push(counted(tx)?);
        Ok(seen)
    });
    assert_eq!(work.await.unwrap(), [(126, 0), (251, 251), (126, 0)]);
}
