//! What can be asked of a text or a moment.

use super::read::{Budget, Test, values};
use super::{Comparison, Listed};
use crate::text::{Nullable, read_text};
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::ops::Deref;

/// A value that a field is compared with. Which of them a field can be is not for the query to
/// say: a text and a number are never the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Bool(bool),
}

impl Wire for Scalar {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::String(_) => read_text(value, 0, usize::MAX, at).map(Self::Text),
            Value::Bool(truth) => Some(Self::Bool(truth)),
            Value::Number(number) => {
                number.as_f64().map(Self::Number).or_else(|| at.refuse(Rule::WrongType))
            }
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "string" }, { "type": "number" }, { "type": "boolean" }],
        })
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

/// One thing that is asked of a text or a moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// How it compares with this value; `None` is `null`.
    Compare(Comparison, Option<Scalar>),
    /// It starts so.
    StartsWith(Part),
    /// It ends so.
    EndsWith(Part),
    /// This is somewhere in it.
    Contains(Part),
    /// It is one of these.
    In(Listed<Scalar>),
    /// It is none of these.
    Nin(Listed<Scalar>),
}

/// Everything that is asked of a text or a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarTest {
    /// All of it has to hold.
    pub operators: Vec<Operator>,
    /// Whether letter case does not matter.
    pub any_case: bool,
}

fn operator(word: &str, value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Operator> {
    budget.take(1)?;
    Some(match word {
        "$startsWith" => Operator::StartsWith(Part::read(value, at)?),
        "$endsWith" => Operator::EndsWith(Part::read(value, at)?),
        "$contains" => Operator::Contains(Part::read(value, at)?),
        "$in" => Operator::In(values(value, at, budget)?),
        "$nin" => Operator::Nin(values(value, at, budget)?),
        _ => {
            let Some(word) = Comparison::parse(word) else { return at.refuse(Rule::Additional) };
            Operator::Compare(word, Nullable::read(value, at)?.0)
        }
    })
}

impl Test for ScalarTest {
    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        let Value::Object(given) = value else {
            let equal = operator("$eq", value, at, budget)?;
            return Some(Self { operators: vec![equal], any_case: false });
        };
        let (mut operators, mut any_case) = (Vec::with_capacity(given.len()), Some(false));
        for (word, value) in given {
            at.within(word.clone(), |at| {
                if word == "$ci" {
                    any_case = bool::read(value, at);
                } else {
                    operators.push(operator(&word, value, at, budget));
                }
            });
        }
        let operators = operators.into_iter().collect::<Option<_>>()?;
        Some(Self { operators, any_case: any_case? })
    }
}

impl JsonSchema for ScalarTest {
    fn schema_name() -> Cow<'static, str> {
        "ScalarTest".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let one = schemas.subschema_for::<Nullable<Scalar>>();
        let part = schemas.subschema_for::<Part>();
        let several = schemas.subschema_for::<Listed<Scalar>>();
        let mut operators: Map<String, Value> = Comparison::WORDS
            .map(|word| (word.into(), one.clone().to_value()))
            .into_iter()
            .collect();
        for word in ["$startsWith", "$endsWith", "$contains"] {
            operators.insert(word.into(), part.clone().to_value());
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
}
