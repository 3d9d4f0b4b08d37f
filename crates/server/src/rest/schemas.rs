//! The schemas of a document. They are collected in the dialect of JSON Schema that schemars writes,
//! and put into that of OpenAPI 3.0, which has no `null`, no `true` and no patterns of names.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{
    RemoveRefSiblings, ReplaceBoolSchemas, ReplaceConstValue, Transform, transform_subschemas,
};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The schemas that a description of the table refers to. What is read and what is answered are
/// kept apart: of an answer it is known which fields are always there, and that one which is left
/// out is never `null`.
pub(crate) struct Schemas {
    read: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.transforms.clear();
            })
        };
        Self {
            read: settings().into_generator(),
            answered: settings().for_serialize().into_generator(),
        }
    }

    /// The schema of a `T` that is read.
    pub(crate) fn read<T: JsonSchema>(&mut self) -> Value {
        spoken(self.read.subschema_for::<T>())
    }

    /// The schema of an object that is read, itself and not where to find it.
    pub(crate) fn fields_of<T: JsonSchema>(&mut self) -> Value {
        spoken(T::json_schema(&mut self.read))
    }

    /// The schema of a `T` that is answered.
    pub(crate) fn answered<T: JsonSchema>(&mut self) -> Value {
        spoken_of_answer(self.answered.subschema_for::<T>())
    }

    /// All that have a name.
    pub(crate) fn named(mut self) -> Map<String, Value> {
        let mut named = Map::new();
        for (name, schema) in self.read.take_definitions(false) {
            named.extend(Schema::try_from(schema).map(|schema| (name, spoken(schema))));
        }
        for (name, schema) in self.answered.take_definitions(false) {
            named.extend(Schema::try_from(schema).map(|schema| (name, spoken_of_answer(schema))));
        }
        named.sort_keys();
        named
    }
}

fn spoken_of_answer(mut schema: Schema) -> Value {
    leave_out(&mut schema);
    spoken(schema)
}

/// `schema` in the dialect of OpenAPI 3.0.
fn spoken(mut schema: Schema) -> Value {
    let mut no_bools = ReplaceBoolSchemas::default();
    no_bools.skip_additional_properties = true;
    no_bools.transform(&mut schema);
    ReplaceConstValue::default().transform(&mut schema);
    name_patterns(&mut schema);
    content(&mut schema);
    numbers(&mut schema);
    nulls(&mut schema);
    RemoveRefSiblings::default().transform(&mut schema);
    schema.to_value()
}

/// A field of an answer that is not always there is left out rather than `null`.
fn leave_out(schema: &mut Schema) {
    transform_subschemas(&mut leave_out, schema);
    let Some(object) = schema.as_object_mut() else { return };
    let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(Value::Object(fields)) = object.get_mut("properties") else { return };
    for (_, field) in fields.iter_mut().filter(|(name, _)| !required.contains(&json!(name))) {
        let Some(field) = field.as_object_mut() else { continue };
        take_null(field);
        if let Some(Value::Array(values)) = field.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|of| of == "null")
}

/// Takes from `schema` that it may be `null`, and says whether it was so.
fn take_null(schema: &mut Map<String, Value>) -> bool {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        let before = types.len();
        types.retain(|of| of != "null");
        let taken = types.len() < before;
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
        return taken;
    }
    let Some(Value::Array(any)) = schema.get_mut("anyOf") else { return false };
    let before = any.len();
    any.retain(|one| !is_null(one));
    if any.len() == before {
        return false;
    }
    if let [Value::Object(only)] = any.as_slice() {
        let mut only = only.clone();
        schema.remove("anyOf");
        // What was said of the whole goes before what is said of the part.
        only.extend(std::mem::take(schema));
        *schema = only;
    }
    true
}

/// `null` is what a schema with a type may be besides.
fn nulls(schema: &mut Schema) {
    transform_subschemas(&mut nulls, schema);
    let Some(object) = schema.as_object_mut() else { return };
    if !take_null(object) {
        return;
    }
    let none = json!({ "type": "string", "nullable": true, "enum": [null] });
    if object.contains_key("type") {
        object.insert("nullable".into(), true.into());
    } else if let Some(Value::Array(any)) = object.get_mut("anyOf") {
        let typed = |one: &&mut Value| one.get("type").is_some() && one.get("enum").is_none();
        match any.iter_mut().find(typed) {
            Some(first) => first["nullable"] = true.into(),
            None => any.push(none),
        }
    } else {
        let one = Value::Object(std::mem::take(object));
        object.insert("anyOf".into(), json!([one, none]));
    }
}

/// Names of fields have no pattern here. What their values are is said of any name, and the pattern
/// where tools look that know of it.
fn name_patterns(schema: &mut Schema) {
    transform_subschemas(&mut name_patterns, schema);
    let Some(object) = schema.as_object_mut() else { return };
    let Some(Value::Object(patterns)) = object.remove("patternProperties") else { return };
    if let Some(values) = patterns.values().next() {
        object.insert("additionalProperties".into(), values.clone());
    }
    object.insert("x-patternProperties".into(), patterns.into());
}

/// Whole numbers are of 32 or of 64 bits here.
fn numbers(schema: &mut Schema) {
    transform_subschemas(&mut numbers, schema);
    if schema.get("format").is_some_and(|format| format == "uint64") {
        schema.insert("format".into(), "int64".into());
    }
}

/// What a text holds has no place here either.
fn content(schema: &mut Schema) {
    transform_subschemas(&mut content, schema);
    let Some(object) = schema.as_object_mut() else { return };
    for name in ["contentMediaType", "contentSchema"] {
        if let Some(value) = object.remove(name) {
            object.insert(format!("x-{name}"), value);
        }
    }
}
