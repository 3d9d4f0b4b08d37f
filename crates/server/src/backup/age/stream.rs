//! What follows the head: chunks, sealed one by one.

use super::{FileKey, Opener, Recipient, derive, header, invalid};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::io::{self, BufRead, Read, Write};
use zeroize::Zeroizing;

/// Bytes of a chunk, and what sealing adds to it.
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;
const NONCE: usize = 16;

/// Seals chunks, or opens them, one after the other.
struct Sealing {
    key: LessSafeKey,
    number: u64,
}

impl Sealing {
    fn new(key: &FileKey, nonce: &[u8; NONCE]) -> io::Result<Self> {
        let key = derive(key.as_ref(), nonce, b"payload")?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_ref());
        let key = key.map_err(|_| io::Error::other("a key cannot be made"))?;
        Ok(Self { key: LessSafeKey::new(key), number: 0 })
    }

    /// The number of the next chunk, and whether it is the last.
    fn nonce(&mut self, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        if let Some(place) = nonce.get_mut(3..11) {
            place.copy_from_slice(&self.number.to_be_bytes());
        }
        nonce[11] = u8::from(last);
        self.number += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Encrypts what is written to it into `to`.
pub(in super::super) struct Encrypt<T> {
    to: T,
    sealing: Sealing,
    chunk: Zeroizing<Vec<u8>>,
}

impl<T: Write> Encrypt<T> {
    /// Begins a file that `recipients` can read, and gives its key.
    pub(in super::super) fn new(
        mut to: T,
        recipients: &[Recipient],
    ) -> io::Result<(Self, FileKey)> {
        let random = |bytes: &mut [u8]| {
            getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
        };
        let mut key = FileKey::default();
        random(key.as_mut())?;
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        to.write_all(&header::write(&key, recipients)?)?;
        to.write_all(&nonce)?;
        let sealing = Sealing::new(&key, &nonce)?;
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok((Self { to, sealing, chunk }, key))
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.sealing.nonce(last);
        self.sealing
            .key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut *self.chunk)
            .map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        self.to.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    /// Ends the file, without which nobody can read it to its end.
    pub(in super::super) fn finish(mut self) -> io::Result<T> {
        self.seal(true)?;
        Ok(self.to)
    }
}

impl<T: Write> Write for Encrypt<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk stays until there is more: it may be the last.
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads what is encrypted in `from`.
pub(in super::super) struct Decrypt<T> {
    from: T,
    sealing: Sealing,
    chunk: Zeroizing<Vec<u8>>,
    /// What of the chunk was given, and whether it is the last.
    given: usize,
    last: bool,
}

impl<T: BufRead> Decrypt<T> {
    /// Reads the head of a file.
    pub(in super::super) fn new(mut from: T, opener: &Opener) -> io::Result<Self> {
        let key = header::read(&mut from, opener)?;
        let mut nonce = [0; NONCE];
        from.read_exact(&mut nonce)?;
        let sealing = Sealing::new(&key, &nonce)?;
        Ok(Self { from, sealing, chunk: Zeroizing::new(Vec::new()), given: 0, last: false })
    }

    /// What it reads from.
    pub(in super::super) fn into_inner(self) -> T {
        self.from
    }

    fn next(&mut self) -> io::Result<()> {
        let first = self.sealing.number == 0;
        self.chunk.clear();
        let most = u64::try_from(CHUNK + TAG).unwrap_or_default();
        (&mut self.from).take(most).read_to_end(&mut self.chunk)?;
        // Only the last chunk has nothing behind it, and only the first may hold nothing.
        self.last = self.from.fill_buf()?.is_empty();
        let nonce = self.sealing.nonce(self.last);
        let opened = self.sealing.key.open_in_place(nonce, Aad::empty(), &mut self.chunk);
        let length = opened.map(|opened| opened.len());
        let length =
            length.map_err(|_| invalid("a part of it is not as it was written, or missing"))?;
        if length == 0 && !first {
            return Err(invalid("it ends with nothing"));
        }
        self.chunk.truncate(length);
        self.given = 0;
        Ok(())
    }
}

impl<T: BufRead> Read for Decrypt<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.chunk.len() && !self.last {
            self.next()?;
        }
        let left = self.chunk.get(self.given..).unwrap_or_default();
        let taken = left.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..taken), left.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.given += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_identities;
    use super::*;
    use guestlist_testbed::Fuzz;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// A pair of keys that `age-keygen` has made.
    const SECRET: &str =
        "AGE-SECRET-KEY-1H0M4ZH65J74GVKCWC46XJ4V6TPXSPSV259PERAU7D5VGH00KVYCQ6MMK7N";
    const RECIPIENT: &str = "age1x9d78v9zl32qzth9wmvxht6vj4hhnj6lddk9lxh6t6nex8j0dy4q00lkn3";
    const OTHER: &str =
        "AGE-SECRET-KEY-1Q9Y3F5W7JJPMSZYCVWYX7RKQJD2VCCSDW4HEU9KMVNMKR5Y0Z8ZQPJX9QP";

    fn identities(text: &str) -> Option<Opener> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("# created\n\n{text}\n")).unwrap();
        read_identities(file.path()).ok().map(|found| Opener::Identities(Arc::from(found)))
    }

    fn encrypt(text: &[u8], recipients: &[Recipient]) -> (Vec<u8>, FileKey) {
        let (mut encrypting, key) = Encrypt::new(Vec::new(), recipients).unwrap();
        encrypting.write_all(text).unwrap();
        (encrypting.finish().unwrap(), key)
    }

    fn decrypt(file: &[u8], opener: &Opener) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Decrypt::new(file, opener)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_is_encrypted_is_read_by_its_recipients_and_nobody_else() {
        let recipient: Recipient = RECIPIENT.parse().unwrap();
        let mine = identities(SECRET).unwrap();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 200_000] {
            let text: Vec<u8> = (0..=250).cycle().take(length).collect();
            let (file, key) = encrypt(&text, std::slice::from_ref(&recipient));
            assert_eq!(decrypt(&file, &mine).unwrap(), text, "{length}");
            assert_eq!(decrypt(&file, &Opener::Key(key)).unwrap(), text, "{length}");
            let error = decrypt(&file, &identities(OTHER).unwrap()).unwrap_err();
            assert_eq!(error.to_string(), "it is encrypted to somebody else");
        }
    }

    #[test]
    fn fuzz_age() {
        const TEXT: &[u8] = b"the store";
        let recipient: Recipient = RECIPIENT.parse().unwrap();
        let (file, key) = encrypt(TEXT, std::slice::from_ref(&recipient));
        let openers = [Opener::Key(key), identities(SECRET).unwrap()];
        let words = [
            "age-encryption.org/v1\n",
            "-> X25519 ",
            "-> ssh-rsa ",
            "\n--- ",
            "\n",
            SECRET,
            RECIPIENT,
        ];
        let fuzz = Fuzz::new("age").input(file.as_slice()).words(words);
        fuzz.run(|bytes| {
            let recipient =
                str::from_utf8(bytes).ok().and_then(|text| text.parse::<Recipient>().ok());
            if let Some(recipient) = &recipient {
                assert_eq!(recipient.to_string().as_bytes(), bytes);
            }
            // What agrees on keys takes long, and is for what has a head.
            let of_file = openers.each_ref().map(|opener| match decrypt(bytes, opener) {
                Ok(text) => {
                    assert_eq!(text, TEXT, "nobody has sealed it");
                    "read".to_owned()
                }
                Err(why) => why.to_string(),
            });
            (recipient.is_some(), of_file)
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_file_that_is_not_as_it_was_written_is_refused(
            length in 0..200_000_usize, at in any::<prop::sample::Index>(), cut in any::<bool>()
        ) {
            let recipient: Recipient = RECIPIENT.parse().unwrap();
            let (mut file, key) = encrypt(&vec![7; length], &[recipient]);
            let place = at.index(file.len());
            if cut {
                file.truncate(place);
            } else {
                file[place] ^= 1;
            }
            prop_assert!(decrypt(&file, &Opener::Key(key)).is_err());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(RECIPIENT.to_uppercase().parse::<Recipient>().is_err());
        assert!(SECRET.parse::<Recipient>().is_err());
        assert!(RECIPIENT.replace("9d78", "9d79").parse::<Recipient>().is_err());
        assert!(identities(RECIPIENT).is_none());
        assert!(identities("").is_none());
    }
}
