//! What ties a login to the certificate that the server has shown, so that nobody in between can pass
//! it on: `tls-server-end-point` of RFC 5929.

use rustls::ClientConnection;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The digest of the server's certificate, where the way it is signed says which: with others
/// there is nothing to tie to.
pub(super) fn of(connection: &ClientConnection) -> Option<Vec<u8>> {
    digest(connection.peer_certificates()?.first()?)
}

/// Of `certificate`, with the function that it is signed with; with SHA-256 for those that are
/// broken.
fn digest(certificate: &[u8]) -> Option<Vec<u8>> {
    let (inside, _) = element(certificate, SEQUENCE)?;
    let (_, behind) = element(inside, SEQUENCE)?;
    let (algorithm, _) = element(behind, SEQUENCE)?;
    let (name, _) = element(algorithm, NAME)?;
    match name.strip_prefix(RSA).or_else(|| name.strip_prefix(ECDSA))? {
        // With RSA: MD5, SHA-1 and SHA-256; with ECDSA SHA-256.
        [4 | 5 | 11] | [3, 2] => Some(Sha256::digest(certificate).to_vec()),
        [12] | [3, 3] => Some(Sha384::digest(certificate).to_vec()),
        [13] | [3, 4] => Some(Sha512::digest(certificate).to_vec()),
        _ => None,
    }
}

const SEQUENCE: u8 = 0x30;
const NAME: u8 = 0x06;
/// 1.2.840.113549.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// 1.2.840.10045.4
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

/// What is in the first element of `der`, which has the tag `of`, and what is behind it.
fn element(der: &[u8], of: u8) -> Option<(&[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    if *tag == of { rest.split_at_checked(length) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    fn signed(with: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(with).unwrap();
        let certificate = CertificateParams::new(["h".to_owned()]).unwrap().self_signed(&key);
        certificate.unwrap().der().to_vec()
    }

    #[test]
    fn the_way_a_certificate_is_signed_says_which_digest() {
        for (with, length) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, 32),
            (&rcgen::PKCS_ECDSA_P384_SHA384, 48),
            (&rcgen::PKCS_ECDSA_P521_SHA512, 64),
            (&rcgen::PKCS_RSA_SHA256, 32),
            (&rcgen::PKCS_RSA_SHA384, 48),
        ] {
            assert_eq!(digest(&signed(with)).unwrap().len(), length, "{with:?}");
        }
        let certificate = signed(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(digest(&certificate).unwrap(), Sha256::digest(&certificate).as_slice());
    }

    #[test]
    fn what_has_no_digest_and_what_is_no_certificate_gives_none() {
        assert_eq!(digest(&signed(&rcgen::PKCS_ED25519)), None);
        let certificate = signed(&rcgen::PKCS_ECDSA_P256_SHA256);
        for length in 0..certificate.len() {
            assert_eq!(digest(&certificate[..length]), None, "{length}");
        }
        assert_eq!(digest(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
