//! What tests of pages list: users and groups of few kinds, so that there are ties, and what a list of
//! them has to be.

use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rules::new_group;
use crate::directory::groups::{listing as group_listing, rows as groups};
use crate::directory::users::rules::new_user;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::convert::key;
use crate::rows::list::{Listed, Paging};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort, Parent};
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, GroupRef, Membership,
};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ObjectId};
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;
use std::collections::BTreeMap;

/// What somebody is sorted by: few values, so that there are ties.
#[derive(Debug, Clone)]
pub(super) struct Traits {
    first: Option<&'static str>,
    last: Option<&'static str>,
    created: i64,
    updated: i64,
    login: Option<i64>,
    member: bool,
}

const MOMENTS: [i64; 4] = [-1, 0, 1_465_790_400_000, 4_102_444_800_000];

pub(super) fn traits() -> impl Strategy<Value = Traits> {
    let name = || prop::option::weighted(0.6, select(&["", "a", "A", "b", "é", "\u{10ffff}"][..]));
    let moment = || select(&MOMENTS[..]);
    (name(), name(), moment(), moment(), prop::option::of(moment()), any::<bool>()).prop_map(
        |(first, last, created, updated, login, member)| Traits {
            first,
            last,
            created,
            updated,
            login,
            member,
        },
    )
}

/// What happens between two pages.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Add(Traits),
    Remove(Index),
    /// The row that the walk has come to.
    RemoveLast,
    /// Anything but what it is sorted by.
    Change(Index),
}

pub(super) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => traits().prop_map(Edit::Add),
        2 => any::<Index>().prop_map(Edit::Remove),
        2 => Just(Edit::RemoveLast),
        1 => any::<Index>().prop_map(Edit::Change),
    ]
}

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Users(ExperienceUserSort),
    /// Those who match a pattern, which all do.
    Matching(ExperienceUserSort),
    /// Those whom a search finds, who are all.
    Searched(ExperienceUserSort),
    /// Those in the one group.
    Members(ExperienceUserSort),
    /// Those whom a query finds: the same.
    Found(ExperienceUserSort),
    Groups(ExperienceGroupSort),
    /// Those in the one group.
    Children(ExperienceGroupSort),
}

impl Of {
    const fn groups(self) -> bool {
        matches!(self, Self::Groups(_) | Self::Children(_))
    }
}

pub(super) fn of() -> impl Strategy<Value = Of> {
    let user =
        select(ExperienceUserSort::WORDS).prop_map(|word| ExperienceUserSort::parse(word).unwrap());
    let group = select(ExperienceGroupSort::WORDS)
        .prop_map(|word| ExperienceGroupSort::parse(word).unwrap());
    prop_oneof![
        3 => user.clone().prop_map(Of::Users),
        1 => user.clone().prop_map(Of::Matching),
        1 => user.clone().prop_map(Of::Searched),
        2 => user.clone().prop_map(Of::Members),
        1 => user.prop_map(Of::Found),
        2 => group.clone().prop_map(Of::Groups),
        1 => group.prop_map(Of::Children),
    ]
}

const APPLICATION: ApplicationId = ApplicationId(ObjectId::from_bytes([9; 12]));
/// The group that members are in.
const CLUB: ExperienceGroupId = ExperienceGroupId(ObjectId::from_bytes([0; 12]));
const NOW: DateTime = DateTime::from_millis(0);

/// The `index`th id; they do not sort as they are counted.
fn id(index: u8) -> ObjectId {
    let mut bytes = [1; 12];
    (bytes[0], bytes[11]) = (index.wrapping_mul(151), index);
    ObjectId::from_bytes(bytes)
}

/// What a row is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Nothing,
    Moment(i64),
    Text(String),
}

impl Key {
    fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(key(text)))
    }
}

/// Everybody there is.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    there: BTreeMap<u8, Traits>,
    next: u8,
}

impl World {
    fn email(index: u8) -> String {
        format!("{:02x}@Example.com", index.wrapping_mul(59))
    }

    fn name(index: u8) -> &'static str {
        ["b", "a", "A", "z"][usize::from(index % 4)]
    }

    fn key(of: Of, index: u8, traits: &Traits) -> Key {
        let sort = match of {
            Of::Users(sort)
            | Of::Matching(sort)
            | Of::Searched(sort)
            | Of::Members(sort)
            | Of::Found(sort) => sort,
            Of::Groups(sort) | Of::Children(sort) => {
                return match sort {
                    ExperienceGroupSort::Name => Key::text(Some(Self::name(index))),
                    ExperienceGroupSort::Id => Key::Nothing,
                    ExperienceGroupSort::CreationDate => Key::Moment(traits.created),
                    ExperienceGroupSort::LastUpdated => Key::Moment(traits.updated),
                };
            }
        };
        match sort {
            ExperienceUserSort::FirstName => Key::text(traits.first),
            ExperienceUserSort::LastName => Key::text(traits.last),
            ExperienceUserSort::Email => Key::text(Some(&Self::email(index))),
            ExperienceUserSort::Id => Key::Nothing,
            ExperienceUserSort::CreationDate => Key::Moment(traits.created),
            ExperienceUserSort::LastLogin => traits.login.map_or(Key::Nothing, Key::Moment),
            ExperienceUserSort::LastUpdated => Key::Moment(traits.updated),
        }
    }

    /// Who is listed, in order.
    pub(super) fn listed(&self, of: Of, direction: SortDirection) -> Vec<(Key, ObjectId)> {
        let asked = |traits: &Traits| match of {
            Of::Members(_) | Of::Found(_) | Of::Children(_) => traits.member,
            Of::Users(_) | Of::Matching(_) | Of::Searched(_) | Of::Groups(_) => true,
        };
        let all = self.there.iter().filter(|(_, traits)| asked(traits));
        let mut all: Vec<_> =
            all.map(|(index, traits)| (Self::key(of, *index, traits), id(*index))).collect();
        all.sort();
        if direction == SortDirection::Desc {
            all.reverse();
        }
        all
    }

    pub(super) fn add(&mut self, tx: &mut Tx<'_>, of: Of, traits: &Traits) -> Result<()> {
        let tenant = tenant(tx)?;
        let index = self.next;
        self.next += 1;
        self.there.insert(index, traits.clone());
        if of.groups() {
            return groups::add(tx, tenant, &group(of, index, traits));
        }
        let post = json!({ "email": Self::email(index), "password": "Correct-h0rse" });
        let post = wire::read("experienceUser", post).unwrap();
        let club = GroupRef { id: CLUB, name: "club".into(), parent_id: None };
        let groups = if traits.member { vec![club] } else { Vec::new() };
        let user = new_user(&post, ExperienceUserId(id(index)), APPLICATION, groups, NOW);
        let user = ExperienceUser {
            first_name: traits.first.map(str::to_owned),
            last_name: traits.last.map(str::to_owned),
            creation_date: DateTime::from_millis(traits.created),
            last_updated: DateTime::from_millis(traits.updated),
            last_login: traits.login.map(DateTime::from_millis),
            ..user
        };
        users::add(tx, tenant, &user, &PasswordHash::from_stored("x".into()))
    }

    fn remove(&mut self, tx: &mut Tx<'_>, of: Of, index: u8) -> Result<()> {
        let Some(traits) = self.there.remove(&index) else { return Ok(()) };
        let tenant = tenant(tx)?;
        if of.groups() {
            return groups::delete(tx, tenant, &group(of, index, &traits));
        }
        let user = users::get(tx, tenant, ExperienceUserId(id(index)))?;
        users::delete(tx, tenant, &user)
    }

    fn change(&self, tx: &mut Tx<'_>, of: Of, index: u8) -> Result<()> {
        let tenant = tenant(tx)?;
        if of.groups() {
            let before = group(of, index, &self.there[&index]);
            let after = ExperienceGroup { description: Some("new".into()), ..before.clone() };
            return groups::put(tx, tenant, &before, &after);
        }
        let before = users::get(tx, tenant, ExperienceUserId(id(index)))?;
        let mut after = before.clone();
        after.user_tags.0.insert("a".into(), "b".into());
        users::put(tx, tenant, &before, &after, None)
    }

    /// One who is there.
    fn one(&self, index: Index) -> Option<u8> {
        let all: Vec<u8> = self.there.keys().copied().collect();
        (!all.is_empty()).then(|| *index.get(&all))
    }

    pub(super) fn edit(
        &mut self,
        tx: &mut Tx<'_>,
        of: Of,
        edit: &Edit,
        last: Option<u8>,
    ) -> Result<()> {
        match edit {
            Edit::Add(traits) => self.add(tx, of, traits),
            Edit::Remove(index) => {
                self.one(*index).map_or(Ok(()), |index| self.remove(tx, of, index))
            }
            Edit::RemoveLast => last.map_or(Ok(()), |index| self.remove(tx, of, index)),
            Edit::Change(index) => {
                self.one(*index).map_or(Ok(()), |index| self.change(tx, of, index))
            }
        }
    }
}

fn group(of: Of, index: u8, traits: &Traits) -> ExperienceGroup {
    let within = matches!(of, Of::Children(_)) && traits.member;
    let post = wire::read("experienceGroup", json!({ "name": World::name(index) })).unwrap();
    let id = ExperienceGroupId(id(index));
    ExperienceGroup {
        creation_date: DateTime::from_millis(traits.created),
        last_updated: DateTime::from_millis(traits.updated),
        parent_id: within.then_some(CLUB),
        ..new_group(&post, id, APPLICATION, Vec::new(), Vec::new(), NOW)
    }
}

fn tenant(tx: &mut Tx<'_>) -> Result<Tenant> {
    AuthorizedApp::allowed(APPLICATION).require(tx)
}

/// A page of the list, as ids.
pub(super) fn page(tx: &mut Tx<'_>, of: Of, paging: Paging) -> Result<Listed<ObjectId>> {
    let tenant = tenant(tx)?;
    let mut listing = user_listing::Listing {
        query: None,
        filter: None,
        membership: None,
        search: None,
        ancestors: false,
        sort: ExperienceUserSort::Id,
        paging: paging.clone(),
    };
    match of {
        Of::Users(sort) => listing.sort = sort,
        Of::Matching(sort) => {
            listing.sort = sort;
            listing.filter = Some((ExperienceUserFilter::Email, "*@*".into()));
        }
        Of::Searched(sort) => {
            listing.sort = sort;
            listing.search = Some(wire::read("search", json!("example")).unwrap());
        }
        Of::Members(sort) => {
            listing.sort = sort;
            listing.membership = Some(Membership::Of(CLUB));
        }
        Of::Found(sort) => {
            listing.sort = sort;
            let query = json!({ "experienceGroupId": CLUB.to_string() });
            listing.query = Some(wire::read("query", query).unwrap());
        }
        Of::Groups(sort) | Of::Children(sort) => {
            let parent = matches!(of, Of::Children(_)).then_some(Parent::Of(CLUB));
            let (query, name, bare) = (None, None, parent.is_some());
            let listing = group_listing::Listing { query, name, parent, bare, sort, paging };
            let found = group_listing::list(tx, tenant, &listing)?;
            return Ok(found.map(|group| group.id.0));
        }
    }
    let found = user_listing::list(tx, tenant, &listing)?;
    Ok(found.map(|user| user.id.0))
}

pub(super) fn direction() -> impl Strategy<Value = SortDirection> {
    select(&[SortDirection::Asc, SortDirection::Desc][..])
}

/// There is an application, and the group that its users may be in.
pub(super) fn found_application(tx: &mut Tx<'_>, of: Of) -> Result<()> {
    let post = wire::read("application", json!({ "name": "a" })).unwrap();
    let organization = "0".repeat(24).parse().unwrap();
    let new = new_application(&post, APPLICATION, organization, NOW);
    let tenant = applications::add(tx, &new)?;
    if matches!(of, Of::Groups(_)) {
        return Ok(());
    }
    let post = wire::read("experienceGroup", json!({ "name": "club" })).unwrap();
    let club = new_group(&post, CLUB, APPLICATION, Vec::new(), Vec::new(), NOW);
    groups::add(tx, tenant, &club)
}
