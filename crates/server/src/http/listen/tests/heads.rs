//! Heads of requests: too long, or not HTTP at all.

use super::*;

#[tokio::test]
async fn a_url_that_is_too_long_is_refused() {
    let server = Server::start(Limits::default()).await;
    let url =
        |length: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(length - 1));
    let limit = Limits::default().url_bytes;
    assert_eq!(server.ask(url(limit)).await.status, 200);
    let answer = server.ask(url(limit + 1)).await;
    assert_eq!(answer.status, 414);
    assert_eq!(
        answer.body,
        r#"{"type":"URITooLong","message":"The URL is longer than 16384 bytes"}"#
    );
    assert_eq!(answer.header("connection"), None);
    // From here on hyper refuses it.
    server.ask(url(1 << 17)).await.assert_last(431, "HeadersTooLarge");
}

#[tokio::test]
async fn hyper_itself_refuses_a_very_long_url() {
    let limits = Limits { url_bytes: 1 << 17, ..Limits::default() };
    let server = Server::start(limits).await;
    let request = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    server.ask(request).await.assert_last(414, "URITooLong");
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused() {
    let server = Server::start(Limits::default()).await;
    let head =
        |length: usize| format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(length));
    let limit = Limits::default().head_bytes - "Host: x\r\nA: \r\n".len();
    assert_eq!(server.ask(head(limit)).await.status, 200);
    let answer = server.ask(head(limit + 1)).await;
    assert_eq!((answer.status, answer.json()["type"].as_str()), (431, Some("HeadersTooLarge")));
    assert_eq!(answer.header("connection"), None);
}

#[tokio::test]
async fn an_endless_head_is_refused_readably() {
    let server = Server::start(Limits::default()).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(10 << 20));
    server.ask(long).await.assert_last(431, "HeadersTooLarge");
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(101));
    server.ask(many).await.assert_last(431, "HeadersTooLarge");
}

#[tokio::test]
async fn what_is_not_http_is_told_so_in_json() {
    let server = Server::start(Limits::default()).await;
    for garbage in [
        &b"hello\r\n\r\n"[..],
        b"GET / HTTP/1.1 and more\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /\xff\xfe\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ] {
        let answer = server.ask(garbage).await;
        answer.assert_last(400, "Validation");
        assert_eq!(answer.json()["message"], "The request is not valid HTTP/1.1");
    }
}

#[tokio::test]
async fn garbage_after_a_request_is_told_too() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nhello\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    Answer::read(&mut stream).await.assert_last(400, "Validation");
    assert_ended(&mut stream).await;
}

#[tokio::test]
async fn what_is_merely_old_or_odd_is_served() {
    let server = Server::start(Limits::default()).await;
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        assert_eq!(server.ask(request).await.status, 200, "{request}");
    }
}

#[tokio::test]
async fn a_request_says_once_which_host_it_is_for() {
    let server = Server::start(Limits::default()).await;
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n",
    ] {
        let answer = server.ask(request).await;
        assert_eq!(answer.status, 400, "{request}");
        assert_eq!(answer.json()["message"], "The request must have one Host header");
    }
}

/// Whoever is in between might find another end of it, and take the rest for a request.
#[tokio::test]
async fn a_body_is_chunked_and_nothing_else() {
    let server = Server::start(Limits::default()).await;
    for coding in [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: , chunked",
    ] {
        let request = format!("POST /read HTTP/1.1\r\nHost: x\r\n{coding}\r\n\r\n0\r\n\r\n");
        server.ask(request).await.assert_last(501, "NotImplemented");
    }
    for coding in ["chunked", "Chunked", "  CHUNKED  "] {
        let request = format!(
            "POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:{coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        assert_eq!(server.ask(request).await.body, r#""{}""#);
    }
}

#[tokio::test]
async fn head_has_the_length_but_not_the_body() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"HEAD /ignore HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.contains("content-length: 54\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}
