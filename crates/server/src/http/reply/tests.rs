use super::*;
use http_body_util::BodyExt;
use proptest::prelude::*;
use std::io::Read;

fn meta(headers: &[(HeaderName, &str)]) -> RequestMeta {
    let pairs = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
    RequestMeta::of(&pairs.collect())
}

async fn answer(reply: Reply, headers: &[(HeaderName, &str)]) -> (HeaderMap, Bytes) {
    let (parts, body) = finish(reply, &meta(headers)).await.into_parts();
    (parts.headers, body.collect().await.unwrap().to_bytes())
}

fn long() -> Reply {
    Reply::new(StatusCode::OK, format!("[{}1]", "1,".repeat(1000)))
        .with(header::ETAG, HeaderValue::from_static("\"x\""))
}

#[tokio::test]
async fn every_answer_has_the_fixed_headers() {
    let (headers, body) = answer(Reply::new(StatusCode::OK, "{}"), &[]).await;
    for (name, value) in [
        ("content-type", "application/json"),
        ("pragma", "no-cache"),
        ("cache-control", "no-cache, no-store, must-revalidate"),
        ("x-content-type-options", "nosniff"),
        ("x-xss-protection", "1; mode=block"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
        ("server", "Guestlist"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "ETag,Retry-After,X-Request-Id,Idempotency-Replayed"),
        ("vary", "origin, accept-encoding"),
    ] {
        assert_eq!(headers.get(name).unwrap(), value, "{name}");
    }
    assert!(headers.contains_key(REQUEST_ID));
    assert_eq!(body, "{}");
}

#[tokio::test]
async fn an_answer_without_a_body_has_no_type() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let (headers, _) = answer(Reply::empty(status), &[]).await;
        assert!(!headers.contains_key(header::CONTENT_TYPE), "{status}");
        assert_eq!(headers[header::SERVER], "Guestlist");
    }
}

#[tokio::test]
async fn the_origin_is_echoed() {
    let origin = [(header::ORIGIN, "https://app.example")];
    let (headers, _) = answer(preflight(), &origin).await;
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
    assert_eq!(headers[header::VARY], "origin");
    assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "86400");
    assert_eq!(
        headers[header::ACCESS_CONTROL_ALLOW_HEADERS],
        "Accept,Content-Type,X-Amz-Date,Authorization,Accept-Version,losantdomain,If-Match,\
         If-None-Match,Idempotency-Key"
    );
}

#[tokio::test]
async fn a_header_of_the_reply_takes_the_place_of_a_fixed_one() {
    let reply = Reply::new(StatusCode::OK, "hello")
        .with(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))
        .with(header::LINK, HeaderValue::from_static("</a>"))
        .with(header::LINK, HeaderValue::from_static("</b>"));
    let (headers, _) = answer(reply, &[]).await;
    assert_eq!(headers.get_all(header::CONTENT_TYPE).iter().count(), 1);
    assert_eq!(headers[header::CONTENT_TYPE], "text/plain");
    assert_eq!(headers.get_all(header::LINK).iter().count(), 2);
}

#[tokio::test]
async fn a_long_body_is_compressed_under_a_tag_of_its_own() {
    let (headers, body) = answer(long(), &[(header::ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(headers[header::ETAG], "\"x-gzip\"");
    assert_eq!(headers[header::VARY], "origin, accept-encoding");
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, long().body);

    let (headers, body) = answer(long(), &[]).await;
    assert!(!headers.contains_key(header::CONTENT_ENCODING));
    assert_eq!(headers[header::ETAG], "\"x\"");
    assert_eq!(body, long().body);
}

#[tokio::test]
async fn what_is_known_of_the_packed_form_is_made_use_of() {
    let packed = Packed {
        body: Bytes::from_static(b"packed"),
        etag: Some(HeaderValue::from_static("\"x-gzip\"")),
    };
    let reply = Reply { gzip: Gzip::Packed(packed), ..long() };
    let (headers, body) = answer(reply.clone(), &[(header::ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(body, "packed");
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(headers[header::VARY], "origin, accept-encoding");
    let tags: Vec<_> = headers.get_all(header::ETAG).iter().collect();
    assert_eq!(tags, ["\"x-gzip\""]);
    let useless = Reply { gzip: Gzip::Useless, ..long() };
    for (reply, accepted) in [(reply, "gzip;q=0"), (useless, "gzip")] {
        let (headers, body) = answer(reply, &[(header::ACCEPT_ENCODING, accepted)]).await;
        assert_eq!(body, long().body);
        assert!(!headers.contains_key(header::CONTENT_ENCODING));
        assert_eq!(headers[header::ETAG], "\"x\"");
        assert_eq!(headers[header::VARY], "origin, accept-encoding");
    }
}

#[tokio::test]
async fn a_very_long_body_is_compressed_as_well() {
    let reply = Reply::new(StatusCode::OK, vec![b'1'; 1 << 20]);
    let (headers, body) = answer(reply, &[(header::ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert!(body.len() < 1 << 16);
}

#[tokio::test]
async fn a_weak_tag_stays_as_it_is() {
    let mut reply = long();
    reply.headers = vec![(header::ETAG, HeaderValue::from_static("W/\"x\""))];
    let (headers, _) = answer(reply, &[(header::ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(headers[header::ETAG], "W/\"x\"");
}

#[tokio::test]
async fn a_304_names_the_representation_that_the_client_has() {
    for (held, named) in [("\"x-gzip\"", "\"x-gzip\""), ("\"x\"", "\"x\"")] {
        let reply = Reply::empty(StatusCode::NOT_MODIFIED)
            .with(header::ETAG, HeaderValue::from_static("\"x\""));
        let (headers, _) = answer(reply, &[(header::IF_NONE_MATCH, held)]).await;
        assert_eq!(headers[header::ETAG], named);
    }
}

#[test]
fn a_request_is_named_once_and_safely() {
    assert_eq!(meta(&[(REQUEST_ID, "a-1_B.2")]).request_id, "a-1_B.2");
    let long = "a".repeat(65);
    for unfit in ["", "a b", "a;b", "{", long.as_str()] {
        assert_ne!(meta(&[(REQUEST_ID, unfit)]).request_id, unfit);
    }
    assert_ne!(meta(&[]).request_id, meta(&[]).request_id);
}

proptest! {
    #[test]
    fn no_header_value_upsets_it(value in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let names = [REQUEST_ID, header::ORIGIN, header::ACCEPT_ENCODING,
                header::IF_NONE_MATCH];
            let headers = names.into_iter().map(|name| (name, value.clone())).collect();
            let meta = RequestMeta::of(&headers);
            let reply = Reply::empty(StatusCode::NOT_MODIFIED).with(header::ETAG, value);
            prop_assert_eq!(with_common_headers(reply, &meta).status(), StatusCode::NOT_MODIFIED);
        }
    }
}
