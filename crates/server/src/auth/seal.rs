//! What the server gives out and is given back: sealed, so that it knows its own again.

use crate::error::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// How much of a code is written: nobody guesses 16 bytes.
const CODE: usize = 16;

/// Seals bytes as text that fits into a URL. It proves where they come from and hides nothing.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl Seal {
    /// The seal for `purpose`, from the secret of the server. None fits another purpose.
    ///
    /// # Errors
    /// Never: HMAC takes keys of any length.
    pub fn new(secret: &[u8], purpose: &str) -> Result<Self> {
        let keyed = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal);
        let mut derived = keyed(secret)?;
        derived.update(purpose.as_bytes());
        keyed(&derived.finalize().into_bytes()).map(Self)
    }

    /// A key for `bytes`, which nobody tells without the secret.
    #[must_use]
    pub(crate) fn derive(&self, bytes: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.clone().chain_update(bytes).finalize().into_bytes().into())
    }

    /// `bytes` as text.
    #[must_use]
    pub fn close(&self, mut bytes: Vec<u8>) -> String {
        let code = self.0.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend(code.iter().take(CODE));
        BASE64.encode(bytes)
    }

    /// The bytes that became `text` here; `None` when they did not.
    #[must_use]
    pub fn open(&self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = BASE64.decode(text).ok()?;
        let code = bytes.split_off(bytes.len().checked_sub(CODE)?);
        // It takes as long for a code that is nearly right.
        self.0.clone().chain_update(&bytes).verify_truncated_left(&code).ok()?;
        Some(bytes)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seal(secret: &[u8], purpose: &str) -> Seal {
        Seal::new(secret, purpose).unwrap()
    }

    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    proptest! {
        #[test]
        fn it_knows_its_own_and_nothing_else(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            at in any::<prop::sample::Index>(),
            bit in 0..6_u8,
        ) {
            let own = seal(b"secret", "a");
            let text = own.close(bytes.clone());
            prop_assert_eq!(own.open(&text), Some(bytes));
            prop_assert_eq!(seal(b"secret", "b").open(&text), None);
            prop_assert_eq!(seal(b"Secret", "a").open(&text), None);
            let at = at.index(text.len());
            let mut changed = text.clone().into_bytes();
            let digit = DIGITS.iter().position(|digit| *digit == changed[at]).unwrap();
            changed[at] = DIGITS[digit ^ (1 << bit)];
            prop_assert_eq!(own.open(&String::from_utf8(changed).unwrap()), None);
            prop_assert_eq!(own.open(&text[..at]), None);
            prop_assert_eq!(own.open(&format!("{text}A")), None);
        }

        #[test]
        fn no_text_upsets_it(text in ".{0,60}|[A-Za-z0-9_-]{0,60}") {
            prop_assert_eq!(seal(b"secret", "a").open(&text), None);
        }
    }
}
