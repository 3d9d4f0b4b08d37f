//! Tokens: JSON Web Tokens that this server signs, and only it.
//!
//! A signature says that a token was made here, and nothing more: whoever takes one looks its
//! record up by its id, which tells what it may do and whether it still may.

use super::verified_tokens::VerifiedTokens;
use crate::clock::random;
use crate::error::{Error, Result};
use guestlist_api::id::{ApiTokenId, ExperienceUserId};
use guestlist_api::scope::Scopes;
use guestlist_api::time::DateTime;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

/// The longest token that is looked at: one with every scope there is takes a third of it.
const LONGEST: usize = 64 * 1024;
/// How many verified tokens are remembered, at about 100 bytes each.
const REMEMBERED: usize = 10_000;
/// What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Bytes that nobody may see. Their memory is overwritten when they go.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// `bytes`, which nobody may see.
    #[must_use]
    pub const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

/// A signed token: whoever has it is its owner. Its memory is overwritten when it goes.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The token, for its owner alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// What the bearer of a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Subtype {
    /// A program, with an API token.
    ApiToken,
    /// An administrator who signed in.
    User,
}

/// What a token says.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    /// The public host of this server, where the platform's command line looks for its API.
    pub issuer: &'a str,
    /// The record of the token.
    pub id: ApiTokenId,
    /// What its bearer is.
    pub subtype: Subtype,
    /// What it may do.
    pub scope: &'a Scopes,
    /// Since when, kept to the second.
    pub issued: DateTime,
    /// Until when, kept to the second after; `None` is for ever.
    pub expires: Option<DateTime>,
}

/// [`Claims`] as they are written, always in this order.
#[derive(Serialize)]
struct Written<'a> {
    iss: &'a str,
    sub: ApiTokenId,
    subtype: Subtype,
    scope: &'a Scopes,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// What is read of them again.
#[derive(Deserialize)]
struct Read {
    sub: ApiTokenId,
    iat: i64,
    exp: Option<i64>,
}

/// A token of this server's making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Its record.
    pub id: ApiTokenId,
    /// Since when.
    pub issued: DateTime,
    /// Until when; `None` is for ever.
    pub expires: Option<DateTime>,
}

/// Signs tokens and knows its own again. Clones share what they remember.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    /// Those whose tokens are good, the newest first. There is one at least.
    keys: RwLock<Vec<Key>>,
    validation: Validation,
    verified: VerifiedTokens<Verified>,
}

/// A key, as it is stored.
pub(crate) struct StoredKey {
    /// Since when it signs.
    pub(crate) since: DateTime,
    /// The key itself.
    pub(crate) secret: SecretBytes,
}

/// A key, and since when it signs.
pub(super) struct Key {
    since: DateTime,
    pub(super) private: EncodingKey,
    pub(super) public: DecodingKey,
    pub(super) header: Header,
}

impl Key {
    pub(super) fn new(since: DateTime, key: &[u8]) -> Result<Self> {
        if key.len() != 32 {
            return Err(Error::internal("a stored signing key is not 32 bytes long"));
        }
        let private = EncodingKey::from_ed_der(&Zeroizing::new([&PKCS8, key].concat()));
        let described =
            Jwk::from_encoding_key(&private, Algorithm::EdDSA).map_err(Error::internal)?;
        let AlgorithmParameters::OctetKeyPair(pair) = &described.algorithm else {
            return Err(Error::internal("a stored signing key is not an Ed25519 key"));
        };
        let public = DecodingKey::from_ed_components(&pair.x).map_err(Error::internal)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(described.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)?);
        Ok(Self { since, private, public, header })
    }
}

/// The key that signed at `now`, or the oldest where the one that did is not known any more.
fn signing(keys: &[Key], now: DateTime) -> Result<&Key> {
    let key = keys.iter().find(|key| key.since <= now).or(keys.last());
    key.ok_or_else(|| Error::internal("there is no signing key"))
}

impl Signer {
    /// A signer with a new key, and the key, to be stored.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate() -> Result<(Self, SecretBytes)> {
        let key = Zeroizing::new(random::<32>()?);
        Ok((Self::from_stored(&key[..])?, SecretBytes(Zeroizing::new(key.to_vec()))))
    }

    /// The signer with the key that [`Signer::generate`] gave, and no other.
    ///
    /// # Errors
    /// [`Error::Internal`] when `key` is none.
    pub fn from_stored(key: &[u8]) -> Result<Self> {
        Ok(Self::with(vec![Key::new(DateTime::from_millis(0), key)?]))
    }

    /// The signer with `keys`, the newest first.
    ///
    /// # Errors
    /// [`Error::Internal`] when one of them is no key, or there is none.
    pub(crate) fn of(keys: &[StoredKey]) -> Result<Self> {
        read(keys).map(Self::with)
    }

    fn with(keys: Vec<Key>) -> Self {
        // The one algorithm, whatever a token says of itself. Neither the issuer nor the time is
        // looked at here: the keys are this store's own, while the name of its host may change; and
        // the time is the caller's.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let verified = VerifiedTokens::new(REMEMBERED);
        Self(Arc::new(Inner { keys: RwLock::new(keys), validation, verified }))
    }

    /// Takes `keys`, the newest first, in place of those that there are. Tokens of one that is not
    /// among them are refused from now on.
    ///
    /// # Errors
    /// As [`Signer::of`]; then nothing changes.
    pub(crate) fn replace(&self, keys: &[StoredKey]) -> Result<()> {
        let new = read(keys)?;
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        let kid = |key: &Key| key.header.kid.clone();
        if !keys.iter().map(kid).eq(new.iter().map(kid)) {
            *keys = new;
            // Nobody puts anything in meanwhile: that is done with the keys in hand.
            self.0.verified.clear();
        }
        Ok(())
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of its keys, the newest first.
    pub(crate) fn kids(&self) -> Vec<String> {
        self.keys().iter().filter_map(|key| key.header.kid.clone()).collect()
    }

    /// The token that says `claims`, by the key that signs at `now`: always the same for the same, so
    /// that a request which is repeated can be answered alike with no token kept.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be signed.
    pub fn mint(&self, claims: &Claims<'_>, now: DateTime) -> Result<Token> {
        let written = Written {
            iss: claims.issuer,
            sub: claims.id,
            subtype: claims.subtype,
            scope: claims.scope,
            iat: claims.issued.millis().div_euclid(1000),
            // Rounded up: the record, which knows the millisecond, decides first.
            exp: claims.expires.map(|at| at.plus_millis(999).millis().div_euclid(1000)),
        };
        let keys = self.keys();
        let key = signing(&keys, now)?;
        jsonwebtoken::encode(&key.header, &written, &key.private)
            .map(Token::new)
            .map_err(Error::internal)
    }

    /// The password that a user is made with when nobody chooses one: 32 hexadecimal digits, always
    /// the same for the same user, so that they can be answered again with nothing kept. Nobody
    /// without the key that signed when the user was made can tell them, and no token is a signature
    /// of such a text.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be made.
    pub fn first_password(&self, user: ExperienceUserId) -> Result<Zeroizing<String>> {
        let text = format!("first password of {user}");
        let [a, b, c, d, ..] = user.0.bytes();
        // The moment that an id begins with is that of the request which made it.
        let made = DateTime::from_millis(i64::from(u32::from_be_bytes([a, b, c, d])) * 1000);
        let keys = self.keys();
        let signature = sign(text.as_bytes(), &signing(&keys, made)?.private, Algorithm::EdDSA);
        let digest = Sha256::digest(Zeroizing::new(signature.map_err(Error::internal)?).as_bytes());
        let mut password = Zeroizing::new(String::with_capacity(32));
        for byte in digest.iter().take(16) {
            // Writing to a text cannot fail.
            let _ = write!(password, "{byte:02x}");
        }
        Ok(password)
    }

    /// The token that `text` is, at the time `now`. What its record says is for the caller to
    /// look up, every time: only the signature is remembered.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] when it was not made here; [`Error::TokenExpired`] when it was,
    /// and is no longer good.
    pub fn verify(&self, text: &str, now: DateTime) -> Result<Verified> {
        if text.len() > LONGEST {
            return Err(Error::TokenInvalid);
        }
        let digest = Sha256::digest(text).into();
        let verified = if let Some(verified) = self.0.verified.get(&digest) {
            verified
        } else {
            let keys = self.keys();
            let verified = self.read(&keys, text).ok_or(Error::TokenInvalid)?;
            self.0.verified.put(digest, verified);
            verified
        };
        match verified.expires {
            Some(end) if end <= now => Err(Error::TokenExpired),
            _ => Ok(verified),
        }
    }

    fn read(&self, keys: &[Key], text: &str) -> Option<Verified> {
        // A token says which key it is of, and is of no other.
        let kid = jsonwebtoken::decode_header(text).ok()?.kid?;
        let key = keys.iter().find(|key| key.header.kid.as_ref() == Some(&kid))?;
        let token = jsonwebtoken::decode::<Read>(text, &key.public, &self.0.validation).ok()?;
        let moment = |seconds: i64| DateTime::from_millis(seconds.saturating_mul(1000));
        Some(Verified {
            id: token.claims.sub,
            issued: moment(token.claims.iat),
            expires: token.claims.exp.map(moment),
        })
    }
}

/// `keys`, ready to be used.
fn read(keys: &[StoredKey]) -> Result<Vec<Key>> {
    if keys.is_empty() {
        return Err(Error::internal("the store has no signing key"));
    }
    keys.iter().map(|key| Key::new(key.since, key.secret.expose())).collect()
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kids", &self.kids()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
