//! What can be asked of tags.

use super::Listed;
use super::logic::{Asked, Logic};
use super::read::{Budget, Test, values};
use super::tagged::{self, TagBoxes};
use crate::text::{Text, read_text};
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A text that the key or the value of a tag is compared with.
pub type TagText = Text<0, 255>;

/// What is asked of the key or the value of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagPart {
    /// It is this; `None` is `null`.
    Is(Option<TagText>),
    /// It is one of these.
    In(Listed<TagText>),
    /// It is none of these.
    Nin(Listed<TagText>),
}

/// What is asked of the tags of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMatcher {
    /// Of the keys (`$tagKey` alone).
    Key(TagPart),
    /// Of the values (`$tagValue` alone).
    Value(TagPart),
    /// Of key and value of the same tag.
    Pair {
        /// Of the key.
        key: TagPart,
        /// Of the value.
        value: TagPart,
    },
    /// Of the values of the tags with these keys.
    Named(Vec<(String, TagPart)>),
}

/// What is asked of tags. Without a matcher (`null`) it is that there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagTest {
    /// The matcher matches.
    Eq(Option<TagMatcher>),
    /// The matcher does not match.
    Ne(Option<TagMatcher>),
}

fn part(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<TagPart> {
    budget.take(1)?;
    let fields = match value {
        Value::Null => return Some(TagPart::Is(None)),
        Value::Object(fields) => fields,
        text => return TagText::read(text, at).map(|text| TagPart::Is(Some(text))),
    };
    let mut read = Vec::with_capacity(1);
    let empty = fields.is_empty();
    for (index, (word, value)) in fields.into_iter().enumerate() {
        read.push(at.nested(word.clone(), |at| match (index, word.as_str()) {
            (0, "$in") => values(value, at, budget).map(TagPart::In),
            (0, "$nin") => values(value, at, budget).map(TagPart::Nin),
            _ => at.refuse(Rule::Additional),
        }));
    }
    if empty {
        return at.nested("$in", |at| at.refuse(Rule::Required));
    }
    read.into_iter().collect::<Option<Vec<_>>>()?.pop()
}

/// Whether tags can be asked for by `name`. More than what the key of a tag can be, and as the
/// platform has it: only the first character is looked at.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c))
}

fn named(fields: Map<String, Value>, at: &mut Problems, budget: &mut Budget) -> Option<TagMatcher> {
    let mut all = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let part = at.nested(name.clone(), |at| {
            if !is_name(&name) {
                return at.refuse(Rule::Additional);
            }
            read_text(name.as_str().into(), 0, usize::MAX, at)?;
            part(value, at, budget)
        });
        all.push(part.map(|part| (name, part)));
    }
    all.into_iter().collect::<Option<_>>().map(TagMatcher::Named)
}

/// Reads a matcher that is not `null`.
fn matcher(
    fields: Map<String, Value>,
    at: &mut Problems,
    budget: &mut Budget,
) -> Option<TagMatcher> {
    if !fields.contains_key("$tagKey") && !fields.contains_key("$tagValue") {
        return named(fields, at, budget);
    }
    let (mut key, mut value, mut good) = (None, None, true);
    for (name, given) in fields {
        at.nested(name.clone(), |at| {
            let place = match name.as_str() {
                "$tagKey" => &mut key,
                "$tagValue" => &mut value,
                _ => {
                    good = false;
                    return at.push(Rule::Additional);
                }
            };
            *place = part(given, at, budget);
            good &= place.is_some();
        });
    }
    match (key, value) {
        _ if !good => None,
        (Some(key), Some(value)) => Some(TagMatcher::Pair { key, value }),
        (Some(key), None) => Some(TagMatcher::Key(key)),
        (None, value) => value.map(TagMatcher::Value),
    }
}

fn test(
    wrap: fn(Option<TagMatcher>) -> TagTest,
    value: Value,
    at: &mut Problems,
    budget: &mut Budget,
) -> Option<TagTest> {
    match value {
        Value::Null => Some(wrap(None)),
        Value::Object(fields) => matcher(fields, at, budget).map(|matcher| wrap(Some(matcher))),
        _ => at.refuse(Rule::WrongType),
    }
}

impl Test for TagTest {
    type Set = TagBoxes;
    const APART: bool = true;

    fn logic(&self, holds: bool) -> Logic<Asked<TagBoxes>> {
        tagged::test(self, holds)
    }

    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        budget.take(1)?;
        let operator = |name: &&String| matches!(name.as_str(), "$eq" | "$ne");
        let fields = match value {
            Value::Object(fields) if fields.keys().any(|name| operator(&name)) => fields,
            plain => return test(Self::Eq, plain, at, budget),
        };
        // The first of the two is meant; whatever else there is does not belong to it.
        let meant = fields.keys().find(operator).cloned();
        let (mut read, mut good) = (None, true);
        for (name, value) in fields {
            at.nested(name.clone(), |at| {
                if Some(&name) != meant.as_ref() {
                    good = false;
                    return at.push(Rule::Additional);
                }
                let wrap = if name == "$eq" { Self::Eq } else { Self::Ne };
                read = test(wrap, value, at, budget);
            });
        }
        read.filter(|_| good)
    }
}

impl JsonSchema for TagPart {
    fn schema_name() -> Cow<'static, str> {
        "TagPart".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let text = schemas.subschema_for::<TagText>();
        let several = schemas.subschema_for::<Listed<TagText>>();
        let one_of = |word: &str| {
            json_schema!({
                "type": "object",
                "properties": { word: several },
                "required": [word],
                "additionalProperties": false,
            })
        };
        json_schema!({ "anyOf": [text, { "type": "null" }, one_of("$in"), one_of("$nin")] })
    }
}

impl JsonSchema for TagMatcher {
    fn schema_name() -> Cow<'static, str> {
        "TagMatcher".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let part = schemas.subschema_for::<TagPart>();
        json_schema!({ "anyOf": [
            {
                "type": "object",
                "properties": { "$tagKey": part, "$tagValue": part },
                "minProperties": 1,
                "additionalProperties": false,
            },
            {
                "type": "object",
                "patternProperties": { "^[0-9a-zA-Z_-]{1,255}": part },
                "additionalProperties": false,
            },
        ] })
    }
}

impl JsonSchema for TagTest {
    fn schema_name() -> Cow<'static, str> {
        "TagTest".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let matcher = schemas.subschema_for::<TagMatcher>();
        let matcher = json_schema!({ "anyOf": [{ "type": "null" }, matcher] });
        let operator = |word: &str| {
            json_schema!({
                "type": "object",
                "properties": { word: matcher },
                "required": [word],
                "additionalProperties": false,
            })
        };
        json_schema!({ "anyOf": [matcher, operator("$eq"), operator("$ne")] })
    }
}
