//! The assembled service: the table, what stands behind it, and the way of a request through it.

use super::access_log::AccessLog;
use super::body::{self, Body};
use super::call::Record;
use super::coding::Gzip;
use super::grant_cache::GrantCache;
use super::input::{IDEMPOTENCY_KEY, Raw};
use super::limits::Limits;
use super::listen::Handler;
use super::query::{decode_path_segment, parse_query};
use super::reply::{self, Reply, RequestMeta};
use super::resource::ResourceRoute;
use super::response_cache::{CachedResponse, LONGEST_TARGET, ResponseCache};
use super::route::{Request, RequestText, Route, Token};
use super::{cursor, openapi};
use crate::auth::hasher::Hasher;
use crate::auth::seal::Seal;
use crate::auth::token::{Claims, SecretBytes, Signer, Subtype};
use crate::clock::{Clock, Ids};
use crate::error::{Error, Result};
use crate::store::{Store, settings};
use bytes::Bytes;
use guestlist_api::api_token::ApiToken;
use guestlist_api::id::{ApiTokenId, ExperienceUserId, ObjectId, OrgId};
use guestlist_api::scope::Operation;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

/// The service.
pub struct App {
    /// Where everything is kept.
    pub store: Store,
    /// Where passwords are hashed.
    pub hasher: Hasher,
    /// What tokens are signed with.
    pub signer: Signer,
    /// The time.
    pub clock: Clock,
    /// New identifiers.
    pub ids: Ids,
    /// What cursors are sealed with.
    pub(super) seal: Seal,
    /// The organization that this server is.
    pub organization: OrgId,
    /// The `iss` of tokens: the host by which clients reach this server.
    pub issuer: String,
    /// The URL by which they do.
    pub public_url: String,
    pub(super) grants: GrantCache,
    pub(super) responses: ResponseCache,
    limits: Limits,
    table: Vec<Route>,
    /// Paths to the rows that share them.
    paths: matchit::Router<Vec<usize>>,
    resources: HashMap<&'static str, Vec<ResourceRoute>>,
    pub(super) openapi: Bytes,
}

/// The identity of a store: made with it, and never changed.
pub struct Identity {
    /// What tokens are signed with.
    pub signer: Signer,
    /// What cursors are sealed with.
    seal: Seal,
    /// The organization that the server is.
    pub organization: OrgId,
}

impl Identity {
    /// The identity of `store`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(store: &Store, ids: &Ids, clock: &Clock) -> Result<Self> {
        let organization = ids.next(clock.now()).to_string();
        let made = Arc::new(Signer::generate()?.1);
        let (key, organization) = store
            .write(move |tx| {
                let new = || Ok(SecretBytes::expose(&made).to_vec());
                let key = settings::get_or_make(tx, "signing_key", new)?;
                let new = || Ok(organization.clone().into_bytes());
                Ok((zeroize::Zeroizing::new(key), settings::get_or_make(tx, "organization", new)?))
            })
            .await?;
        let organization: ObjectId = String::from_utf8(organization)
            .map_err(Error::internal)?
            .parse()
            .map_err(Error::internal)?;
        let seal = Seal::new(&key, cursor::PURPOSE)?;
        Ok(Self { signer: Signer::from_stored(&key)?, seal, organization: OrgId(organization) })
    }
}

/// What a service is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// Where passwords are hashed.
    pub hasher: Hasher,
    /// The time.
    pub clock: Clock,
    /// The `iss` of tokens: the host by which clients reach this server.
    pub issuer: String,
    /// The URL by which they do.
    pub public_url: String,
    /// How much a client may ask of the server.
    pub limits: Limits,
}

/// The OpenAPI document, which is the same for all services of a process: it takes longer to make
/// than all else that a service is made of.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| Bytes::from(openapi::document(&super::table()).to_string()));

impl App {
    /// Puts the service together.
    ///
    /// # Errors
    /// When the store fails, the table has two rows for one path and method, or the hasher is a
    /// cheap one and the store is not ephemeral.
    pub async fn new(parts: Parts) -> Result<Arc<Self>> {
        if parts.hasher.is_cheap() && !parts.store.is_ephemeral() {
            return Err(Error::internal("a store that is kept needs hashes that cost something"));
        }
        let ids = Ids::new()?;
        let Identity { signer, seal, organization } =
            Identity::of(&parts.store, &ids, &parts.clock).await?;
        let table = super::table();
        let (mut paths, mut rows) = (matchit::Router::new(), HashMap::<_, Vec<usize>>::new());
        let mut resources = HashMap::<_, BTreeMap<_, _>>::new();
        for (index, row) in table.iter().enumerate() {
            rows.entry(row.path).or_default().push(index);
            let of = resources.entry(row.operation.resource()).or_default();
            of.insert(row.operation.action(), ResourceRoute::of(row)?);
        }
        let in_order = |of: BTreeMap<_, _>| of.into_values().collect();
        let resources = resources.into_iter().map(|(kind, of)| (kind, in_order(of))).collect();
        for (path, rows) in rows {
            paths.insert(path, rows).map_err(Error::internal)?;
        }
        let openapi = DOCUMENT.clone();
        Ok(Arc::new(Self {
            store: parts.store,
            hasher: parts.hasher,
            signer,
            seal,
            clock: parts.clock,
            ids,
            organization,
            issuer: parts.issuer,
            public_url: parts.public_url,
            grants: GrantCache::default(),
            responses: ResponseCache::default(),
            limits: parts.limits,
            table,
            paths,
            resources,
            openapi,
        }))
    }

    /// Every route there is.
    #[must_use]
    pub fn table(&self) -> &[Route] {
        &self.table
    }

    /// Every operation there is.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.table.iter().map(|row| row.operation).collect()
    }

    /// What can be done with a resource, in the order of the names of the actions.
    pub(super) fn routes_of(&self, resource: &str) -> &[ResourceRoute] {
        self.resources.get(resource).map(Vec::as_slice).unwrap_or_default()
    }

    /// The token that `record` is the record of.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn mint(&self, record: &ApiToken, session: bool) -> Result<crate::auth::token::Token> {
        self.signer.mint(&Claims {
            issuer: &self.issuer,
            id: record.id,
            subtype: if session { Subtype::User } else { Subtype::ApiToken },
            scope: &record.scope,
            issued: record.creation_date,
            expires: record.expiration_date,
        })
    }

    /// `body`, a JSON object, with the token of `record` as the last of its own fields. The token
    /// is never stored: the same record gives the same token again.
    pub(super) fn with_token(&self, body: &[u8], record: &Record) -> Result<Vec<u8>> {
        with_field(body, "token", self.mint(&record.0, record.1)?.expose())
    }

    /// `body`, a JSON object, with the password that `user` was made with as the last of its own
    /// fields. It is never stored, either.
    pub(super) fn with_password(&self, body: &[u8], user: ExperienceUserId) -> Result<Vec<u8>> {
        with_field(body, "password", &self.signer.first_password(user)?)
    }

    async fn answer(
        self: &Arc<Self>,
        request: hyper::Request<Body>,
        facts: &RequestMeta,
        peer: SocketAddr,
        operation: &mut &'static str,
    ) -> Result<Reply> {
        let (head, body) = request.into_parts();
        let mut verified = None;
        let target = target_of(&head);
        if let Some((token, kept)) = self.kept(&head, &mut verified) {
            *operation = kept.operation;
            body::discard(&head.headers, body).await;
            return self.send_kept(kept, token, target, facts).await;
        }
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
        let bytes = if row.body.is_some() {
            body::read_body(&head.headers, body, &self.limits).await?
        } else {
            body::discard(&head.headers, body).await;
            None
        };
        let body = bytes.as_deref().map(|bytes| body::parse_json(bytes)).transpose()?;
        let mut query = parse_query(head.uri.query().unwrap_or_default())?;
        let token = presented(&mut query, &head.headers);
        let keep = match &token {
            Some(Presented { in_url: false, .. })
                if head.method == Method::GET && target.len() <= LONGEST_TARGET =>
            {
                Some(target.into())
            }
            _ => None,
        };
        let token = token.map(|Presented { text, in_url }| Token {
            text,
            verified: verified.filter(|_| !in_url),
        });
        let text = RequestText {
            method: head.method.to_string(),
            target: target.to_owned(),
            application: path
                .get("applicationId")
                .and_then(Value::as_str)
                .and_then(|id| id.parse().ok()),
            body: bytes.unwrap_or_default(),
        };
        let raw = Raw { path, query, headers: head.headers, body };
        (row.run)(Arc::clone(self), Request { raw, token, text, keep, peer: peer.ip() }).await
    }

    /// The answer that is kept ready for a request, and the token that it is kept for. If the token
    /// in its head had to be looked at, it is `verified` from then on.
    fn kept(
        &self,
        head: &hyper::http::request::Parts,
        verified: &mut Option<Result<ApiTokenId>>,
    ) -> Option<(ApiTokenId, Arc<CachedResponse>)> {
        let conditional = |name: &HeaderName| head.headers.contains_key(name);
        if head.method != Method::GET || UNUSUAL.iter().any(conditional) {
            return None;
        }
        let now = self.clock.now();
        let token = verified.insert(self.verify(bearer(&head.headers)?, now)).as_ref().ok()?;
        let kept = self.responses.get(*token, target_of(head))?;
        if kept.expires.is_some_and(|end| end <= now) || !self.store.holds(&kept.snapshot) {
            return None;
        }
        Some((*token, kept))
    }

    /// Answers with `kept`, which is what there is for `token` and `target`, in the form that is
    /// accepted.
    async fn send_kept(
        &self,
        mut kept: Arc<CachedResponse>,
        token: ApiTokenId,
        target: &str,
        facts: &RequestMeta,
    ) -> Result<Reply> {
        if matches!(kept.gzip, Gzip::Untried) && facts.accepted.wants_gzip(kept.body.len()) {
            kept = self.responses.pack(token, target, &kept).await?;
        }
        let mut reply = Reply::new(StatusCode::OK, kept.body.clone());
        reply.headers.extend(kept.etag.clone().map(|etag| (header::ETAG, etag)));
        reply.gzip = kept.gzip.clone();
        Ok(reply)
    }

    /// The row that `method` and `path` lead to.
    fn find(&self, method: &Method, path: &str) -> Result<Match<'_>> {
        if method == Method::OPTIONS {
            return Ok(Match::Preflight);
        }
        let trimmed = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
        // A base URL that ends in a slash, put before a path, makes two.
        let slashes = trimmed.bytes().take_while(|byte| *byte == b'/').count();
        let trimmed = trimmed.get(slashes.saturating_sub(1)..).unwrap_or(trimmed);
        let Ok(found) = self.paths.at(trimmed) else { return Err(Error::NoRoute(path.to_owned())) };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let mut rows = found.value.iter().filter_map(|&index| self.table.get(index));
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

/// `body`, a JSON object, with one more of its own fields.
fn with_field(body: &[u8], name: &str, text: &str) -> Result<Vec<u8>> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body).map_err(Error::internal)?;
    let end = fields.keys().position(|name| name.starts_with('_')).unwrap_or(fields.len());
    fields.shift_insert(end, name.into(), text.into());
    serde_json::to_vec(&fields).map_err(Error::internal)
}

/// The path and the query that are asked for.
fn target_of(head: &hyper::http::request::Parts) -> &str {
    head.uri.path_and_query().map(hyper::http::uri::PathAndQuery::as_str).unwrap_or_default()
}

enum Match<'a> {
    Row(&'a Route, Map<String, Value>),
    OtherMethods(HeaderValue),
    Preflight,
}

/// Headers of a request that make its answer another one, or none.
const UNUSUAL: [HeaderName; 3] =
    [header::IF_MATCH, header::IF_NONE_MATCH, HeaderName::from_static(IDEMPOTENCY_KEY)];

/// A token that came with a request.
struct Presented {
    text: String,
    in_url: bool,
}

/// The token that came with a request: in the query (which wins), or in the `Authorization` header
/// after `Bearer` or `JWT` and one space. Anything else there is no token.
fn presented(query: &mut Map<String, Value>, headers: &HeaderMap) -> Option<Presented> {
    for name in ["access_token", "jwt"] {
        if let Some(Value::String(token)) = query.swap_remove(name)
            && !token.is_empty()
        {
            return Some(Presented { text: token, in_url: true });
        }
    }
    bearer(headers).map(|token| Presented { text: token.to_owned(), in_url: false })
}

/// The token in the `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = ["bearer", "jwt"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !token.is_empty() && !token.contains(' ')).then_some(token)
}

/// What the server loop hands requests to.
pub struct Service(pub Arc<App>);

impl Handler for Service {
    async fn handle(
        &self,
        request: hyper::Request<Body>,
        facts: &RequestMeta,
        peer: SocketAddr,
    ) -> Reply {
        let asked = AccessLog::now(&request, facts, peer);
        let mut operation = "";
        let reply =
            self.0.answer(request, facts, peer, &mut operation).await.unwrap_or_else(Reply::from);
        asked.finish(operation, &reply);
        reply
    }
}
