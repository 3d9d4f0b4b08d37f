//! Scopes: what a token may do, in the platform's own words.

mod grant;
mod operation;
mod words;

pub use operation::Operation;

use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// One of the words that the scope of a token is made of, such as `experienceUser.get`. Ordered
/// as in the vocabulary: list by list, within one by the alphabet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(u16);

/// The text is not a word of the vocabulary, or is there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAScope;

impl fmt::Display for NotAScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a known scope, or not for the first time")
    }
}

impl std::error::Error for NotAScope {}

impl Scope {
    /// Everything inside an application: what a token of one may do unless it says otherwise.
    pub const ALL_APPLICATION: Self =
        Self(words::find("all", "Application").expect("scopes.txt has it"));
    /// Everything: what a user who signs in may do unless they ask for less.
    pub const ALL_USER: Self = Self(words::find("all", "User").expect("scopes.txt has it"));

    /// Every word there is.
    #[expect(clippy::cast_possible_truncation, reason = "the table is shorter than u16 counts")]
    pub fn all() -> impl Iterator<Item = Self> {
        (0..words::COUNT as u16).map(Self)
    }

    /// The word itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        words::word(self.0)
    }
}

impl FromStr for Scope {
    type Err = NotAScope;
    fn from_str(text: &str) -> Result<Self, NotAScope> {
        let (resource, action) = text.split_once('.').ok_or(NotAScope)?;
        words::find(resource, action).map(Self).ok_or(NotAScope)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <Cow<'de, str>>::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Wire for Scope {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => {
                text.parse().map_err(|_| at.push(Rule::Other("is not a known scope".into()))).ok()
            }
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Self::all().map(Self::as_str).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

/// What a token may do: distinct scopes in the order they were given. As text, with a space
/// between them.
#[derive(Clone, Default)]
pub struct Scopes {
    order: Vec<Scope>,
    set: words::Set,
}

impl Scopes {
    /// Whether `scope` is one of them, as a word.
    #[must_use]
    pub const fn contains(&self, scope: Scope) -> bool {
        self.set.has(scope.0)
    }

    /// Each of them, in the order given.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Scope> {
        self.order.iter().copied()
    }

    /// Whether there is none: a token that may do nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Adds `scope`, and tells whether it is new.
    fn insert(&mut self, scope: Scope) -> bool {
        let new = !self.contains(scope);
        if new {
            self.order.push(scope);
            self.set = self.set.with(scope.0);
        }
        new
    }
}

impl FromIterator<Scope> for Scopes {
    /// All of them, each where it comes first.
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut all = Self::default();
        for scope in scopes {
            all.insert(scope);
        }
        all
    }
}

impl PartialEq for Scopes {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Scopes {}

impl FromStr for Scopes {
    type Err = NotAScope;
    fn from_str(text: &str) -> Result<Self, NotAScope> {
        let mut all = Self::default();
        for word in text.split_ascii_whitespace() {
            if !all.insert(word.parse()?) {
                return Err(NotAScope);
            }
        }
        Ok(all)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.order.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.order.fmt(f)
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.order.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let order = <Vec<Scope>>::deserialize(from)?;
        let given = order.len();
        let all: Self = order.into_iter().collect();
        if all.order.len() == given { Ok(all) } else { Err(de::Error::custom(NotAScope)) }
    }
}

impl Wire for Scopes {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::Array(items) = value else { return at.refuse(Rule::WrongType) };
        let before = at.count();
        let (mut all, mut unique) = (Self::default(), true);
        // A longer array than there are words is wrong within its first words already.
        for (index, item) in items.into_iter().take(words::COUNT + 1).enumerate() {
            if let Some(scope) = at.nested(index.to_string(), |at| Scope::read(item, at)) {
                unique &= all.insert(scope);
            }
        }
        if !unique {
            at.push(Rule::NotUnique);
        }
        (at.count() == before).then_some(all)
    }
}

impl JsonSchema for Scopes {
    fn schema_name() -> Cow<'static, str> {
        "Scopes".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let scope = schemas.subschema_for::<Scope>();
        json_schema!({ "type": "array", "items": scope, "uniqueItems": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;
    use serde_json::json;

    fn problems(value: Value) -> Vec<String> {
        let found = wire::read::<Scopes>("scope", value).unwrap_err();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_word_reads_back() {
        assert_eq!(Scope::all().count(), 543);
        for scope in Scope::all() {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            let json = serde_json::to_string(&scope).unwrap();
            assert_eq!(serde_json::from_str::<Scope>(&json).unwrap(), scope);
        }
        for wrong in ["", "experienceUser", "experienceUser.", "experienceUser.*x", "ALL.User", " "]
        {
            assert_eq!(wrong.parse::<Scope>(), Err(NotAScope), "{wrong}");
        }
        assert_eq!(Scope::ALL_USER.as_str(), "all.User");
        assert_eq!(Scope::ALL_APPLICATION.as_str(), "all.Application");
    }

    #[test]
    fn keeps_the_order_given() {
        let given = json!(["me.get", "all.User", "experienceUser.*"]);
        let scopes: Scopes = wire::read("scope", given.clone()).unwrap();
        assert_eq!(serde_json::to_value(&scopes).unwrap(), given);
        assert_eq!(serde_json::from_value::<Scopes>(given).unwrap(), scopes);
        assert_eq!(scopes.to_string(), "me.get all.User experienceUser.*");
        assert_eq!(scopes.to_string().parse(), Ok(scopes));
        assert_eq!("".parse(), Ok(Scopes::default()));
        assert_eq!(wire::read("scope", json!([])), Ok(Scopes::default()));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(problems(json!("all.User")), ["scope is the wrong type"]);
        assert_eq!(problems(json!(["me.get", 1])), ["scope.1 is the wrong type"]);
        assert_eq!(
            problems(json!(["experience.get", "me.get", "me.get"])),
            ["scope.0 is not a known scope", "scope must be unique"]
        );
        assert_eq!(problems(json!(vec!["me.get"; 9999])), ["scope must be unique"]);
        assert_eq!("me.get me.get".parse::<Scopes>(), Err(NotAScope));
        assert!(serde_json::from_value::<Scopes>(json!(["me.get", "me.get"])).is_err());
    }
}
