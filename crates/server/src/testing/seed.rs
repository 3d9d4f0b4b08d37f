//! What a test server has at first, read from JSON.

use super::given::{self, list, nothing_else, object, part, take};
use crate::directory::groups::forest::MAX_DEPTH;
use crate::error::{Error, Result};
use crate::http::body;
use anyhow::{Context as _, anyhow};
use guestlist_api::api_token::ApiTokenPost;
use guestlist_api::application::ApplicationPost;
use guestlist_api::entity::OwnerType;
use guestlist_api::experience_group::ExperienceGroupPost;
use guestlist_api::experience_user::ExperienceUserPost;
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use guestlist_api::secret::NewUserPassword;
use guestlist_api::text::{Email, List, Name};
use guestlist_api::time::DateTime;
use guestlist_api::wire::{Problem, Problems, Rule, Wire as _};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The password of everybody to whom the seed gives none.
pub const PASSWORD: &str = "Test-password-1";
/// The address of the administrator, unless the seed says another.
pub const EMAIL: &str = "admin@example.com";
/// What the application is called, unless the seed says something else.
const APPLICATION: &str = "Test";

/// What a server has at first, known to be good.
#[derive(Debug, Clone)]
pub(crate) struct Seed {
    /// Where the clock stands, if it stands.
    pub(super) now: Option<DateTime>,
    pub(super) application_id: Option<ApplicationId>,
    pub(super) application: ApplicationPost,
    pub(super) email: Email,
    pub(super) password: NewUserPassword,
    /// Parents before children.
    pub(super) groups: Vec<Group>,
    pub(super) users: Vec<User>,
    pub(super) tokens: Vec<Token>,
}

#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: Option<ExperienceGroupId>,
    pub(super) parent: Option<String>,
    pub(super) post: ExperienceGroupPost,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: Option<ExperienceUserId>,
    pub(super) groups: Vec<String>,
    pub(super) post: ExperienceUserPost,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) owner: OwnerType,
    pub(super) post: ApiTokenPost,
}

/// Where a seed comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A JSON file.
    File(PathBuf),
    /// JSON that is there already.
    Value(Value),
}

impl From<Value> for Source {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

/// `problems`, each on a line of its own.
fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

impl Seed {
    /// Reads the seed from where it is; from nowhere for an empty one.
    ///
    /// # Errors
    /// When it cannot be had or is not good; the message names the file and every path in it that
    /// is wrong.
    pub(crate) fn load(source: Option<Source>) -> anyhow::Result<Self> {
        let (value, from) = match source {
            None => (Value::Object(Map::new()), None),
            Some(Source::Value(value)) => (value, None),
            Some(Source::File(path)) => {
                let text = std::fs::read(&path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                let value = body::parse_json(&text)
                    .with_context(|| format!("{} is not good", path.display()))?;
                (value, Some(path))
            }
        };
        let seed = Self::read(value).map_err(|error| match error {
            Error::Invalid(problems) => anyhow!("{}", lines(&problems)),
            error => error.into(),
        });
        match from {
            Some(path) => seed.with_context(|| format!("{} is not good", path.display())),
            None => seed.context("the seed is not good"),
        }
    }

    /// Reads a seed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, each under its path, such as
    /// `seed.users.3.email`.
    pub(super) fn read(value: Value) -> Result<Self> {
        given::read("seed", value, Self::of)
    }

    fn of(fields: &mut Map<String, Value>, at: &mut Problems) -> Option<Self> {
        let now = take(fields, "now", at);
        let application = part(fields, "application", at, |mut fields, at| {
            let id = take(&mut fields, "id", at);
            fields.entry("name").or_insert_with(|| APPLICATION.into());
            Some((id, ApplicationPost::read(Value::Object(fields), at)?))
        });
        let administrator = part(fields, "administrator", at, |mut fields, at| {
            fields.entry("email").or_insert_with(|| EMAIL.into());
            fields.entry("password").or_insert_with(|| PASSWORD.into());
            let (email, password) =
                (take(&mut fields, "email", at), take(&mut fields, "password", at));
            nothing_else(&fields, at);
            Some((email?, password?))
        });
        let groups = list(fields, "groups", at, Group::of);
        let users = list(fields, "users", at, User::of);
        let tokens = list(fields, "tokens", at, Token::of);
        if at.count() > 0 {
            return None;
        }
        let ((application_id, application), (email, password)) = (application?, administrator?);
        let depths = check(&groups, &users, &tokens, at);
        let mut groups: Vec<(usize, Group)> = depths.into_iter().zip(groups).collect();
        groups.sort_by_key(|(depth, _)| *depth);
        let groups = groups.into_iter().map(|(_, group)| group).collect();
        Some(Self { now, application_id, application, email, password, groups, users, tokens })
    }
}

impl Group {
    fn of(value: Value, at: &mut Problems) -> Option<Self> {
        let mut fields = object(value, at)?;
        let id = take(&mut fields, "id", at);
        let parent = take::<Name>(&mut fields, "parent", at).map(Name::into_inner);
        refuse(&fields, &["parentId", "experienceUserIds"], at);
        Some(Self { id, parent, post: ExperienceGroupPost::read(Value::Object(fields), at)? })
    }
}

impl User {
    fn of(value: Value, at: &mut Problems) -> Option<Self> {
        let mut fields = object(value, at)?;
        let id = take(&mut fields, "id", at);
        let groups = take::<List<Name, 1000>>(&mut fields, "groups", at);
        let groups = groups.into_iter().flat_map(|groups| groups.0).map(Name::into_inner).collect();
        refuse(&fields, &["experienceGroupIds"], at);
        fields.entry("password").or_insert_with(|| PASSWORD.into());
        Some(Self { id, groups, post: ExperienceUserPost::read(Value::Object(fields), at)? })
    }
}

impl Token {
    fn of(value: Value, at: &mut Problems) -> Option<Self> {
        let mut fields = object(value, at)?;
        let owner = take(&mut fields, "owner", at).unwrap_or(OwnerType::Application);
        Some(Self { owner, post: ApiTokenPost::read(Value::Object(fields), at)? })
    }
}

/// Refuses what a POST takes, but a seed says by name.
fn refuse(fields: &Map<String, Value>, names: &[&'static str], at: &mut Problems) {
    for name in names.iter().filter(|name| fields.contains_key(**name)) {
        at.nested(*name, |at| at.push(Rule::Additional));
    }
}

/// Looks at what no part says alone; gives the depth of each group.
fn check(groups: &[Group], users: &[User], tokens: &[Token], at: &mut Problems) -> Vec<usize> {
    const UNKNOWN: &str = "is not the name of a group of this seed";
    let parents: BTreeMap<&str, Option<&str>> =
        groups.iter().map(|group| (&*group.post.name, group.parent.as_deref())).collect();
    unique("groups", "name", groups.iter().map(|group| Some(group.post.name.to_string())), at);
    unique("groups", "id", groups.iter().map(|group| group.id), at);
    unique("users", "email", users.iter().map(|user| Some(user.post.email.to_lowercase())), at);
    unique("users", "id", users.iter().map(|user| user.id), at);
    unique("tokens", "name", tokens.iter().map(|token| Some(token.post.name.to_string())), at);
    for (index, user) in users.iter().enumerate() {
        for (place, name) in user.groups.iter().enumerate() {
            if !parents.contains_key(name.as_str()) {
                let path = ["users", &index.to_string(), "groups", &place.to_string()];
                note(&path, Rule::Other(UNKNOWN.into()), at);
            }
        }
    }
    let depth = |(index, group): (usize, &Group)| {
        let (mut depth, mut above) = (0, group.parent.as_deref());
        let path = ["groups", &index.to_string(), "parent"];
        if above.is_some_and(|name| !parents.contains_key(name)) {
            note(&path, Rule::Other(UNKNOWN.into()), at);
        }
        while let Some(name) = above {
            depth += 1;
            if depth >= MAX_DEPTH {
                let rule = format!("makes a circle, or groups more than {MAX_DEPTH} deep");
                note(&path, Rule::Other(rule.into()), at);
                break;
            }
            above = parents.get(name).copied().flatten();
        }
        depth
    };
    groups.iter().enumerate().map(depth).collect()
}

/// Notes that what is at `path` breaks `rule`.
fn note(path: &[&str], rule: Rule, at: &mut Problems) {
    match path {
        [] => at.push(rule),
        [first, rest @ ..] => at.nested((*first).to_owned(), |at| note(rest, rule, at)),
    }
}

fn unique<T: Ord>(
    list: &str,
    field: &str,
    values: impl Iterator<Item = Option<T>>,
    at: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for (index, value) in values.enumerate() {
        if value.is_some_and(|value| !seen.insert(value)) {
            note(&[list, &index.to_string(), field], Rule::NotUnique, at);
        }
    }
}
