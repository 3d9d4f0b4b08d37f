//! Bounded text, words, tags, lists and numbers of the wire.

pub use crate::email::{Email, Trimmed};
pub use crate::switch::Switch;

use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

/// A text of `min` to `max` characters.
pub(crate) fn read_sized(
    value: Value,
    min: usize,
    max: usize,
    at: &mut Problems,
) -> Option<String> {
    let Value::String(text) = value else { return at.refuse(Rule::WrongType) };
    let length = text.chars().count();
    if length > max {
        return at.refuse(Rule::TooLong);
    }
    if length < min {
        return at.refuse(Rule::TooShort);
    }
    Some(text)
}

/// The same, without U+0000 (PostgreSQL cannot keep that).
pub(crate) fn read_text(value: Value, min: usize, max: usize, at: &mut Problems) -> Option<String> {
    let text = read_sized(value, min, max, at)?;
    if text.contains('\0') {
        return at.refuse(Rule::Other("must not contain U+0000".into()));
    }
    Some(text)
}

/// Text of `MIN` to `MAX` characters (Unicode code points).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// How many characters there may be.
    pub const LENGTHS: std::ops::RangeInclusive<usize> = MIN..=MAX;

    /// The text.
    #[must_use]
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> Wire for Text<MIN, MAX> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        read_text(value, MIN, MAX, at).map(Self)
    }
}

impl<const MIN: usize, const MAX: usize> JsonSchema for Text<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Text{MIN}To{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "string", "maxLength": MAX });
        if MIN > 0 {
            schema.insert("minLength".into(), MIN.into());
        }
        schema
    }
}

/// The given or family name of a user: at most 1,024 characters, possibly none.
pub type PersonName = Text<0, 1024>;
/// The name of a group, a token or an application: 1 to 255 characters.
pub type Name = Text<1, 255>;

/// At most 1,000 tags of a user or a group: keys of 1 to 255 letters, digits, `_` and `-`; values of
/// 1 to 255 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

/// Whether `key` may be the key of a tag or of a global.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=255).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

impl Tags {
    /// How many there may be. Each is a row of its own to a store, which writes them all at once while
    /// others wait; the platform's schema has no bound.
    pub const MOST: usize = 1000;
}

impl Wire for Tags {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::Object(fields) = value else { return at.refuse(Rule::WrongType) };
        if fields.len() > Self::MOST {
            return at.refuse(Rule::TooManyProperties);
        }
        let before = at.count();
        let mut tags = BTreeMap::new();
        for (key, value) in fields {
            let good = is_key(&key);
            let value = at.nested(key.clone(), |at| {
                if good { read_text(value, 1, 255, at) } else { at.refuse(Rule::Additional) }
            });
            tags.extend(value.map(|value| (key, value)));
        }
        (at.count() == before).then_some(Self(tags))
    }
}

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "patternProperties": {
                "^[0-9a-zA-Z_-]{1,255}$": { "type": "string", "minLength": 1, "maxLength": 255 }
            },
            "additionalProperties": false,
            "maxProperties": Self::MOST,
        })
    }
}

/// The key of an application's global: 1 to 255 letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Deref for Key {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Wire for Key {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) if is_key(&text) => Some(Self(text)),
            Value::String(_) => at.refuse(Rule::Pattern),
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-zA-Z_-]{1,255}$" })
    }
}

/// At most `MAX` elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(pub Vec<T>);

impl<T: Wire, const MAX: usize> Wire for List<T, MAX> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::Array(items) = value else { return at.refuse(Rule::WrongType) };
        if items.len() > MAX {
            return at.refuse(Rule::TooManyItems);
        }
        let before = at.count();
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            list.extend(at.nested(index.to_string(), |at| T::read(item, at)));
        }
        (at.count() == before).then_some(Self(list))
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for List<T, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let items = schemas.subschema_for::<T>();
        json_schema!({ "type": "array", "items": items, "maxItems": MAX })
    }
}

/// A value, or `null` said aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: Wire> Wire for Nullable<T> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        if value.is_null() { Some(Self(None)) } else { T::read(value, at).map(|t| Self(Some(t))) }
    }
}

impl<T: JsonSchema> JsonSchema for Nullable<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Nullable{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let some = schemas.subschema_for::<T>();
        json_schema!({ "anyOf": [some, { "type": "null" }] })
    }
}

/// A whole number from `MIN` to `MAX`: a JSON number in a body, decimal digits in a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: u64, const MAX: u64>(pub u64);

/// The largest whole number that every JSON reader keeps exact.
pub const MAX_EXACT: u64 = (1 << 53) - 1;

impl<const MIN: u64, const MAX: u64> Wire for Whole<MIN, MAX> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let number = match &value {
            Value::Number(number) => number.as_f64().filter(|number| number.fract() == 0.0),
            Value::String(text) => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                sound.then(|| text.parse().ok()).flatten()
            }
            _ => None,
        };
        #[expect(clippy::cast_precision_loss, reason = "limits are at most 2^53 - 1, thus exact")]
        match number {
            None => at.refuse(Rule::WrongType),
            Some(number) if number < MIN as f64 => at.refuse(Rule::BelowMinimum),
            Some(number) if number > MAX.min(MAX_EXACT) as f64 => at.refuse(Rule::AboveMaximum),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole and between MIN and 2^53"
            )]
            Some(number) => Some(Self(number as u64)),
        }
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema =
            json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX.min(MAX_EXACT) });
        if MAX > 0x7FFF_FFFF {
            schema.insert("format".into(), "int64".into());
        }
        schema
    }
}

/// A switch of what surrounds an answer: on for `true` (also the JSON one), `1` and `yes`, off for
/// anything else, `True` included, as the platform's framework has it. What is asked for is a
/// [`Switch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Wire for Flag {
    fn read(value: Value, _: &mut Problems) -> Option<Self> {
        Some(Self(match value {
            Value::Bool(on) => on,
            Value::String(text) => matches!(text.as_str(), "true" | "1" | "yes"),
            _ => false,
        }))
    }
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A parameter that says what it says by being there, whatever its value: `false` sets it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set;

impl Wire for Set {
    fn read(_: Value, _: &mut Problems) -> Option<Self> {
        Some(Self)
    }
}

impl JsonSchema for Set {
    fn schema_name() -> Cow<'static, str> {
        "Set".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // One word, so that nobody is led to say `false` and mean it.
        json_schema!({
            "type": "string",
            "enum": ["true"],
            "description": "Set by any value, `false` included: leave it out where it is not meant",
        })
    }
}

impl Wire for bool {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        value.as_bool().or_else(|| at.refuse(Rule::WrongType))
    }
}

/// Declares an enum of the words that a field may hold.
#[macro_export]
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every word there is.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word, as the wire writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The variant that is written `word`.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl $crate::wire::Wire for $name {
            fn read(
                value: ::serde_json::Value,
                at: &mut $crate::wire::Problems,
            ) -> Option<Self> {
                match value.as_str() {
                    Some(word) => match Self::parse(word) {
                        None => at.refuse($crate::wire::Rule::OneOf(Self::WORDS)),
                        some => some,
                    },
                    None => at.refuse($crate::wire::Rule::WrongType),
                }
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "enum": Self::WORDS })
            }
        }
    )*};
}

#[cfg(test)]
mod tests;
