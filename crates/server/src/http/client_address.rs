//! Where a request comes from. Whoever counts, limits or logs by that asks here, and nowhere else.
//!
//! A connection says whom it is with. Where that is a proxy that is trusted, the header which it is
//! known to write says whom the proxy had it from, and so on: the list is read from its right end,
//! where the nearest proxy wrote, until somebody is named who is not trusted. What is left of them
//! was said by nobody who is believed, and any client can begin a list as it likes.

use super::network::Network;
use hyper::header::{FORWARDED, HeaderMap, HeaderName};
use std::iter;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies that may stand one behind the other: longer lists are not read to their end.
const MOST_PROXIES: usize = 32;

/// The proxies in front of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Where those are that are believed.
    pub trusted: Vec<Network>,
    /// Where they say whom they have a request from.
    pub client_from: ClientFrom,
}

/// Where proxies say whom they have a request from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientFrom {
    /// In none: a request comes from whom the connection is with.
    #[default]
    Nothing,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// In front of all that a connection carries, in version 2 of the PROXY protocol.
    ProxyProtocol,
}

impl FromStr for ClientFrom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::Nothing),
            "forwarded" => Ok(Self::Forwarded),
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "proxy-protocol" => Ok(Self::ProxyProtocol),
            _ => Err(format!(
                "{text:?} is none of forwarded, x-forwarded-for, proxy-protocol and none"
            )),
        }
    }
}

impl Proxies {
    /// Whether whoever is at `address` is believed.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Whether the peer of a connection says whom it is from before anything else.
    pub(super) fn speak_first(&self, peer: IpAddr) -> bool {
        self.client_from == ClientFrom::ProxyProtocol && self.trust(peer)
    }

    /// Where a request with these headers comes from that came over a connection with `peer`, or of
    /// `peer` as the PROXY protocol has it. The port is 0 where nobody has told it. Of what a trusted
    /// proxy says and cannot be read, the proxy itself is the source.
    #[must_use]
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let (name, read): (_, fn(&str) -> Option<SocketAddr>) = match self.client_from {
            ClientFrom::Nothing | ClientFrom::ProxyProtocol => return peer,
            ClientFrom::Forwarded => (FORWARDED, forwarded_for),
            ClientFrom::XForwardedFor => (X_FORWARDED_FOR, node),
        };
        let lines = headers.get_all(name).iter().rev();
        let told = lines.flat_map(|line| from_right(line.as_bytes(), b','));
        let mut client = peer;
        for hop in told.take(MOST_PROXIES) {
            if !self.trust(client.ip()) {
                break;
            }
            let Some(before) = str::from_utf8(hop).ok().and_then(|hop| read(hop.trim())) else {
                break;
            };
            client = before;
        }
        client
    }
}

/// The parts of `text` between separators that are not in quotes, the last one first. Whatever a
/// client has put at the beginning, a quote that it left open or bytes that are no text too, changes
/// none that come before.
fn from_right(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let at = text.iter().rposition(|byte| {
            quoted ^= *byte == b'"';
            *byte == separator && !quoted
        });
        rest = at.and_then(|at| text.get(..at));
        Some(at.map_or(text, |at| text.get(at + 1..).unwrap_or_default()))
    })
}

/// Whom an element of `Forwarded` is for, if it says so once and by an address.
fn forwarded_for(element: &str) -> Option<SocketAddr> {
    let mut all = from_right(element.as_bytes(), b';').filter_map(|pair| {
        let (name, value) = str::from_utf8(pair).ok()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let value = all.next().filter(|_| all.next().is_none())?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    node(value)
}

/// An address as proxies write it, with or without a port, which may be obfuscated.
fn node(text: &str) -> Option<SocketAddr> {
    let (address, port) = if let Some(v6) = text.strip_prefix('[') {
        let (address, port) = v6.split_once(']')?;
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
        (IpAddr::V6(address.parse().ok()?), port)
    } else if let Ok(address) = text.parse() {
        (address, None)
    } else {
        let (address, port) = text.split_once(':')?;
        (IpAddr::V4(address.parse().ok()?), Some(port))
    };
    let port = match port {
        None => 0,
        Some(port) if port.starts_with('_') => 0,
        Some(port) => port.parse().ok()?,
    };
    Some(SocketAddr::new(address.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    fn behind(client_from: &str) -> Proxies {
        let trusted = ["10.0.0.0/8", "::1"].map(|network| network.parse().unwrap()).to_vec();
        Proxies { trusted, client_from: client_from.parse().unwrap() }
    }

    /// Where a request comes from that `peer` sends with these lines of the header.
    fn client(client_from: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            // The other header says something else, which is nobody's business.
            for name in [FORWARDED, X_FORWARDED_FOR] {
                let named = name.as_str() == client_from || client_from == "none";
                let line = if named { line } else { "for=6.6.6.6, 6.6.6.6" };
                headers.append(name, HeaderValue::from_str(line).unwrap());
            }
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 7);
        behind(client_from).client(peer, &headers).to_string()
    }

    #[test]
    fn the_right_most_who_is_not_trusted_is_the_client() {
        for (peer, lines, from) in [
            // Who is not trusted says what they like.
            ("192.0.2.1", &["6.6.6.6"][..], "192.0.2.1:7"),
            ("10.0.0.1", &[], "10.0.0.1:7"),
            ("10.0.0.1", &["192.0.2.1"], "192.0.2.1:0"),
            ("::ffff:10.0.0.1", &["192.0.2.1:99"], "192.0.2.1:99"),
            ("::1", &["2001:db8::1"], "[2001:db8::1]:0"),
            ("::1", &["[2001:db8::1]:99"], "[2001:db8::1]:99"),
            ("::1", &["::ffff:192.0.2.1"], "192.0.2.1:0"),
            // Two proxies, and a beginning that the client made up.
            ("10.0.0.1", &["10.6.6.6, 6.6.6.6, 192.0.2.1 , 10.0.0.2"], "192.0.2.1:0"),
            ("10.0.0.1", &["10.6.6.6, 6.6.6.6", "192.0.2.1", "10.0.0.2"], "192.0.2.1:0"),
            // All of them are ours: the first is where it comes from.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3:0"),
            // What cannot be read comes from whoever said it.
            ("10.0.0.1", &["192.0.2.1, unknown"], "10.0.0.1:7"),
            ("10.0.0.1", &["192.0.2.1, _hidden, 10.0.0.2"], "10.0.0.2:0"),
            ("10.0.0.1", &["192.0.2.1,"], "10.0.0.1:7"),
            ("10.0.0.1", &[""], "10.0.0.1:7"),
            ("10.0.0.1", &["192.0.2.1:port"], "10.0.0.1:7"),
            ("10.0.0.1", &["[2001:db8::1"], "10.0.0.1:7"),
        ] {
            assert_eq!(client("x-forwarded-for", peer, lines), from, "{peer} {lines:?}");
            let direct = SocketAddr::new(peer.parse().unwrap(), 7).to_string();
            assert_eq!(client("none", peer, lines), direct);
        }
        let many = ["10.0.0.9"; 40].join(",");
        let far = format!("192.0.2.1,{many}");
        assert_eq!(client("x-forwarded-for", "10.0.0.1", &[&far]), "10.0.0.9:0");
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_has_it() {
        for (lines, from) in [
            (&["for=192.0.2.60;proto=http;by=203.0.113.43"][..], "192.0.2.60:0"),
            (&["proto=http; For=\"192.0.2.60:4711\""], "192.0.2.60:4711"),
            (&["for=\"[2001:db8:cafe::17]:4711\""], "[2001:db8:cafe::17]:4711"),
            (&["for=\"[2001:db8:cafe::17]\""], "[2001:db8:cafe::17]:0"),
            (&["for=\"192.0.2.60:_port\""], "192.0.2.60:0"),
            (&["for=6.6.6.6, for=192.0.2.43;by=\"a,b\", for=10.0.0.2"], "192.0.2.43:0"),
            (&["for=6.6.6.6", "for=192.0.2.43", "for=10.0.0.2"], "192.0.2.43:0"),
            (&["for=192.0.2.43, for=unknown"], "10.0.0.1:7"),
            (&["for=192.0.2.43, for=_secret"], "10.0.0.1:7"),
            (&["for=192.0.2.43, proto=https"], "10.0.0.1:7"),
            (&["for=192.0.2.43;for=6.6.6.6"], "10.0.0.1:7"),
            (&["192.0.2.43"], "10.0.0.1:7"),
            // A quote that the client left open, and one around what looks like an element.
            (&["for=\"6.6.6.6, for=192.0.2.43"], "192.0.2.43:0"),
            (&["for=6.6.6.6;x=\", for=\"[2001:db8::1]\""], "[2001:db8::1]:0"),
            (&["for=192.0.2.43;host=\"x;for=6.6.6.6;y\""], "192.0.2.43:0"),
            (&["for=192.0.2.43;host=\"x, for=6.6.6.6, y\""], "192.0.2.43:0"),
        ] {
            assert_eq!(client("forwarded", "10.0.0.1", lines), from, "{lines:?}");
        }
    }

    /// A header may have bytes that are no text. A client that begins the list with some would have all of it
    /// unread, and be taken for the proxy.
    #[test]
    fn what_is_no_text_at_the_beginning_hides_nobody() {
        for (name, line) in [
            ("x-forwarded-for", &b"\xff, 192.0.2.1"[..]),
            ("x-forwarded-for", "é, 192.0.2.1".as_bytes()),
            ("forwarded", b"for=\xff, for=192.0.2.1"),
        ] {
            let line = HeaderValue::from_bytes(line).unwrap();
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), line)]);
            let client = behind(name).client("10.0.0.1:7".parse().unwrap(), &headers);
            assert_eq!(client.to_string(), "192.0.2.1:0", "{name}");
        }
    }

    #[test]
    fn a_header_that_is_not_known_is_named() {
        assert_eq!(
            "x-real-ip".parse::<ClientFrom>().unwrap_err(),
            "\"x-real-ip\" is none of forwarded, x-forwarded-for, proxy-protocol and none"
        );
    }

    #[test]
    fn fuzz_forwarded() {
        let words = [
            "for=",
            "For=\"[2001:db8::1]:9\"",
            "192.0.2.9",
            "10.0.0.9",
            "::ffff:10.0.0.9",
            "unknown",
            "_x",
            ";by=",
            ", ",
            "\", \"",
        ];
        let [trusted, stranger] = ["10.0.0.1:7", "192.0.2.9:7"].map(|peer| peer.parse().unwrap());
        Fuzz::new("forwarded").words(words).run(|bytes| {
            let mut kinds = Vec::new();
            for (name, known) in
                [("forwarded", "for=198.51.100.7"), ("x-forwarded-for", "198.51.100.7")]
            {
                let proxies = behind(name);
                let of = |peer, end: &str| {
                    let mut headers = HeaderMap::new();
                    for line in bytes.split(|byte| *byte == b'\n') {
                        let line = [line, end.as_bytes()].concat();
                        let Ok(line) = HeaderValue::from_bytes(&line) else { continue };
                        headers.append(HeaderName::from_static(name), line);
                    }
                    proxies.client(peer, &headers)
                };
                assert_eq!(of(stranger, ""), stranger, "nobody believes a stranger");
                let client = of(trusted, "");
                kinds.push((
                    client == trusted,
                    client.is_ipv4(),
                    client.port() == 0,
                    proxies.trust(client.ip()),
                ));
                // What a proxy appends to each line: it alone counts, whatever is before it.
                let mut lines = bytes.split(|byte| *byte == b'\n');
                if lines.next_back().is_some_and(|line| HeaderValue::from_bytes(line).is_ok()) {
                    let told = of(trusted, &format!(", {known}"));
                    assert_eq!(told.to_string(), "198.51.100.7:0", "{name}");
                }
            }
            kinds
        });
    }

    proptest! {
        /// Whatever a client begins the list with, the proxy has the last word.
        #[test]
        fn no_beginning_of_a_list_matters(begun in "[ -~]{0,60}", forwarded: bool) {
            let (name, end) = if forwarded {
                ("forwarded", "for=192.0.2.1;host=\"a,b;c\"")
            } else {
                ("x-forwarded-for", "192.0.2.1")
            };
            let line = format!("{begun}, {end}");
            prop_assert_eq!(client(name, "10.0.0.1", &[&line]), "192.0.2.1:0");
            prop_assert_eq!(client(name, "10.0.0.1", &[&begun, end]), "192.0.2.1:0");
        }
    }
}
