//! Reading the wire: raw JSON becomes a type that is known to be good, once, or a list of what is
//! wrong with it, in the wire's own words.
//!
//! Each type states its rule in one place, [`Wire::read`], and describes the same rule for the
//! OpenAPI document through [`schemars::JsonSchema`]. [`object!`](crate::object!) builds both for
//! a struct.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// How many problems one request is told of.
const MOST_PROBLEMS: usize = 100;

/// A rule that was broken. Its text is the part of a validation message after the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The field has to be there.
    Required,
    /// Another JSON type was expected.
    WrongType,
    /// The field is not one of those that exist.
    Additional,
    /// Only these values are allowed.
    OneOf(&'static [&'static str]),
    /// The text does not match the pattern.
    Pattern,
    /// The text is not of this format, such as `email`.
    Format(&'static str),
    /// Too few characters.
    TooShort,
    /// Too many characters.
    TooLong,
    /// Too many elements.
    TooManyItems,
    /// An element occurs twice.
    NotUnique,
    /// Too few fields.
    TooFewProperties,
    /// Too many fields.
    TooManyProperties,
    /// The number is too small.
    BelowMinimum,
    /// The number is too large.
    AboveMaximum,
    /// A rule of our own, in words that follow the field.
    Other(Cow<'static, str>),
    /// A rule of the wire, in its words, and then in ours what would fulfil it.
    Explained(Box<Rule>, Cow<'static, str>),
}

impl Rule {
    /// The rule with `why` after its own words, which stay first: clients know those.
    #[must_use]
    pub fn because(self, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Explained(Box::new(self), why.into())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "is required",
            Self::WrongType => "is the wrong type",
            Self::Additional => "is an additional property",
            Self::OneOf(values) => return write!(f, "must be one of: {}", values.join(", ")),
            Self::Pattern => "pattern mismatch",
            Self::Format(name) => return write!(f, "must be {name} format"),
            Self::TooShort => "has less length than allowed",
            Self::TooLong => "has longer length than allowed",
            Self::TooManyItems => "has more items than allowed",
            Self::NotUnique => "must be unique",
            Self::TooFewProperties => "has less properties than allowed",
            Self::TooManyProperties => "has more properties than allowed",
            Self::BelowMinimum => "is less than minimum",
            Self::AboveMaximum => "is more than maximum",
            Self::Other(words) => words,
            Self::Explained(rule, why) => return write!(f, "{rule}: {why}"),
        })
    }
}

/// A rule that was broken, and where. Its text is a whole validation message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The dotted path of the field, from the name of the parameter: `experienceUser.email`.
    pub field: String,
    /// What is wrong with it.
    pub rule: Rule,
}

impl Problem {
    /// `field` breaks `rule`.
    pub fn new(field: impl Into<String>, rule: Rule) -> Self {
        Self { field: field.into(), rule }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.rule)
    }
}

/// Collects problems, and knows where in the input the reader is.
#[derive(Debug, Default)]
pub struct Problems {
    path: Vec<Cow<'static, str>>,
    found: Vec<Problem>,
}

impl Problems {
    /// Notes that the value being read breaks `rule`.
    pub fn push(&mut self, rule: Rule) {
        if self.found.len() < MOST_PROBLEMS {
            self.found.push(Problem::new(self.path.join("."), rule));
        }
    }

    /// As [`Problems::push`], and there is no value.
    pub fn refuse<T>(&mut self, rule: Rule) -> Option<T> {
        self.push(rule);
        None
    }

    /// Reads the part called `name` of the value being read.
    pub fn nested<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.path.push(name.into());
        let value = read(self);
        self.path.pop();
        value
    }

    /// How many problems there are so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Everything found, first things first.
    #[must_use]
    pub fn into_found(self) -> Vec<Problem> {
        self.found
    }
}

/// Something that can be read from the wire.
pub trait Wire: Sized + JsonSchema {
    /// Reads it from `value`. When the answer is `None`, the reason is in `at`.
    fn read(value: Value, at: &mut Problems) -> Option<Self>;
}

/// No parameters: whatever there is, is passed over.
impl Wire for () {
    fn read(_: Value, _: &mut Problems) -> Option<Self> {
        Some(())
    }
}

/// Reads `value` as the parameter called `name`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read<T: Wire>(name: &'static str, value: Value) -> Result<T, Vec<Problem>> {
    let mut at = Problems::default();
    match at.nested(name, |at| T::read(value, at)) {
        Some(read) if at.count() == 0 => Ok(read),
        _ => Err(at.into_found()),
    }
}

/// The fields of a JSON object while a struct is read from it; used by [`object!`](crate::object!).
#[derive(Debug)]
pub struct Fields(serde_json::Map<String, Value>);

impl Fields {
    /// The fields of `value`, if it is an object. With `known`, any other field is a problem, and
    /// so is a field of `required` that is missing.
    pub fn of(
        value: Value,
        at: &mut Problems,
        required: &[&'static str],
        known: Option<&[&'static str]>,
    ) -> Option<Self> {
        let Value::Object(fields) = value else { return at.refuse(Rule::WrongType) };
        for name in required.iter().filter(|&&name| !fields.contains_key(name)) {
            at.nested(*name, |at| at.push(Rule::Required));
        }
        if let Some(known) = known {
            for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
                at.nested(name.clone(), |at| at.push(Rule::Additional));
            }
        }
        Some(Self(fields))
    }

    /// The field called `name`, if it is there and good.
    pub fn read<T: Wire>(&mut self, name: &'static str, at: &mut Problems) -> Option<T> {
        let value = self.0.swap_remove(name)?;
        at.nested(name, |at| T::read(value, at))
    }
}

/// What a document says of one field of an object, or nothing if no value is good for it; used by
/// [`object!`](crate::object!).
#[must_use]
pub fn property<T: JsonSchema>(
    schemas: &mut SchemaGenerator,
    doc: &str,
    default: Option<Value>,
) -> Option<Value> {
    let mut schema = schemas.subschema_for::<T>();
    if schema.as_bool() == Some(false) {
        return None;
    }
    let own = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{}\n\n{own}", doc.trim());
    schema.insert("description".into(), description.trim().into());
    if let Some(default) = default {
        schema.insert("default".into(), default);
    }
    Some(schema.to_value())
}

/// Declares a struct that is read from a JSON object.
///
/// `deny_unknown` makes a field that is not declared a problem (bodies), `allow_unknown` passes over it
/// (parameters). A `required` field is a `T`, an `optional` one an `Option<T>`. What follows `=` is
/// what the field is taken for where it is left out, as documents say it. After `where` stands a
/// function that looks at what was read as a whole.
#[macro_export]
macro_rules! object {
    ($(#[doc = $doc:literal])* $unknown:ident $name:ident $(where $check:path)? {
        $($(#[doc = $field_doc:literal])* $need:ident $field:ident $wire:literal: $type:ty
            $(= $default:literal)?,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $crate::object!(@type $need $type),)*
        }

        impl $crate::wire::Wire for $name {
            fn read(value: ::serde_json::Value, at: &mut $crate::wire::Problems) -> Option<Self> {
                let mut fields = $crate::wire::Fields::of(
                    value,
                    at,
                    &$crate::object!(@required [] $($need $wire)*),
                    $crate::object!(@known $unknown [$($wire),*]),
                )?;
                let before = at.count();
                $(let $field = fields.read::<$type>($wire, at);)*
                if at.count() > before {
                    return None;
                }
                let read = Self { $($field: $crate::object!(@take $need $field),)* };
                $($check(&read, at);)?
                Some(read)
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(schemas: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let required: Vec<&str> = $crate::object!(@required [] $($need $wire)*).to_vec();
                let mut properties = ::serde_json::Map::new();
                $(
                    let default = [$(::serde_json::Value::from($default))?].into_iter().next();
                    let doc = concat!($($field_doc),*);
                    let property = $crate::wire::property::<$type>(schemas, doc, default);
                    properties.extend(property.map(|property| ($wire.to_owned(), property)));
                )*
                let mut schema = ::schemars::json_schema!({
                    "type": "object",
                    "description": concat!($($doc),*).trim(),
                    "properties": properties,
                });
                if !required.is_empty() {
                    schema.insert("required".into(), required.into());
                }
                if $crate::object!(@known $unknown [$($wire),*]).is_some() {
                    schema.insert("additionalProperties".into(), false.into());
                }
                schema
            }
        }
    };
    (@type required $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@take required $field:ident) => { $field? };
    (@take optional $field:ident) => { $field };
    (@known deny_unknown [$($wire:literal),*]) => { Some(&[$($wire),*] as &[&'static str]) };
    (@known allow_unknown [$($wire:literal),*]) => { None::<&[&'static str]> };
    (@required [$($out:literal),*]) => { [$($out),*] as [&'static str; { <[&str]>::len(&[$($out),*]) }] };
    (@required [$($out:literal),*] required $wire:literal $($rest:tt)*) => {
        $crate::object!(@required [$($out,)* $wire] $($rest)*)
    };
    (@required [$($out:literal),*] optional $wire:literal $($rest:tt)*) => {
        $crate::object!(@required [$($out),*] $($rest)*)
    };
}
