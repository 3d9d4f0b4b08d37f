//! The server loop: connections, and how long and how much each may take.

use super::access_log::AccessLog;
use super::body::Body;
use super::reply::{Reply, RequestMeta, finish};
use super::response_body::{AbortAt, Aborted, ResponseBody};
use super::socket::{Socket, not_http};
use crate::error::Error;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections beyond the limit that are told so at any one time; the rest are just closed.
const MOST_REFUSALS: usize = 64;

/// How long a connection beyond the limit is held in order to tell it so.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait after a failed accept: what is missing then, such as descriptors, comes back
/// only when other connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// What one client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once. Each takes a descriptor and up to 100 KiB or so while it is busy,
    /// beside its share of the memory that all of them have for large bodies and pages.
    pub max_connections: usize,
    /// How long a connection may be idle, and how long the head of a request may take to come.
    /// Longer than the 60 s for which proxies keep idle connections, so that it is the proxy that
    /// closes them: otherwise now and then a request would meet a closing connection.
    pub head_timeout: Duration,
    /// How long a body may take to come, all of it: a full one at 35 KB/s.
    pub body_timeout: Duration,
    /// How long a client may read nothing while there is something to read for it. The kernel lets
    /// us write again only when a good part of its buffer is free, so that reading a byte now and
    /// then does not help.
    pub write_stall: Duration,
    /// Bytes of a body, also when decompressed: a thousand times an ordinary one.
    pub body_bytes: usize,
    /// Bytes of a URL: a long `query` parameter, and twice what other servers take.
    pub url_bytes: usize,
    /// Bytes of the headers: a token with hundreds of scopes, and cookies of no interest to us.
    pub head_bytes: usize,
    /// How long a client may go on sending after we have answered and are to close.
    pub linger: Duration,
    /// How much a client may go on sending then: enough for the mistakes that people make.
    pub linger_bytes: usize,
    /// How long requests in flight may take to end at shutdown: with what is left to do then, all
    /// of it is over within the 10 s that service managers wait for without complaint.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            head_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            write_stall: Duration::from_secs(30),
            body_bytes: 1 << 20,
            url_bytes: 16 << 10,
            head_bytes: 16 << 10,
            linger: Duration::from_secs(10),
            linger_bytes: 16 << 20,
            drain: Duration::from_secs(8),
        }
    }
}

impl Limits {
    /// Whether the head is short enough, and of one mind about the host (RFC 9112 3.2).
    fn check(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
        let hosts = headers.get_all(header::HOST).iter().count();
        if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
            return Err(Error::Malformed("The request must have one Host header".to_owned()));
        }
        if uri.path_and_query().map_or(0, |path| path.as_str().len()) > self.url_bytes {
            return Err(Error::UrlTooLong { limit: self.url_bytes });
        }
        // As on the wire: `name: value` and a line end.
        let lengths = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        if lengths.sum::<usize>() > self.head_bytes {
            return Err(Error::HeadersTooLarge { limit: self.head_bytes });
        }
        Ok(())
    }

    fn builder(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            // A client may close its side once it has asked; and one that goes away does not stop
            // a request half-way, which would leave it to chance what has been done.
            .half_close(true)
            // Larger than what we refuse by ourselves, with words. At most as much again is read
            // ahead of a slow handler.
            .max_buf_size(2 * (self.url_bytes + self.head_bytes).max(8 << 10));
        builder
    }
}

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request` from `peer`. The head is within the limits; the body should be read or
    /// discarded, as a connection cannot go on behind one that was not read to its end. A panic
    /// becomes a 500.
    fn handle(
        &self,
        request: Request<Body>,
        facts: &RequestMeta,
        peer: SocketAddr,
    ) -> impl Future<Output = Reply> + Send;
}

/// Accepts connections and has `handler` answer what they ask, until `shutdown`. Then requests in
/// flight are finished, for as long as [`Limits::drain`], and idle connections are closed.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    let mut failing = false;
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        while refusals.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) if connections.len() < limits.max_connections => {
                failing = false;
                let handler = Arc::clone(&handler);
                connections.spawn(serve_connection(stream, peer, handler, limits, stopped.clone()));
            }
            Ok((stream, _)) if refusals.len() < MOST_REFUSALS => {
                refusals.spawn(refuse(stream, limits));
            }
            Ok(_) => {}
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "connections cannot be accepted for now");
                }
                tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    drop(stop);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight were broken off");
        connections.shutdown().await;
    }
}

/// Whether `error` says nothing about the next accept.
fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Tells a client that there are too many.
async fn refuse(stream: TcpStream, limits: Limits) {
    let busy = Error::Busy { what: "The server has too many connections", retry_after: 1 };
    let mut socket = Socket::new(stream, limits);
    let told = async {
        if socket.send_and_close(busy.into()).await.is_ok() {
            socket.linger().await;
        }
    };
    // A client that has not taken it in by now has had its chance.
    timeout(REFUSAL_TIMEOUT, told).await.unwrap_or_default();
}

/// Serves one connection to its end.
async fn serve_connection<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Arc<H>,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "a connection that is gone already");
        return;
    }
    let unread = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        answer(Arc::clone(&handler), request, peer, limits, Arc::clone(&unread))
    });
    let socket = TokioIo::new(Socket::new(stream, limits));
    let mut connection = limits.builder().serve_connection(socket, service);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        _ = stopped.changed() => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        Pin::new(&mut connection).graceful_shutdown();
        (&mut connection).await
    };
    let mut socket = connection.into_parts().io.into_inner();
    match ended {
        Ok(()) if unread.load(Ordering::Relaxed) => socket.linger().await,
        Ok(()) => {}
        // The one thing that hyper leaves without any answer.
        Err(error) if error.is_parse_version_h2() => {
            if socket.send_and_close(not_http().into()).await.is_ok() {
                socket.linger().await;
            }
        }
        Err(error) if error.is_parse() => socket.linger().await,
        Err(error) => tracing::debug!(%error, %peer, "a connection ended early"),
    }
}

/// Answers one request.
async fn answer<H: Handler>(
    handler: Arc<H>,
    request: Request<Incoming>,
    peer: SocketAddr,
    limits: Limits,
    unread: Arc<AtomicBool>,
) -> Result<Response<ResponseBody>, Aborted> {
    let facts = RequestMeta::of(request.headers());
    let request = request.map(|incoming| Body::new(incoming, Arc::clone(&unread)));
    let reply = match limits.check(request.version(), request.uri(), request.headers()) {
        Ok(()) => guard(async { handler.handle(request, &facts, peer).await }).await,
        Err(error) => {
            let asked = AccessLog::now(&request, &facts, peer);
            drop(request);
            let reply = error.into();
            asked.finish("", &reply);
            reply
        }
    };
    let breaks = reply.breaks;
    let mut response = finish(reply, &facts).await;
    if unread.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    match breaks {
        None => Ok(response.map(ResponseBody::Whole)),
        Some(AbortAt::Middle) => Ok(response.map(ResponseBody::half)),
        Some(AbortAt::Before) => Err(Aborted),
    }
}

/// The answer of `handling`, also if that panics: a client that has asked is told something.
async fn guard(handling: impl Future<Output = Reply>) -> Reply {
    let mut handling = pin!(handling);
    std::future::poll_fn(|cx| {
        // Nothing of it is looked at again after a panic.
        catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Error::internal("the handler panicked").into()))
    })
    .await
}

/// Lets the process open as many files and sockets as the administrator allows at all, and gives
/// that number if it is known: shells and service managers start with a thousand.
#[cfg(unix)]
pub fn raise_file_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            limit.current
        }
    }
}

#[cfg(test)]
mod tests;
