//! Bodies of requests, and clients that go on sending.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const LIMIT: usize = 1 << 20;

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST /read HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit() {
    let server = Server::start(Limits::default()).await;
    assert_eq!(server.ask(post("", b"[]")).await.body, r#""[]""#);
    let full = server.ask(post("", &vec![b'a'; LIMIT])).await;
    assert_eq!((full.status, full.body.len()), (200, LIMIT + 2));
    let chunked = "POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   2\r\n[1\r\n3\r\n,2]\r\n0\r\nTrailer: x\r\n\r\n";
    assert_eq!(server.ask(chunked).await.body, r#""[1,2]""#);
}

#[tokio::test]
async fn an_empty_body_is_none_whatever_its_type() {
    let server = Server::start(Limits::default()).await;
    for request in [
        "POST /read HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
        "POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\n",
        "POST /read HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    ] {
        assert_eq!(server.ask(request).await.body, "null", "{request}");
    }
    let packed = post("Content-Encoding: gzip\r\n", &gzip(b""));
    assert_eq!(server.ask(packed).await.body, "null");
}

#[tokio::test]
async fn another_type_or_coding_is_refused_and_the_connection_goes_on() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    for (header, message) in [
        ("Content-Type: text/xml", "The request body must be application/json"),
        (
            "Content-Type: application/x-www-form-urlencoded",
            "The request body must be application/json",
        ),
        ("Content-Encoding: br", "The request body must be plain or Content-Encoding: gzip"),
    ] {
        stream.write_all(&post(&format!("{header}\r\n"), b"{}")).await.unwrap();
        let answer = Answer::read(&mut stream).await;
        assert_eq!((answer.status, answer.header("connection")), (415, None));
        assert_eq!(answer.json()["message"], message);
    }
}

#[tokio::test]
async fn a_compressed_body_is_bounded_by_what_is_in_it() {
    let server = Server::start(Limits::default()).await;
    let ask = async |packed: &[u8]| server.ask(post("Content-Encoding: gzip\r\n", packed)).await;
    assert_eq!(ask(&gzip(b"[1]")).await.body, r#""[1]""#);
    assert_eq!(ask(&gzip(&vec![b'a'; LIMIT])).await.status, 200);
    let bomb = gzip(&vec![b'a'; 64 << 20]);
    assert!(bomb.len() > 16 << 10 && bomb.len() < LIMIT);
    for bomb in [bomb, gzip(&vec![b'a'; LIMIT + 1])] {
        let answer = ask(&bomb).await;
        assert_eq!((answer.status, answer.json()["type"].as_str()), (413, Some("PayloadTooLarge")));
    }
    let broken = ask(b"[1]").await;
    assert_eq!(broken.status, 400);
    assert_eq!(broken.json()["message"], "The request body is not valid gzip");
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_can_read_the_refusal() {
    let server = Server::start(Limits::default()).await;
    let answer = server.ask(post("", &vec![b'a'; 8 << 20])).await;
    answer.assert_last(413, "PayloadTooLarge");

    let chunk = [b"10000\r\n", vec![b'a'; 0x10000].as_slice(), b"\r\n"].concat();
    let head = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let all = [&head[..], &chunk.repeat(128), b"0\r\n\r\n"].concat();
    server.ask(all).await.assert_last(413, "PayloadTooLarge");
}

#[tokio::test]
async fn a_client_that_reads_first_is_refused_without_its_body() {
    // Neither the body nor what comes after it is waited for.
    let limits = Limits { body_timeout: PATIENCE * 2, linger: PATIENCE * 2, ..Limits::default() };
    let server = Server::start(limits).await;
    for more in ["", "Expect: 100-continue\r\n"] {
        let mut stream = server.connect().await;
        let head =
            format!("POST /read HTTP/1.1\r\nHost: x\r\n{more}Content-Length: 8388608\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        Answer::read(&mut stream).await.assert_last(413, "PayloadTooLarge");
        assert_ended(&mut stream).await;
    }
}

#[tokio::test]
async fn a_client_that_expects_it_is_told_to_continue() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    let head =
        b"POST /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 100);
    stream.write_all(b"{}").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.body, r#""{}""#);
}

#[tokio::test]
async fn a_client_that_never_ends_is_cut_off() {
    let limits = Limits { linger: millis(1000), linger_bytes: 1 << 40, ..Limits::default() };
    let server = Server::start(limits).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let begun = Instant::now();
    let sending = tokio::spawn(async move {
        let head = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        write.write_all(head).await.unwrap();
        let chunk = [b"10000\r\n", vec![b'a'; 0x10000].as_slice(), b"\r\n"].concat();
        while write.write_all(&chunk).await.is_ok() {
            assert!(begun.elapsed() < PATIENCE);
        }
    });
    let mut answer = vec![0; 12];
    timeout(PATIENCE, read.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    assert!(!sending.is_finished(), "it is told so before it is cut off");
    sending.await.unwrap();
    assert!(begun.elapsed() > limits.linger);
}

#[tokio::test]
async fn a_long_body_that_is_refused_keeps_its_client_waiting() {
    let limits = Limits { refusal_pause: millis(700), ..Limits::default() };
    let server = Server::start(limits).await;
    let begun = Instant::now();
    server.ask(post("", &vec![b'a'; 2 << 20])).await.assert_last(413, "PayloadTooLarge");
    assert!(begun.elapsed() >= limits.refusal_pause, "{:?}", begun.elapsed());
    // Not one that was read.
    let limits = Limits { refusal_pause: PATIENCE * 2, ..Limits::default() };
    let server = Server::start(limits).await;
    assert_eq!(server.ask(post("Content-Encoding: gzip\r\n", b"[1]")).await.status, 400);
}

#[tokio::test]
async fn what_a_client_sends_after_the_answer_is_read_slowly() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    let begun = Instant::now();
    stream.write_all(&post("", &vec![b'a'; 8 << 20])).await.unwrap();
    // Read as fast as it comes it takes a few milliseconds.
    assert!(begun.elapsed() > millis(500), "{:?}", begun.elapsed());
    Answer::read(&mut stream).await.assert_last(413, "PayloadTooLarge");
}

#[tokio::test]
async fn what_a_client_sends_after_the_answer_is_bounded() {
    let limits = Limits { linger: PATIENCE * 2, linger_bytes: 1 << 20, ..Limits::default() };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    let begun = Instant::now();
    stream
        .write_all(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n")
        .await
        .unwrap();
    while stream.write_all(&[b'a'; 1 << 14]).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() {
    let limits = Limits { body_timeout: millis(300), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n")
        .await
        .unwrap();
    let begun = Instant::now();
    while begun.elapsed() < millis(600) {
        stream.write_all(b"a").await.unwrap();
        sleep(millis(50)).await;
    }
    Answer::read(&mut stream).await.assert_last(408, "RequestTimeout");
    assert_ended(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_or_is_not_chunked_as_it_says_is_refused() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    Answer::read(&mut stream).await.assert_last(400, "Validation");

    let request =
        "POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n";
    server.ask(request).await.assert_last(400, "Validation");
}

#[tokio::test]
async fn a_small_body_that_nobody_wants_does_not_cost_the_connection() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    for request in [
        "DELETE / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = Answer::read(&mut stream).await;
        assert_eq!((answer.status, answer.header("connection")), (200, None), "{request}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_wants_is_not_waited_for() {
    let limits = Limits { body_timeout: PATIENCE * 2, linger: PATIENCE * 2, ..Limits::default() };
    let server = Server::start(limits).await;
    let ask = async |more: &str| {
        let mut stream = server.connect().await;
        let head = format!("DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: {more}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let asked = Instant::now();
        let answer = Answer::read(&mut stream).await;
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "{more}");
        asked.elapsed()
    };
    // What may be read soon is given a second to come.
    assert!(ask("9").await > millis(900));
    for more in ["99999999", "9\r\nExpect: 100-continue"] {
        // A busy machine may take as long for nothing, but not every time.
        let mut tries = 0;
        while ask(more).await > millis(900) {
            tries += 1;
            assert!(tries < 20, "{more}");
        }
    }
}

#[tokio::test]
async fn an_answer_to_a_body_that_was_not_read_can_be_read() {
    let server = Server::start(Limits::default()).await;
    let body = vec![b'a'; 8 << 20];
    let head =
        format!("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = server.ask([head.into_bytes(), body].concat()).await;
    answer.assert_last(404, "NotFound");
}
