//! A client of one connection that is kept, as small as it can be.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Far longer than any answer takes. A server that is killed closes its connections at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its method.
    pub method: &'static str,
    /// Its path, and its query.
    pub path: String,
    /// Its body.
    pub body: Option<Value>,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    /// Its `If-Match`.
    pub if_match: Option<String>,
}

impl Request {
    /// One without headers of its own.
    #[must_use]
    pub fn new(method: &'static str, path: String, body: Option<Value>) -> Self {
        Self { method, path, body, key: None, if_match: None }
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its entity tag.
    pub etag: Option<String>,
    /// Whether it says that it was given before.
    pub replayed: bool,
    /// Its body; `null` where there is none.
    pub body: Value,
}

/// A connection and the token that is sent with each request.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Client {
    /// Connects to `address`.
    ///
    /// # Errors
    /// When nobody is there.
    pub fn connect(address: &str, token: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), token: token.to_owned() })
    }

    /// The whole answer, or why there is none.
    ///
    /// # Errors
    /// When the connection is gone; the request may have been honoured.
    ///
    /// # Panics
    /// When the server neither answers nor goes away, or what it sends is no answer.
    pub fn send(&mut self, request: &Request) -> io::Result<Answer> {
        let body = request.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: guests.test\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n",
            request.method,
            request.path,
            self.token,
            body.len()
        );
        for (name, value) in [("Idempotency-Key", &request.key), ("If-Match", &request.if_match)] {
            if let Some(value) = value {
                write!(head, "{name}: {value}\r\n").expect("a String takes everything");
            }
        }
        head.push_str("\r\n");
        head.push_str(&body);
        self.stream.get_mut().write_all(head.as_bytes())?;

        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let (mut length, mut replayed, mut etag) = (0, false, None);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header");
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().expect("a length"),
                "etag" => etag = Some(value.trim().to_owned()),
                "idempotency-replayed" => replayed = true,
                "transfer-encoding" => panic!("an answer of known length was expected: {line}"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).map_err(gone)?;
        let body = match body.as_slice() {
            [] => Value::Null,
            body => serde_json::from_slice(body).expect("JSON"),
        };
        Ok(Answer { status: status.expect("a status"), etag, replayed, body })
    }

    /// A line of the head.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).map_err(gone)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// `error`, which is that the server has gone.
fn gone(error: io::Error) -> io::Error {
    assert!(
        !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        "the server is there and does not answer"
    );
    error
}
