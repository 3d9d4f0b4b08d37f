//! How a request can fail, as a document says it. The errors themselves are in `http/failure.rs`.

use crate::rest::route::Route;
use crate::rest::schemas::Schemas;
use guestlist_api::entity::Error;
use hyper::Method;
use serde_json::{Map, Value, json};

/// A kind of failure: its status, what it is called, what it means, and a header that comes with it.
struct Failure(&'static str, &'static str, &'static str, Option<&'static str>);

const ALL: [Failure; 15] = [
    Failure("304", "NotModified", "The resource has the `ETag` of `If-None-Match`", Some("ETag")),
    Failure("400", "Invalid", "The request breaks a rule", None),
    Failure(
        "401",
        "Unauthorized",
        "The token, or the password, is not good",
        Some("WWW-Authenticate"),
    ),
    Failure("403", "Forbidden", "There is no token, or it has none of the scopes", None),
    Failure("404", "NotFound", "There is no such thing, or the token may not know of it", None),
    Failure("408", "RequestTimeout", "The body did not arrive in time", None),
    Failure("409", "AlreadyExists", "What has to be unique is taken", None),
    Failure("410", "LinkExpired", "The link was used, has ended, or was never made", None),
    Failure("412", "PreconditionFailed", "`If-Match` or `If-None-Match` does not hold", None),
    Failure("413", "PayloadTooLarge", "The body is too large", None),
    Failure("415", "UnsupportedMediaType", "The body is not JSON", None),
    Failure("422", "KeyReused", "`Idempotency-Key` came with another request before", None),
    Failure(
        "429",
        "TooManyRequests",
        "Too many wrong passwords in a row, or mails",
        Some("Retry-After"),
    ),
    Failure("503", "ServiceUnavailable", "Too much is asked at once", Some("Retry-After")),
    Failure("default", "Failure", "The request failed", None),
];

/// The operations that look at a password, of which only so many may be wrong, and those that mail.
const LIMITED: [&str; 8] = [
    "administrator.patch",
    "auth.authenticateUser",
    "experienceAddressChanges.post",
    "experienceAuth.authenticate",
    "experienceInvitations.post",
    "experiencePasswordResets.post",
    "me.changePassword",
    "me.patch",
];

fn can_fail(row: &Route, status: &str) -> bool {
    let guarded = !row.operation.is_public();
    let changes = matches!(row.method, Method::POST | Method::PATCH);
    match status {
        "304" => row.has_etag() && row.method == Method::GET,
        "412" => row.has_etag(),
        "403" => guarded,
        "404" => guarded || row.visited,
        "408" | "413" | "415" => row.body.is_some(),
        "409" => guarded && changes || row.visited,
        "422" => row.takes_key(),
        "410" => ["experienceLinks.post", "visitor.useLink"].contains(&row.operation.name()),
        "429" => LIMITED.contains(&row.operation.name()),
        _ => true,
    }
}

/// The failures of `row`.
pub(crate) fn of(row: &Route) -> Map<String, Value> {
    let all = ALL.iter().filter(|Failure(status, ..)| can_fail(row, status));
    all.map(|Failure(status, name, ..)| {
        (String::from(*status), json!({ "$ref": format!("#/components/responses/{name}") }))
    })
    .collect()
}

/// All of them, by name.
pub(crate) fn all(schemas: &mut Schemas) -> Map<String, Value> {
    let schema = schemas.answered::<Error>();
    let described = |Failure(status, name, what, header): &Failure| {
        let mut response = json!({ "description": what });
        if *status != "304" {
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        if let Some(header) = header {
            let of = if *header == "Retry-After" { "integer" } else { "string" };
            response["headers"] = json!({ (*header): { "schema": { "type": of } } });
        }
        (String::from(*name), response)
    };
    ALL.iter().map(described).collect()
}
