//! Queries that are nearly right, and what each field of them is.

use super::near::{STRANGE, anything, near};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// Queries near those that `schema` describes, up to `depth` deep. They are not so large that their
/// size is a matter.
pub(crate) fn queries(schema: &Value, depth: usize) -> BoxedStrategy<Value> {
    let properties = schema["properties"].as_object().expect("properties");
    let fields = properties.iter().filter_map(|(name, test)| {
        let name = name.clone();
        if !name.starts_with('$') {
            let test = match Field::of(&name) {
                // Most values that the schema allows, the reader refuses: these it takes.
                Field::Moment => prop_oneof![4 => moment_tests(), 1 => tests(test)].boxed(),
                Field::Text => prop_oneof![4 => text_tests(), 1 => tests(test)].boxed(),
                Field::Other => tests(test),
            };
            return Some(test.prop_map(move |value| (name.clone(), value)).boxed());
        }
        let inner = (depth > 1).then(|| queries(schema, depth - 1))?;
        let few = prop::collection::vec(inner, 0..3).prop_map(Value::from);
        let full = (99..=101_usize).prop_map(|count| json!(vec![json!({}); count]));
        let several = prop_oneof![30 => few, 1 => full, 1 => anything()];
        Some(several.prop_map(move |value| (name.clone(), value)).boxed())
    });
    let field = proptest::strategy::Union::new(fields).boxed();
    let strange = (select(&STRANGE[..]), anything()).prop_map(|(name, v)| (name.to_owned(), v));
    let field = prop_oneof![20 => field, 1 => strange];
    let object = prop::collection::vec(field, 1..5)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()));
    prop_oneof![60 => object, 1 => anything()].boxed()
}

/// What a field is, of those that the schema takes any text, number or truth for.
pub(crate) enum Field {
    Text,
    Moment,
    Other,
}

impl Field {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "firstName" | "lastName" | "email" | "name" => Self::Text,
            "creationDate" | "lastUpdated" | "lastLogin" | "passwordLastUpdated" => Self::Moment,
            _ => Self::Other,
        }
    }
}

/// Tests with values that the field can be.
fn moment_tests() -> BoxedStrategy<Value> {
    let value = prop_oneof![
        6 => super::formats::moments().prop_map(Value::from),
        1 => select(&["2016-06-13", "2016-06", "2016-06-13T04:00:00 02:00"][..]).prop_map(Value::from),
        3 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    good_tests(value.boxed(), 1)
}

fn text_tests() -> BoxedStrategy<Value> {
    good_tests(near(&json!({ "type": "string", "maxLength": 40 })), 8)
}

/// A value or operators on it; parts are asked for so often.
fn good_tests(value: BoxedStrategy<Value>, parts: u32) -> BoxedStrategy<Value> {
    let maybe = prop_oneof![8 => value.clone(), 1 => Just(Value::Null)].boxed();
    let few = prop::collection::vec(value.clone(), 0..3).prop_map(Value::from);
    let orders = select(&["$eq", "$ne", "$gt", "$lt", "$gte", "$lte"][..]);
    let operator = prop_oneof![
        16 => (orders, maybe.clone()),
        8 => (select(&["$in", "$nin"][..]), few),
        parts => (select(&["$startsWith", "$endsWith", "$contains"][..]), value),
        4 => (Just("$ci"), any::<bool>().prop_map(Value::from)),
    ];
    let object = prop::collection::vec(operator, 1..3)
        .prop_map(|all| all.into_iter().map(|(word, value)| (word.to_owned(), value)).collect());
    prop_oneof![1 => maybe, 2 => object.prop_map(Value::Object)].boxed()
}

/// Values near what can be asked of a field.
fn tests(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(ways) = schema["oneOf"].as_array() {
        return proptest::strategy::Union::new(ways.iter().map(tests)).boxed();
    }
    if let Some(kinds) = schema["type"].as_array() {
        let of = |kind: &Value| match kind.as_str() {
            Some("string") => near(&json!({ "type": "string", "maxLength": 40 })),
            Some("number") => {
                prop_oneof![any::<f64>().prop_map(Value::from), any::<i64>().prop_map(Value::from)]
                    .boxed()
            }
            Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
            _ => Just(Value::Null).boxed(),
        };
        let good = proptest::strategy::Union::new(kinds.iter().map(of));
        return prop_oneof![60 => good, 1 => anything()].boxed();
    }
    match schema["type"].as_str() {
        Some("null") => Just(Value::Null).boxed(),
        Some("boolean") => {
            prop_oneof![20 => any::<bool>().prop_map(Value::from), 1 => anything()].boxed()
        }
        Some("array") => {
            let item = tests(&schema["items"]);
            let few = prop::collection::vec(item.clone(), 0..4).prop_map(Value::from);
            let full = (item, 99..=101_usize).prop_map(|(item, n)| json!(vec![item; n]));
            prop_oneof![30 => few, 1 => full, 1 => anything()].boxed()
        }
        Some("object") => objects(schema),
        _ => near(schema),
    }
}

fn objects(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(patterns) = schema["patternProperties"].as_object() {
        let part = tests(patterns.values().next().expect("a pattern"));
        let name = prop_oneof![20 => "[0-9a-zA-Z_-]{1,3}", 2 => "[a-z][ .$%\0é]", 1 => "[ $.é]?"];
        let named = prop::collection::vec((name, part), 0..4);
        return named.prop_map(|all| Value::Object(all.into_iter().collect())).boxed();
    }
    let fields =
        schema["properties"].as_object().expect("properties").iter().map(|(name, test)| {
            let name = name.clone();
            tests(test).prop_map(move |value| (name.clone(), value)).boxed()
        });
    let field = proptest::strategy::Union::new(fields).boxed();
    let strange = select(&["$like", "$eq", "a", "", "$in", "$tagKey"][..]);
    let strange = (strange, anything()).prop_map(|(name, v)| (name.to_owned(), v));
    let field = prop_oneof![60 => field, 1 => strange].boxed();
    // Most kinds take one field, and some take any number.
    let most = if schema["properties"].get("$ci").is_some() { 4 } else { 1 };
    let usual = prop::collection::vec(field.clone(), 1..=most);
    prop_oneof![20 => usual, 1 => prop::collection::vec(field, 0..4)]
        .prop_map(|all| Value::Object(all.into_iter().collect()))
        .boxed()
}
