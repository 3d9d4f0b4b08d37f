//! The secret of a link: 256 bits, of which only the digest is stored.

use crate::auth::seal::Seal;
use crate::clock::random;
use crate::error::Result;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// What the secrets of links are made with.
pub(crate) const PURPOSE: &str = "secrets of links";

/// The secret of a link, as its owner is given it.
pub(crate) struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a secret is made of, beside that of the store: neither tells it without the other.
pub(crate) fn new_seed() -> Result<Vec<u8>> {
    Ok(random::<32>()?.to_vec())
}

impl Secret {
    /// The secret that is made of `seed`.
    pub(crate) fn of(seal: &Seal, seed: &[u8]) -> Self {
        Self(Zeroizing::new(BASE64.encode(seal.derive(seed).as_slice())))
    }

    /// It, as it stands in a URL.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub(crate) fn digest(&self) -> Vec<u8> {
        digest(&self.0)
    }
}

/// What would be stored of a secret that somebody shows.
pub(crate) fn digest(shown: &str) -> Vec<u8> {
    Sha256::digest(shown).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_needs_its_seed_and_that_of_the_store() {
        let seal = |secret: &[u8]| Seal::new(secret, PURPOSE).unwrap();
        let (one, other) = (new_seed().unwrap(), new_seed().unwrap());
        let secret = Secret::of(&seal(b"s"), &one);
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(secret.expose(), Secret::of(&seal(b"s"), &one).expose());
        assert_eq!(secret.digest(), digest(secret.expose()));
        for another in [Secret::of(&seal(b"s"), &other), Secret::of(&seal(b"t"), &one)] {
            assert_ne!(secret.expose(), another.expose());
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
