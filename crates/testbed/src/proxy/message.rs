//! The messages of PostgreSQL's protocol, as far as finding their ends goes.

use std::io::{self, BufRead, Write};

/// What asks for TLS, and for GSSAPI, before anything else.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// Far longer than any of ours.
const LONGEST: usize = 1 << 28;

/// One message after the first of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// The next one; none at the end.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(&kind) = from.fill_buf()?.first() else { return Ok(None) };
        from.consume(1);
        Ok(Some(Self { kind, body: body(from)? }))
    }

    /// What a server says that is told to end.
    pub(super) fn end_of_server() -> Self {
        let body = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0";
        Self { kind: b'E', body: body.to_vec() }
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.push(self.kind);
        write_body(&self.body, to);
    }

    /// The `index`th of the strings that it begins with.
    pub(super) fn text(&self, index: usize) -> &[u8] {
        self.body.split(|byte| *byte == 0).nth(index).unwrap_or_default()
    }
}

/// Reads what a client says first, which has no kind, into `bytes`, and says no to encryption.
pub(super) fn refuse_encryption(
    from: &mut impl BufRead,
    mut to: impl Write,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        let first = body(from)?;
        let code = first.first_chunk().map(|code| u32::from_be_bytes(*code));
        if code.is_some_and(|code| ENCRYPTION.contains(&code)) {
            to.write_all(b"N")?;
            continue;
        }
        write_body(&first, bytes);
        return Ok(());
    }
}

fn body(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    // It counts itself.
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let length = length.checked_sub(4).filter(|length| *length < LONGEST);
    let mut body = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
    from.read_exact(&mut body)?;
    Ok(body)
}

fn write_body(body: &[u8], to: &mut Vec<u8>) {
    // No longer than what was read.
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    to.extend(length.to_be_bytes());
    to.extend(body);
}
