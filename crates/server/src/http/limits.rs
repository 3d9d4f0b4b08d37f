//! How much one client may take, and how long it may take over it.

use crate::error::Error;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::{Uri, Version};
use hyper_util::rt::TokioTimer;
use std::time::Duration;

/// What one client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once. Each takes a descriptor and up to 100 KiB or so while it is busy,
    /// and more with TLS, beside its share of the memory that all of them have for large bodies and pages.
    pub max_connections: usize,
    /// Those of one client among them, which is an IPv4 address or an IPv6 /64: enough for an office
    /// behind one address, and three more like it leave it its share. A proxy that is trusted has any.
    pub max_connections_per_client: usize,
    /// How long a TLS handshake may take, of which clients need a fraction of a second, and how long what
    /// a proxy says before it.
    pub handshake_timeout: Duration,
    /// How long a connection may be silent until a request of its has been answered well.
    pub first_request_timeout: Duration,
    /// How long a connection may be idle after that, and how long the head of a request may take to come.
    /// Longer than the 60 s for which proxies keep idle connections, so that it is the proxy that
    /// closes them: otherwise now and then a request would meet a closing connection.
    pub head_timeout: Duration,
    /// How long a body may take to come, all of it: a full one at 35 KB/s.
    pub body_timeout: Duration,
    /// How long a client may read nothing while there is something to read for it. The kernel lets
    /// us write again only when a good part of its buffer is free, so that reading a byte now and
    /// then does not help.
    pub write_stall: Duration,
    /// How long whoever has closed their side, and asked for nothing to be changed, is taken to wait for
    /// the answer: most who do that are gone, and a few only have no more to say. Nobody of them waits
    /// for long.
    pub abandoned_after: Duration,
    /// Bytes of a body, also when decompressed: a thousand times an ordinary one.
    pub body_bytes: usize,
    /// Bytes of a URL: a long `query` parameter, and twice what other servers take.
    pub url_bytes: usize,
    /// Bytes of the headers: a token with hundreds of scopes, and cookies of no interest to us.
    pub head_bytes: usize,
    /// How long whoever sends a long body that is refused unread waits for the answer. Told at once, they
    /// would come again at once, and keep the processors busy with what nobody reads.
    pub refusal_pause: Duration,
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
            max_connections_per_client: 1024,
            handshake_timeout: Duration::from_secs(10),
            first_request_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            write_stall: Duration::from_secs(30),
            abandoned_after: Duration::from_secs(1),
            body_bytes: 1 << 20,
            url_bytes: 16 << 10,
            head_bytes: 16 << 10,
            refusal_pause: Duration::from_millis(250),
            linger: Duration::from_secs(10),
            linger_bytes: 16 << 20,
            drain: Duration::from_secs(8),
        }
    }
}

impl Limits {
    /// Whether the head is short enough, and of one mind about the host (RFC 9112 3.2) and about where
    /// the body ends (6.1).
    pub(super) fn check(
        &self,
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Error> {
        let hosts = headers.get_all(header::HOST).iter().count();
        if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
            return Err(Error::Malformed("The request must have one Host header".to_owned()));
        }
        // hyper reads anything that ends in chunks as chunks; a proxy may see it otherwise.
        let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
        if let Some(coding) = codings.next()
            && (codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        {
            return Err(Error::TransferCoding);
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

    pub(super) fn builder(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            // Larger than what we refuse by ourselves, with words. At most as much again is read
            // ahead of a slow handler.
            .max_buf_size(2 * (self.url_bytes + self.head_bytes).max(8 << 10));
        builder
    }
}
