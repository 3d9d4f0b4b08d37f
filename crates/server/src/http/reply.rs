//! What is answered: a [`Reply`] says what is particular, [`finish`] adds what all answers have.

use super::coding::{self, Accepted, Gzip, Packed};
use super::memory::PageShare;
use super::response_body::AbortAt;
use super::trace::TraceId;
use super::transfer::Transfer;
use crate::error::{Error, Result};
use bytes::Bytes;
use guestlist_store::Flow;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// The header that names a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What every answer carries, whatever it says.
const FIXED: [(HeaderName, HeaderValue); 8] = [
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    ),
    (header::SERVER, HeaderValue::from_static("Guestlist")),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("ETag,Retry-After,X-Request-Id,Idempotency-Replayed"),
    ),
    (header::VARY, HeaderValue::from_static("origin")),
];

/// Bytes of a body from which on it counts against the memory for what is slow to be read: a
/// socket's buffers take the rest.
const LARGE: usize = 64 << 10;

/// An answer: what is particular to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body: JSON, unless `headers` gives another `Content-Type`. Empty for 204 and 304.
    pub body: Bytes,
    /// Headers that are added to those that every answer has, or take their place.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whose memory it takes until it is sent.
    flow: Flow,
    /// What it has of the memory for pages, if it has any.
    held: Option<Arc<Transfer>>,
    /// What is known of the gzip form of the body.
    pub(crate) gzip: Gzip,
    /// Where the connection breaks instead of carrying it, in tests alone.
    pub(super) breaks: Option<AbortAt>,
}

impl Reply {
    /// An answer with a body that is JSON already.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let (body, headers, flow) = (body.into(), Vec::new(), Flow::OWN);
        Self { status, body, headers, flow, held: None, gzip: Gzip::Untried, breaks: None }
    }

    /// An answer without a body, which has to be a 204 or a 304: clients fail on any other.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self::new(status, Bytes::new())
    }

    /// An answer that says `value`.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no JSON for `value`.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self> {
        Ok(Self::new(status, serde_json::to_vec(value).map_err(Error::internal)?))
    }

    /// The same, for a client of `flow`.
    #[must_use]
    pub(crate) const fn to(mut self, flow: Flow) -> Self {
        self.flow = flow;
        self
    }

    /// The same, with the share of memory that its body has been given.
    pub(crate) fn holding(self, share: PageShare) -> Self {
        let (body, transfer) = share.hold(self.body);
        Self { body, held: Some(transfer), ..self }
    }

    /// The same, with the connection broken at this point. Only a test asks for that.
    pub(crate) fn breaking(mut self, at: AbortAt) -> Self {
        self.breaks = Some(at);
        self
    }

    /// Whether the connection breaks instead of carrying all of it.
    pub(crate) const fn is_broken(&self) -> bool {
        self.breaks.is_some()
    }

    /// The same in its gzip form.
    fn packed(mut self, packed: Packed) -> Self {
        self.body = packed.body;
        self.headers.retain(|(name, _)| name != header::ETAG);
        self.headers.extend(packed.etag.map(|etag| (header::ETAG, etag)));
        self.with(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What the answer has to know of the head of the request.
#[derive(Debug, Clone)]
pub struct RequestMeta {
    /// The name of the request, for the log and for `X-Request-Id`: the one that the client (or a
    /// proxy) gave if that is fit to be logged, or else a new one.
    pub request_id: HeaderValue,
    /// The trace that it belongs to, if that is said.
    pub(super) trace: Option<TraceId>,
    /// The pages that may read the answer: those of one origin, of any, or of none.
    allow_origin: Option<HeaderValue>,
    pub(crate) accepted: Accepted,
    if_none_match: Vec<HeaderValue>,
}

impl RequestMeta {
    /// Reads them from the headers of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let named = headers.get(REQUEST_ID).filter(|id| is_loggable(id.as_bytes()));
        // One that is no text is said to nobody again.
        let origin = headers.get(header::ORIGIN).map(|origin| {
            let is_text = origin.to_str().is_ok();
            is_text.then(|| origin.clone())
        });
        Self {
            request_id: named.cloned().unwrap_or_else(new_request_id),
            trace: TraceId::of(headers),
            allow_origin: origin.unwrap_or(Some(HeaderValue::from_static("*"))),
            accepted: Accepted::of(headers.get_all(header::ACCEPT_ENCODING)),
            if_none_match: headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect(),
        }
    }

    /// From now on no page may read the answer.
    pub(super) fn hide_from_pages(&mut self) {
        self.allow_origin = None;
    }
}

/// Short and free of anything that could forge a line or a field of a log.
fn is_loggable(id: &[u8]) -> bool {
    (1..=64).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn new_request_id() -> HeaderValue {
    // A random part for the process and a count: unique without a system call for each request.
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:016x}{:08x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("unknown"))
}

/// The answer to any `OPTIONS`: what a browser asks before it lets a page call the API.
#[must_use]
pub fn preflight() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
        .with(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"),
        )
        .with(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "Accept,Content-Type,X-Amz-Date,Authorization,Accept-Version,losantdomain,\
                 If-Match,If-None-Match,Idempotency-Key",
            ),
        )
        .with(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"))
}

/// A share of the memory for a body of `bytes`, if it is so large that it needs one.
///
/// # Errors
/// As [`PageShare::of`].
pub(crate) async fn share_if_large(flow: Flow, bytes: usize) -> Result<Option<PageShare>> {
    if bytes <= LARGE { Ok(None) } else { PageShare::of(flow, bytes).await.map(Some) }
}

/// Makes `reply` the answer to the request that `meta` are of: adds the headers that every answer
/// has, and compresses the body if the client takes that and it is worth it. A large one is a
/// `Transfer`, which its extensions have.
pub async fn finish(mut reply: Reply, meta: &RequestMeta) -> Response<Full<Bytes>> {
    let mut pack = meta.accepted.wants_gzip(reply.body.len());
    let flow = reply.flow;
    if pack {
        match std::mem::take(&mut reply.gzip) {
            Gzip::Packed(packed) => reply = reply.packed(packed),
            Gzip::Useless => pack = false,
            Gzip::Untried | Gzip::NoRoom => {}
        }
    }
    if reply.held.is_none() {
        // It may be one of many that are asked for at once, such as a cached page.
        match share_if_large(flow, reply.body.len()).await {
            Ok(None) => {}
            Ok(Some(share)) => reply = reply.holding(share),
            Err(error) => {
                reply = error.into();
                pack = meta.accepted.wants_gzip(reply.body.len());
            }
        }
    }
    let mut transfer = reply.held.take();
    let mut response = with_common_headers(reply, meta);
    // A plain answer as well depends on what the client accepts.
    if !response.body().is_empty() {
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("origin, accept-encoding"));
    }
    if pack
        // What is encoded already is left alone.
        && !response.headers().contains_key(header::CONTENT_ENCODING)
        && let Some(packed) = coding::gzip(response.body()).await
        // The plain form has its share already: it goes out where there is none for another.
        && let Some((packed, of_packed)) = counted(flow, packed)
    {
        *response.body_mut() = packed;
        transfer = of_packed;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(tag) = headers.get(header::ETAG).and_then(gzip_tag) {
            headers.insert(header::ETAG, tag);
        }
    }
    if let Some(transfer) = transfer {
        response.extensions_mut().insert(transfer);
    }
    response.map(Full::new)
}

/// `body`, with a share of the memory if it is so large that it needs one; `None` if there is none.
fn counted(flow: Flow, body: Bytes) -> Option<(Bytes, Option<Arc<Transfer>>)> {
    if body.len() <= LARGE {
        return Some((body, None));
    }
    let (body, transfer) = PageShare::now(flow, body.len()).ok()?.hold(body);
    Some((body, Some(transfer)))
}

/// As [`finish`], but never compressed.
pub(super) fn with_common_headers(reply: Reply, meta: &RequestMeta) -> Response<Bytes> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.reserve(FIXED.len() + 3 + reply.headers.len());
    headers.extend(FIXED);
    if !matches!(reply.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        headers.insert(header::CONTENT_TYPE, JSON);
    }
    headers.insert(REQUEST_ID, meta.request_id.clone());
    if let Some(origin) = &meta.allow_origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    for (name, _) in &reply.headers {
        headers.remove(name);
    }
    for (name, value) in reply.headers {
        headers.append(name, value);
    }
    if reply.status == StatusCode::NOT_MODIFIED {
        name_what_the_client_has(headers, meta);
    }
    response
}

/// A 304 names the representation that the client holds, and that may be the compressed one.
fn name_what_the_client_has(headers: &mut HeaderMap, meta: &RequestMeta) {
    let Some(packed) = headers.get(header::ETAG).and_then(gzip_tag) else { return };
    let holds = |list: &HeaderValue| {
        list.as_bytes().windows(packed.len()).any(|window| window == packed.as_bytes())
    };
    if meta.if_none_match.iter().any(holds) {
        headers.insert(header::ETAG, packed);
    }
}

/// The tag of the compressed representation: a strong tag must differ between codings (RFC 9110
/// 8.8.3), a weak one need not.
pub(crate) fn gzip_tag(plain: &HeaderValue) -> Option<HeaderValue> {
    let opaque = plain.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    HeaderValue::from_bytes(&[b"\"", opaque, b"-gzip\""].concat()).ok()
}

#[cfg(test)]
mod tests;
