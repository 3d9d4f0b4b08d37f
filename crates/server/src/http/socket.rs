//! A connection as hyper sees it: one that gives up on a client that is gone, and that puts a body into the
//! bare error heads that hyper writes by itself.

use super::connections::{Place, SideClosed};
use super::limits::Limits;
use super::reply::{Reply, RequestMeta, with_common_headers};
use super::transport::Transport;
use crate::error::Error;
use bytes::{Buf, Bytes};
use hyper::StatusCode;
use hyper::header::HeaderMap;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Sleep, sleep, timeout};

/// How much is read after the answer before there is a pause, and how long that is: 2 MiB in a second.
const LINGER_AT_ONCE: usize = 64 << 10;
const LINGER_PAUSE: Duration = Duration::from_millis(31);

/// A connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Transport,
    limits: Limits,
    /// Its place among the connections, if it was given one.
    place: Option<Arc<Place>>,
    /// Runs when the client has closed its side and may be gone.
    leaving: Option<Pin<Box<Sleep>>>,
    /// What is above does not know yet that the client has closed its side.
    untold: bool,
    /// The last write was accepted in part, so that the next one begins inside of an answer.
    inside: bool,
    /// What is being written instead of so many bytes.
    instead: Option<(Bytes, usize)>,
}

impl Socket {
    pub(super) fn new(stream: Transport, limits: Limits, place: Option<Arc<Place>>) -> Self {
        let (leaving, untold) = (None, false);
        Self { stream, limits, place, leaving, untold, inside: false, instead: None }
    }

    /// Says `error` without hyper, as the last thing, if the client listens.
    pub(super) async fn say_last(&mut self, error: Error) {
        if self.send_and_close(error.into()).await.is_ok() {
            self.linger().await;
        }
    }

    async fn send_and_close(&mut self, reply: Reply) -> io::Result<()> {
        let reason = reply.status.canonical_reason().unwrap_or_default();
        let head = format!("HTTP/1.1 {} {reason}\r\nconnection: close\r\n", reply.status.as_str());
        self.write_all(&whole(&head, reply)).await?;
        self.shutdown().await
    }

    /// Reads and forgets what the client still sends, within limits. If the connection were closed
    /// at once the kernel would reset it, and the client would lose the answer that it has not
    /// read yet. It is read slowly: whoever is refused could keep the processors busy with it
    /// otherwise.
    pub(super) async fn linger(&mut self) {
        let read = async {
            let (mut left, mut at_once) = (self.limits.linger_bytes, LINGER_AT_ONCE);
            let mut chunk = vec![0; 16 << 10];
            while let Ok(length @ 1..) = self.stream.untimed().read(&mut chunk).await {
                let Some(rest) = left.checked_sub(length) else { return };
                left = rest;
                at_once = at_once.saturating_sub(length);
                if at_once == 0 {
                    sleep(LINGER_PAUSE).await;
                    at_once = LINGER_AT_ONCE;
                }
            }
        };
        // It is over either way.
        timeout(self.limits.linger, read).await.unwrap_or_default();
    }

    /// The client has closed its side. What is above takes that for the end, which it is not always.
    fn side_closed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = self.place.as_ref().map_or(SideClosed::Over, |place| place.side_closed());
        self.untold = closed != SideClosed::Over;
        match closed {
            SideClosed::Over => Poll::Ready(Ok(())),
            SideClosed::Looking => {
                let patience = self.limits.abandoned_after;
                let leaving = self.leaving.get_or_insert_with(|| Box::pin(sleep(patience)));
                leaving.as_mut().poll(cx).map(Ok)
            }
            SideClosed::Asked => Poll::Pending,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        match &read {
            Poll::Ready(Ok(())) if buffer.filled().len() == before => this.side_closed(cx),
            _ => read,
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let [head] = parts
            && !this.inside
            && this.instead.is_none()
        {
            this.instead = complete(head, &this.limits).map(|whole| (whole, head.len()));
        }
        while let Some((mut rest, length)) = this.instead.take() {
            if rest.is_empty() {
                return Poll::Ready(Ok(length));
            }
            let written = Pin::new(&mut this.stream).poll_write(cx, &rest);
            if let Poll::Ready(Ok(written)) = written {
                rest.advance(written);
            }
            this.instead = Some((rest, length));
            if ready!(written)? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, parts))?;
        this.inside = written < parts.iter().map(|part| part.len()).sum();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        // What is above hands on all that it has before it asks for this.
        if let Some(place) = &this.place {
            place.flushed();
        }
        // Not sooner: what is above looks each time that it is woken, and would do nothing else.
        let over = |place: &Arc<Place>| place.side_closed() == SideClosed::Over;
        if this.untold && this.place.as_ref().is_none_or(over) {
            this.untold = false;
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// If `head` is an error that hyper answers by itself, without a body, then the same with one:
/// clients fail on empty errors. All our own answers are told from those by their request id.
fn complete(head: &[u8], limits: &Limits) -> Option<Bytes> {
    const EMPTY: &str = "content-length: 0\r\n";
    let status =
        match head.strip_prefix(b"HTTP/1.1 ").or(head.strip_prefix(b"HTTP/1.0 "))?.get(..3)? {
            b"400" => StatusCode::BAD_REQUEST,
            b"414" => StatusCode::URI_TOO_LONG,
            b"431" => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => return None,
        };
    let head = str::from_utf8(head).ok()?.strip_suffix("\r\n")?;
    if !head.contains(EMPTY) || head.contains("x-request-id: ") {
        return None;
    }
    let error = match status {
        StatusCode::BAD_REQUEST => not_http(),
        StatusCode::URI_TOO_LONG => Error::UrlTooLong { limit: limits.url_bytes },
        _ => Error::HeadersTooLarge { limit: limits.head_bytes },
    };
    Some(whole(&head.replace(EMPTY, ""), error.into()))
}

/// Said to those who speak something else.
pub(super) fn not_http() -> Error {
    Error::Malformed("The request is not valid HTTP/1.1".to_owned())
}

/// `head` and `reply`, ready to be sent.
fn whole(head: &str, reply: Reply) -> Bytes {
    let response = with_common_headers(reply, &RequestMeta::of(&HeaderMap::new()));
    let mut bytes = head.as_bytes().to_vec();
    for (name, value) in response.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(format!("content-length: {}\r\n\r\n", response.body().len()).into_bytes());
    bytes.extend_from_slice(response.body());
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::super::connections::Connections;
    use super::super::transport::Timed;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use tokio::net::{TcpListener, TcpStream};

    /// How often a task was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn whoever_has_closed_their_side_is_told_of_when_they_are_answered_and_not_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let limits = Limits { abandoned_after: Duration::from_mins(1), ..Limits::default() };
        let place = Connections::new(limits, None).admit(peer.ip(), false).unwrap();
        let place = Arc::new(place);
        let timed = Timed::new(stream, &limits, Some(Arc::clone(&place)));
        let mut socket = Socket::new(Transport::Plain(timed), limits, Some(Arc::clone(&place)));
        for safe in [true, false] {
            assert!(place.begin(safe));
            client.shutdown().await.unwrap();
            socket.stream.untimed().readable().await.unwrap();
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            let mut cx = Context::from_waker(&waker);
            // As hyper does whenever it is woken.
            let look = |socket: &mut Socket, cx: &mut Context<'_>| {
                let mut byte = [0];
                let read = Pin::new(&mut *socket).poll_read(cx, &mut ReadBuf::new(&mut byte));
                assert!(Pin::new(socket).poll_flush(cx).is_ready());
                read
            };
            for _ in 0..3 {
                assert!(look(&mut socket, &mut cx).is_pending());
            }
            assert_eq!(woken.0.load(Ordering::Relaxed), 0);
            place.end(true);
            assert!(Pin::new(&mut socket).poll_flush(&mut cx).is_ready());
            assert_eq!(woken.0.load(Ordering::Relaxed), 1);
            assert!(look(&mut socket, &mut cx).is_ready());
        }
    }

    #[test]
    fn only_a_bare_error_is_completed() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
                    content-length: 0\r\ndate: now\r\n\r\n";
        let whole = complete(bare.as_bytes(), &Limits::default()).unwrap();
        let whole = str::from_utf8(&whole).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
        assert!(head.contains("\r\ndate: now\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
        assert_eq!(head.matches("content-length: ").count(), 1);
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        assert_eq!(
            body,
            r#"{"type":"HeadersTooLarge","message":"The request headers are larger than 16384 bytes"}"#
        );

        for other in [
            bare.replace("431", "200"),
            bare.replace("431", "404"),
            bare.replace("date", "x-request-id"),
            bare.replace("length: 0", "length: 9"),
            bare[1..].to_owned(),
            String::new(),
        ] {
            assert_eq!(complete(other.as_bytes(), &Limits::default()), None, "{other}");
        }
    }
}
