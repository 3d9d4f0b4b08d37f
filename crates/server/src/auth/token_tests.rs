use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use guestlist_testbed::Fuzz;
use serde_json::{Value, json};

/// The key of the first test of RFC 8032, section 7.1.
const KEY: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const ID: &str = "575ec8687ae143cd83dc4a97";
const NOW: DateTime = DateTime::from_millis(1_465_790_400_123);

fn signer() -> Signer {
    Signer::from_stored(&KEY).unwrap()
}

fn mint(signer: &Signer, expires: Option<DateTime>) -> String {
    let scope = "all.Application experienceUser.get".parse().unwrap();
    let claims = Claims {
        issuer: "guestlist.example",
        id: ID.parse().unwrap(),
        subtype: Subtype::ApiToken,
        scope: &scope,
        issued: NOW,
        expires,
    };
    signer.mint(&claims, NOW).unwrap().expose().to_owned()
}

fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| BASE64.decode(part).unwrap());
    [(); 2].map(|()| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

fn is_invalid(signer: &Signer, text: &str) -> bool {
    matches!(signer.verify(text, NOW), Err(Error::TokenInvalid))
}

/// Signs any header and payload with [`KEY`].
fn sign(header: &Value, payload: &Value) -> String {
    let text = [header, payload].map(|part| BASE64.encode(part.to_string())).join(".");
    let key = EncodingKey::from_ed_der(&[&PKCS8[..], &KEY].concat());
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{text}.{signature}")
}

#[test]
fn fuzz_api_token() {
    let signer = signer();
    let (lasting, expired) = (mint(&signer, None), mint(&signer, Some(NOW.plus_millis(-2000))));
    let none = BASE64.encode(
        r#"{"typ":"JWT","alg":"none","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}"#,
    );
    let payload = lasting.split('.').nth(1).unwrap();
    let fuzz = Fuzz::new("api-token").input(lasting.as_str()).input(expired.as_str());
    let fuzz = fuzz
        .input(format!("{none}.{payload}."))
        .words(lasting.split('.'))
        .words([none.as_str(), "."]);
    fuzz.run(|bytes| {
        let Ok(text) = str::from_utf8(bytes) else { return None };
        // What it is by its parts, so that those that are nearly tokens are gone on from.
        let header = jsonwebtoken::decode_header(text).ok();
        let kid = header.map(|header| (format!("{:?}", header.alg), header.kid.is_some()));
        Some(match signer.verify(text, NOW) {
            Ok(verified) => {
                assert_eq!(
                    (text, verified.id.to_string().as_str()),
                    (&*lasting, ID),
                    "nobody minted it"
                );
                (kid, "good")
            }
            Err(Error::TokenExpired) => {
                assert_eq!(text, expired, "nobody minted it");
                (kid, "expired")
            }
            Err(Error::TokenInvalid) => (kid, "invalid"),
            Err(other) => panic!("{other}"),
        })
    });
}

#[test]
fn says_what_it_should() {
    let [header, payload] = parts(&mint(&signer(), Some(NOW.plus_millis(1000))));
    // The thumbprint of this key is in RFC 8037, appendix A.3.
    let kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    assert_eq!(header, json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid }));
    let payload = payload.to_string();
    assert_eq!(
        payload,
        json!({
            "iss": "guestlist.example",
            "sub": ID,
            "subtype": "apiToken",
            "scope": ["all.Application", "experienceUser.get"],
            "iat": 1_465_790_400,
            "exp": 1_465_790_402,
        })
        .to_string()
    );
    let [_, payload] = parts(&mint(&signer(), None));
    assert_eq!(payload.get("exp"), None);
}

#[test]
fn the_same_claims_are_the_same_token() {
    let digest = BASE64.encode(Sha256::digest(mint(&signer(), None)));
    // Tokens that are out there stay what they are when a library changes.
    assert_eq!(digest, "U_BhteDu_RMtV6Rjpcy2W_zztfgBZppnzJTao9oJpiI");
    assert_ne!(mint(&signer(), None), mint(&signer(), Some(NOW)));
}

#[test]
fn knows_its_own_again() {
    let (new, key) = Signer::generate().unwrap();
    let token = mint(&new, None);
    let again = Signer::from_stored(key.expose()).unwrap();
    for _ in 0..2 {
        let verified = again.verify(&token, NOW).unwrap();
        assert_eq!(verified.id, ID.parse().unwrap());
        assert_eq!(verified.issued.millis(), 1_465_790_400_000);
        assert_eq!(verified.expires, None);
    }
    assert!(is_invalid(&signer(), &token));
    assert_eq!(format!("{key:?}"), "SecretBytes");
    assert!(!format!("{new:?}").contains(&BASE64.encode(key.expose())));
    for bad in [&[][..], &KEY[1..], &[0; 33]] {
        assert!(matches!(Signer::from_stored(bad), Err(Error::Internal(_))));
    }
}

#[test]
fn ends_when_it_says() {
    let signer = signer();
    let token = mint(&signer, Some(NOW));
    let end = DateTime::from_millis(1_465_790_401_000);
    for _ in 0..2 {
        let before = signer.verify(&token, end.plus_millis(-1)).unwrap();
        assert_eq!(before.expires, Some(end));
        assert!(matches!(signer.verify(&token, end), Err(Error::TokenExpired)));
    }
    let (other, _) = Signer::generate().unwrap();
    assert!(matches!(other.verify(&token, end), Err(Error::TokenInvalid)));
}

#[test]
fn no_byte_of_it_may_change() {
    let signer = signer();
    let token = mint(&signer, None);
    assert!(signer.verify(&token, NOW).is_ok());
    for at in 0..token.len() {
        for other in ["A", "B", "_", "=", ".", " ", "\u{e9}"] {
            if token[at..=at] != *other {
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert!(is_invalid(&signer, &changed), "{at} {other}");
            }
        }
        assert!(is_invalid(&signer, &token[..at]), "{at}");
    }
    // The last digit of a signature holds four bits that decode to nothing.
    let (rest, last) = token.split_at(token.len() - 1);
    for other in ('A'..='Z').chain('a'..='z').chain('0'..='9').filter(|c| !last.contains(*c)) {
        assert!(is_invalid(&signer, &format!("{rest}{other}")), "{other}");
    }
    for changed in [format!("{token}."), format!("{token}A"), format!(" {token}")] {
        assert!(is_invalid(&signer, &changed), "{changed}");
    }
}

#[test]
fn no_other_algorithm_is_taken() {
    let signer = signer();
    let [header, payload] = parts(&mint(&signer, None));
    assert!(signer.verify(&sign(&header, &payload), NOW).is_ok());
    let pair = Jwk::from_encoding_key(&signer.keys()[0].private, Algorithm::EdDSA).unwrap();
    let AlgorithmParameters::OctetKeyPair(pair) = pair.algorithm else { panic!() };
    let public = BASE64.decode(&pair.x).unwrap();
    for algorithm in ["none", "None", "HS256", "HS512", "RS256", "ES256", "eddsa", ""] {
        let mut header = header.clone();
        header["alg"] = algorithm.into();
        let text = [&header, &payload].map(|part| BASE64.encode(part.to_string())).join(".");
        for key in [&public[..], pair.x.as_bytes(), b""] {
            let key = EncodingKey::from_secret(key);
            let mac = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
            assert!(is_invalid(&signer, &format!("{text}.{mac}")), "{algorithm}");
        }
        assert!(is_invalid(&signer, &format!("{text}.")), "{algorithm}");
        assert!(is_invalid(&signer, &text), "{algorithm}");
        assert!(is_invalid(&signer, &sign(&header, &payload)), "{algorithm}");
    }
}

#[test]
fn no_other_shape_is_taken() {
    let signer = signer();
    let [header, payload] = parts(&mint(&signer, None));
    let without = |of: &Value, key: &str| {
        let mut without = of.clone();
        without.as_object_mut().unwrap().remove(key);
        without
    };
    let with = |of: &Value, key: &str, value: Value| {
        let mut with = of.clone();
        with[key] = value;
        with
    };
    for (header, payload) in [
        (without(&header, "kid"), payload.clone()),
        (with(&header, "kid", "another".into()), payload.clone()),
        (header.clone(), without(&payload, "sub")),
        (header.clone(), without(&payload, "iat")),
        (header.clone(), with(&payload, "sub", "575ec8687ae143cd83dc4a9".into())),
        (header.clone(), with(&payload, "sub", 1.into())),
        (header.clone(), with(&payload, "exp", "never".into())),
        (header.clone(), json!([])),
        (json!({}), payload.clone()),
    ] {
        assert!(is_invalid(&signer, &sign(&header, &payload)), "{header} {payload}");
    }
    for text in ["", ".", "..", "...", "a.b.c", "\0", "null"] {
        assert!(is_invalid(&signer, text), "{text}");
    }
}

#[test]
fn a_token_with_every_scope_fits_and_a_huge_one_is_not_read() {
    let signer = signer();
    let scope = guestlist_api::scope::Scope::all().collect();
    let claims = Claims {
        issuer: "guestlist.example",
        id: ID.parse().unwrap(),
        subtype: Subtype::User,
        scope: &scope,
        issued: NOW,
        expires: None,
    };
    let token = signer.mint(&claims, NOW).unwrap();
    assert!(token.expose().len() < LONGEST / 2);
    assert!(signer.verify(token.expose(), NOW).is_ok());
    assert_eq!(format!("{token:?}"), "Token");

    let [header, payload] = parts(token.expose());
    let mut payload = payload;
    payload["iss"] = "x".repeat(LONGEST).into();
    assert!(is_invalid(&signer, &sign(&header, &payload)));
}

#[test]
fn remembers_only_what_is_signed_and_only_so_much() {
    let signer = signer();
    let token = mint(&signer, None);
    for at in 0..100 {
        assert!(is_invalid(&signer, &format!("{token}{at}")));
    }
    assert_eq!(signer.0.verified.len(), 0);
    for seconds in 0..50 {
        let token = mint(&signer, Some(NOW.plus_millis(seconds * 1000)));
        assert!(signer.verify(&token, NOW).is_ok());
        assert!(signer.clone().verify(&token, NOW).is_ok());
    }
    assert_eq!(signer.0.verified.len(), 50);
}

#[test]
fn the_newest_key_signs_and_all_are_good_until_they_are_retired() {
    let key = |since: DateTime, first: u8| {
        let mut bytes = KEY;
        bytes[0] = first;
        StoredKey { since, secret: SecretBytes(Zeroizing::new(bytes.to_vec())) }
    };
    let later = NOW.plus_millis(1);
    let keys = || vec![key(later, 1), key(DateTime::from_millis(0), KEY[0])];
    let signer = Signer::of(&keys()).unwrap();
    let [new, old] = signer.kids().try_into().unwrap();
    let scope = Scopes::default();
    let mint = |now: DateTime| {
        let id = ID.parse().unwrap();
        let (issuer, subtype) = ("guestlist.example", Subtype::User);
        let claims = Claims { issuer, id, subtype, scope: &scope, issued: NOW, expires: None };
        signer.mint(&claims, now).unwrap().expose().to_owned()
    };
    let (before, after) = (mint(NOW), mint(later));
    assert_eq!([&before, &after].map(|token| parts(token)[0]["kid"].clone()), [&*old, &*new]);
    let good = || [&before, &after].map(|token| !is_invalid(&signer, token));
    assert_eq!(good(), [true; 2]);
    let first = |seconds: u32| {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        let user = ExperienceUserId(guestlist_api::id::ObjectId::from_bytes(bytes));
        signer.first_password(user).unwrap().to_string()
    };
    let seconds = u32::try_from(NOW.millis() / 1000).unwrap();
    let passwords = || [first(seconds - 9), first(seconds + 9)];
    let told = passwords();
    signer.replace(&keys()).unwrap();
    assert_eq!((good(), passwords()), ([true; 2], told.clone()));
    // Also what was known to be good.
    signer.replace(&keys()[..1]).unwrap();
    assert_eq!(good(), [false, true]);
    assert_eq!(passwords()[1], told[1]);
    assert!(signer.replace(&[]).is_err());
    assert_eq!(good(), [false, true]);
}
