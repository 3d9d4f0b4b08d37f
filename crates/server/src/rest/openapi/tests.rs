use super::document;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(crate::rest::table()));

/// What a schema of OpenAPI 3.0 may say, as far as ours do.
const KEYWORDS: [&str; 23] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "required",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// Calls `see` with every value of `value` and where it is.
fn walk<'a>(value: &'a Value, at: &str, see: &mut impl FnMut(&str, &'a Value)) {
    see(at, value);
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| walk(value, &format!("{at}/{name}"), see));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| walk(item, &format!("{at}/{n}"), see));
        }
        _ => {}
    }
}

/// The schemas of the document, those inside of others too, and where each is.
fn schemas() -> Vec<(String, &'static Map<String, Value>)> {
    fn inside(
        at: &str,
        schema: &'static Value,
        found: &mut Vec<(String, &'static Map<String, Value>)>,
    ) {
        let object = schema.as_object().unwrap_or_else(|| panic!("{at} is {schema}"));
        found.push((at.to_owned(), object));
        for name in ["allOf", "anyOf"] {
            for (n, one) in
                object.get(name).and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                inside(&format!("{at}/{name}/{n}"), one, found);
            }
        }
        for (name, field) in
            object.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            inside(&format!("{at}/{name}"), field, found);
        }
        if let Some(items) = object.get("items") {
            inside(&format!("{at}/[]"), items, found);
        }
        let rest = object.get("additionalProperties").filter(|rest| !rest.is_boolean());
        if let Some(rest) = rest {
            inside(&format!("{at}/*"), rest, found);
        }
    }
    let mut found = Vec::new();
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        inside(name, schema, &mut found);
    }
    walk(&DOCUMENT["paths"], "", &mut |at, value| {
        if let Some(schema) = value.get("schema") {
            inside(at, schema, &mut found);
        }
    });
    found
}

fn operations() -> impl Iterator<Item = (&'static String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, of)| of.as_object().unwrap().values().map(move |one| (path, one)))
}

#[test]
fn every_reference_leads_somewhere() {
    let mut count = 0;
    walk(&DOCUMENT, "", &mut |at, value| {
        if let Some(Value::String(to)) = value.get("$ref") {
            let to = to.strip_prefix('#').unwrap();
            assert!(DOCUMENT.pointer(to).is_some(), "{at}: {to}");
            count += 1;
        }
    });
    assert!(count > 100, "{count}");
}

#[test]
fn every_schema_is_one_of_openapi_3_0() {
    for (at, schema) in schemas() {
        if schema.contains_key("$ref") {
            assert_eq!(schema.len(), 1, "{at}: what stands beside a reference counts for nothing");
            continue;
        }
        for name in schema.keys().filter(|name| !name.starts_with("x-")) {
            assert!(KEYWORDS.contains(&name.as_str()), "{at}: {name}");
        }
        let kind = schema.get("type");
        let kinds = ["string", "integer", "number", "boolean", "array", "object"];
        assert!(kind.is_none_or(|kind| kinds.iter().any(|one| kind == one)), "{at}: {kind:?}");
        assert!(!schema.contains_key("nullable") || kind.is_some(), "{at}: null and no type");
        assert_eq!(schema.contains_key("items"), kind == Some(&json!("array")), "{at}");
        if let Some(required) = schema.get("required") {
            let required = required.as_array().unwrap();
            assert!(!required.is_empty(), "{at}: nothing is required");
            for name in required {
                assert!(schema["properties"].get(name.as_str().unwrap()).is_some(), "{at}: {name}");
            }
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_the_parameters_of_its_path() {
    let mut names = BTreeSet::new();
    for (path, operation) in operations() {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{operation}");
        let mut said = BTreeSet::new();
        for parameter in operation["parameters"].as_array().unwrap() {
            let (place, name) = (&parameter["in"], parameter["name"].as_str().unwrap());
            assert!(said.insert((place.to_string(), name)), "{path}: {name} twice");
            assert!(parameter["description"].as_str().is_some_and(|it| !it.is_empty()), "{name}");
        }
        let of_path: Vec<&str> =
            said.iter().filter(|it| it.0 == "\"path\"").map(|it| it.1).collect();
        let mut wanted: Vec<&str> =
            path.split(['{', '}']).enumerate().filter(|it| it.0 % 2 == 1).map(|it| it.1).collect();
        wanted.sort_unstable();
        assert_eq!(of_path, wanted, "{path}");
    }
}

/// A field of an answer that can be left out is never `null`, and the others are never left out.
#[test]
fn null_is_said_where_it_is_answered_or_read() {
    let mut nullable = BTreeMap::<&str, BTreeSet<String>>::new();
    let all = schemas();
    for (at, _) in all.iter().filter(|(_, schema)| schema.contains_key("nullable")) {
        if let Some((of, field)) = at.split_once('/') {
            nullable.entry(of).or_default().insert(field.to_owned());
        }
    }
    nullable
        .retain(|of, _| !of.starts_with("advanced") && !of.ends_with("Test") && *of != "TagPart");
    let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let quotas = ["answerBytes", "apiTokens", "bytes", "groups", "users"];
    let expected = [
        ("ApplicationQuotasPatch", fields(&quotas)),
        ("ExperienceGroupPatch", fields(&["deviceQueryJson", "parentId"])),
        ("ExperienceGroupPost", fields(&["deviceQueryJson", "parentId"])),
        ("ExperienceSignInPatch", fields(&["displayName", "linkUrl", "mailFrom"])),
        ("GroupRef", fields(&["parentId"])),
        ("experienceGroup", fields(&["parentId"])),
        ("experienceGroupMembership", fields(&["through"])),
        ("experienceUserTokenOrNone", fields(&["token"])),
    ];
    assert_eq!(nullable, expected.into_iter().collect());
}

#[test]
fn what_is_always_there_is_required() {
    let required = |of: &str| -> BTreeSet<&str> {
        let schema = &DOCUMENT["components"]["schemas"][of];
        schema["required"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
    };
    assert!(required("experienceUser").contains("passwordLastUpdated"));
    assert!(required("experienceUser").contains("_type"));
    assert!(!required("experienceUser").contains("lastLogin"));
    assert!(required("GroupRef").contains("parentId"));
}

#[test]
fn pages_are_flat_and_tags_have_fields() {
    let schemas = &DOCUMENT["components"]["schemas"];
    for page in ["applications", "apiTokens", "experienceUsers", "experienceGroups"] {
        assert_eq!(schemas[page].get("allOf"), None, "{page}");
        assert_eq!(schemas[page]["properties"]["items"]["type"], "array", "{page}");
    }
    assert_eq!(schemas["experienceUsers"]["properties"]["applicationId"]["type"], "string");
    assert_eq!(
        schemas["Tags"]["additionalProperties"],
        json!({ "type": "string", "minLength": 1, "maxLength": 255 })
    );
}

#[test]
fn conditions_and_keys_have_a_grammar() {
    let mut count = 0;
    for (path, operation) in operations() {
        for header in operation["parameters"].as_array().unwrap() {
            if header["in"] == "header" {
                assert!(header["schema"]["pattern"].is_string(), "{path}: {header}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}
