//! The PROXY protocol, version 2: what a proxy that passes on bytes says before them of whom it has them from.
//!
//! <https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes behind the first sixteen that are read: two addresses, and more than proxies have to say beside.
const LONGEST: usize = 4096;

/// Reads what the proxy at the other end of `stream` says, and nothing behind it. Nobody, where it speaks for
/// itself or for somebody whom it does not name.
///
/// # Errors
/// When it is something else, or ends in the middle; one that sends nothing at all is `UnexpectedEof`.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let refused = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if !head.starts_with(SIGNATURE) {
        return Err(refused("it says nothing in version 2 of the PROXY protocol"));
    }
    if length > LONGEST {
        return Err(refused("it says too much"));
    }
    let mut said = vec![0; length];
    stream.read_exact(&mut said).await?;
    source(head[12], head[13], &said).map_err(refused)
}

/// Who is named by `said`, which is of a kind and of a family.
fn source(kind: u8, family: u8, said: &[u8]) -> Result<Option<SocketAddr>, &'static str> {
    const SHORT: &str = "it says less than two addresses";
    match (kind, family) {
        (0x21, 0x11) => match said {
            [a, b, c, d, _, _, _, _, high, low, _, _, ..] => {
                Ok(Some(client(Ipv4Addr::new(*a, *b, *c, *d), *high, *low)))
            }
            _ => Err(SHORT),
        },
        (0x21, 0x21) => match (said.first_chunk::<16>(), said.get(32..36)) {
            (Some(source), Some([high, low, ..])) => {
                Ok(Some(client(Ipv6Addr::from(*source), *high, *low)))
            }
            _ => Err(SHORT),
        },
        // Of a connection of its own, by which it looks whether the server is well; of datagrams, of sockets
        // of one machine and of what has no name.
        (0x20 | 0x21, _) => Ok(None),
        _ => Err("it is of no kind that is known"),
    }
}

fn client(address: impl Into<IpAddr>, high: u8, low: u8) -> SocketAddr {
    SocketAddr::new(address.into().to_canonical(), u16::from_be_bytes([high, low]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;
    use proptest::prelude::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// What a proxy says.
    fn header(kind: u8, family: u8, said: &[u8]) -> Vec<u8> {
        let length = u16::try_from(said.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[kind, family], &length, said].concat()
    }

    /// What comes of `bytes`, and how many of them are left.
    fn reads(bytes: &[u8]) -> (io::Result<Option<SocketAddr>>, usize) {
        let mut rest = bytes;
        let read = pin!(read(&mut rest)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(read) = read else { panic!("bytes are there at once") };
        (read, rest.len())
    }

    const V4: &[u8] = &[192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x34, 0, 80];

    #[test]
    fn the_source_is_read_and_nothing_behind() {
        let v6 = |source: &str| {
            let source: Ipv6Addr = source.parse().unwrap();
            [&source.octets()[..], &[0; 16], &[0x12, 0x34, 0, 80]].concat()
        };
        let with_more = [V4, &[4, 0, 1, 0]].concat();
        for (kind, family, said, from) in [
            (0x21, 0x11, V4, Some("192.0.2.7:4660")),
            (0x21, 0x11, &with_more, Some("192.0.2.7:4660")),
            (0x21, 0x21, &v6("2001:db8::7"), Some("[2001:db8::7]:4660")),
            (0x21, 0x21, &v6("::ffff:192.0.2.7"), Some("192.0.2.7:4660")),
            // For itself, of nobody, by datagrams, on one machine.
            (0x20, 0x11, V4, None),
            (0x20, 0x00, &[], None),
            (0x21, 0x00, &[], None),
            (0x21, 0x12, V4, None),
            (0x21, 0x31, &[b'/'; 216], None),
        ] {
            let bytes = [header(kind, family, said), b"GET /".to_vec()].concat();
            let (read, left) = reads(&bytes);
            let read = read.unwrap().map(|address| address.to_string());
            assert_eq!((read.as_deref(), left), (from, 5), "{kind} {family}");
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let whole = header(0x21, 0x11, V4);
        for length in 0..whole.len() {
            let cut = reads(&whole[..length]).0.unwrap_err();
            assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof, "{length}");
        }
        for (bytes, why) in [
            (header(0x21, 0x11, &V4[..11]), "less than two addresses"),
            (header(0x21, 0x21, V4), "less than two addresses"),
            (header(0x11, 0x11, V4), "of no kind"),
            (header(0x22, 0x11, V4), "of no kind"),
            (header(0x21, 0x11, &[0; LONGEST + 1]), "too much"),
            (b"PROXY TCP4 192.0.2.7 127.0.0.1 4660 80\r\n".to_vec(), "nothing in version 2"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), "nothing in version 2"),
        ] {
            let refused = reads(&bytes).0.unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn fuzz_proxy_protocol() {
        let words = [SIGNATURE, b"\x21\x11\0\x0c", b"\x21\x21\0\x24", b"PROXY TCP4 ", V4];
        Fuzz::new("proxy-protocol").words(words).run(|bytes| match reads(bytes) {
            (Ok(from), left) => {
                let said = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
                assert_eq!(bytes.len() - left, 16 + said, "it is read to its end and no further");
                from.map_or("nobody", |from| if from.is_ipv4() { "IPv4" } else { "IPv6" })
                    .to_owned()
            }
            (Err(error), _) => error.to_string(),
        });
    }

    proptest! {
        /// Nothing that comes in its place is more than refused, and no more is read than is said.
        #[test]
        fn nothing_panics(
            signed: bool,
            kind in prop_oneof![Just(0x20), Just(0x21), any::<u8>()],
            family in prop_oneof![Just(0x11), Just(0x21), any::<u8>()],
            said in prop::collection::vec(any::<u8>(), 0..300),
            claims in prop::option::of(any::<u16>()),
        ) {
            let mut bytes = header(kind, family, &said);
            if let Some(claims) = claims {
                bytes[14..16].copy_from_slice(&claims.to_be_bytes());
            }
            if !signed {
                bytes[..12].copy_from_slice(&said.iter().chain(&[0; 12]).take(12).copied().collect::<Vec<_>>());
            }
            let (read, left) = reads(&bytes);
            if read.is_ok() {
                let length = usize::from(claims.unwrap_or_else(|| said.len().try_into().unwrap()));
                prop_assert_eq!(left, said.len() - length);
            }
        }
    }
}
