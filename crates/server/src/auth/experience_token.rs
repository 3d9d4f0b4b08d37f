//! Tokens of the users of an application: JSON Web Tokens by keys of that application alone, for its backends,
//! which show them here again. They are of another type than those that this server lets in by.

use super::seal::Seal;
use super::token::{Key, Token};
use crate::error::{Error, Result};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use guestlist_api::time::DateTime;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// What the header of such a token says that it is.
const TYPE: &str = "experience+jwt";
/// The longest that is looked at.
const LONGEST: usize = 16 * 1024;

/// What [`ExperienceKey::new`] makes keys with.
pub(crate) const PURPOSE: &str = "keys of applications";

/// What a token says.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    /// The application, as a URL.
    pub(crate) issuer: &'a str,
    /// Whose it is.
    pub(crate) user: ExperienceUserId,
    /// Its own name.
    pub(crate) id: String,
    /// Since when, to the millisecond.
    pub(crate) issued: DateTime,
    /// Until when, a whole second; `None` is for ever.
    pub(crate) expires: Option<DateTime>,
    /// What its user was known by (RFC 8176).
    pub(crate) methods: &'a [&'static str],
    /// Who acts for its user with it.
    pub(crate) actor: Option<&'a str>,
    /// What its backend wants to find in it again.
    pub(crate) extra: Option<&'a Map<String, Value>>,
}

/// [`Claims`] as they are written, always in this order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    iss: &'a str,
    sub: ExperienceUserId,
    jti: &'a str,
    iat: i64,
    ims: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_data: Option<&'a Map<String, Value>>,
}

#[derive(Serialize)]
struct Actor<'a> {
    sub: &'a str,
}

/// What is read of them again.
#[derive(Deserialize)]
struct Read {
    sub: ExperienceUserId,
    iat: i64,
    ims: i64,
    exp: Option<i64>,
}

/// A token that an application's key has signed.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    /// Whose it is.
    pub(crate) user: ExperienceUserId,
    /// Since when.
    pub(crate) issued: DateTime,
    /// Until when; `None` is for ever.
    pub(crate) expires: Option<DateTime>,
    /// All that it says.
    pub(crate) claims: Map<String, Value>,
}

/// A key of an application.
pub(crate) struct ExperienceKey(Key);

impl ExperienceKey {
    /// The key of `application` that `seed` and `seal`, of the secret of the store, make together: whoever has
    /// one of the two has no key.
    ///
    /// # Errors
    /// Never: any 32 bytes are a key.
    pub(crate) fn new(seal: &Seal, application: ApplicationId, seed: &[u8]) -> Result<Self> {
        let bytes = Zeroizing::new([&application.0.bytes(), seed].concat());
        let mut key = Key::new(DateTime::from_millis(0), &seal.derive(&bytes)[..])?;
        key.header.typ = Some(TYPE.into());
        Ok(Self(key))
    }

    /// Its name, which its tokens say.
    pub(crate) fn kid(&self) -> &str {
        self.0.header.kid.as_deref().unwrap_or_default()
    }

    /// The token that says `claims`.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be signed.
    pub(crate) fn mint(&self, claims: &Claims<'_>) -> Result<Token> {
        let millis = claims.issued.millis();
        let written = Written {
            iss: claims.issuer,
            sub: claims.user,
            jti: &claims.id,
            iat: millis.div_euclid(1000),
            ims: millis.rem_euclid(1000),
            exp: claims.expires.map(|end| end.millis().div_euclid(1000)),
            amr: claims.methods,
            act: claims.actor.map(|sub| Actor { sub }),
            extra_data: claims.extra,
        };
        jsonwebtoken::encode(&self.0.header, &written, &self.0.private)
            .map(Token::new)
            .map_err(Error::internal)
    }

    /// What `text` says, if it is a token that this key has signed. Whether it is still good is for the caller
    /// to know.
    pub(crate) fn verify(&self, text: &str) -> Option<Verified> {
        if kid(text)? != self.kid() {
            return None;
        }
        let claims = jsonwebtoken::decode::<Map<String, Value>>(text, &self.0.public, &VALIDATION);
        let claims = claims.ok()?.claims;
        let read = Read::deserialize(Value::Object(claims.clone())).ok()?;
        let second = |seconds: i64| DateTime::from_millis(seconds.saturating_mul(1000));
        let issued = second(read.iat).plus_millis(read.ims);
        Some(Verified { user: read.sub, issued, expires: read.exp.map(second), claims })
    }
}

/// The one algorithm, whatever a token says of itself. The time is the caller's.
static VALIDATION: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
});

/// The key that `text` says it is of, if it looks like a token of a user.
pub(crate) fn kid(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let header = jsonwebtoken::decode_header(text).ok()?;
    header.kid.filter(|_| header.typ.as_deref() == Some(TYPE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::{Signer, Subtype};
    use guestlist_api::id::{ApiTokenId, ObjectId};
    use guestlist_api::scope::Scopes;
    use guestlist_testbed::Fuzz;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    const NOW: DateTime = DateTime::from_millis(1_782_000_000_123);
    const USER: ExperienceUserId = ExperienceUserId(ObjectId::from_bytes([7; 12]));

    fn key(secret: &[u8], application: u8, seed: u8) -> ExperienceKey {
        let seal = Seal::new(secret, PURPOSE).unwrap();
        let application = ApplicationId(ObjectId::from_bytes([application; 12]));
        ExperienceKey::new(&seal, application, &[seed; 32]).unwrap()
    }

    fn token(key: &ExperienceKey) -> String {
        let extra = json!({ "role": "x" });
        let claims = Claims {
            issuer: "https://a.example/a/1",
            user: USER,
            id: "j".into(),
            issued: NOW,
            expires: Some(DateTime::from_millis(1_782_000_060_000)),
            methods: &["pwd"],
            actor: Some("support"),
            extra: extra.as_object(),
        };
        key.mint(&claims).unwrap().expose().to_owned()
    }

    #[test]
    fn fuzz_experience_token() {
        let key = key(b"secret", 1, 1);
        let minted = token(&key);
        let fuzz = Fuzz::new("experience-token").input(minted.as_str()).words(minted.split('.'));
        fuzz.words(["."]).run(|bytes| {
            let Ok(text) = str::from_utf8(bytes) else { return None };
            let verified = key.verify(text);
            assert!(verified.is_none() || text == minted, "nobody minted it");
            Some((kid(text).map(|kid| kid == key.kid()), verified.is_some()))
        });
    }

    #[test]
    fn a_token_says_what_it_was_made_with() {
        let key = key(b"secret", 1, 1);
        let read = key.verify(&token(&key)).unwrap();
        assert_eq!((read.user, read.issued), (USER, NOW));
        assert_eq!(read.expires, Some(DateTime::from_millis(1_782_000_060_000)));
        let claims = json!({
            "iss": "https://a.example/a/1", "sub": USER.to_string(), "jti": "j", "iat": 1_782_000_000,
            "ims": 123, "exp": 1_782_000_060, "amr": ["pwd"], "act": { "sub": "support" },
            "extraData": { "role": "x" },
        });
        assert_eq!(Value::Object(read.claims), claims);
    }

    #[test]
    fn each_part_of_a_key_makes_another_key() {
        let text = token(&key(b"secret", 1, 1));
        assert!(key(b"secret", 1, 1).verify(&text).is_some());
        for other in [key(b"Secret", 1, 1), key(b"secret", 2, 1), key(b"secret", 1, 2)] {
            assert!(other.verify(&text).is_none());
        }
    }

    #[test]
    fn only_a_token_of_its_type_key_and_algorithm_is_one() {
        let key = key(b"secret", 1, 1);
        let claims = json!({ "sub": USER.to_string(), "iat": 1, "ims": 0 });
        let mint = |change: fn(&mut Header)| {
            let mut header = key.0.header.clone();
            change(&mut header);
            jsonwebtoken::encode(&header, &claims, &key.0.private).unwrap()
        };
        assert!(key.verify(&mint(|_| ())).is_some());
        assert!(key.verify(&mint(|header| header.typ = Some("JWT".into()))).is_none());
        assert!(key.verify(&mint(|header| header.typ = None)).is_none());
        assert!(key.verify(&mint(|header| header.kid = Some("other".into()))).is_none());
        assert!(key.verify(&mint(|header| header.kid = None)).is_none());
        // The public key as the secret of another algorithm.
        let mut header = key.0.header.clone();
        header.alg = Algorithm::HS256;
        let secret = EncodingKey::from_secret(key.kid().as_bytes());
        let forged = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
        assert!(key.verify(&forged).is_none());
        for text in ["", "a.b.c", "....", &"x".repeat(LONGEST + 1)] {
            assert!(key.verify(text).is_none());
        }
    }

    #[test]
    fn what_lets_in_to_the_server_is_no_token_of_a_user_and_the_reverse() {
        let (signer, _) = Signer::generate().unwrap();
        let key = key(b"secret", 1, 1);
        assert!(signer.verify(&token(&key), NOW).is_err());
        let claims = crate::auth::token::Claims {
            issuer: "a.example",
            id: ApiTokenId(USER.0),
            subtype: Subtype::ApiToken,
            scope: &Scopes::default(),
            issued: NOW,
            expires: None,
        };
        let of_server = signer.mint(&claims, NOW).unwrap();
        assert!(key.verify(of_server.expose()).is_none());
    }
}
