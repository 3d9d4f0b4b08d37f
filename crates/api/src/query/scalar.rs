//! What can be asked of a text or a moment.
//!
//! The platform's schema allows any text, number or truth for either. One that the field can never
//! be is refused here: it would match nothing, and everybody under `$ne` or `$nor`, and nobody would
//! see that it is a mistake.

use super::logic::{Asked, Logic};
use super::read::{Budget, Test, values};
use super::texts::Texts;
use super::values::{Place, Values};
use super::{Comparison, Listed};
use crate::text::{Nullable, read_text};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::ops::Deref;

/// A text that a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(String);

impl Deref for Literal {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Wire for Literal {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::Number(_) | Value::Bool(_) => {
                let rule = format!("this field is text, so write \"{value}\"");
                at.refuse(Rule::WrongType.because(rule))
            }
            other => read_text(other, 0, usize::MAX, at).map(Self),
        }
    }
}

impl JsonSchema for Literal {
    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A moment that a field is compared with, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instant {
    /// This one.
    At(i64),
    /// Between this one and the next.
    After(i64),
}

const HOW_TO_WRITE: &str = "write a date such as 2026-01-31 or 2026-01-31T18:30:00Z, or milliseconds \
                            since 1970 as a number";

/// `text` as a moment: a date with a time, or the first moment of a day, UTC.
fn moment(text: &str) -> Option<DateTime> {
    match text.len() {
        10 => format!("{text}T00:00:00Z").parse().ok(),
        _ => text.parse().ok(),
    }
}

/// What is wrong with a text that is no moment.
fn no_moment(text: &str) -> Rule {
    let rule = Rule::Format("date-time");
    // In the query of a URL a `+` is a space.
    if let Some((local, zone)) = text.rsplit_once(' ')
        && moment(&format!("{local}+{zone}")).is_some()
    {
        return rule.because("there is a space before the offset: in a URL its + is sent as %2B");
    }
    rule.because(HOW_TO_WRITE)
}

impl Wire for Instant {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => {
                read_text(text.as_str().into(), 0, usize::MAX, at)?;
                let moment = moment(&text).or_else(|| at.refuse(no_moment(&text)))?;
                Some(Self::At(moment.millis()))
            }
            Value::Number(millis) => {
                let Some(millis) = millis.as_f64() else { return at.refuse(Rule::WrongType) };
                #[expect(clippy::cast_possible_truncation, reason = "no moment is at the ends")]
                let whole = millis.floor() as i64;
                Some(if millis.fract() == 0.0 { Self::At(whole) } else { Self::After(whole) })
            }
            Value::Bool(_) => at.refuse(Rule::WrongType.because(HOW_TO_WRITE)),
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "description": "A date with or without a time" },
            { "type": "number", "description": "Milliseconds since 1970" },
        ] })
    }
}

/// A part of a text: at least one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part(String);

impl Deref for Part {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Wire for Part {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        read_text(value, 1, usize::MAX, at).map(Self)
    }
}

impl JsonSchema for Part {
    fn schema_name() -> Cow<'static, str> {
        "Part".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// One thing that is asked of a value as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest<V> {
    /// How it compares with this one; `None` is `null`.
    Compare(Comparison, Option<V>),
    /// It is one of these.
    In(Listed<V>),
    /// It is none of these.
    Nin(Listed<V>),
}

impl<V: Wire> ValueTest<V> {
    /// Reads what is asked with the operator `word`, if there is one of that name.
    fn read(word: &str, value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        Some(match word {
            "$in" => Self::In(values(value, at, budget)?),
            "$nin" => Self::Nin(values(value, at, budget)?),
            _ => {
                let Some(word) = Comparison::parse(word) else {
                    return at.refuse(Rule::Additional);
                };
                Self::Compare(word, Nullable::read(value, at)?.0)
            }
        })
    }
}

/// One thing that is asked of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOperator {
    /// Of the whole text.
    Whole(ValueTest<Literal>),
    /// It starts so.
    StartsWith(Part),
    /// It ends so.
    EndsWith(Part),
    /// This is somewhere in it.
    Contains(Part),
}

/// The operators that ask of a part of a text.
const PARTS: [&str; 3] = ["$startsWith", "$endsWith", "$contains"];

impl TextOperator {
    fn read(word: &str, value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        budget.take(1)?;
        Some(match word {
            "$startsWith" => Self::StartsWith(Part::read(value, at)?),
            "$endsWith" => Self::EndsWith(Part::read(value, at)?),
            "$contains" => Self::Contains(Part::read(value, at)?),
            _ => Self::Whole(ValueTest::read(word, value, at, budget)?),
        })
    }
}

/// Everything that is asked of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTest {
    /// All of it has to hold.
    pub operators: Vec<TextOperator>,
    /// Whether letter case does not matter.
    pub any_case: bool,
}

/// Everything that is asked of a moment: all of it has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentTest(pub Vec<ValueTest<Instant>>);

fn moment_operator(
    word: &str,
    value: Value,
    at: &mut Problems,
    budget: &mut Budget,
) -> Option<ValueTest<Instant>> {
    if PARTS.contains(&word) {
        return at.refuse(Rule::Additional.because("a date has no parts: use $gte and $lt"));
    }
    budget.take(1)?;
    ValueTest::read(word, value, at, budget)
}

/// Reads the operators of an object in their order, and what it says of letter case.
fn operators<T>(
    given: Map<String, Value>,
    at: &mut Problems,
    mut read: impl FnMut(&str, Value, &mut Problems) -> Option<T>,
) -> Option<(Vec<T>, bool)> {
    let (mut operators, mut any_case) = (Vec::with_capacity(given.len()), Some(false));
    for (word, value) in given {
        at.nested(word.clone(), |at| {
            if word == "$ci" {
                any_case = bool::read(value, at);
            } else {
                operators.push(read(&word, value, at));
            }
        });
    }
    Some((operators.into_iter().collect::<Option<_>>()?, any_case?))
}

impl Instant {
    const fn place(&self) -> Place<i64> {
        match *self {
            Self::At(millis) => Place::At(millis),
            Self::After(millis) => Place::After(millis),
        }
    }
}

impl Test for TextTest {
    type Set = Texts;
    const APART: bool = false;

    fn logic(&self, holds: bool) -> Logic<Asked<Texts>> {
        let all = self.operators.iter().map(|one| Texts::asked(one, self.any_case).turned(holds));
        Logic::of(holds, all)
    }

    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        let Value::Object(given) = value else {
            let equal = TextOperator::read("$eq", value, at, budget)?;
            return Some(Self { operators: vec![equal], any_case: false });
        };
        let read =
            |word: &str, value, at: &mut Problems| TextOperator::read(word, value, at, budget);
        let (operators, any_case) = operators(given, at, read)?;
        Some(Self { operators, any_case })
    }
}

impl Test for MomentTest {
    type Set = Values<i64>;
    const APART: bool = false;

    fn logic(&self, holds: bool) -> Logic<Asked<Values<i64>>> {
        Logic::of(holds, self.0.iter().map(|one| one.logic(Instant::place).turned(holds)))
    }

    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        let Value::Object(given) = value else {
            return moment_operator("$eq", value, at, budget).map(|equal| Self(vec![equal]));
        };
        // Letter case is a matter of no moment; the platform's schema allows to say it all the same.
        let read = |word: &str, value, at: &mut Problems| moment_operator(word, value, at, budget);
        operators(given, at, read).map(|(operators, _)| Self(operators))
    }
}

/// The schema of a value, or of operators on it: those that all have, and `more`.
fn schema_of<V: JsonSchema>(
    schemas: &mut SchemaGenerator,
    more: impl IntoIterator<Item = (&'static str, Value)>,
) -> Schema {
    let one = schemas.subschema_for::<Nullable<V>>();
    let several = schemas.subschema_for::<Listed<V>>();
    let mut operators: Map<String, Value> =
        Comparison::WORDS.map(|word| (word.into(), one.clone().to_value())).into_iter().collect();
    for (word, schema) in more {
        operators.insert(word.into(), schema);
    }
    for word in ["$in", "$nin"] {
        operators.insert(word.into(), several.clone().to_value());
    }
    operators.insert("$ci".into(), json!({ "type": "boolean" }));
    json_schema!({ "anyOf": [one, {
        "type": "object",
        "properties": operators,
        "additionalProperties": false,
    }] })
}

impl JsonSchema for TextTest {
    fn schema_name() -> Cow<'static, str> {
        "TextTest".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let part = schemas.subschema_for::<Part>();
        schema_of::<Literal>(schemas, PARTS.map(|word| (word, part.clone().to_value())))
    }
}

impl JsonSchema for MomentTest {
    fn schema_name() -> Cow<'static, str> {
        "MomentTest".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        schema_of::<Instant>(schemas, [])
    }
}
