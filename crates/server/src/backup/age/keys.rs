//! Whom a file is encrypted to, and who reads it.

use super::{FileKey, derive, invalid};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// What a recipient begins with, and a secret key.
const RECIPIENT: &str = "age";
const SECRET: &str = "age-secret-key-";

const INFO: &[u8] = b"age-encryption.org/v1/X25519";

/// The longest file of identities, in bytes.
const MOST: u64 = 1 << 20;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is no recipient.
    #[error("{0:?} is no recipient of age: one begins with age1, and `age-keygen` prints it")]
    NoRecipient(String),
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no key in the file, or something else is. What is in it is not said.
    #[error("{} is no file of identities as `age-keygen` writes it: line {line}", path.display())]
    NoIdentity {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
}

/// The 32 bytes that `text` says, if it begins with `prefix`.
fn decode(text: &str, prefix: &str) -> Option<Zeroizing<[u8; 32]>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    if checked.hrp() != Hrp::parse(prefix).ok()? {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    let mut bytes = checked.byte_iter();
    for place in key.iter_mut() {
        *place = bytes.next()?;
    }
    bytes.next().is_none().then_some(key)
}

/// Somebody whom files are encrypted to.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    text: String,
    key: [u8; 32],
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = decode(text, RECIPIENT).filter(|_| text.starts_with("age1"));
        let key = key.ok_or_else(|| KeyError::NoRecipient(text.to_owned()))?;
        Ok(Self { text: text.to_owned(), key: *key })
    }
}

/// A key of a file, wrapped for somebody: the share of who wrapped it, and the body.
pub(super) struct Wrapped {
    pub(super) share: [u8; 32],
    pub(super) body: [u8; 32],
}

/// What wraps a key, of the `share` of who did and the key of the recipient.
fn wrapping(secret: &[u8], share: &[u8], recipient: &[u8]) -> io::Result<LessSafeKey> {
    let key = derive(secret, &[share, recipient].concat(), INFO)?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_ref());
    key.map(LessSafeKey::new).map_err(|_| io::Error::other("a key cannot be made"))
}

/// Each key seals one text and no more.
fn once() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl Recipient {
    /// `key` as this recipient alone can read it.
    pub(super) fn wrap(&self, key: &FileKey) -> io::Result<Wrapped> {
        let failed = || io::Error::other("nothing can be agreed on with a recipient");
        let ours = PrivateKey::generate(&X25519).map_err(|_| failed())?;
        let share: [u8; 32] = ours
            .compute_public_key()
            .ok()
            .and_then(|share| share.as_ref().try_into().ok())
            .ok_or_else(failed)?;
        let theirs = UnparsedPublicKey::new(&X25519, self.key);
        let wrapping =
            agree(&ours, theirs, failed(), |secret| wrapping(secret, &share, &self.key))?;
        let mut body = key.to_vec();
        wrapping.seal_in_place_append_tag(once(), Aad::empty(), &mut body).map_err(|_| failed())?;
        Ok(Wrapped { share, body: body.try_into().map_err(|_| failed())? })
    }
}

/// Somebody who reads what was encrypted to them.
pub struct Identity {
    key: PrivateKey,
    /// What is a recipient of theirs.
    public: [u8; 32],
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    fn parse(text: &str) -> Option<Self> {
        let secret = decode(text, SECRET)?;
        let key = PrivateKey::from_private_key(&X25519, secret.as_ref()).ok()?;
        let public = key.compute_public_key().ok()?.as_ref().try_into().ok()?;
        Some(Self { key, public })
    }

    /// The key that is in `wrapped`, if it is for this one.
    pub(super) fn unwrap(&self, wrapped: &Wrapped) -> Option<FileKey> {
        let theirs = UnparsedPublicKey::new(&X25519, wrapped.share);
        let other = invalid("it is for somebody else");
        let wrapping = agree(&self.key, theirs, other, |secret| {
            wrapping(secret, &wrapped.share, &self.public)
        });
        let mut body = Zeroizing::new(wrapped.body);
        let opened = wrapping.ok()?.open_in_place(once(), Aad::empty(), body.as_mut()).ok()?;
        Some(Zeroizing::new((&*opened).try_into().ok()?))
    }
}

/// The identities in the file at `path`, as `age-keygen` writes it: one a line, and comments.
///
/// # Errors
/// When it cannot be read, or has anything else in it, or none.
pub fn read_identities(path: &Path) -> Result<Vec<Identity>, KeyError> {
    let file = |source| KeyError::File { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(file)?.len() > MOST {
        return Err(KeyError::NoIdentity { path: path.to_owned(), line: 1 });
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(file)?);
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            let none = || KeyError::NoIdentity { path: path.to_owned(), line: number };
            found.push(Identity::parse(line).ok_or_else(none)?);
        }
    }
    if found.is_empty() {
        return Err(KeyError::NoIdentity { path: path.to_owned(), line: 1 });
    }
    Ok(found)
}
