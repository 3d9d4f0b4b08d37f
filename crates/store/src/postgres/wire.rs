//! What this crate sends to PostgreSQL and reads of its answers, in the terms of the store. The
//! messages themselves are those of `postgres-protocol`.

use crate::value::Param;
use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::{
    ErrorFields, Header, Message, NoticeResponseBody, RowDescriptionBody,
};
use postgres_protocol::message::frontend::{self, BindError};
use std::io::{self, Error, ErrorKind};

/// The most that one message may hold: above any row that is kept here. Whatever else answers on
/// the port must not make us wait for gigabytes.
const LONGEST: i32 = 1 << 28;

/// All is binary, both ways.
const BINARY: [i16; 1] = [1];

/// The first message in `bytes`, if all of it is there.
pub(super) fn next(bytes: &mut BytesMut) -> io::Result<Option<Message>> {
    if Header::parse(bytes)?.is_some_and(|header| header.len() > LONGEST) {
        return Err(malformed());
    }
    Message::parse(bytes)
}

/// What it means when the server says something that cannot be.
pub(super) fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "the answer of the database cannot be read")
}

/// A column of a result.
#[derive(Debug)]
pub(super) struct ColumnOf {
    pub(super) name: Box<str>,
    pub(super) oid: u32,
}

/// The columns that a message tells of.
pub(super) fn columns(body: &RowDescriptionBody) -> io::Result<Vec<ColumnOf>> {
    body.fields()
        .map(|field| Ok(ColumnOf { name: field.name().into(), oid: field.type_oid() }))
        .collect()
}

/// How many rows a statement touched, which is the last of the `words` it is answered with.
pub(super) fn touched(words: &str) -> u64 {
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
pub(super) fn refusal(mut fields: ErrorFields<'_>) -> io::Result<Refusal> {
    let mut refusal = Refusal::default();
    while let Some(field) = fields.next()? {
        let text = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => refusal.code = text(),
            b'M' => refusal.message = text(),
            b'n' => refusal.constraint = Some(text()),
            _ => {}
        }
    }
    Ok(refusal)
}

/// Whether a notice is a warning.
pub(super) fn warns(notice: &NoticeResponseBody) -> bool {
    let severity = |field: &postgres_protocol::message::backend::ErrorField<'_>| {
        Ok(field.type_() == b'V' && field.value_bytes() == b"WARNING")
    };
    notice.fields().any(|field| severity(&field)).unwrap_or(true)
}

/// How the statement `name` is called.
fn called(name: u32) -> String {
    format!("s{name}")
}

/// Prepares `sql` under `name` for parameters like `params`, and asks for its columns.
pub(super) fn prepare(
    out: &mut BytesMut,
    name: u32,
    sql: &str,
    params: &[&dyn Param],
) -> io::Result<()> {
    let (name, types) = (called(name), params.iter().map(|param| param.value_type().oid()));
    frontend::parse(&name, sql, types, out)?;
    frontend::describe(b'S', &name, out)
}

/// What runs the statement `name` with `params`: no other statement and no other values give the
/// same bytes.
pub(super) fn run(name: u32, params: &[&dyn Param]) -> io::Result<BytesMut> {
    let mut out = BytesMut::with_capacity(128);
    let put = |param: &&dyn Param, out: &mut BytesMut| {
        Ok(if param.put(out) { IsNull::No } else { IsNull::Yes })
    };
    frontend::bind("", &called(name), BINARY, params, put, BINARY, &mut out).map_err(|error| {
        match error {
            BindError::Conversion(error) => Error::other(error),
            BindError::Serialization(error) => error,
        }
    })?;
    frontend::execute("", 0, &mut out)?;
    Ok(out)
}

/// Forgets the statement `name`.
pub(super) fn forget(out: &mut BytesMut, name: u32) -> io::Result<()> {
    frontend::close(b'S', &called(name), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_answer_is_refused_before_all_of_it_is_there() {
        assert!(next(&mut BytesMut::from(&b"HTTP/1.1 400 Bad Request"[..])).is_err());
        assert!(next(&mut BytesMut::from(&b"Z\0\0\0\x01...."[..])).is_err());
        assert!(next(&mut BytesMut::from(&b"Z\xff\0\0\0...."[..])).is_err());
        assert!(next(&mut BytesMut::from(&b"Z\0\0\0"[..])).unwrap().is_none());
    }

    #[test]
    fn nothing_is_told_from_an_empty_text() {
        let bound = |param: &dyn Param| run(7, &[param]).unwrap();
        assert_ne!(bound(&None::<String>), bound(&""));
        assert_eq!(bound(&None::<String>), bound(&None::<i64>));
        assert_ne!(run(7, &[&true]).unwrap(), run(8, &[&true]).unwrap());
    }

    #[test]
    fn an_error_is_read_without_its_details() {
        let said = b"E\0\0\0\x3bSERROR\0C23505\0Mduplicate\0DKey (a)=(secret)\0nusers_key\0\0";
        let Some(Message::ErrorResponse(body)) = next(&mut BytesMut::from(&said[..])).unwrap()
        else {
            panic!("another message")
        };
        let refusal = refusal(body.fields()).unwrap();
        assert_eq!((&*refusal.code, &*refusal.message), ("23505", "duplicate"));
        assert_eq!(refusal.constraint.as_deref(), Some("users_key"));
    }

    #[test]
    fn rows_that_were_touched_are_counted() {
        assert_eq!((touched("UPDATE 7"), touched("INSERT 0 3"), touched("COMMIT")), (7, 3, 0));
    }
}
