//! Real sockets against a real listener.

mod bodies;
mod heads;
mod lifetimes;
mod proxies;
mod tls;

use super::*;
use crate::http::body::{discard, read_body};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;

/// Longer than anything here takes, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// Does what the path says.
struct Paths {
    limits: Limits,
    /// How many requests for `/held` are under way. Each is answered once there is a permit.
    held: watch::Sender<usize>,
    permits: Semaphore,
    ingress: Ingress,
}

/// A request that is held.
struct Held<'h>(&'h watch::Sender<usize>);

impl<'h> Held<'h> {
    fn one_of(all: &'h watch::Sender<usize>) -> Self {
        all.send_modify(|held| *held += 1);
        Self(all)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}

impl Handler for Paths {
    fn ingress(&self) -> &Ingress {
        &self.ingress
    }

    async fn handle(&self, request: Request<Body>, _: &RequestMeta, peer: SocketAddr) -> Reply {
        let (head, body) = request.into_parts();
        match head.uri.path() {
            "/read" => {
                match read_body(&head.headers, body, &self.limits, self.limits.body_bytes).await {
                    Ok(body) => {
                        let body = body.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                        Reply::json(hyper::StatusCode::OK, &body).unwrap()
                    }
                    Err(error) => error.into(),
                }
            }
            "/ignore" => Error::NoRoute("/ignore".to_owned()).into(),
            "/big" => {
                let flow = head.uri.query().and_then(|flow| flow.parse().ok()).unwrap_or(0);
                let flow = guestlist_store::Flow::new(flow, [0; 12]);
                Reply::new(hyper::StatusCode::OK, vec![b'1'; 32 << 20]).to(flow)
            }
            "/panic" => panic!("asked for"),
            "/peer" => Reply::new(hyper::StatusCode::OK, peer.to_string().into_bytes()),
            path => {
                if path == "/held" {
                    let _held = Held::one_of(&self.held);
                    drop(self.permits.acquire().await);
                }
                discard(&head.headers, body).await;
                Reply::new(hyper::StatusCode::OK, "{}")
            }
        }
    }
}

struct Server {
    address: SocketAddr,
    paths: Arc<Paths>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::start_over(None, limits, Ingress::default()).await
    }

    async fn start_over(tls: Option<Arc<Tls>>, limits: Limits, ingress: Ingress) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let (held, permits) = (watch::Sender::new(0), Semaphore::new(0));
        let paths = Paths { limits, held, permits, ingress };
        let paths = Arc::new(paths);
        let serving = tokio::spawn(serve(listener, tls, Arc::clone(&paths), limits, stopped));
        Self { address, paths, stop, serving }
    }

    /// A connection with a request that is under way until there is a permit.
    async fn hold(&self) -> TcpStream {
        self.hold_with("GET").await
    }

    async fn hold_with(&self, method: &str) -> TcpStream {
        self.hold_over(self.connect().await, method).await
    }

    /// The same, over `stream`.
    async fn hold_over<S: AsyncWrite + Unpin>(&self, mut stream: S, method: &str) -> S {
        let mut held = self.paths.held.subscribe();
        let request = format!("{method} /held HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        timeout(PATIENCE, held.changed()).await.expect("a request").unwrap();
        stream
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `request` whole and then reads the one answer.
    async fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        Answer::read(&mut stream).await
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        timeout(PATIENCE, Self::read_at_leisure(stream)).await.expect("an answer")
    }

    async fn read_at_leisure(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await.expect("a body");
        let status = head[9..12].parse().unwrap();
        Self { status, head, body: String::from_utf8(body).unwrap() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Asserts that it is an error as clients expect it, the last on its connection.
    fn assert_last(&self, status: u16, kind: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["type"], kind);
        assert_ne!(self.json()["message"], "");
        assert_eq!(self.header("connection"), Some("close"), "{self:?}");
        assert_eq!(self.header("access-control-allow-origin"), Some("*"));
    }
}

/// Asserts that the server ends the connection, in order and without another byte.
async fn assert_ended(stream: &mut (impl AsyncRead + Unpin)) {
    let rest = timeout(PATIENCE, stream.read_u8()).await.expect("an end");
    assert_eq!(rest.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

/// Asks until the answer is not that there are too many connections.
async fn ask_until_there_is_room(server: &Server) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = server.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        if answer.status != 503 || begun.elapsed() > PATIENCE {
            return answer;
        }
        sleep(millis(10)).await;
    }
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn an_error_of_one_client_does_not_stop_the_others() {
    assert!(is_of_one_client(&io::ErrorKind::ConnectionAborted.into()));
    assert!(!is_of_one_client(&io::Error::from_raw_os_error(24)));
}

#[cfg(unix)]
#[test]
fn files_may_be_opened_up_to_the_hard_limit() {
    use rustix::process::{Resource, getrlimit};
    let raised = raise_file_limit();
    let limit = getrlimit(Resource::Nofile);
    assert_eq!((raised, limit.current), (limit.maximum, limit.maximum));
}
