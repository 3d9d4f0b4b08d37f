//! The one content coding that is spoken here: gzip.

use super::buffer::Buffer;
use super::heavy::{HEAVY, away};
use crate::error::{Error, Result};
use bytes::Bytes;
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use hyper::header::HeaderValue;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// Bodies below this are sent as they are: they fit into one packet either way.
const WORTHWHILE: usize = 1024;

/// What is known of the gzip form of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Gzip {
    /// Nothing: it is made when it is asked for.
    #[default]
    Untried,
    /// As little: there is no room in the cache for it.
    NoRoom,
    /// It is no shorter than the plain form, which is sent in its place.
    Useless,
    /// It is this.
    Packed(Packed),
}

/// A body as gzip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) body: Bytes,
    /// The tag that it goes under, if the plain form has one.
    pub(crate) etag: Option<HeaderValue>,
}

/// Bodies above this are compressed away from the threads that answer requests, because one takes
/// more than a millisecond.
const ELSEWHERE: usize = 256 * 1024;

/// What a client says about the codings it understands, in thousandths as RFC 9110 12.4.2 weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Accepted {
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Accepted {
    /// Reads the values of `Accept-Encoding`. What cannot be read counts as not said: the plain
    /// body that follows from it is understood by everyone.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let mut accepted = Self::default();
        let lists = values.into_iter().filter_map(|value| value.to_str().ok());
        for element in lists.flat_map(|list| list.split(',')) {
            let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
            let Some(weight) = weight(parameters) else { continue };
            let is = |known: &str| name.trim().eq_ignore_ascii_case(known);
            if is("gzip") || is("x-gzip") {
                accepted.gzip = Some(weight);
            } else if is("identity") {
                accepted.identity = Some(weight);
            } else if is("*") {
                accepted.any = Some(weight);
            }
        }
        accepted
    }

    /// Whether a body of `length` bytes should be sent as gzip.
    pub(crate) fn wants_gzip(self, length: usize) -> bool {
        let gzip = self.gzip.or(self.any).unwrap_or(0);
        if gzip == 0 || length == 0 {
            return false;
        }
        match self.identity {
            Some(0) => true,
            // A client that gives `*;q=0` has refused identity as well, unless it names it.
            None if self.any == Some(0) => true,
            preferred => length >= WORTHWHILE && preferred.is_none_or(|plain| plain <= gzip),
        }
    }
}

/// The weight in the parameters of a list element, 1000 when there is none.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let (name, value) = parameters.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, part) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{part:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// `plain` as gzip, or `None` when that would not make it smaller or cannot be done.
pub(crate) async fn gzip(plain: &Bytes) -> Option<Bytes> {
    let packed = if plain.len() > ELSEWHERE {
        let plain = plain.clone();
        tokio::task::spawn_blocking(move || pack(&plain)).await.ok()?
    } else {
        pack(plain)
    };
    packed.filter(|packed| packed.len() < plain.len()).map(Bytes::from)
}

fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    // The fastest level: JSON with repeated keys shrinks to a fifth even so, and the next levels
    // buy a few percent for twice the time.
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

/// What is in `packed`, if that is not more than `limit` bytes.
///
/// # Errors
/// [`Error::BodyTooLarge`], or [`Error::Malformed`] if it is not one whole gzip member.
pub(crate) async fn gunzip(packed: Zeroizing<Vec<u8>>, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    if packed.len() <= HEAVY {
        match unpack(&packed, limit.min(HEAVY)) {
            // It takes few bytes to make much work.
            Err(Error::BodyTooLarge { .. }) if limit > HEAVY => {}
            unpacked => return unpacked,
        }
    }
    away(move || unpack(&packed, limit)).await?
}

fn unpack(packed: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    let malformed = || Error::Malformed("The request body is not valid gzip".to_owned());
    // One member only: no client sends more, and thousands of empty ones are work for nothing.
    let mut decoder = GzDecoder::new(packed);
    let mut plain = Buffer::new(limit);
    let mut chunk = Zeroizing::new([0; 4096]);
    loop {
        match decoder.read(chunk.as_mut_slice()).map_err(|_| malformed())? {
            0 if decoder.get_ref().is_empty() => return Ok(plain.into_bytes()),
            0 => return Err(malformed()),
            length => plain.push(chunk.get(..length).unwrap_or_default())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;

    #[test]
    fn what_was_packed_is_unpacked() {
        let plain = vec![b'a'; 10_000];
        let packed = pack(&plain).unwrap();
        assert_eq!(unpack(&packed, plain.len()).unwrap().as_slice(), plain);
        assert!(matches!(
            unpack(&packed, plain.len() - 1),
            Err(Error::BodyTooLarge { limit: 9_999 })
        ));
    }

    #[test]
    fn what_is_not_one_whole_member_is_refused() {
        let packed = pack(b"hello").unwrap();
        let mut corrupt = packed.clone();
        corrupt[12] ^= 0xff;
        for broken in [
            b"hello".to_vec(),
            packed[..packed.len() - 1].to_vec(),
            packed[..5].to_vec(),
            corrupt,
            [packed.as_slice(), b"x"].concat(),
            [packed.as_slice(), packed.as_slice()].concat(),
        ] {
            let error = unpack(&broken, 100).unwrap_err();
            assert_eq!(error.to_string(), "The request body is not valid gzip");
        }
    }

    #[test]
    fn fuzz_gzip() {
        const LIMIT: usize = 10_000;
        let fuzz = Fuzz::new("gzip").input(pack(b"hello hello hello").unwrap());
        let fuzz = fuzz.input(pack(&vec![b'a'; LIMIT + 1]).unwrap());
        fuzz.words([&b"\x1f\x8b\x08\0"[..], b"\0\0\xff\xff", b"\x03\0"]).run(|bytes| {
            match unpack(bytes, LIMIT) {
                Ok(plain) => {
                    assert!(plain.len() <= LIMIT);
                    (true, plain.len().min(4))
                }
                Err(Error::BodyTooLarge { limit }) => (false, limit),
                // Where in it that was noticed is as much as there is to tell them apart by.
                Err(Error::Malformed(_)) => {
                    let mut decoder = GzDecoder::new(bytes);
                    let mut read = Vec::new();
                    let why = decoder.read_to_end(&mut read).err().map(|error| error.to_string());
                    (false, why.unwrap_or_default().len() * 8 + read.len().min(3))
                }
                Err(other) => panic!("{other}"),
            }
        });
    }

    #[test]
    fn fuzz_accept_encoding() {
        let words = ["gzip", "x-gzip", "identity", "*", ";q=", "0.5", "1.000", "0.001", ", "];
        Fuzz::new("accept-encoding").words(words).run(|bytes| {
            let Ok(value) = HeaderValue::from_bytes(bytes) else { return None };
            let accepted = Accepted::of([&value]);
            let weights = [accepted.gzip, accepted.identity, accepted.any];
            assert!(weights.iter().flatten().all(|weight| *weight <= 1000), "{accepted:?}");
            Some(weights.map(|weight| weight.map(|weight| weight.min(2))))
        });
    }

    fn accepted(value: &str) -> Accepted {
        Accepted::of([&HeaderValue::from_str(value).unwrap()])
    }

    #[test]
    fn gzip_is_chosen_only_when_it_is_admitted() {
        for (value, long, short) in [
            ("gzip", true, false),
            ("gzip, deflate", true, false),
            ("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", true, false),
            ("x-gzip", true, false),
            ("GZIP ; Q=0.5", true, false),
            ("*", true, false),
            ("gzip;q=0, *", false, false),
            ("gzip;q=0.000", false, false),
            ("deflate, br", false, false),
            ("", false, false),
            ("identity", false, false),
            ("gzip;q=0.5, identity", false, false),
            ("gzip, identity;q=0", true, true),
            ("gzip, *;q=0", true, true),
            ("*;q=0", false, false),
            ("identity;q=0", false, false),
            ("gzip;q=2", false, false),
            ("gzip;q=0.1234", false, false),
            ("gzip;q=-1", false, false),
            ("gzip;level=9", false, false),
        ] {
            assert_eq!(accepted(value).wants_gzip(WORTHWHILE), long, "{value} long");
            assert_eq!(accepted(value).wants_gzip(WORTHWHILE - 1), short, "{value} short");
            assert!(!accepted(value).wants_gzip(0), "{value} empty");
        }
    }

    #[test]
    fn several_header_lines_count_as_one_list() {
        let lines = ["br", "gzip"].map(HeaderValue::from_static);
        assert!(Accepted::of(&lines).wants_gzip(WORTHWHILE));
    }
}
