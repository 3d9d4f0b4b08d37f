//! The messages of PostgreSQL's protocol, version 3, that this crate sends and reads.

use crate::store::Param;
use bytes::{Buf as _, Bytes, BytesMut};
use std::io::{self, Error, ErrorKind};

/// The most that one message may hold: above any row that is kept here.
const LONGEST: usize = 1 << 28;

/// What the first byte of a message from the server says.
pub(super) mod tag {
    pub(in super::super) const AUTHENTICATION: u8 = b'R';
    pub(in super::super) const COMPLETE: u8 = b'C';
    pub(in super::super) const COLUMNS: u8 = b'T';
    pub(in super::super) const EMPTY: u8 = b'I';
    pub(in super::super) const ERROR: u8 = b'E';
    pub(in super::super) const NOTICE: u8 = b'N';
    pub(in super::super) const NOTIFICATION: u8 = b'A';
    pub(in super::super) const PARSED: u8 = b'1';
    pub(in super::super) const READY: u8 = b'Z';
    pub(in super::super) const ROW: u8 = b'D';
    pub(in super::super) const SETTING: u8 = b'S';
}

/// A message from the server.
pub(super) struct Message {
    pub(super) tag: u8,
    pub(super) body: Bytes,
}

/// The first message in `bytes`, if all of it is there.
pub(super) fn next(bytes: &mut BytesMut) -> io::Result<Option<Message>> {
    let Some((head, _)) = bytes.split_first_chunk::<5>() else { return Ok(None) };
    let [tag, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    if !(4..=LONGEST).contains(&length) {
        return Err(malformed());
    }
    if bytes.len() <= length {
        bytes.reserve(length + 1 - bytes.len());
        return Ok(None);
    }
    let mut body = bytes.split_to(length + 1);
    body.advance(5);
    Ok(Some(Message { tag, body: body.freeze() }))
}

/// What it means when the server says something that cannot be.
pub(super) fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "the answer of the database cannot be read")
}

/// Reads what is in a message, bit by bit.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn bytes(&mut self, count: usize) -> io::Result<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| malformed())
    }

    pub(super) fn short(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A text with a zero after it.
    pub(super) fn text(&mut self) -> io::Result<&'b str> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        std::str::from_utf8(text).map_err(|_| malformed())
    }
}

/// A column of a result.
#[derive(Debug)]
pub(super) struct ColumnOf {
    pub(super) name: Box<str>,
    pub(super) oid: u32,
}

/// The columns that a message tells of.
pub(super) fn columns(body: &[u8]) -> io::Result<Vec<ColumnOf>> {
    let mut body = Reader(body);
    (0..body.short()?)
        .map(|_| {
            let name = body.text()?.into();
            body.bytes(6)?; // the table and the place in it
            let oid = body.long()?;
            body.bytes(8)?; // size, modifier and form
            Ok(ColumnOf { name, oid })
        })
        .collect()
}

/// How many rows a statement touched.
pub(super) fn touched(body: &[u8]) -> u64 {
    let words = Reader(body).text().unwrap_or_default();
    words.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// What the server says went wrong. Its details are left out: they repeat what was to be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    /// `SQLSTATE`
    pub(super) code: String,
    pub(super) message: String,
    pub(super) constraint: Option<String>,
}

/// What a message of an error says.
pub(super) fn refusal(body: &[u8]) -> io::Result<Refusal> {
    let (mut body, mut refusal) = (Reader(body), Refusal::default());
    loop {
        match body.bytes(1)? {
            [0] => return Ok(refusal),
            [b'C'] => refusal.code = body.text()?.into(),
            [b'M'] => refusal.message = body.text()?.into(),
            [b'n'] => refusal.constraint = Some(body.text()?.into()),
            _ => drop(body.text()?),
        }
    }
}

/// Whether a notice is a warning.
pub(super) fn warns(body: &[u8]) -> bool {
    body.split(|byte| *byte == 0).any(|field| field == b"VWARNING")
}

/// Adds a message of this kind with what `body` adds.
pub(super) fn message(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    sized(out, true, body);
}

/// Adds a length that counts itself if it is to, and what `body` adds.
fn sized(out: &mut Vec<u8>, with_itself: bool, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out);
    let from = if with_itself { start } else { start + 4 };
    let length = u32::try_from(out.len() - from).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

/// Asks for TLS.
pub(super) fn ask_for_tls() -> [u8; 8] {
    let mut message = [0, 0, 0, 8, 0, 0, 0, 0];
    message[4..].copy_from_slice(&80_877_103_u32.to_be_bytes());
    message
}

/// Says who wants to use which database.
pub(super) fn startup(out: &mut Vec<u8>, user: &str, database: &str) {
    sized(out, true, |out| {
        out.extend_from_slice(&(3_u32 << 16).to_be_bytes());
        for (name, value) in [
            ("user", user),
            ("database", database),
            ("application_name", "guestlist"),
            ("client_encoding", "UTF8"),
        ] {
            text(out, name);
            text(out, value);
        }
        out.push(0);
    });
}

/// A password, in the form that was asked for.
pub(super) fn password(out: &mut Vec<u8>, password: &str) {
    message(out, b'p', |out| text(out, password));
}

/// The first message of a SASL mechanism.
pub(super) fn sasl_first(out: &mut Vec<u8>, mechanism: &str, data: &str) {
    message(out, b'p', |out| {
        text(out, mechanism);
        sized(out, false, |out| out.extend_from_slice(data.as_bytes()));
    });
}

/// The second.
pub(super) fn sasl_next(out: &mut Vec<u8>, data: &str) {
    message(out, b'p', |out| out.extend_from_slice(data.as_bytes()));
}

/// Runs `sql`, which may be several statements, and has no parameters.
pub(super) fn simple(out: &mut Vec<u8>, sql: &str) {
    message(out, b'Q', |out| text(out, sql));
}

/// Prepares `sql` under `name` for parameters like `params`, and asks for its columns.
pub(super) fn prepare(out: &mut Vec<u8>, name: u32, sql: &str, params: &[&dyn Param]) {
    message(out, b'P', |out| {
        text(out, &format!("s{name}"));
        text(out, sql);
        count(out, params.len());
        for param in params {
            out.extend_from_slice(&param.kind().oid().to_be_bytes());
        }
    });
    message(out, b'D', |out| {
        out.push(b'S');
        text(out, &format!("s{name}"));
    });
}

/// The parameters as they are sent.
pub(super) fn encode(params: &[&dyn Param]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    count(&mut out, params.len());
    for param in params {
        let start = out.len();
        let mut there = false;
        sized(&mut out, false, |out| there = param.put(out));
        if !there && let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&(-1_i32).to_be_bytes());
        }
    }
    out
}

/// Runs the statement `name` with parameters as [`encode`] gives them. All is binary, both ways.
pub(super) fn run(out: &mut Vec<u8>, name: u32, params: &[u8]) {
    message(out, b'B', |out| {
        out.push(0);
        text(out, &format!("s{name}"));
        out.extend_from_slice(&[0, 1, 0, 1]);
        out.extend_from_slice(params);
        out.extend_from_slice(&[0, 1, 0, 1]);
    });
    message(out, b'E', |out| out.extend_from_slice(&[0; 5]));
}

/// Forgets the statement `name`.
pub(super) fn forget(out: &mut Vec<u8>, name: u32) {
    message(out, b'C', |out| {
        out.push(b'S');
        text(out, &format!("s{name}"));
    });
}

/// Asks for the answers so far.
pub(super) fn flush(out: &mut Vec<u8>) {
    message(out, b'H', |_| {});
}

/// Ends what belongs together: a transaction that was not begun is kept, and after an error
/// statements are run again.
pub(super) fn sync(out: &mut Vec<u8>) {
    message(out, b'S', |_| {});
}

/// Says goodbye.
pub(super) fn goodbye(out: &mut Vec<u8>) {
    message(out, b'X', |_| {});
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_when_all_of_them_is_there() {
        let mut bytes = BytesMut::from(&b"C\0\0\0\x0dUPDATE 7\0Z"[..]);
        let message = next(&mut bytes).unwrap().unwrap();
        assert_eq!((message.tag, touched(&message.body)), (tag::COMPLETE, 7));
        assert!(next(&mut bytes).unwrap().is_none());
        bytes.extend_from_slice(&[0, 0, 0, 5]);
        assert!(next(&mut bytes).unwrap().is_none());
        bytes.extend_from_slice(b"I");
        assert_eq!(&*next(&mut bytes).unwrap().unwrap().body, b"I");
        assert!(next(&mut BytesMut::from(&b"Z\0\0\0\x01...."[..])).is_err());
        assert!(next(&mut BytesMut::from(&b"Z\xff\0\0\0...."[..])).is_err());
    }

    #[test]
    fn nothing_is_told_from_an_empty_text() {
        let params: [&dyn Param; 3] = [&None::<String>, &"", &true];
        assert_eq!(encode(&params), b"\0\x03\xff\xff\xff\xff\0\0\0\0\0\0\0\x01\x01");
    }

    #[test]
    fn an_error_is_read_without_its_details() {
        let body = b"SERROR\0C23505\0Mduplicate\0DKey (a)=(secret)\0nusers_key\0\0";
        let refusal = refusal(body).unwrap();
        assert_eq!((&*refusal.code, &*refusal.message), ("23505", "duplicate"));
        assert_eq!(refusal.constraint.as_deref(), Some("users_key"));
        assert!(super::refusal(b"C23505").is_err());
    }
}
