//! The table as an OpenAPI document. It is of version 3.0, because every generator that is known to
//! us reads that, and there is nothing that only 3.1 could say but which names a tag may have.

mod failures;
#[cfg(test)]
mod tests;

use super::etag::CONDITION;
use super::input::{LONGEST_KEY, Params as _};
use super::route::Route;
use super::schemas::Schemas;
use guestlist_api::entity::View;
use guestlist_api::scope::Scope;
use hyper::Method;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The name of `method`.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}

/// The names of the query and body parameters of `row`.
pub(crate) fn own_params(row: &Route) -> Vec<Cow<'static, str>> {
    let described = (row.describe)(&mut Schemas::new());
    let query = described["parameters"].as_array().into_iter().flatten();
    let query = query.filter(|parameter| parameter["in"] == "query");
    let names = query.filter_map(|parameter| parameter["name"].as_str());
    names.map(|name| Cow::Owned(name.to_owned())).chain(row.body.map(Cow::Borrowed)).collect()
}

/// The operations whose answers have a secret that nothing makes again or that are done once, or only look.
const UNKEPT: [&str; 8] = [
    "experienceAddressChanges.post",
    "experienceAuth.authenticate",
    "experienceAuth.verifyToken",
    "experienceInvitations.post",
    "experienceLinks.post",
    "experiencePasswordResets.post",
    "experienceUserTokens.post",
    "experienceUserTokens.postForEmailOrId",
];

/// The operations on what never changes, and has no tag.
const UNTAGGED: [&str; 4] =
    ["experienceKey.delete", "experienceKeys.post", "experienceLinks.post", "visitor.useLink"];

impl Route {
    /// Whether it is about one resource, which has a tag.
    fn has_etag(&self) -> bool {
        let one = self.path.ends_with('}') || self.path == "/me" || self.path.ends_with("/signIn");
        one && !UNTAGGED.contains(&self.operation.name())
    }

    /// Whether what it answers with is such a resource.
    fn answers_etag(&self) -> bool {
        let made = self.method == Method::POST
            && self.takes_key()
            && !UNTAGGED.contains(&self.operation.name());
        (self.has_etag() && self.method != Method::DELETE) || made
    }

    /// Whether a request can be made safe to repeat.
    fn takes_key(&self) -> bool {
        !self.operation.is_public()
            && self.method != Method::GET
            && !UNKEPT.contains(&self.operation.name())
    }
}

/// The headers that a request may have besides those of every request.
fn headers(row: &Route) -> Vec<Value> {
    let header = |name: &str, what: &str, schema: Value| {
        json!({
            "in": "header", "name": name, "required": false, "description": what,
            "schema": schema,
        })
    };
    let tags = || json!({ "type": "string", "pattern": CONDITION });
    let mut headers = Vec::new();
    if row.has_etag() {
        let what = "The `ETag` that the resource must have, or a list of which it must have one; \
            `*` is any";
        headers.push(header("If-Match", what, tags()));
        let what =
            "The `ETag` that the resource must not have, or a list of which it must have none";
        headers.push(header("If-None-Match", what, tags()));
    }
    if row.takes_key() {
        let what = "Makes the request safe to repeat: the answer is kept for 24 hours";
        let key = format!("^[!-~]{{1,{LONGEST_KEY}}}$");
        headers.push(header("Idempotency-Key", what, json!({ "type": "string", "pattern": key })));
    }
    headers
}

/// What `row` does.
fn operation(row: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = (row.describe)(schemas);
    let of_every_row = View::describe("query", schemas).into_iter();
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.extend(of_every_row.chain(headers(row)));
    }
    operation["operationId"] = row.operation.name().into();
    operation["summary"] = row.summary.into();
    operation["tags"] = json!([row.operation.resource()]);
    operation["security"] = if row.operation.is_public() {
        json!([])
    } else {
        let scopes: Vec<&str> = row.operation.allowed_by().map(Scope::as_str).collect();
        operation["x-scopes"] = json!(scopes);
        json!([{ "bearer": [] }])
    };
    if let Some(responses) = operation["responses"].as_object_mut() {
        for answer in responses.values_mut().filter(|_| row.answers_etag()) {
            answer["headers"] = json!({ "ETag": {
                "description": "What tells this state of the resource from every other",
                "schema": { "type": "string" },
            } });
        }
        responses.extend(failures::of(row));
    }
    operation
}

/// The resources, each with what can be done with it.
fn tags(table: &[Route]) -> Vec<Value> {
    let mut tags = Map::new();
    for row in table {
        let told = tags.entry(row.operation.resource()).or_insert_with(|| json!([]));
        told.as_array_mut().into_iter().for_each(|told| told.push(row.summary.into()));
    }
    let told = |all: &Value| -> Vec<String> {
        all.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    tags.iter()
        .map(|(name, all)| json!({ "name": name, "description": told(all).join(". ") + "." }))
        .collect()
}

/// The document.
pub(crate) fn document(table: &[Route]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = json!({});
    for row in table {
        paths[row.path][method(&row.method).to_lowercase()] = operation(row, &mut schemas);
    }
    let responses = failures::all(&mut schemas);
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Guestlist",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A directory and sign-in service for the end users of applications. \
                A request needs a token with at least one of the scopes in its `x-scopes`.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(table),
        "paths": paths,
        "components": {
            "schemas": schemas.named(),
            "responses": responses,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }
            },
        },
    })
}
