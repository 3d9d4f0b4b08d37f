//! The table as an OpenAPI document.

use super::route::Route;
use guestlist_api::entity::Error;
use guestlist_api::scope::Scope;
use hyper::Method;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::borrow::Cow;

/// The name of `method`.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}

/// The names of the query and body parameters of `row`.
pub(super) fn own_params(row: &Route) -> Vec<Cow<'static, str>> {
    let mut schemas = SchemaSettings::openapi3().into_generator();
    let described = (row.describe)(&mut schemas);
    let query = described["parameters"].as_array().into_iter().flatten();
    let query = query.filter(|parameter| parameter["in"] == "query");
    let names = query.filter_map(|parameter| parameter["name"].as_str());
    names.map(|name| Cow::Owned(name.to_owned())).chain(row.body.map(Cow::Borrowed)).collect()
}

/// Parameters that every operation takes.
fn common() -> Vec<Value> {
    let switch = |name, what: &str| {
        json!({
            "in": "query", "name": name, "required": false, "schema": { "type": "string" },
            "description": format!("Whether {what} is answered: on unless it is given as anything but `true`, `1` or `yes`"),
        })
    };
    let header = |name, what| {
        json!({
            "in": "header", "name": name, "required": false, "schema": { "type": "string" },
            "description": what,
        })
    };
    vec![
        switch("_actions", "`_actions`"),
        switch("_links", "`_links`"),
        switch("_embedded", "`_embedded`"),
        header("losantdomain", "Accepted and ignored"),
        header("Accept-Version", "Accepted and ignored"),
    ]
}

/// The document.
pub(super) fn document(table: &[Route]) -> Value {
    let mut schemas = SchemaSettings::openapi3().into_generator();
    let mut paths = json!({});
    for row in table {
        let mut operation = (row.describe)(&mut schemas);
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            parameters.extend(common());
            let header = |name: &str, what: &str| {
                json!({
                    "in": "header", "name": name, "required": false,
                    "schema": { "type": "string" }, "description": what,
                })
            };
            if row.path.ends_with('}') || row.path == "/me" {
                parameters.push(header("If-Match", "The `ETag` that the resource must have"));
                parameters
                    .push(header("If-None-Match", "The `ETag` that the resource must not have"));
            }
            if !row.operation.is_public() && row.method != Method::GET {
                let what = "Makes the request safe to repeat: the answer is kept for 24 hours";
                parameters.push(header("Idempotency-Key", what));
            }
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
        operation["responses"]["default"] = json!({
            "description": "The request failed",
            "content": { "application/json": { "schema": schemas.subschema_for::<Error>() } },
        });
        paths[row.path][method(&row.method).to_lowercase()] = operation;
    }
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
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }
            },
        },
    })
}
