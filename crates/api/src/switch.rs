//! A yes or a no in a parameter.

use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// A yes or a no to something that is asked for: `true` (also the JSON one, and Python's `True`),
/// `1` or `yes`; `false`, `False`, `0` or `no`. Anything else is a mistake, and would be one that
/// nobody sees if it counted as no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl Switch {
    const WORDS: &'static [&'static str] = &["true", "1", "yes", "false", "0", "no"];
}

impl Wire for Switch {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::Bool(on) => Some(Self(on)),
            Value::String(text) => match text.as_str() {
                "true" | "True" | "1" | "yes" => Some(Self(true)),
                "false" | "False" | "0" | "no" => Some(Self(false)),
                _ => at.refuse(Rule::OneOf(Self::WORDS)),
            },
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for Switch {
    fn schema_name() -> Cow<'static, str> {
        "Switch".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // As a typed client has it; the other words are for those who write URLs by hand.
        json_schema!({ "type": "boolean" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;
    use serde_json::json;

    fn problem<T: Wire + std::fmt::Debug>(value: Value) -> String {
        wire::read::<T>("x", value).unwrap_err()[0].to_string()
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_a_mistake() {
        let read = |value: Value| wire::read::<Switch>("x", value);
        for yes in [json!("true"), json!("True"), json!("1"), json!("yes"), json!(true)] {
            assert_eq!(read(yes), Ok(Switch(true)));
        }
        for no in [json!("false"), json!("False"), json!("0"), json!("no"), json!(false)] {
            assert_eq!(read(no), Ok(Switch(false)));
        }
        for other in ["", "TRUE", "on", "2", " true", "none"] {
            let message = "x must be one of: true, 1, yes, false, 0, no";
            assert_eq!(problem::<Switch>(json!(other)), message, "{other}");
        }
        for other in [json!(1), json!(["true", "false"]), json!({ "[]": "true" })] {
            assert_eq!(problem::<Switch>(other), "x is the wrong type");
        }
    }
}
