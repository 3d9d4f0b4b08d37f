//! Bodies of requests: bounded in size and in time whatever the client does, and wiped after use
//! because they hold passwords.

use super::buffer::Buffer;
use super::coding;
use super::connections::Place;
use super::heavy::{HEAVY, away};
use super::limits::Limits;
use super::memory::BodyShare;
use crate::error::{Error, Result};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use zeroize::Zeroizing;

/// A body that nobody wants is read up to here, so that the connection can go on. Beyond it a new
/// connection is cheaper.
const WORTH_DISCARDING: usize = 64 * 1024;

/// How long a body that nobody wants may hold up the answer.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

const NOT_JSON: &str = "The request body must be application/json";

/// The body of a request. One that is dropped before its end costs the client the connection.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    ended: bool,
    place: Arc<Place>,
}

impl Body {
    /// That of a request on the connection that has this `place`.
    pub(super) fn new(incoming: Incoming, place: Arc<Place>) -> Self {
        let ended = incoming.is_end_stream();
        place.note_unread(!ended);
        Self { incoming, ended, place }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.incoming).poll_frame(cx));
        this.ended = frame.is_none() || this.incoming.is_end_stream();
        this.place.note_unread(!this.ended);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// As much as is read of somebody who has shown no good token: some thousand words.
pub(crate) const SHORT: usize = 16 << 10;

/// Whether a body may be longer than [`SHORT`], once it is decompressed.
pub(crate) fn may_be_long(headers: &HeaderMap, body: &Body) -> bool {
    headers.contains_key(header::CONTENT_ENCODING)
        || body.size_hint().upper().is_none_or(|most| most > SHORT as u64)
}

/// Reads a body of at most `limit` bytes that should be JSON, decompressed; `None` if it is empty.
///
/// # Errors
/// [`Error::BodyTooLarge`] also of what it is when decompressed, [`Error::RequestTimeout`],
/// [`Error::UnsupportedMediaType`] if it is neither JSON nor without a type or has a coding other
/// than gzip, [`Error::Malformed`] if it breaks off or is not gzip although it says so.
pub async fn read_body(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
    limit: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    // Before the first read, because that is what asks a client that expects `100 Continue` for
    // its body.
    if body.size_hint().lower() > limit as u64 {
        return Err(Error::BodyTooLarge { limit });
    }
    let bytes = tokio::time::timeout(limits.body_timeout, collect(body, limit))
        .await
        .map_err(|_| Error::RequestTimeout)??;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(Error::UnsupportedMediaType(NOT_JSON.to_owned()));
    }
    let bytes = if is_gzip(headers)? { coding::gunzip(bytes, limit).await? } else { bytes };
    Ok((!bytes.is_empty()).then_some(bytes))
}

async fn collect(mut body: Body, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    let (mut buffer, mut share) = (Buffer::new(limit), BodyShare::default());
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Error::Malformed("The request body could not be read".to_owned()))?;
        if let Some(data) = frame.data_ref() {
            buffer.push(data)?;
            share.grow(buffer.len())?;
        }
    }
    Ok(buffer.into_bytes())
}

/// Whether the type of the body is JSON, or not given.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.split_once('/') {
        None => essence.is_empty(),
        Some(("application", "json")) => true,
        Some((_, subtype)) => subtype.len() > "+json".len() && subtype.ends_with("+json"),
    }
}

/// Refuses a body that any page may send without the browser asking first whether it may, which is
/// one without a type. One that says it is JSON is asked for (the Fetch standard, "CORS-preflight").
///
/// # Errors
/// [`Error::UnsupportedMediaType`].
pub fn refuse_unasked(headers: &HeaderMap) -> Result<()> {
    let typed = headers.get(header::CONTENT_TYPE).is_some_and(|kind| !kind.is_empty());
    if typed && is_json(headers) || !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    Err(Error::UnsupportedMediaType(NOT_JSON.to_owned()))
}

fn is_gzip(headers: &HeaderMap) -> Result<bool> {
    let mut gzip = false;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for coding in value.to_str().unwrap_or("unreadable").split(',') {
            match coding.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" if !gzip => gzip = true,
                _ => {
                    return Err(Error::UnsupportedMediaType(
                        "The request body must be plain or Content-Encoding: gzip".to_owned(),
                    ));
                }
            }
        }
    }
    Ok(gzip)
}

/// Reads a body that nobody wants, if that is soon done, so that the connection can go on. Of a
/// longer one, or one that waits for `100 Continue`, the connection is closed after the answer.
pub async fn discard(headers: &HeaderMap, mut body: Body) {
    let expects = headers.contains_key(header::EXPECT);
    if expects || body.size_hint().lower() > WORTH_DISCARDING as u64 {
        return;
    }
    let read = async {
        let mut left = WORTH_DISCARDING;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else { return };
            left = rest;
        }
    };
    // Whether it came to the end in time is for the body to know.
    tokio::time::timeout(DISCARD_TIMEOUT, read).await.unwrap_or_default();
}

/// Reads the JSON of a body, and gives that back with it.
///
/// # Errors
/// As [`parse_json`].
pub(crate) async fn parse_body(
    bytes: Option<Zeroizing<Vec<u8>>>,
) -> Result<(Option<Zeroizing<Vec<u8>>>, Option<Value>)> {
    let Some(bytes) = bytes else { return Ok((None, None)) };
    if bytes.len() <= HEAVY {
        let value = parse_json(&bytes)?;
        return Ok((Some(bytes), Some(value)));
    }
    let (bytes, value) = away(move || (parse_json(&bytes), bytes)).await.map(|(v, b)| (b, v))?;
    Ok((Some(bytes), Some(value?)))
}

/// Reads JSON.
///
/// # Errors
/// [`Error::Malformed`] with the reason and the place. Values nested more than 127 deep are
/// refused too.
pub fn parse_json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Malformed(format!("Invalid JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        parse_json(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn broken_json_is_refused_with_reason_and_place() {
        assert_eq!(refusal("{]"), "Invalid JSON: key must be a string at line 1 column 2");
        assert_eq!(refusal("[]]"), "Invalid JSON: trailing characters at line 1 column 3");
        assert_eq!(
            refusal("{\n\"a\":"),
            "Invalid JSON: EOF while parsing a value at line 2 column 4"
        );
        assert_eq!(refusal(" x"), "Invalid JSON: expected value at line 1 column 2");
    }

    #[test]
    fn json_is_read_to_a_depth() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse_json(nested(127).as_bytes()).is_ok());
        assert_eq!(
            refusal(&nested(128)),
            "Invalid JSON: recursion limit exceeded at line 1 column 128"
        );
        assert!(refusal(&"[".repeat(1 << 20)).contains("recursion limit"));
    }

    #[test]
    fn the_type_of_a_body_is_json_or_absent() {
        assert!(is_json(&HeaderMap::new()));
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("application/vnd.a+JSON ;v=1", true),
            ("", true),
            ("application/+json", false),
            ("application/jsonp", false),
            ("text/plain", false),
            ("json", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let headers =
                [(header::CONTENT_TYPE, HeaderValue::from_static(value))].into_iter().collect();
            assert_eq!(is_json(&headers), json, "{value}");
        }
    }

    #[test]
    fn gzip_is_the_only_coding() {
        for (value, gzip) in [
            ("gzip", Some(true)),
            ("X-GZip", Some(true)),
            ("identity", Some(false)),
            ("identity, gzip", Some(true)),
            ("gzip, gzip", None),
            ("br", None),
            ("deflate", None),
        ] {
            let headers =
                [(header::CONTENT_ENCODING, HeaderValue::from_static(value))].into_iter().collect();
            assert_eq!(is_gzip(&headers).ok(), gzip, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_header_value_upsets_it(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let names = [header::CONTENT_TYPE, header::CONTENT_ENCODING];
                let headers = names.into_iter().map(|name| (name, value.clone())).collect();
                is_json(&headers);
                if let Err(error) = is_gzip(&headers) {
                    prop_assert!(error.to_string().contains("gzip"));
                }
            }
        }
    }
}
