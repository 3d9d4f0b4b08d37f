//! The head of a file: for whom it is, and a code that nobody makes who has not its key.

use super::keys::{Recipient, Wrapped};
use super::{FileKey, Opener, derive, invalid};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt::Write as _;
use std::io::{self, BufRead};

const VERSION: &str = "age-encryption.org/v1\n";
/// What a recipient begins with, and the end.
const STANZA: &str = "-> ";
const END: &str = "---";

/// The most bytes of a head: thousands of recipients.
const MOST: usize = 1 << 20;

fn code(key: &FileKey, head: &[u8]) -> io::Result<Hmac<Sha256>> {
    let key = derive(key.as_ref(), &[], b"header")?;
    let code = Hmac::<Sha256>::new_from_slice(key.as_ref()).map_err(io::Error::other)?;
    Ok(code.chain_update(head))
}

/// The head of a file with `key`, which `recipients` can read.
pub(super) fn write(key: &FileKey, recipients: &[Recipient]) -> io::Result<Vec<u8>> {
    let mut head = VERSION.to_owned();
    for recipient in recipients {
        let Wrapped { share, body } = recipient.wrap(key)?;
        // Writing into a text does not fail.
        let _ = write!(head, "{STANZA}X25519 {}\n{}\n", BASE64.encode(share), BASE64.encode(body));
    }
    head.push_str(END);
    let code = code(key, head.as_bytes())?.finalize().into_bytes();
    let _ = writeln!(head, " {}", BASE64.encode(code));
    Ok(head.into_bytes())
}

/// The next line of a head, with its end, of which so many bytes may still come.
fn line(from: &mut impl BufRead, room: &mut usize) -> io::Result<String> {
    let mut line = Vec::new();
    let most = u64::try_from(*room).unwrap_or_default();
    io::Read::take(&mut *from, most).read_until(b'\n', &mut line)?;
    *room -= line.len();
    if line.last() != Some(&b'\n') {
        return Err(invalid("its head has no end"));
    }
    String::from_utf8(line).map_err(|_| invalid("its head is no text"))
}

fn decode(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// Reads the head of a file, and gives its key if `opener` has it.
pub(super) fn read(from: &mut impl BufRead, opener: &Opener) -> io::Result<FileKey> {
    let mut room = MOST;
    let mut head = line(from, &mut room)?;
    if head != VERSION {
        return Err(invalid("it is no file of age"));
    }
    let mut wrapped = Vec::new();
    let mut next = line(from, &mut room)?;
    while let Some(stanza) = next.strip_prefix(STANZA) {
        let share = stanza.trim_end().strip_prefix("X25519 ").and_then(decode);
        head.push_str(&next);
        let mut body = String::new();
        // Lines are full but for the last, which may be empty.
        loop {
            let part = line(from, &mut room)?;
            head.push_str(&part);
            let part = part.trim_end_matches('\n');
            body.push_str(part);
            if part.len() < 64 {
                break;
            }
        }
        // There may be recipients of other kinds.
        if let (Some(share), Some(body)) = (share, decode(&body)) {
            wrapped.push(Wrapped { share, body });
        }
        next = line(from, &mut room)?;
    }
    let said = next.strip_prefix(END).and_then(|rest| decode(rest.trim()));
    let said = said.ok_or_else(|| invalid("its head has no code"))?;
    head.push_str(END);
    let key = match opener {
        Opener::Key(key) => Some(key.clone()),
        Opener::Identities(identities) => wrapped
            .iter()
            .find_map(|wrapped| identities.iter().find_map(|identity| identity.unwrap(wrapped))),
    };
    let key = key.ok_or_else(|| {
        io::Error::new(io::ErrorKind::PermissionDenied, "it is encrypted to somebody else")
    })?;
    code(&key, head.as_bytes())?
        .verify_slice(&said)
        .map_err(|_| invalid("its head is not as it was written"))?;
    Ok(key)
}
