//! What can be asked of an id, or of a list of ids.

use super::logic::{Asked, Logic};
use super::read::{Budget, Test, values};
use super::values::{Place, Values, compared};
use super::{Comparison, Listed};
use crate::id::{ForeignId, ObjectId};
use crate::text::Nullable;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// One thing that is asked of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdTest {
    /// How it compares with this one; `None` is `null`.
    Compare(Comparison, Option<ObjectId>),
    /// It is one of these.
    In(Listed<ForeignId>),
    /// It is none of these.
    Nin(Listed<ForeignId>),
}

/// The same of a list of ids: it holds if it holds of one of them; `$ne` and `$nin` if they hold of
/// all; and `null` is that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdsTest(pub IdTest);

fn compare(word: Comparison, value: Value, at: &mut Problems) -> Option<IdTest> {
    let id = Nullable::<ForeignId>::read(value, at)?;
    Some(IdTest::Compare(word, id.0.map(|id| id.0)))
}

fn all(ids: &Listed<ForeignId>) -> Values<ObjectId> {
    ids.0.iter().map(|id| id.0).collect()
}

impl Test for IdTest {
    type Set = Values<ObjectId>;
    const APART: bool = false;

    fn logic(&self, holds: bool) -> Logic<Asked<Self::Set>> {
        let one = match self {
            Self::Compare(comparison, id) => compared(*comparison, id.map(Place::At)),
            Self::In(ids) => Asked::of(true, all(ids)),
            Self::Nin(ids) => Asked::of(false, all(ids)),
        };
        one.turned(holds)
    }

    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        budget.take(1)?;
        let Value::Object(operators) = value else { return compare(Comparison::Eq, value, at) };
        let count = operators.len();
        let mut tests = Vec::with_capacity(1);
        for (word, value) in operators {
            tests.push(at.nested(word.clone(), |at| match word.as_str() {
                "$in" => values(value, at, budget).map(Self::In),
                "$nin" => values(value, at, budget).map(Self::Nin),
                word => match Comparison::parse(word) {
                    Some(word) => compare(word, value, at),
                    None => at.refuse(Rule::Additional),
                },
            }));
        }
        match count {
            0 => at.refuse(Rule::TooFewProperties),
            1 => tests.pop().flatten(),
            _ => at.refuse(Rule::TooManyProperties),
        }
    }
}

impl Test for IdsTest {
    type Set = Values<ObjectId>;
    const APART: bool = true;

    fn logic(&self, holds: bool) -> Logic<Asked<Self::Set>> {
        match &self.0 {
            IdTest::Compare(Comparison::Eq, None) => Asked::of(!holds, Values::any()),
            IdTest::Compare(Comparison::Ne, None) => Asked::of(holds, Values::any()),
            one => one.logic(holds),
        }
    }

    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        IdTest::read(value, at, budget).map(Self)
    }
}

impl JsonSchema for IdsTest {
    fn schema_name() -> Cow<'static, str> {
        IdTest::schema_name()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        IdTest::json_schema(schemas)
    }
}

impl JsonSchema for IdTest {
    fn schema_name() -> Cow<'static, str> {
        "IdTest".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let one = schemas.subschema_for::<Nullable<ForeignId>>();
        let several = schemas.subschema_for::<Listed<ForeignId>>();
        let mut operators: Map<String, Value> = Comparison::WORDS
            .map(|word| (word.into(), one.clone().to_value()))
            .into_iter()
            .collect();
        for word in ["$in", "$nin"] {
            operators.insert(word.into(), several.clone().to_value());
        }
        json_schema!({ "anyOf": [one, {
            "type": "object",
            "properties": operators,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
        }] })
    }
}
