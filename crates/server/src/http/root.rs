//! What belongs to the server itself.

use super::call::{Call, Found};
use super::input::In;
use super::reply::Reply;
use super::route::{Anybody, Routes};
use crate::error::Result;
use hyper::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::marker::PhantomData;

pub(super) fn routes() -> [Routes; 4] {
    [
        Routes::at("/").open(Method::GET, "root.get", "What this server is", root),
        Routes::at("/openapi.json").open(Method::GET, "root.openapi", "This document", openapi),
        Routes::at("/healthz").open(Method::GET, "root.healthz", "Whether the process lives", live),
        Routes::at("/readyz").open(
            Method::GET,
            "root.readyz",
            "Whether the store reads and writes",
            ready,
        ),
    ]
}

/// What the server is and what it offers.
#[derive(Serialize, JsonSchema)]
struct Root {
    name: &'static str,
    version: &'static str,
    description: &'static str,
    openapi: &'static str,
    /// The paths of each resource.
    resources: BTreeMap<&'static str, &'static str>,
}

/// The state of the server.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// Always `ok`: anything else is an error.
    status: &'static str,
}

async fn root(call: Call<Anybody>, _: In) -> Result<Found<Root>> {
    let rows = call.app.table().iter().filter(|row| !row.operation.is_public());
    Found::plain(&Root {
        name: "Guestlist",
        version: env!("CARGO_PKG_VERSION"),
        description: "A directory and sign-in service for the end users of applications",
        openapi: "/openapi.json",
        resources: rows.map(|row| (row.operation.resource(), row.path)).collect(),
    })
}

async fn openapi(call: Call<Anybody>, _: In) -> Result<Found<Value>> {
    Ok(Found(Reply::new(StatusCode::OK, call.app.openapi.clone()), PhantomData))
}

async fn live(_: Call<Anybody>, _: In) -> Result<Found<Health>> {
    Found::plain(&Health { status: "ok" })
}

async fn ready(call: Call<Anybody>, _: In) -> Result<Found<Health>> {
    call.app.store.ready().await?;
    Found::plain(&Health { status: "ok" })
}
