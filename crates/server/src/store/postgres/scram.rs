//! SCRAM-SHA-256 (RFC 5802 and 7677): how a client proves that it knows a password without
//! sending it, and how the server proves that it knew it before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How the method is called.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// What a server may ask for at most, so that none keeps a thread busy for long.
const MOST_ROUNDS: u32 = 1_000_000;

/// A client in the middle of its proof.
pub(super) struct Scram {
    nonce: String,
}

/// The answer to a challenge, and what the server has to answer to that.
pub(super) struct Proof {
    /// What to send.
    pub(super) message: String,
    expected: [u8; 32],
}

fn mac(key: &[u8], text: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().into())
}

/// `password` with `salt`, `rounds` times over (PBKDF2, the first block).
fn stretch(password: &[u8], salt: &[u8], rounds: u32) -> Option<[u8; 32]> {
    let keyed = Hmac::<Sha256>::new_from_slice(password).ok()?;
    let mut first = keyed.clone();
    first.update(salt);
    first.update(&1_u32.to_be_bytes());
    let mut block: [u8; 32] = first.finalize().into_bytes().into();
    let mut sum = block;
    for _ in 1..rounds {
        let mut next = keyed.clone();
        next.update(&block);
        block = next.finalize().into_bytes().into();
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    Some(sum)
}

impl Scram {
    /// Begins, with a `nonce` that was never used before.
    pub(super) fn new(nonce: &[u8]) -> Self {
        Self { nonce: BASE64.encode(nonce) }
    }

    fn bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// What is sent first. The user has been named before.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    /// The answer to `challenge`; `None` if it is not one to this client.
    pub(super) fn prove(self, password: &str, challenge: &[u8]) -> Option<Proof> {
        let challenge = std::str::from_utf8(challenge).ok()?;
        let mut parts = challenge.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = BASE64.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let rounds: u32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        if !nonce.starts_with(&self.nonce) || rounds == 0 || rounds > MOST_ROUNDS {
            return None;
        }
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.bare());
        let salted = stretch(password.as_bytes(), &salt, rounds)?;
        let client = mac(&salted, b"Client Key")?;
        let mut proof = mac(&Sha256::digest(client), signed.as_bytes())?;
        proof.iter_mut().zip(client).for_each(|(proof, key)| *proof ^= key);
        let expected = mac(&mac(&salted, b"Server Key")?, signed.as_bytes())?;
        let message = format!("{without_proof},p={}", BASE64.encode(proof));
        Some(Proof { message, expected })
    }
}

impl Proof {
    /// Whether `answer` proves that the server knew the password.
    pub(super) fn accepts(&self, answer: &[u8]) -> bool {
        let signature = answer.strip_prefix(b"v=").and_then(|text| BASE64.decode(text).ok());
        signature.is_some_and(|signature| bool::from(signature.ct_eq(&self.expected)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, where the user is named in the message.
    #[test]
    fn the_example_of_the_standard() {
        let salted = stretch(b"pencil", &BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap(), 4096);
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signed = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
        );
        let client = mac(&salted.unwrap(), b"Client Key").unwrap();
        let mut proof = mac(&Sha256::digest(client), signed.as_bytes()).unwrap();
        proof.iter_mut().zip(client).for_each(|(proof, key)| *proof ^= key);
        assert_eq!(BASE64.encode(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    }

    #[test]
    fn a_challenge_for_another_is_refused() {
        let prove = |challenge: &str| Scram::new(b"abc").prove("p", challenge.as_bytes());
        assert!(prove("r=YWJjxyz,s=AAAA,i=4096").is_some());
        assert!(prove("r=zzz,s=AAAA,i=4096").is_none());
        assert!(prove("r=YWJjxyz,s=AAAA,i=0").is_none());
        assert!(prove("r=YWJjxyz,s=AAAA,i=4000000000").is_none());
        let proof = prove("r=YWJjxyz,s=AAAA,i=1").unwrap();
        assert!(!proof.accepts(b"v=AAAA") && !proof.accepts(b"e=no"));
    }
}
