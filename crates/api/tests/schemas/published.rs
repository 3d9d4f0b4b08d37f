//! What the platform's published JSON Schemas (draft-07) say of the bodies that are read here,
//! said again in our own words.

use serde_json::{Map, Value, json};

/// 24 hexadecimal digits.
fn id() -> Value {
    json!({ "type": "string", "pattern": r"^[A-Fa-f\d]{24}$" })
}

fn text(shortest: u64, longest: u64) -> Value {
    json!({ "type": "string", "minLength": shortest, "maxLength": longest })
}

fn up_to(longest: u64) -> Value {
    json!({ "type": "string", "maxLength": longest })
}

fn email() -> Value {
    json!({ "type": "string", "format": "email", "maxLength": 1024 })
}

fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

const KEY: &str = "^[0-9a-zA-Z_-]{1,255}$";

fn tags() -> Value {
    json!({
        "type": "object",
        "patternProperties": { KEY: text(1, 255) },
        "additionalProperties": false,
    })
}

fn list(items: &Value, most: u64) -> Value {
    json!({ "type": "array", "items": items, "maxItems": most })
}

/// An object of these fields and no others, of which `required` have to be there.
fn object<const N: usize>(required: &[&str], fields: [(&str, Value); N]) -> Value {
    let fields: Map<String, Value> =
        fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut schema =
        json!({ "type": "object", "properties": fields, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

const ROLES: [&str; 5] = ["admin", "edit", "collaborate", "view", "none"];

fn org_roles() -> Value {
    let resource_roles = || {
        let role = words(&["collaborate", "view", "none"]);
        list(&object(&["resourceId", "role"], [("resourceId", id()), ("role", role)]), 100)
    };
    let one = object(
        &["orgId", "role"],
        [
            ("orgId", json!({ "oneOf": [id(), words(&["sandbox"])] })),
            ("role", words(&ROLES)),
            ("applicationRoles", resource_roles()),
            ("dashboardRoles", resource_roles()),
        ],
    );
    list(&one, 25)
}

/// The words of a scope, in four lists of which two are in a list of their own.
fn scopes() -> Value {
    let lists: Vec<Value> = include_str!("../../src/scopes.txt")
        .split("\n[")
        .skip(1)
        .map(|list| words(&list.split_whitespace().skip(1).collect::<Vec<_>>()))
        .collect();
    let [application, organization, instance, user] = &lists[..] else {
        panic!("{} lists", lists.len())
    };
    let inner = json!({ "oneOf": [application, organization] });
    let items = json!({ "oneOf": [inner, instance, user] });
    json!({ "type": "array", "uniqueItems": true, "items": items })
}

fn user(required: &[&str]) -> Value {
    object(
        required,
        [
            ("email", email()),
            ("firstName", up_to(1024)),
            ("lastName", up_to(1024)),
            ("password", text(8, 2048)),
            ("tokenCutoff", moment()),
            ("userTags", tags()),
            ("experienceGroupIds", list(&id(), 1000)),
        ],
    )
}

pub(crate) fn experience_user_post() -> Value {
    user(&["email", "password"])
}

pub(crate) fn experience_user_patch() -> Value {
    user(&[])
}

pub(crate) fn api_token_post() -> Value {
    object(
        &["name"],
        [
            ("name", text(1, 255)),
            ("description", up_to(32767)),
            ("expirationDate", moment()),
            ("defaultRole", words(&ROLES)),
            ("orgRoles", org_roles()),
            ("scope", scopes()),
            ("status", words(&["active", "inactive"])),
        ],
    )
}

pub(crate) fn api_token_patch() -> Value {
    object(
        &[],
        [
            ("name", text(1, 255)),
            ("description", up_to(32767)),
            ("defaultRole", words(&ROLES)),
            ("orgRoles", org_roles()),
            ("status", words(&["active", "inactive"])),
        ],
    )
}

fn group(required: &[&str]) -> Value {
    let key = json!({ "type": "string", "pattern": KEY });
    object(
        required,
        [
            ("name", text(1, 255)),
            ("description", up_to(32767)),
            ("experienceUserIds", list(&id(), 1000)),
            ("experienceEndpointIds", list(&id(), 1000)),
            ("groupTags", tags()),
            ("deviceIds", list(&id(), 1000)),
            ("deviceTags", list(&object(&[], [("key", key), ("value", text(1, 255))]), 100)),
            ("deviceQueryJson", json!({ "type": ["string", "null"], "maxLength": 8192 })),
            ("parentId", json!({ "oneOf": [id(), { "type": "null" }] })),
        ],
    )
}

pub(crate) fn experience_group_post() -> Value {
    group(&["name"])
}

pub(crate) fn experience_group_patch() -> Value {
    group(&[])
}

pub(crate) fn user_credentials() -> Value {
    object(
        &["email", "password"],
        [
            ("email", email()),
            ("password", text(8, 2048)),
            ("twoFactorCode", up_to(2048)),
            ("requestedScopes", scopes()),
            ("tokenTTL", json!({ "type": "integer", "minimum": 0 })),
        ],
    )
}
