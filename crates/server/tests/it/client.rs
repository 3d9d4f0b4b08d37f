//! A small HTTP client: what is sent is exactly what is said, connections are kept, and every
//! answer is held to what all answers have in common.

use guestlist_testbed::connect_from;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

/// Longer than any answer takes, so that a hanging server is a failure and not a hanging test.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) type Connection = BufReader<TcpStream>;

/// Speaks to one server.
pub(crate) struct Client {
    address: SocketAddr,
    from: Ipv4Addr,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, from: Ipv4Addr::LOCALHOST, idle: Mutex::default() }
    }

    /// The same server's client at another address.
    pub(crate) fn from(&self, from: Ipv4Addr) -> Self {
        Self { from, ..Self::new(self.address) }
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Connection {
        self.connect_with(None)
    }

    /// The same, with room for about so many bytes that nobody has read yet.
    pub(crate) fn connect_with(&self, room: Option<usize>) -> Connection {
        let stream = connect_from(self.from, self.address, room).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream)
    }

    pub(crate) fn request<'a>(&'a self, method: &'a str, target: &str) -> Request<'a> {
        let (headers, body) = (vec![("Host".into(), self.address.to_string())], None);
        Request { client: self, method, target: target.to_owned(), headers, body }
    }

    /// The usual request: with `token` if it is not empty, and with `body` if it is not null.
    pub(crate) fn call(&self, token: &str, method: &str, target: &str, body: &Value) -> Answer {
        let request = self.request(method, target).token(token);
        if body.is_null() { request.send() } else { request.json(body).send() }
    }

    pub(crate) fn get(&self, token: &str, target: &str) -> Answer {
        self.call(token, "GET", target, &Value::Null)
    }
}

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    client: &'a Client,
    method: &'a str,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if name == "Host" {
            self.headers.retain(|(other, _)| other != name);
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With `token`, or without any if it is empty.
    pub(crate) fn token(self, token: &str) -> Self {
        if token.is_empty() {
            self
        } else {
            self.header("Authorization", &format!("Bearer {token}"))
        }
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn send(&self) -> Answer {
        let idle = self.client.idle.lock().unwrap().pop();
        let mut connection = idle.unwrap_or_else(|| self.client.connect());
        connection.get_mut().write_all(&self.bytes()).unwrap();
        let answer = Answer::read(&mut connection, self.method).unwrap();
        answer.check(self.method);
        if answer.header("connection") != Some("close") {
            self.client.idle.lock().unwrap().push(connection);
        }
        answer
    }

    /// The same on a connection of its own, whatever comes of it.
    pub(crate) fn try_send(&self) -> io::Result<Answer> {
        let mut connection = self.client.connect();
        connection.get_mut().write_all(&self.bytes())?;
        Answer::read(&mut connection, self.method)
    }

    /// Sends it on a connection of its own, and leaves the rest to the caller.
    pub(crate) fn begin(&self) -> Connection {
        let mut connection = self.client.connect();
        connection.get_mut().write_all(&self.bytes()).unwrap();
        connection
    }

    pub(crate) const fn method(&self) -> &str {
        self.method
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let length =
            self.body.as_ref().map(|body| ("Content-Length".into(), body.len().to_string()));
        for (name, value) in self.headers.iter().chain(&length) {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads the answer to a request with `method`.
    pub(crate) fn read(from: &mut impl BufRead, method: &str) -> io::Result<Self> {
        let mut line = || {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let ended = || io::Error::new(io::ErrorKind::UnexpectedEof, "no whole answer came");
            line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(ended)
        };
        let status = line()?;
        let status = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap();
        let status = status.parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Self { status, headers, body: Vec::new() };
        if !answer.has_no_body(method) {
            answer.body = vec![0; answer.header("content-length").unwrap().parse().unwrap()];
            from.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    pub(crate) fn has_no_body(&self, method: &str) -> bool {
        method == "HEAD" || matches!(self.status, 204 | 304)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(of, _)| of == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    pub(crate) fn etag(&self) -> &str {
        self.header("etag").expect("an entity tag")
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The `message` of an error.
    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    /// The same, and its status is the one that is expected.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// It is this error.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, message: &str) {
        assert_eq!((self.status, self.message().as_str()), (status, message));
    }

    /// What every answer has, whatever it says. This is the one place that knows the shape of an
    /// error, so it holds for each one that any test meets.
    pub(crate) fn check(&self, method: &str) {
        let id = self.header("x-request-id").unwrap();
        assert!((1..=64).contains(&id.len()), "{self:?}");
        assert_eq!(self.header("server"), Some("Guestlist"));
        assert_eq!(self.header("www-authenticate"), (self.status == 401).then_some("Bearer"));
        let later = matches!(self.status, 429 | 503);
        assert_eq!(self.header("retry-after").is_some(), later, "{self:?}");
        if self.has_no_body(method) {
            return;
        }
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        if self.status >= 400 && self.header("content-encoding").is_none() {
            self.check_error();
        }
    }

    fn check_error(&self) {
        let kind = match self.status {
            400 | 422 => "Validation",
            401 if self.message().starts_with("Give the present password") => {
                "ReauthenticationRequired"
            }
            401 => "Unauthorized",
            403 if self.message().starts_with("The application may hold") => "QuotaExceeded",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            408 => "RequestTimeout",
            409 if self.message().starts_with("The request was done") => "AnswerTooLarge",
            409 if self.message().starts_with("No token of the user") => "TokensSuspended",
            409 if self.message().starts_with("This server") => "SwitchedOff",
            409 => "AlreadyExists",
            410 => "LinkExpired",
            412 => "PreconditionFailed",
            413 => "PayloadTooLarge",
            414 => "URITooLong",
            415 => "UnsupportedMediaType",
            429 if self.message().starts_with("Too many mails") => "TooManyRequests",
            429 => "AccountLocked",
            431 => "HeadersTooLarge",
            503 => "ServiceUnavailable",
            _ => panic!("no test expects such an answer: {self:?}"),
        };
        let mut error = self.json();
        let message = error["message"].as_str().unwrap_or_default().to_owned();
        assert!(!message.is_empty(), "{error}");
        let problems = error.as_object_mut().unwrap().shift_remove("validationErrors");
        let mut expected = json!({ "type": kind, "message": message });
        if kind == "AnswerTooLarge" {
            expected["outcome"] = "done".into();
        }
        assert_eq!(error, expected);
        let Some(problems) = problems else { return };
        let problems = problems.as_array().unwrap();
        assert!(self.status == 400 && problems.len() > 1, "{problems:?}");
        for (index, problem) in problems.iter().enumerate() {
            let field = problem["field"].as_str().unwrap();
            let rule = problem["validationMessage"].as_str().unwrap();
            assert_eq!(*problem, json!({ "field": field, "validationMessage": rule }));
            assert!(index > 0 || message == format!("{field} {rule}"), "{message}: {problem}");
        }
    }
}
