//! The server loop: connections, and how long and how much each may take.

use super::access_log::AccessLog;
use super::body::Body;
use super::connections::{Connections, Place};
use super::ingress::Ingress;
pub use super::limits::Limits;
use super::meter::Meter;
use super::proxy_protocol;
use super::reply::{Reply, RequestMeta, finish};
use super::response_body::{AbortAt, Aborted, ResponseBody};
use super::socket::{Socket, not_http};
use super::tls::Tls;
use super::transfer::Transfer;
use super::transport::{Timed, Transport};
use super::unless::unless;
use crate::error::Error;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections beyond the limit that are told so at any one time; the rest are just closed.
const MOST_REFUSALS: usize = 64;

/// How long a connection beyond the limit is held in order to tell it so.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// How many connections wait to be accepted, if the system lets as many. A SYN beyond them is dropped, and
/// comes again a second later: those of everybody, when somebody opens a thousand at once.
const BACKLOG: u32 = 4096;

/// How long to wait after a failed accept: what is missing then, such as descriptors, comes back
/// only when other connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// What browsers are told over TLS: for a year to come here by nothing else.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request` from `peer`, which is where it comes from as far as the proxies of
    /// [`Handler::ingress`] tell, with port 0 where nobody does. The head is within the limits; the
    /// body should be read or discarded, as a connection cannot go on behind one that was not read to
    /// its end. A panic becomes a 500.
    fn handle(
        &self,
        request: Request<Body>,
        meta: &RequestMeta,
        peer: SocketAddr,
    ) -> impl Future<Output = Reply> + Send;

    /// Who may reach it, and how: anybody, unless it says otherwise.
    fn ingress(&self) -> &Ingress {
        static ANYBODY: LazyLock<Ingress> = LazyLock::new(Ingress::default);
        &ANYBODY
    }

    /// Where connections and requests are counted, if somebody wants to know.
    fn meter(&self) -> Option<&Arc<Meter>> {
        None
    }
}

/// Takes the address `at`.
///
/// # Errors
/// When it cannot be had.
pub fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the standard library does: who was there before may have left connections behind.
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(BACKLOG)
}

/// Accepts connections, over `tls` if there is any, and has `handler` answer what they ask, until
/// `shutdown`. Then requests in flight are finished, for as long as [`Limits::drain`], and idle
/// connections are closed.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    handler: Arc<H>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(());
    let places = Connections::new(limits, handler.meter().cloned());
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
            Ok((stream, peer)) => {
                let is_proxy = handler.ingress().proxies.trust(peer.ip());
                match places.admit(peer.ip(), is_proxy) {
                    Ok(place) => {
                        failing = false;
                        let serving = Connection {
                            peer,
                            tls: tls.clone(),
                            handler: Arc::clone(&handler),
                            limits,
                            stopped: stopped.clone(),
                        };
                        connections.spawn(serving.serve_until_over(stream, place));
                    }
                    Err(busy) if refusals.len() < MOST_REFUSALS => {
                        refusals.spawn(refuse(stream, tls.clone(), limits, busy));
                    }
                    Err(_) => {}
                }
            }
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
async fn refuse(stream: TcpStream, tls: Option<Arc<Tls>>, limits: Limits, busy: Error) {
    let told = async {
        let stream = Timed::new(stream, &limits, None);
        let Some(transport) = handshake(stream, tls.as_deref(), &limits).await else { return };
        Socket::new(transport, limits, None).say_last(busy).await;
    };
    // A client that has not taken it in by now has had its chance.
    timeout(REFUSAL_TIMEOUT, told).await.unwrap_or_default();
}

/// What carries HTTP over `stream`, or nothing if the client did not come so far.
async fn handshake(stream: Timed, tls: Option<&Tls>, limits: &Limits) -> Option<Transport> {
    let Some(tls) = tls else { return Some(Transport::Plain(stream)) };
    let shaken = async {
        // A record of TLS begins with another byte than a request.
        if stream.first_byte().await?.is_some_and(|byte| byte.is_ascii_uppercase()) {
            return Ok(Err(stream));
        }
        tls.accept(stream).await.map(Ok)
    };
    match timeout(limits.handshake_timeout, shaken).await {
        Ok(Ok(Ok(stream))) => return Some(Transport::Tls(Box::new(stream))),
        Ok(Ok(Err(stream))) => {
            let mut socket = Socket::new(Transport::Plain(stream), *limits, None);
            socket.say_last(Error::Malformed("This port speaks TLS: use https".to_owned())).await;
        }
        // They say it to whoever scans or does not know the certificate.
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
    None
}

/// A connection that is served.
struct Connection<H> {
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    handler: Arc<H>,
    limits: Limits,
    stopped: watch::Receiver<()>,
}

impl<H: Handler> Connection<H> {
    /// Serves to the end of the connection, or until it has to go.
    async fn serve_until_over(mut self, stream: TcpStream, place: Place) {
        let (mut stream, mut place) = (stream, Arc::new(place));
        if self.handler.ingress().proxies.speak_first(self.peer.ip()) {
            let Some(met) = self.meet(stream, place).await else { return };
            (stream, place) = met;
        }
        unless(self.serve(stream, Arc::clone(&place)), place.is_over()).await;
    }

    /// Lets the proxy at the other end say whom the connection is from, which has a place for that from then
    /// on.
    async fn meet(
        &mut self,
        stream: TcpStream,
        place: Arc<Place>,
    ) -> Option<(TcpStream, Arc<Place>)> {
        let mut stream = Timed::new(stream, &self.limits, Some(Arc::clone(&place)));
        let told = tokio::select! {
            told = timeout(self.limits.handshake_timeout, proxy_protocol::read(&mut stream)) => told,
            () = place.is_over() => return None,
            _ = self.stopped.changed() => return None,
        };
        let stream = stream.into_untimed();
        let proxy = self.peer;
        match told {
            Ok(Ok(None)) => return Some((stream, place)),
            Ok(Ok(Some(client))) => self.peer = client,
            // As to look whether somebody listens.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            Ok(Err(why)) => {
                tracing::warn!(%proxy, %why, "a proxy does not say whom a connection is from");
                return None;
            }
            Err(_) => {
                tracing::debug!(%proxy, "a proxy took too long to say whom a connection is from");
                return None;
            }
        }
        match place.instead_for(self.peer.ip()) {
            Ok(place) => Some((stream, Arc::new(place))),
            Err(busy) => {
                refuse(stream, self.tls.clone(), self.limits, busy).await;
                None
            }
        }
    }

    /// Serves to the end of the connection.
    async fn serve(self, stream: TcpStream, place: Arc<Place>) {
        let Self { peer, tls, handler, limits, mut stopped } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "a connection that is gone already");
            return;
        }
        let stream = Timed::new(stream, &limits, Some(Arc::clone(&place)));
        let transport = tokio::select! {
            transport = handshake(stream, tls.as_deref(), &limits) => transport,
            // Nothing has been asked.
            _ = stopped.changed(), if tls.is_some() => None,
        };
        let Some(transport) = transport else { return };
        let secure = matches!(transport, Transport::Tls(_));
        let service = service_fn(|request: Request<Incoming>| {
            // At once: the next that is read may be that there is no more to come.
            let begun = place.begin(request.method().is_safe());
            let request = request.map(|incoming| Body::new(incoming, Arc::clone(&place)));
            answer(&*handler, &place, begun.then_some(request), peer, limits, secure)
        });
        let socket = TokioIo::new(Socket::new(transport, limits, Some(Arc::clone(&place))));
        let mut connection = limits.builder().serve_connection(socket, service);
        let ended = if let Some(ended) = unless(&mut connection, stopped.changed()).await {
            ended
        } else {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        };
        let mut socket = connection.into_parts().io.into_inner();
        match ended {
            Ok(()) if place.is_unread() => socket.linger().await,
            Ok(()) => {}
            // The one thing that hyper leaves without any answer.
            Err(error) if error.is_parse_version_h2() => socket.say_last(not_http()).await,
            Err(error) if error.is_parse() => socket.linger().await,
            Err(error) => tracing::debug!(%error, %peer, "a connection ended early"),
        }
    }
}

/// Answers one request, if it did not come too late.
async fn answer<H: Handler>(
    handler: &H,
    place: &Arc<Place>,
    request: Option<Request<Body>>,
    peer: SocketAddr,
    limits: Limits,
    secure: bool,
) -> Result<Response<ResponseBody>, Aborted> {
    // To whoever sent it, as if it had come a moment later.
    let Some(request) = request else { return Err(Aborted) };
    let ingress = handler.ingress();
    let peer = ingress.proxies.client(peer, request.headers());
    let mut meta = RequestMeta::of(request.headers());
    let checked = limits
        .check(request.version(), request.uri(), request.headers())
        .and_then(|()| ingress.origins.check(request.headers(), &mut meta));
    let reply = match checked {
        Ok(()) => guard(pin!(handler.handle(request, &meta, peer))).await,
        Err(error) => {
            let log = AccessLog::now(&request, &meta, peer, handler.meter().map(Arc::as_ref));
            drop(request);
            log.finish("", Err(error))
        }
    };
    if place.is_unread() && !reply.status.is_success() {
        sleep(limits.refusal_pause).await;
    }
    let breaks = reply.breaks;
    let mut response = finish(reply, &meta).await;
    if let Some(transfer) = response.extensions_mut().remove::<Arc<Transfer>>() {
        transfer.write_to(place);
    }
    place.end(response.status().as_u16() < 400);
    if place.is_unread() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if secure {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
    match breaks {
        None => Ok(response.map(ResponseBody::Whole)),
        Some(AbortAt::Middle) => Ok(response.map(ResponseBody::half)),
        Some(AbortAt::Before) => Err(Aborted),
    }
}

/// The answer of `handling`, also if that panics: a client that has asked is told something.
async fn guard(mut handling: Pin<&mut impl Future<Output = Reply>>) -> Reply {
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
