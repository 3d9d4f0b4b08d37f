//! The service: finds the row of the table that a request is for, and has it answered.

use super::cached::{CacheSlot, id_in};
use super::caller::RequestText;
use super::gate::{self, Gate, Token};
use super::input::{IDEMPOTENCY_KEY, Raw};
use super::openapi;
use super::resource::ResourceRoute;
use super::response_cache::{CachedResponse, LONGEST_TARGET};
use super::route::{Request, Route};
use super::state::{App, AppParts, Catalog};
use super::table::table;
use crate::error::{Error, Result};
use crate::http::access_log::AccessLog;
use crate::http::body::{self, Body};
use crate::http::coding::Gzip;
use crate::http::ingress::Ingress;
use crate::http::limits::Limits;
use crate::http::listen::Handler;
use crate::http::meter::Meter;
use crate::http::query::{decode_path_segment, parse_query};
use crate::http::reply::{self, Reply, RequestMeta};
use crate::tokens::grant::Grant;
use bytes::Bytes;
use guestlist_api::id::ApiTokenId;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use tokio::time::sleep;

/// What the server loop hands requests to.
pub struct Service {
    app: Arc<App>,
    /// Paths to the rows that share them.
    paths: matchit::Router<Vec<usize>>,
    limits: Limits,
    ingress: Ingress,
    /// Where requests are counted, if somebody wants to know.
    meter: Option<Arc<Meter>>,
}

/// The OpenAPI document, which is the same for all services of a process: it takes longer to make
/// than all else that a service is made of.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));

/// The OpenAPI document of the service.
#[must_use]
pub fn document() -> Value {
    openapi::document(table())
}

/// What `table` offers.
///
/// # Errors
/// [`Error::Internal`] if there is no JSON for it.
pub(crate) fn catalog(table: &[Route]) -> Result<Catalog> {
    let (mut routes, mut paths) = (HashMap::<_, BTreeMap<_, _>>::new(), BTreeMap::new());
    for row in table {
        let Route { method, path, operation, .. } = row;
        let params = openapi::own_params(row);
        let route = ResourceRoute::new(*operation, openapi::method(method), path, params)?;
        routes.entry(operation.resource()).or_default().insert(operation.action(), route);
        if !operation.is_public() {
            // The first row of a resource is the one that reads it; others may be below it.
            paths.entry(operation.resource()).or_insert(*path);
        }
    }
    let in_order = |(kind, of): (_, BTreeMap<_, _>)| (kind, of.into_values().collect());
    Ok(Catalog {
        operations: table.iter().map(|row| row.operation).collect(),
        routes: routes.into_iter().map(in_order).collect(),
        paths,
        openapi: DOCUMENT.clone(),
    })
}

impl Service {
    /// Puts the service together, which lets a client take what `limits` say.
    ///
    /// # Errors
    /// When the store fails, the table has two rows for one path and method, or the hasher is a
    /// cheap one and the store is not ephemeral.
    pub async fn new(parts: AppParts, limits: Limits) -> Result<Self> {
        let table = table();
        let (mut paths, mut rows) = (matchit::Router::new(), HashMap::<_, Vec<usize>>::new());
        for (index, row) in table.iter().enumerate() {
            rows.entry(row.path).or_default().push(index);
        }
        for (path, rows) in rows {
            paths.insert(path, rows).map_err(Error::internal)?;
        }
        let app = App::new(parts, catalog(table)?).await?;
        Ok(Self { app, paths, limits, ingress: Ingress::default(), meter: None })
    }

    /// The same, for those whom `ingress` lets in.
    #[must_use]
    pub fn behind(self, ingress: Ingress) -> Self {
        Self { ingress, ..self }
    }

    /// The same, with what `meter` counts of requests.
    #[must_use]
    pub fn metered(self, meter: Option<Arc<Meter>>) -> Self {
        Self { meter, ..self }
    }

    /// What its handlers see.
    #[must_use]
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    async fn answer(
        &self,
        request: hyper::Request<Body>,
        meta: &RequestMeta,
        peer: SocketAddr,
        operation: &mut &'static str,
    ) -> Result<Reply> {
        let (head, body) = request.into_parts();
        let mut verified = None;
        if let Some((token, response)) = self.cached(&head, &mut verified) {
            self.count_lookup(true);
            *operation = response.operation;
            body::discard(&head.headers, body).await;
            return self.send_cached(response, token, target_of(&head), meta).await;
        }
        // On the heap, because a cached answer would carry the room for it along.
        Box::pin(self.run_row(head, body, verified, meta, peer, operation)).await
    }

    /// Answers a request to which there is no cached response, the token of which may be `verified`.
    async fn run_row(
        &self,
        head: hyper::http::request::Parts,
        body: Body,
        verified: Option<Result<ApiTokenId>>,
        meta: &RequestMeta,
        peer: SocketAddr,
        operation: &mut &'static str,
    ) -> Result<Reply> {
        let target = target_of(&head);
        let (row, path) = match self.find(&head.method, head.uri.path()) {
            Ok(Match::Row(row, path)) => (row, path),
            refused => {
                body::discard(&head.headers, body).await;
                return match refused {
                    Ok(Match::OtherMethods(allowed)) => {
                        let error = Error::MethodNotAllowed(head.method.to_string());
                        Ok(Reply::from(error).with(header::ALLOW, allowed))
                    }
                    Ok(_) => Ok(reply::preflight()),
                    Err(error) => Err(error),
                };
            }
        };
        *operation = row.operation.name();
        let mut query = parse_query(head.uri.query().unwrap_or_default());
        let token = match &mut query {
            _ if row.visited => None,
            Ok(query) => Token::of(query, &head.headers, verified),
            // What is wrong with it is told after what is wrong with the body.
            Err(_) => Token::of(&mut Map::new(), &head.headers, verified),
        };
        let bytes = if row.body.is_some() {
            // Of whoever shows no good token little is read: what is wrong with a short body is told
            // before that, and a long one is not looked at.
            let known = !body::may_be_long(&head.headers, &body)
                || matches!(&token, Some(token) if token.is_good(&self.app).await);
            let most = if known { self.limits.body_bytes } else { body::SHORT };
            match body::read_body(&head.headers, body, &self.limits, most).await {
                Err(Error::BodyTooLarge { .. }) if !known && !row.operation.is_public() => {
                    let entered = Gate::enter::<Grant>(&self.app, token, &row.operation, false);
                    let refused = entered.await.err();
                    return Err(refused.unwrap_or(Error::BodyTooLarge { limit: most }));
                }
                read => read?,
            }
        } else {
            body::discard(&head.headers, body).await;
            None
        };
        if row.operation.is_public() && bytes.is_some() {
            // It needs no token, so that a page could send it blindly.
            body::refuse_unasked(&head.headers)?;
        }
        let (bytes, body) = body::parse_body(bytes).await?;
        let query = query?;
        let cacheable = head.method == Method::GET
            && target.len() <= LONGEST_TARGET
            && matches!(token, Some(Token { in_url: false, .. }));
        let slot = row
            .cached
            .filter(|_| cacheable)
            .and_then(|depends| CacheSlot::of(depends, &path, target));
        if slot.is_some() {
            self.count_lookup(false);
        }
        let text = RequestText {
            method: head.method.to_string(),
            target: target.to_owned(),
            application: id_in(&path, "applicationId"),
            body: bytes.unwrap_or_default(),
        };
        let raw = Raw { path, query, headers: head.headers, body };
        let (peer, id) = (peer.ip(), row.cached.is_none().then(|| meta.request_id.clone()));
        let request = Request { raw, token, text, slot, peer, id };
        (row.run)(Arc::clone(&self.app), request).await
    }

    /// The cached response to a request, and the token that it is for. If the token in its head had
    /// to be looked at, it is `verified` from then on.
    fn cached(
        &self,
        head: &hyper::http::request::Parts,
        verified: &mut Option<Result<ApiTokenId>>,
    ) -> Option<(ApiTokenId, Arc<CachedResponse>)> {
        let has = |name: &HeaderName| head.headers.contains_key(name);
        if head.method != Method::GET || UNUSUAL.iter().any(has) {
            return None;
        }
        let (app, now) = (&self.app, self.app.clock.now());
        let known = verified.insert(gate::verify_header(app, &head.headers, now)?);
        let token = *known.as_ref().ok()?;
        let response = app.responses.get(token, target_of(head))?;
        let ended = response.expires.is_some_and(|end| end <= now);
        (!ended && app.store.holds(&response.snapshot)).then_some((token, response))
    }

    /// Counts what became of looking into the response cache.
    fn count_lookup(&self, hit: bool) {
        if let Some(meter) = &self.app.meter {
            meter.responses.looked(hit);
        }
    }

    /// Answers with `response`, which is what there is for `token` and `target`, in the form that is
    /// accepted.
    async fn send_cached(
        &self,
        mut response: Arc<CachedResponse>,
        token: ApiTokenId,
        target: &str,
        meta: &RequestMeta,
    ) -> Result<Reply> {
        if matches!(response.gzip, Gzip::Untried) && meta.accepted.wants_gzip(response.body.len()) {
            response = self.app.responses.pack(token, target, &response).await?;
        }
        let mut reply = Reply::new(StatusCode::OK, response.body.clone());
        reply.headers.extend(response.etag.clone().map(|etag| (header::ETAG, etag)));
        reply.gzip = response.gzip.clone();
        Ok(reply.to(response.flow))
    }

    /// The row that `method` and `path` lead to.
    fn find(&self, method: &Method, path: &str) -> Result<Match> {
        if method == Method::OPTIONS {
            return Ok(Match::Preflight);
        }
        let trimmed = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
        // A base URL that ends in a slash, put before a path, makes two.
        let slashes = trimmed.bytes().take_while(|byte| *byte == b'/').count();
        let trimmed = trimmed.get(slashes.saturating_sub(1)..).unwrap_or(trimmed);
        let Ok(found) = self.paths.at(trimmed) else { return Err(Error::NoRoute(path.to_owned())) };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let mut rows = found.value.iter().filter_map(|&index| table().get(index));
        let Some(row) = rows.clone().find(|row| row.method == *wanted) else {
            let mut allowed: Vec<&str> = rows.by_ref().map(|row| row.method.as_str()).collect();
            if allowed.contains(&"GET") {
                allowed.push("HEAD");
            }
            let allowed = HeaderValue::try_from(allowed.join(", ")).map_err(Error::internal)?;
            return Ok(Match::OtherMethods(allowed));
        };
        let mut parts = Map::new();
        for (name, value) in found.params.iter() {
            parts.insert(name.to_owned(), decode_path_segment(value)?.into());
        }
        Ok(Match::Row(row, parts))
    }
}

/// The path and the query that are asked for.
fn target_of(head: &hyper::http::request::Parts) -> &str {
    head.uri.path_and_query().map(hyper::http::uri::PathAndQuery::as_str).unwrap_or_default()
}

enum Match {
    Row(&'static Route, Map<String, Value>),
    OtherMethods(HeaderValue),
    Preflight,
}

/// Headers of a request that make its answer another one, or none.
const UNUSUAL: [HeaderName; 3] =
    [header::IF_MATCH, header::IF_NONE_MATCH, HeaderName::from_static(IDEMPOTENCY_KEY)];

impl Handler for Service {
    async fn handle(
        &self,
        request: hyper::Request<Body>,
        meta: &RequestMeta,
        peer: SocketAddr,
    ) -> Reply {
        let log = AccessLog::now(&request, meta, peer, self.meter.as_deref());
        let mut operation = "";
        let answered = self.answer(request, meta, peer, &mut operation).await;
        let by_a_look = match &answered {
            Err(Error::NoToken | Error::TokenInvalid | Error::TokenExpired | Error::NoRoute(_)) => {
                true
            }
            Err(_) => false,
            Ok(reply) => reply.status == StatusCode::METHOD_NOT_ALLOWED,
        };
        if by_a_look {
            // Not refused but later, so that nobody who shows a good token is concerned.
            sleep(self.app.refusals.turn(peer.ip(), self.app.clock.now())).await;
        }
        log.finish(operation, answered)
    }

    fn ingress(&self) -> &Ingress {
        &self.ingress
    }

    fn meter(&self) -> Option<&Arc<Meter>> {
        self.meter.as_ref()
    }
}
