//! What belongs to the server itself.

use crate::error::{Error, Result};
use crate::http::reply::Reply;
use crate::rest::call::Call;
use crate::rest::caller::Anybody;
use crate::rest::input::In;
use crate::rest::outcome::Okay;
use crate::rest::route::Routes;
use crate::rest::state::App;
use crate::store::Writes;
use guestlist_api::text::Switch;
use hyper::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

pub(crate) fn routes() -> [Routes; 5] {
    [
        Routes::at("/").open(Method::GET, "root.get", "What this server is", root),
        Routes::at("/openapi.json").open(Method::GET, "root.openapi", "This document", openapi),
        Routes::at("/healthz").open(Method::GET, "root.healthz", "Whether the process lives", live),
        Routes::at("/readyz").open(
            Method::GET,
            "root.readyz",
            "Whether the store reads, and whether it takes changes",
            ready,
        ),
        Routes::at("/whitelabels/domain").open(
            Method::GET,
            "whitelabel.domain",
            "Where this server is, as the platform's command line asks when it signs in",
            domain,
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

/// Under which names the platform's pages and its applications are reached; here both are the server.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Domain {
    /// The URL of this server.
    app_url: String,
    /// Its host, below which there are no hosts of applications here.
    endpoint_domain: String,
}

async fn domain(call: Call<Anybody>, _: In) -> Result<Okay<Domain>> {
    let App { public_url, issuer, .. } = &*call.app;
    Okay::plain(&Domain { app_url: public_url.clone(), endpoint_domain: issuer.clone() })
}

/// The state of the store.
#[derive(Serialize, JsonSchema)]
struct Readiness {
    /// Always `ok`: anything else is an error.
    status: &'static str,
    /// `refused` where the store is read and takes no changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<&'static str>,
    /// Why it takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// How long a change may take to be taken where the answer does not depend on it: much less than
/// those who probe wait for an answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// And where it does: a store that is only busy takes less.
const LONG_PATIENCE: Duration = Duration::from_secs(5);

guestlist_api::object! {
    /// What is asked of the store.
    allow_unknown Probe {
        /// Whether a store that takes no changes is an error.
        optional writes "writes": Switch = false,
    }
}

async fn root(call: Call<Anybody>, _: In) -> Result<Okay<Root>> {
    Okay::plain(&Root {
        name: "Guestlist",
        version: env!("CARGO_PKG_VERSION"),
        description: "A directory and sign-in service for the end users of applications",
        openapi: "/openapi.json",
        resources: call.app.catalog.paths.clone(),
    })
}

/// An OpenAPI document.
#[derive(JsonSchema)]
struct Document(#[expect(dead_code, reason = "it only has a description")] Map<String, Value>);

async fn openapi(call: Call<Anybody>, _: In) -> Result<Okay<Document>> {
    Ok(Okay(Reply::new(StatusCode::OK, call.app.catalog.openapi.clone()), PhantomData))
}

async fn live(_: Call<Anybody>, _: In) -> Result<Okay<Health>> {
    Okay::plain(&Health { status: "ok" })
}

async fn ready(call: Call<Anybody>, input: In<(), Probe>) -> Result<Okay<Readiness>> {
    let needed = input.query.writes.is_some_and(|writes| writes.0);
    call.app.hasher.intact()?;
    let patience = if needed { LONG_PATIENCE } else { PATIENCE };
    let (writes, why) = match call.app.store.serves(patience).await? {
        Writes::Taken => (None, None),
        Writes::Refused(why) if needed => return Err(why),
        Writes::Refused(Error::Busy { what, .. }) => (Some("refused"), Some(what.to_owned())),
        Writes::Refused(why) => (Some("refused"), Some(why.to_string())),
    };
    Okay::plain(&Readiness { status: "ok", writes, why })
}
