//! What carries HTTP: TCP, or TLS over it.
//!
//! Time runs, and is told to the [`Place`], below TLS: there it shows whether a client takes what is sent and
//! has sent anything, whatever a record or a handshake still waits for.

use super::connections::Place;
use super::limits::Limits;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

/// A TCP connection that gives up on a client that reads nothing, and tells its place what it does.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    /// How long a write may wait.
    patience: Duration,
    /// Its place among the connections, if it was given one.
    place: Option<Arc<Place>>,
    /// Runs while a write waits.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    pub(super) const fn new(stream: TcpStream, limits: &Limits, place: Option<Arc<Place>>) -> Self {
        Self { stream, patience: limits.write_stall, place, stall: None }
    }

    /// The connection itself, whose time does not run.
    pub(super) const fn untimed(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The connection itself, by itself.
    pub(super) fn into_untimed(self) -> TcpStream {
        self.stream
    }

    /// The first byte that comes, which stays to be read, or nothing where none will come.
    pub(super) async fn first_byte(&self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        std::future::poll_fn(|cx| {
            let peeked = self.stream.poll_peek(cx, &mut buffer);
            if peeked.is_pending() {
                self.note_waits();
            }
            peeked
        })
        .await?;
        Ok(buffer.filled().first().copied())
    }

    fn note_waits(&self) {
        if let Some(place) = &self.place {
            place.waits();
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if read.is_pending() {
            this.note_waits();
        }
        read
    }
}

impl AsyncWrite for Timed {
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
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        if let Poll::Ready(written) = written {
            this.stall = None;
            if let (Some(place), Ok(written)) = (&this.place, &written) {
                place.wrote(*written);
            }
            return Poll::Ready(written);
        }
        let patience = this.patience;
        let stall = this.stall.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stall.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// TCP, or TLS over it.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(Timed),
    Tls(Box<TlsStream<Timed>>),
}

impl Transport {
    /// The connection below, whose time does not run.
    pub(super) fn untimed(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(plain) => plain.untimed(),
            Self::Tls(tls) => tls.get_mut().0.untimed(),
        }
    }
}

/// Reads what TLS carries. That a client has closed its side reads as on TCP, whether it said so or not: where
/// a body ends is known from its head, so that nobody can cut one short. And a client that is gone after that
/// is an error, as it is there.
fn read_tls(
    tls: &mut TlsStream<Timed>,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let before = buffer.filled().len();
    match ready!(Pin::new(&mut *tls).poll_read(cx, buffer)) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
        Ok(()) if buffer.filled().len() == before => {
            // Whatever comes behind the end means nothing.
            let mut ignored = [0; 64];
            let gone = Pin::new(tls.get_mut().0).poll_read(cx, &mut ReadBuf::new(&mut ignored));
            match gone {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(())),
            }
        }
        read => Poll::Ready(read),
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_read(cx, buffer),
            Self::Tls(tls) => read_tls(tls, cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
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
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_write_vectored(cx, parts),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(plain) => plain.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_flush(cx),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}
