//! What is in the application: as it is expected to be, and as the server tells it.

use guestlist_testbed::http::{Client, Request};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
    Token,
}

impl Kind {
    pub(crate) fn path(self, application: &str) -> String {
        let kind = match self {
            Self::User => "experience/users",
            Self::Group => "experience/groups",
            Self::Token => "tokens",
        };
        format!("/applications/{application}/{kind}")
    }

    /// The field that names it, which is never changed and never used twice.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "email",
            Self::Group | Self::Token => "name",
        }
    }

    /// The fields of `entity` that are about nothing else. Who is in which group is compared for
    /// all together, and a token is told but once.
    pub(crate) fn own_fields(self, mut entity: Value) -> Value {
        let others: &[&str] = match self {
            Self::User => &["experienceGroups"],
            Self::Group => &["experienceUserIds", "parentId", "ancestorIds"],
            Self::Token => &["token"],
        };
        let fields = entity.as_object_mut().expect("an entity");
        fields.retain(|name, _| !others.contains(&name.as_str()));
        entity
    }
}

/// Everything of one writer, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct World {
    pub(crate) users: BTreeMap<String, Value>,
    pub(crate) groups: BTreeMap<String, Value>,
    pub(crate) tokens: BTreeMap<String, Value>,
    /// Address of a user, name of a group.
    pub(crate) members: BTreeSet<(String, String)>,
    /// Name of a group, name of the one it is in.
    pub(crate) parents: BTreeMap<String, String>,
}

impl World {
    pub(crate) fn all_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Value> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
            Kind::Token => &mut self.tokens,
        }
    }

    fn all(&self, kind: Kind) -> &BTreeMap<String, Value> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
            Kind::Token => &self.tokens,
        }
    }

    /// The id of something that is known to exist.
    pub(crate) fn id(&self, kind: Kind, name: &str) -> Value {
        self.all(kind)[name]["id"].clone()
    }

    /// Where `actual` is not as this expects.
    pub(crate) fn differences(&self, actual: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for kind in [Kind::User, Kind::Group, Kind::Token] {
            let (expected, actual) = (self.all(kind), actual.all(kind));
            let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for name in names {
                match (expected.get(name), actual.get(name)) {
                    (Some(expected), Some(actual)) if is(expected, actual) => {}
                    (expected, actual) => {
                        found.push(format!("{name}: {expected:?} expected, {actual:?} is there"));
                    }
                }
            }
        }
        for pair in self.members.symmetric_difference(&actual.members) {
            let expected = self.members.contains(pair);
            found.push(format!("{pair:?}: membership expected is {expected}"));
        }
        if self.parents != actual.parents {
            found.push(format!("{:?} are parents, not {:?}", actual.parents, self.parents));
        }
        found
    }
}

/// Whether `actual` is what is expected: in every field, or, where the server has not said when it
/// was changed, in every field that is known.
pub(crate) fn is(expected: &Value, actual: &Value) -> bool {
    let known = expected.as_object().expect("an entity");
    match known.get("lastUpdated") {
        Some(_) => expected == actual,
        None => known.iter().all(|(name, value)| actual.get(name) == Some(value)),
    }
}

/// What the server tells, by the number of the writer that made it.
///
/// # Panics
/// When what it tells does not agree with itself.
pub(crate) fn read(client: &mut Client, application: &str) -> BTreeMap<u64, World> {
    let [users, groups, tokens] =
        [Kind::User, Kind::Group, Kind::Token].map(|kind| list(client, application, kind));
    let group_names = names(Kind::Group, &groups);
    let emails = names(Kind::User, &users);
    let mut worlds = BTreeMap::<u64, World>::new();
    let mut by_user = BTreeSet::new();
    for user in &users {
        for group in user["experienceGroups"].as_array().expect("groups") {
            let name = &group_names[id(group)];
            assert_eq!(group["name"], **name, "{user}");
            by_user.insert((text(&user["email"]), (*name).to_owned()));
        }
    }
    let mut by_group = BTreeSet::new();
    for group in &groups {
        let name = text(&group["name"]);
        let world = worlds.entry(writer(&name)).or_default();
        for user in group["experienceUserIds"].as_array().expect("users") {
            by_group.insert((emails[user.as_str().expect("an id")].to_owned(), name.clone()));
        }
        if let Some(parent) = group["parentId"].as_str() {
            world.parents.insert(name, group_names[parent].to_owned());
        }
        let line = lineage(group, &groups);
        assert_eq!(group["ancestorIds"], line, "{group}");
    }
    assert_eq!(by_user, by_group, "membership from both sides");
    for pair in by_user {
        worlds.entry(writer(&pair.0)).or_default().members.insert(pair);
    }
    for (kind, entities) in [(Kind::User, users), (Kind::Group, groups), (Kind::Token, tokens)] {
        for entity in entities {
            let name = text(&entity[kind.name()]);
            let world = worlds.entry(writer(&name)).or_default();
            let again = world.all_mut(kind).insert(name, kind.own_fields(entity));
            assert_eq!(again, None, "made twice");
        }
    }
    worlds
}

/// The ids of the groups above `group`, from the root down.
fn lineage(group: &Value, groups: &[Value]) -> Value {
    let mut line = Vec::new();
    let mut above = &group["parentId"];
    while let Some(parent) = groups.iter().find(|group| group["id"] == *above) {
        line.insert(0, parent["id"].clone());
        above = &parent["parentId"];
    }
    line.into()
}

fn list(client: &mut Client, application: &str, kind: Kind) -> Vec<Value> {
    let path = format!("{}?perPage=1000", kind.path(application));
    let answer = client.send(&Request::new("GET", path, None)).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let items = answer.body["items"].as_array().expect("items").clone();
    assert_eq!(answer.body["totalCount"], items.len());
    // All but the token that the writers have from the command line.
    items.into_iter().filter(|item| item[kind.name()] != super::OWN_TOKEN).collect()
}

fn names(kind: Kind, entities: &[Value]) -> BTreeMap<&str, &str> {
    let name = |entity| Map::get(entity, kind.name()).and_then(Value::as_str).expect("a name");
    entities.iter().map(|entity| (id(entity), name(entity.as_object().expect("one")))).collect()
}

fn id(entity: &Value) -> &str {
    entity["id"].as_str().expect("an id")
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The number of the writer that chose `name`, such as `w7-123`.
fn writer(name: &str) -> u64 {
    let number = name.strip_prefix('w').and_then(|name| name.split('-').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("nobody has made {name}"))
}
