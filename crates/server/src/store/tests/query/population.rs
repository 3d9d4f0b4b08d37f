//! Users and groups to look among, and how they come into a store: by all ways there are, so that
//! what a write leaves behind would be found.

use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rows as groups;
use crate::directory::users::rows as users;
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::tenant::Tenant;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ForeignId, ObjectId};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

/// Names that fold, sort or match in ways of their own.
pub(super) const NAMES: [&str; 26] = [
    "",
    "a",
    "A",
    "b",
    "Ada",
    "ada",
    "ADA",
    "adam",
    "Émile",
    "émile",
    "ΟΔΟΣ",
    "οδος",
    "οδοσ",
    "İstanbul",
    "istanbul",
    "straße",
    "STRASSE",
    "100%",
    "100",
    "a_b",
    "axb",
    "a\\b",
    "😀",
    "\u{10ffff}",
    "it's \"$1\"",
    " ",
];
pub(super) const KEYS: [&str; 6] = ["a", "A", "role", "site", "a-b", "_"];
pub(super) const VALUES: [&str; 6] = ["x", "X", "y", "é", "%", "x y"];
/// Moments a little apart, most of them of several.
pub(super) const MOMENTS: [i64; 6] =
    [-1, 0, 1_465_790_400_000, 1_465_790_400_001, 1_465_800_000_000, 4_102_444_800_000];
pub(super) const MOST_USERS: usize = 60;
pub(super) const MOST_GROUPS: usize = 12;

/// The `index`th id of a kind. They do not sort as they are counted.
pub(super) fn id(kind: u8, index: usize) -> ObjectId {
    let index = u8::try_from(index).expect("few of each kind");
    let mut bytes = [kind; 12];
    bytes[0] = index.wrapping_mul(151).wrapping_add(kind);
    bytes[11] = index;
    ObjectId::from_bytes(bytes)
}

pub(super) fn user_id(index: usize) -> ExperienceUserId {
    ExperienceUserId(id(1, index))
}

pub(super) fn group_id(index: usize) -> ExperienceGroupId {
    ExperienceGroupId(id(2, index))
}

pub(super) fn endpoint_id(index: usize) -> ForeignId {
    ForeignId(id(3, index))
}

/// The address of the `index`th user: some start alike, in either case.
pub(super) fn email(index: usize) -> String {
    let name = ["Ada", "ada", "Bob", "a_b", "zoe"][index % 5];
    format!("{name}{index}@{}", if index.is_multiple_of(3) { "Example.com" } else { "example.org" })
}

/// Everybody, and what they were made from.
#[derive(Debug, Clone)]
pub(super) struct Population {
    pub(super) users: Vec<ExperienceUser>,
    pub(super) groups: Vec<ExperienceGroup>,
    /// Whether each was another first and changed later, or is one of those who went.
    changed: bool,
    gone: bool,
}

fn tags() -> impl Strategy<Value = Tags> {
    prop::collection::btree_map(
        select(&KEYS[..]).prop_map(str::to_owned),
        select(&VALUES[..]).prop_map(str::to_owned),
        0..4,
    )
    .prop_map(Tags)
}

fn moment() -> impl Strategy<Value = DateTime> {
    select(&MOMENTS[..]).prop_map(DateTime::from_millis)
}

fn maybe<T: Strategy>(strategy: T) -> impl Strategy<Value = Option<T::Value>> {
    prop::option::weighted(0.7, strategy)
}

fn name() -> impl Strategy<Value = String> {
    select(&NAMES[..]).prop_map(str::to_owned)
}

fn user() -> impl Strategy<Value = ExperienceUser> {
    let moments = (moment(), moment(), maybe(moment()), maybe(moment()));
    let groups = prop::collection::btree_set(0..MOST_GROUPS, 0..3);
    (maybe(name()), maybe(name()), moments, tags(), groups).prop_map(
        |(first_name, last_name, (created, updated, password, login), user_tags, groups)| {
            let id = user_id(0);
            ExperienceUser {
                id,
                experience_user_id: id,
                application_id: ApplicationId(id.0),
                creation_date: created,
                last_updated: updated,
                password_last_updated: password,
                last_login: login,
                email: String::new(),
                first_name,
                last_name,
                avatar_url: String::new(),
                token_cutoff: None,
                user_tags,
                experience_groups: groups.into_iter().map(reference).collect(),
            }
        },
    )
}

fn reference(index: usize) -> GroupRef {
    GroupRef { id: group_id(index), name: String::new(), parent_id: None }
}

fn group() -> impl Strategy<Value = (ExperienceGroup, Option<prop::sample::Index>)> {
    let endpoints = prop::collection::vec(0..4_usize, 0..3);
    let parent = maybe(any::<prop::sample::Index>());
    (name(), (moment(), moment()), tags(), endpoints, parent).prop_map(
        |(name, (created, updated), group_tags, endpoints, parent)| {
            let id = group_id(0);
            let group = ExperienceGroup {
                id,
                experience_group_id: id,
                application_id: ApplicationId(id.0),
                creation_date: created,
                last_updated: updated,
                name,
                description: None,
                experience_user_ids: Some(Vec::new()),
                experience_endpoint_ids: endpoints.into_iter().map(endpoint_id).collect(),
                group_tags,
                device_ids: Some(Vec::new()),
                device_tags: Vec::new(),
                device_query_json: None,
                parent_id: None,
                ancestor_ids: Vec::new(),
                direct_user_count: None,
                has_children: None,
                direct_device_count: None,
                total_device_count: None,
            };
            (group, parent)
        },
    )
}

/// Any population.
pub(super) fn population() -> impl Strategy<Value = Population> {
    let few = prop_oneof![1 => 0..6_usize, 4 => 6..24_usize, 1 => 0..=MOST_USERS];
    let users = few.prop_flat_map(|count| prop::collection::vec(user(), count));
    let groups = prop_oneof![1 => 0..3_usize, 4 => 3..=MOST_GROUPS]
        .prop_flat_map(|count| prop::collection::vec(group(), count));
    (users, groups, any::<bool>(), any::<bool>()).prop_map(|(mut users, groups, changed, gone)| {
        let mut forest: Vec<ExperienceGroup> = Vec::new();
        for (index, (mut group, parent)) in groups.into_iter().enumerate() {
            (group.id, group.experience_group_id) = (group_id(index), group_id(index));
            if let Some(parent) = parent.filter(|_| index > 0).map(|p| p.get(&forest)) {
                group.parent_id = Some(parent.id);
                group.ancestor_ids = [&parent.ancestor_ids[..], &[parent.id]].concat();
            }
            forest.push(group);
        }
        for (index, user) in users.iter_mut().enumerate() {
            (user.id, user.experience_user_id) = (user_id(index), user_id(index));
            user.email = email(index);
            user.experience_groups.retain(|group| forest.iter().any(|g| g.id == group.id));
            for group in &user.experience_groups {
                let group = forest.iter_mut().find(|one| one.id == group.id);
                let members = &mut group.expect("it was kept").experience_user_ids;
                members.get_or_insert_default().push(user.id);
            }
        }
        Population { users, groups: forest, changed, gone }
    })
}

/// `user` as it was before it became what it is.
fn earlier(user: &ExperienceUser) -> ExperienceUser {
    ExperienceUser {
        email: format!("earlier-{}", user.email),
        first_name: Some("Earlier".into()),
        last_name: None,
        user_tags: other(&user.user_tags),
        experience_groups: Vec::new(),
        ..user.clone()
    }
}

/// The same keys with other values, and one more.
fn other(tags: &Tags) -> Tags {
    let mut other: BTreeMap<_, _> =
        tags.0.keys().map(|key| (key.clone(), "earlier".to_owned())).collect();
    other.insert("role".into(), "x".into());
    Tags(other)
}

impl Population {
    /// Puts everybody into the application `tenant`.
    pub(super) fn keep(&self, tx: &mut Tx<'_>, tenant: Tenant, hash: &PasswordHash) -> Result<()> {
        for group in &self.groups {
            // Users join by themselves.
            let mut group = ExperienceGroup {
                application_id: tenant.id(),
                experience_user_ids: Some(Vec::new()),
                ..group.clone()
            };
            if self.changed {
                let mut before = group.clone();
                before.name = "Earlier".into();
                before.group_tags = other(&group.group_tags);
                before.experience_endpoint_ids = vec![endpoint_id(0), endpoint_id(9)];
                groups::add(tx, tenant, &before)?;
                groups::put(tx, tenant, &before, &group)?;
            } else {
                groups::add(tx, tenant, &group)?;
            }
            if self.gone {
                (group.id, group.parent_id) = (ExperienceGroupId(id(4, 0)), Some(group.id));
                groups::add(tx, tenant, &group)?;
                groups::delete(tx, tenant, &group)?;
            }
        }
        for user in &self.users {
            let mut user = ExperienceUser { application_id: tenant.id(), ..user.clone() };
            if self.changed {
                let before = earlier(&user);
                users::add(tx, tenant, &before, hash)?;
                users::put(tx, tenant, &before, &user, None)?;
            } else {
                users::add(tx, tenant, &user, hash)?;
            }
            if self.gone {
                (user.id, user.email) = (ExperienceUserId(id(4, 0)), "gone@example.com".into());
                users::add(tx, tenant, &user, hash)?;
                users::delete(tx, tenant, &user)?;
            }
        }
        Ok(())
    }

    /// The same ids, with what belongs to others: what is in another application must not count.
    pub(super) fn turned(&self) -> Self {
        let mut turned = self.clone();
        for (own, other) in turned.users.iter_mut().zip(self.users.iter().rev()) {
            own.user_tags.clone_from(&other.user_tags);
            own.experience_groups.clone_from(&other.experience_groups);
        }
        let groups = turned.groups.iter_mut().zip(self.groups.iter().rev());
        for (index, (own, other)) in groups.enumerate() {
            own.group_tags.clone_from(&other.group_tags);
            own.experience_endpoint_ids.clone_from(&other.experience_endpoint_ids);
            own.parent_id = index.checked_sub(1).map(group_id);
        }
        turned
    }

    /// How many ids there are, to see that none is there twice.
    pub(super) fn distinct(&self) -> usize {
        let users = self.users.iter().map(|user| user.id.to_string());
        users.chain(self.groups.iter().map(|g| g.id.to_string())).collect::<BTreeSet<_>>().len()
    }
}
