//! Encryption to those who may read a backup, in the format of age (<https://age-encryption.org/v1>), so that the
//! `age` command reads and writes the same. Of its kinds of recipients it has X25519, the usual one.
//!
//! The primitives are those of `aws-lc-rs`, which TLS has anyway. A file has a key of its own, which the header has
//! for each recipient, wrapped by what an ephemeral key and theirs agree on; what follows is sealed by it in chunks
//! of 64 KiB, the last of which says that it is.

mod header;
mod keys;
mod stream;

pub use keys::{Identity, KeyError, Recipient, read_identities};
pub(super) use stream::{Decrypt, Encrypt};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use std::io;
use zeroize::Zeroizing;

/// The key of one file.
pub(super) type FileKey = Zeroizing<[u8; 16]>;

/// A key of 32 bytes, as HKDF is asked for one.
struct Long;

impl KeyType for Long {
    fn len(&self) -> usize {
        32
    }
}

/// 32 bytes made of `secret` for `info`, by HKDF of SHA-256.
fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> io::Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let derived = Salt::new(HKDF_SHA256, salt).extract(secret);
    let derived = derived.expand(&[info], Long).and_then(|derived| derived.fill(key.as_mut()));
    derived.map_err(|_| io::Error::other("a key cannot be derived"))?;
    Ok(key)
}

/// That a file is not what it should be.
fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// What a file is opened with.
#[derive(Clone)]
pub(super) enum Opener {
    /// Its own key, by whoever has just made it.
    Key(FileKey),
    /// The identities of somebody, of which one has to be a recipient.
    Identities(std::sync::Arc<[Identity]>),
}
