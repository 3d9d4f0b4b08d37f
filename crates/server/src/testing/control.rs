//! `/_test/...`: what a test in any language can do to a `guestlist serve --test`.

use super::faults::Fault;
use super::given;
use super::inside::Inside;
use crate::error::{Error, Result};
use crate::http::body::{self, Body};
use crate::http::limits::Limits;
use crate::http::reply::Reply;
use guestlist_api::application::ApplicationPost;
use guestlist_api::text::{Switch, Text, Whole};
use guestlist_api::time::DateTime;
use guestlist_api::wire::{self, Problems, Rule, Wire as _};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Whether a request for `path` is one of these.
pub(super) fn is_for_it(path: &str) -> bool {
    path == "/_test" || path.starts_with("/_test/")
}

/// Whether a request is for this machine by a name that it has for itself. A page whose own name is
/// made to lead here (DNS rebinding) is of the same origin to its browser, so that nothing else in
/// its requests tells them from others.
pub(super) fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map_or(v6, |(address, _)| address),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let name = host.to_ascii_lowercase();
    // Browsers see to it that these lead nowhere else (RFC 6761 6.3).
    let local = name == "localhost" || name.ends_with(".localhost");
    local || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Answers one.
pub(super) async fn answer(inside: &Arc<Inside>, request: Request<Body>) -> Reply {
    match route(inside, request).await {
        Ok(reply) => reply,
        Err(error) => error.into(),
    }
}

async fn route(inside: &Arc<Inside>, request: Request<Body>) -> Result<Reply> {
    let (head, body) = request.into_parts();
    let limits = Limits::default();
    let bytes = body::read_body(&head.headers, body, &limits, limits.body_bytes).await?;
    // These need no token, so that a page in some browser on this machine must not get at them.
    if head.headers.contains_key(header::ORIGIN) {
        return Err(Error::Forbidden);
    }
    let given = bytes.as_deref().map(|bytes| body::parse_json(bytes)).transpose()?;
    let given = given.unwrap_or_else(|| Value::Object(Map::new()));
    let path = head.uri.path();
    let allowed: &[Method] = match path {
        "/_test/reset" | "/_test/tenants" => &[Method::POST],
        "/_test/clock" => &[Method::GET, Method::PUT],
        "/_test/faults" => &[Method::POST, Method::DELETE],
        "/_test/requests" | "/_test/mails" => &[Method::GET],
        _ => return Err(Error::NoRoute(path.to_owned())),
    };
    if !allowed.contains(&head.method) {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let names = HeaderValue::try_from(names.join(", ")).map_err(Error::internal)?;
        let error = Error::MethodNotAllowed(head.method.to_string());
        return Ok(Reply::from(error).with(header::ALLOW, names));
    }
    match (&head.method, path) {
        (_, "/_test/reset") => {
            inside.reset().await?;
            Reply::json(StatusCode::OK, &json!({ "success": true }))
        }
        (_, "/_test/tenants") => tenant(inside, given).await,
        (_, "/_test/requests") => {
            Reply::json(StatusCode::OK, &json!({ "items": inside.requests.list() }))
        }
        (_, "/_test/mails") => {
            Reply::json(StatusCode::OK, &json!({ "items": inside.mails().await? }))
        }
        (&Method::PUT, "/_test/clock") => {
            set_clock(inside, given)?;
            clock(inside)
        }
        (_, "/_test/clock") => clock(inside),
        (&Method::DELETE, _) => {
            inside.faults.clear();
            faults(inside)
        }
        _ => {
            inside.faults.add(fault(given)?);
            faults(inside)
        }
    }
}

fn clock(inside: &Inside) -> Result<Reply> {
    let (now, running) = (inside.clock.now(), inside.clock.is_running());
    Reply::json(StatusCode::OK, &json!({ "now": now, "running": running }))
}

fn faults(inside: &Inside) -> Result<Reply> {
    Reply::json(StatusCode::OK, &json!({ "left": inside.faults.left() }))
}

async fn tenant(inside: &Inside, mut given: Value) -> Result<Reply> {
    if let Value::Object(fields) = &mut given {
        fields.entry("name").or_insert_with(|| "Test".into());
    }
    let post: ApplicationPost = wire::read("tenant", given).map_err(Error::Invalid)?;
    let (application, token) = inside.tenant(post).await?;
    let made = json!({ "applicationId": application, "token": token });
    Reply::json(StatusCode::CREATED, &made)
}

/// Sets the clock as it is told: to a moment, by so many milliseconds, and going or standing.
fn set_clock(inside: &Inside, given: Value) -> Result<()> {
    let (now, advance, running) = given::read("clock", given, |fields, at| {
        let now = given::take_as(fields, "now", at, moment);
        let advance = given::take_as(fields, "advance", at, millis);
        let running = given::take::<Switch>(fields, "running", at);
        if now.is_none() && advance.is_none() && running.is_none() && fields.is_empty() {
            at.push(Rule::Other("must have now, advance or running".into()));
        }
        Some((now, advance, running.map(|flag| flag.0)))
    })?;
    if let Some(now) = now {
        inside.clock.set(now);
    }
    if let Some(millis) = advance {
        inside.clock.advance(millis);
    }
    match running {
        Some(true) => inside.clock.run(),
        Some(false) => inside.clock.set(inside.clock.now()),
        None => {}
    }
    Ok(())
}

/// A whole number of milliseconds.
fn millis(value: &Value, at: &mut Problems) -> Option<i64> {
    value.as_i64().or_else(|| at.refuse(Rule::WrongType))
}

/// A moment, as text or in milliseconds since 1970.
fn moment(value: &Value, at: &mut Problems) -> Option<DateTime> {
    match value.as_i64() {
        Some(millis) => Some(DateTime::from_millis(millis)),
        None => DateTime::read(value.clone(), at),
    }
}

guestlist_api::words! {
    /// What can go wrong.
    Word {
        /// A 429.
        TooManyRequests "tooManyRequests",
        /// A 500.
        Internal "internal",
        /// A 503.
        Unavailable "unavailable",
        /// A wait before anything is done.
        Delay "delay",
        /// The end of the connection before anything is done.
        DropRequest "dropRequest",
        /// The end of the connection after it is done.
        DropAnswer "dropAnswer",
        /// The end of the connection in the middle of the answer.
        TearAnswer "tearAnswer",
    }
}

/// The fault that is asked for.
fn fault(given: Value) -> Result<Fault> {
    given::read("fault", given, |fields, at| {
        let Some(kind) = fields.shift_remove("fault") else {
            return at.nested("fault", |at| at.refuse(Rule::Required));
        };
        let word = at.nested("fault", |at| Word::read(kind, at));
        let times = given::take::<Whole<1, 1_000_000>>(fields, "times", at);
        let method = given::take::<Text<1, 32>>(fields, "method", at);
        let path = given::take::<Text<1, 4096>>(fields, "path", at);
        let (mut retry_after, mut millis) = (1, 0);
        match word? {
            Word::TooManyRequests | Word::Unavailable => {
                let given = given::take::<Whole<0, 86_400>>(fields, "retryAfter", at);
                retry_after = given.and_then(|n| u32::try_from(n.0).ok()).unwrap_or(retry_after);
            }
            Word::Delay => {
                if !fields.contains_key("millis") {
                    at.nested("millis", |at| at.push(Rule::Required));
                }
                millis = given::take::<Whole<0, 600_000>>(fields, "millis", at)?.0;
            }
            _ => {}
        }
        let mut fault = match word? {
            Word::TooManyRequests => Fault::too_many_requests(retry_after),
            Word::Internal => Fault::internal(),
            Word::Unavailable => Fault::unavailable(retry_after),
            Word::Delay => Fault::delay(Duration::from_millis(millis)),
            Word::DropRequest => Fault::drop_request(),
            Word::DropAnswer => Fault::drop_answer(),
            Word::TearAnswer => Fault::tear_answer(),
        };
        if let Some(times) = times {
            fault = fault.times(u32::try_from(times.0).unwrap_or(u32::MAX));
        }
        if let Some(method) = method {
            fault = fault.method(&method);
        }
        if let Some(path) = path {
            fault = fault.path(&path);
        }
        Some(fault)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_lead_nowhere_else_are_loopback() {
        for (host, loopback) in [
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("guests.localhost:1", true),
            ("127.0.0.1:8080", true),
            ("127.9.9.9", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]", true),
            ("evil.example", false),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("notlocalhost", false),
            ("10.0.0.1", false),
            ("[2001:db8::1]:80", false),
            ("", false),
        ] {
            let host = HeaderValue::from_static(host);
            let headers = [(header::HOST, host.clone())].into_iter().collect();
            assert_eq!(is_loopback(&headers), loopback, "{host:?}");
        }
        assert!(is_loopback(&HeaderMap::new()));
    }
}
