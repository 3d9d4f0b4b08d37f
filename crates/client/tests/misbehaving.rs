//! What is tried again, and what becomes of answers that are none, against a server that
//! misbehaves as it is told.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use guestlist_client::{Client, Config, Error, Method, Reply, Request, Retries, blocking};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// What the stub does with a request.
#[derive(Clone, Copy)]
enum Do {
    /// Answers with this status line's end and this body.
    Say(&'static str, &'static str),
    /// Answers with these headers as well.
    With(&'static str, &'static str, &'static str),
    /// Closes the connection without an answer.
    Hang,
    /// Promises a hundred bytes, sends a few and closes the connection.
    Break,
    /// Answers nothing for so long.
    Wait(Duration),
}

const OK: Do = Do::Say("200 OK", r#"{"good":true}"#);
const BUSY: Do =
    Do::Say("503 Service Unavailable", r#"{"type":"ServiceUnavailable","message":"x"}"#);

/// A server that does one thing after the other, the last one from then on.
struct Stub {
    url: String,
    slow: bool,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    fn doing(script: &[Do]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let slow = script.iter().any(|what| matches!(what, Do::Wait(_)));
        let (seen, script) = (Arc::clone(&requests), script.to_vec());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let request = read(&stream.as_ref().unwrap().try_clone().unwrap());
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(request);
                answer(stream.unwrap(), script[number.min(script.len() - 1)]);
            }
        });
        Self { url, slow, requests }
    }

    fn config(&self) -> Config {
        let quick = Duration::from_millis(5);
        let retries = Retries::default().pauses(quick, quick);
        // What never comes is given up soon. What comes at all comes in time, however busy the
        // machine is.
        let timeout = if self.slow { 2 } else { 60 };
        Config::new(&self.url).timeout(Duration::from_secs(timeout)).retries(retries)
    }

    async fn send(&self, request: Request) -> Result<Reply, Error> {
        Client::new(self.config()).unwrap().send(&request).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The keys of all requests.
    fn keys(&self) -> Vec<Option<String>> {
        let key = |request: &String| {
            let mut lines = request.lines();
            lines.find_map(|line| line.strip_prefix("idempotency-key: ")).map(str::to_owned)
        };
        self.requests().iter().map(key).collect()
    }
}

/// One request: its head and its body.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            return head;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn answer(mut stream: TcpStream, what: Do) {
    let mut say = |status, headers, body: &str| {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        // The client may have gone.
        let _ = stream.write_all(text.as_bytes());
    };
    match what {
        Do::Say(status, body) => say(status, "", body),
        Do::With(status, headers, body) => say(status, headers, body),
        Do::Hang => {}
        Do::Break => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"goo").unwrap();
        }
        Do::Wait(time) => drop(thread::spawn(move || {
            thread::sleep(time);
            drop(stream);
        })),
    }
}

fn get() -> Request {
    Request::new(Method::GET, "/x")
}

fn post() -> Request {
    Request::new(Method::POST, "/x").body(json!({ "a": 1 }))
}

/// Never, as far as a client can tell.
const SLOW: Do = Do::Wait(Duration::from_mins(10));

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    const TOO_MANY: Do = Do::Say("429 Too Many Requests", "{}");
    const GATEWAY: Do = Do::Say("502 Bad Gateway", "<html>oops</html>");
    for trouble in [BUSY, TOO_MANY, GATEWAY, Do::Hang, Do::Break, SLOW] {
        for request in [get(), post(), Request::new(Method::DELETE, "/x")] {
            let stub = Stub::doing(&[trouble, OK]);
            let reply = stub.send(request.clone()).await.unwrap();
            assert_eq!(reply.json::<Value>().unwrap(), json!({ "good": true }));
            assert_eq!(stub.requests().len(), 2, "{request:?}");
        }
    }
}

#[tokio::test]
async fn every_attempt_of_a_write_has_the_same_key_and_every_write_its_own() {
    let stub = Stub::doing(&[Do::Hang, BUSY, Do::Break, OK, OK]);
    stub.send(post()).await.unwrap();
    stub.send(post()).await.unwrap();
    let keys = stub.keys();
    let first = keys[0].clone().unwrap();
    assert_eq!(first.len(), 32);
    assert!(keys[..4].iter().all(|key| key.as_ref() == Some(&first)));
    assert!(keys[4].is_some() && keys[4] != keys[0]);
    assert!(stub.requests()[..4].iter().all(|request| request.ends_with(r#"{"a":1}"#)));

    let stub = Stub::doing(&[BUSY, OK]);
    stub.send(post().idempotency_key("mine")).await.unwrap();
    assert_eq!(stub.keys(), [Some("mine".into()), Some("mine".into())]);
    let stub = Stub::doing(&[OK]);
    stub.send(get()).await.unwrap();
    assert_eq!(stub.keys(), [None]);
}

#[tokio::test]
async fn a_write_without_a_key_is_never_sent_twice() {
    for trouble in [BUSY, Do::Hang, Do::Break, SLOW] {
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            let stub = Stub::doing(&[trouble, OK]);
            let request = Request::new(method, "/x").without_idempotency_key();
            stub.send(request).await.unwrap_err();
            assert_eq!(stub.keys(), [None]);
        }
    }
}

#[tokio::test]
async fn the_hosted_platform_is_never_sent_a_write_twice() {
    for trouble in [BUSY, Do::Hang, Do::Break, SLOW] {
        let stub = Stub::doing(&[trouble, OK]);
        let client = Client::new(stub.config().retries(Retries::hosted())).unwrap();
        client.send(&post()).await.unwrap_err();
        assert_eq!(stub.keys(), [None]);
        let stub = Stub::doing(&[trouble, OK]);
        let client = Client::new(stub.config().retries(Retries::hosted())).unwrap();
        // It would be ignored, so it makes nothing safe.
        client.send(&post().idempotency_key("mine")).await.unwrap_err();
        assert_eq!(stub.requests().len(), 1);
        let stub = Stub::doing(&[trouble, OK]);
        let client = Client::new(stub.config().retries(Retries::hosted())).unwrap();
        client.send(&get()).await.unwrap();
    }
}

#[tokio::test]
async fn any_request_is_tried_again_until_there_is_a_connection() {
    // Bound, so that nobody else gets it, and not listening yet, so that it refuses.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let free = socket.local_addr().unwrap();
    let started = Instant::now();
    let server = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let listener = socket.listen(8).unwrap();
        let stream = listener.accept().await.unwrap().0.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        tokio::task::spawn_blocking(move || {
            let request = read(&stream);
            answer(stream, OK);
            request
        })
        .await
        .unwrap()
    };
    let pause = Duration::from_millis(60);
    let retries = Retries::hosted().attempts(10_000).pauses(pause, pause);
    let client = Client::new(Config::new(format!("http://{free}")).retries(retries)).unwrap();
    let request = post();
    let (sent, seen) = tokio::join!(client.send(&request), server);
    sent.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(seen.starts_with("POST /x"));

    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let free = socket.local_addr().unwrap();
    let client = Client::new(Config::new(format!("http://{free}")).retries(Retries::none()));
    let Error::Transport(broken) = client.unwrap().send(&get()).await.unwrap_err() else {
        panic!("not a broken connection")
    };
    assert!(broken.is_unsent());
    assert!(broken.to_string().starts_with("cannot connect: Connection refused"), "{broken}");
}

#[tokio::test]
async fn the_server_says_when_to_come_back() {
    const LATER: Do = Do::With("429 Too Many Requests", "Retry-After: 3600\r\n", "{}");
    const ASKED: Do = Do::With("503 Service Unavailable", "Retry-After: 1\r\n", "{}");
    let stub = Stub::doing(&[ASKED, OK]);
    let started = Instant::now();
    stub.send(get()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));

    // Nobody waits for an hour: the caller is told.
    let stub = Stub::doing(&[LATER, OK]);
    let Error::Status { status, retry_after, .. } = stub.send(get()).await.unwrap_err() else {
        panic!("not a status")
    };
    assert_eq!((status, retry_after), (429, Some(Duration::from_hours(1))));
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn attempts_and_time_have_an_end() {
    let stub = Stub::doing(&[BUSY]);
    let error = stub.send(get()).await.unwrap_err();
    assert_eq!((error.status(), stub.requests().len()), (Some(503), 4));

    let stub = Stub::doing(&[SLOW]);
    let retries = Retries::default().attempts(100).total(Duration::from_secs(3));
    let client = Client::new(stub.config().retries(retries)).unwrap();
    let started = Instant::now();
    assert!(matches!(client.send(&get()).await.unwrap_err(), Error::Timeout(_)));
    // The second attempt has what the first has left.
    let took = started.elapsed();
    assert!((2900..30_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn an_error_without_the_shape_of_one_still_says_something() {
    for (status, body, kind, message) in [
        ("500 Internal Server Error", "<html>nginx</html>", "", "500 Internal Server Error"),
        ("404 Not Found", "", "", "404 Not Found"),
        ("418 whatever", "[1]", "", "418 I'm a teapot"),
        ("302 Found", "", "", "302 Found"),
        ("400 Bad Request", r#"{"code":"InvalidContent","message":"m"}"#, "InvalidContent", "m"),
        ("409 Conflict", r#"{"type":7,"message":{}}"#, "", "409 Conflict"),
    ] {
        let stub = Stub::doing(&[Do::Say(status, body)]);
        let error = stub.send(get()).await.unwrap_err();
        assert_eq!(error.to_string(), message);
        let Error::Status { status: number, kind: found, body: whole, .. } = error else {
            panic!("not a status")
        };
        assert_eq!((&number.to_string(), &*found), (&status[..3].to_owned(), kind));
        assert_eq!(whole, body);
        assert_eq!(stub.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_may_be_empty_but_not_nonsense() {
    let reply = Stub::doing(&[Do::Say("204 No Content", "")]).send(get()).await.unwrap();
    assert_eq!((reply.status, reply.json::<Option<Value>>().unwrap()), (204, None));
    let reply = Stub::doing(&[Do::Say("200 OK", "<html>")]).send(get()).await.unwrap();
    let error = reply.json::<Value>().unwrap_err();
    assert!(matches!(error, Error::Body(_)));
    assert!(error.to_string().starts_with("the answer is not as expected"), "{error}");
}

#[tokio::test]
async fn a_token_stays_with_its_server() {
    let elsewhere = Stub::doing(&[OK]);
    let location: &str = format!("Location: {}/y\r\n", elsewhere.url).leak();
    let stub = Stub::doing(&[Do::With("307 Temporary Redirect", location, "")]);
    assert_eq!(stub.send(get()).await.unwrap_err().status(), Some(307));
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_it_is() {
    for url in ["", "guests", "ftp://x", "http://", "http://a?b", "http://me:secret@a"] {
        let error = Client::new(Config::new(url)).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{url}");
        assert!(!error.to_string().contains("secret"));
    }
    let stub = Stub::doing(&[OK]);
    for request in [
        Request::new(Method::GET, "x"),
        get().header("a b", "c"),
        get().header("a", "b\n"),
        post().idempotency_key("a\n"),
    ] {
        assert!(matches!(stub.send(request).await.unwrap_err(), Error::Config(_)));
    }
    assert_eq!(stub.requests().len(), 0);
}

#[tokio::test]
async fn a_request_is_as_it_was_built() {
    let stub = Stub::doing(&[OK]);
    let url = format!("{}/under/", stub.url);
    let client = Client::new(Config::new(url).user_agent("tests")).unwrap();
    let request = Request::new(Method::PATCH, "/x%20y")
        .query("filter", "a b&c=d*[é")
        .if_match("\"tag\"")
        .header("Accept-Version", "^1.2.3")
        .body(json!({ "a": "é" }));
    client.send(&request).await.unwrap();
    let sent = stub.requests().remove(0);
    assert!(
        sent.starts_with("PATCH /under/x%20y?filter=a+b%26c%3Dd*%5B%C3%A9 HTTP/1.1\r\n"),
        "{sent}"
    );
    for line in [
        "if-match: \"tag\"",
        "accept-version: ^1.2.3",
        "accept: application/json",
        "content-type: application/json",
        "user-agent: tests",
    ] {
        assert!(sent.lines().any(|sent| sent == line), "{line} in {sent}");
    }
    assert!(sent.ends_with("\r\n\r\n{\"a\":\"é\"}"));
}

#[test]
fn threads_that_wait_try_again_too() {
    let stub = Stub::doing(&[Do::Hang, BUSY, OK]);
    let client = blocking::Client::new(stub.config()).unwrap();
    client.send(&post()).unwrap();
    assert_eq!(stub.requests().len(), 3);
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_loses_no_write() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (close, told) = mpsc::channel();
    let (closed, gone) = mpsc::channel();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let mut stream = listener.accept().unwrap().0;
            read(&stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            told.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    let client = blocking::Client::new(Config::new(url).retries(Retries::none())).unwrap();
    let once = post().without_idempotency_key();
    for _ in 0..2 {
        client.send(&once).unwrap();
        // Nothing of the client runs meanwhile, so that it finds out only when it sends.
        close.send(()).unwrap();
        gone.recv().unwrap();
    }
    server.join().unwrap();
}
