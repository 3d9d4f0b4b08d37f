//! JSON inside a parameter.

use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// A value that is sent as a text of JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: Wire> Wire for Json<T> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        // As the platform has it: what cannot be parsed is of the wrong type.
        match value.as_str().map(serde_json::from_str) {
            Some(Ok(value)) => T::read(value, at).map(Self),
            Some(Err(error)) => at.refuse(Rule::WrongType.because(format!("no JSON, {error}"))),
            None => at.refuse(Rule::WrongType),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Json<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Json", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": format!("What the text holds is described by the schema `{}`.", T::schema_name()),
            "contentMediaType": "application/json",
            "contentSchema": schemas.subschema_for::<T>(),
        })
    }
}
