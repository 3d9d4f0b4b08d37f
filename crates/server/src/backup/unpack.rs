//! Packing a store, and unpacking it to a place where it can be read.

use super::age::{Decrypt, Encrypt, Opener, Recipient};
use super::background::Paced;
use super::directory::{Unfinished, create};
use super::error::BackupError;
use super::manifest::{Encryption, Manifest, Packing};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How hard zstd tries: its own default, which packs faster than disks write.
const LEVEL: i32 = 3;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// Where a store is unpacked to be looked at.
#[derive(Debug, Clone)]
pub struct Scratch(pub PathBuf);

/// Counts what passes, in length and digest.
struct Counting<T> {
    of: T,
    bytes: u64,
    digest: Sha256,
}

impl<T> Counting<T> {
    fn new(of: T) -> Self {
        Self { of, bytes: 0, digest: Sha256::new() }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
    }

    fn end(self) -> (T, u64, String) {
        (self.of, self.bytes, hex(&self.digest.finalize()))
    }
}

impl<T: Read> Read for Counting<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.of.read(buffer)?;
        self.pass(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<T: Write> Write for Counting<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.of.write(buffer)?;
        self.pass(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.of.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Copies all of `from` into `to`, and counts the bytes in `seen` meanwhile.
fn pour(from: &mut impl Read, to: &mut impl Write, seen: &AtomicU64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                to.write_all(buffer.get(..count).unwrap_or_default())?;
                seen.fetch_add(count as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Packs the store at `from` into a new file at `to`, which is synced, and encrypts it to `recipients` if there
/// are any; gives what opens it then.
pub(super) fn pack(
    from: &Path,
    to: &Path,
    recipients: &[Recipient],
    seen: &AtomicU64,
) -> Result<(Packing, Option<Opener>), BackupError> {
    let source = File::open(from).map_err(BackupError::file(from, "read"))?;
    let mut source = Counting::new(source);
    let mut packed = || {
        let target = Counting::new(Paced::new(create(to)?));
        let (target, opener) = if recipients.is_empty() {
            (compress(&mut source, target, seen)?, None)
        } else {
            let (encrypting, key) = Encrypt::new(target, recipients)?;
            let encrypted = compress(&mut source, encrypting, seen)?;
            (encrypted.finish()?, Some(Opener::Key(key)))
        };
        let (file, bytes, sha256) = target.end();
        file.finish()?;
        Ok((bytes, sha256, opener))
    };
    let (bytes, sha256, opener) = packed().map_err(BackupError::file(to, "written"))?;
    let (_, store_bytes, store_sha256) = source.end();
    Ok((Packing { bytes, sha256, store_bytes, store_sha256 }, opener))
}

/// Packs all of `from` into `to`, which is given back.
fn compress<T: Write>(from: &mut impl Read, to: T, seen: &AtomicU64) -> io::Result<T> {
    let mut encoder = zstd::Encoder::new(to, LEVEL)?;
    encoder.include_checksum(true)?;
    pour(from, &mut encoder, seen)?;
    encoder.finish()
}

/// Unpacks all of `from` into `to`; what zstd has no use for is read too. `from` is given back.
fn decompress<T: Read>(from: T, to: &mut impl Write, seen: &AtomicU64) -> io::Result<T> {
    let mut decoder = zstd::Decoder::new(from)?;
    pour(&mut decoder, to, seen)?;
    let mut rest = decoder.finish();
    io::copy(&mut rest, &mut io::sink())?;
    Ok(rest.into_inner())
}

/// Unpacks the store of `manifest`, which is in the directory `at`, into `to`, and holds it against what
/// the manifest says. One that is encrypted takes an `opener`.
pub(super) fn unpack(
    manifest: &Manifest,
    at: &Path,
    opener: Option<&Opener>,
    to: &mut impl Write,
    seen: &AtomicU64,
) -> Result<(), BackupError> {
    let path = &at.join(&manifest.file);
    let altered = |what: String| BackupError::Altered { path: path.clone(), what };
    let file = File::open(path).map_err(BackupError::file(path, "read"))?;
    let length = file.metadata().map_err(BackupError::file(path, "read"))?.len();
    if length != manifest.bytes {
        return Err(altered(format!("it has {length} bytes, and {} are said", manifest.bytes)));
    }
    let (file, mut target) = (Counting::new(file), Counting::new(to));
    let read = match (&manifest.encryption, opener) {
        (None, _) => decompress(file, &mut target, seen),
        (Some(Encryption { recipients, .. }), None) => {
            let (path, recipients) = (path.clone(), recipients.join(", "));
            return Err(BackupError::Encrypted { path, recipients });
        }
        (Some(_), Some(opener)) => Decrypt::new(BufReader::with_capacity(BUFFER, file), opener)
            .and_then(|from| decompress(from, &mut target, seen))
            .map(|from| from.into_inner().into_inner()),
    };
    let file = read.map_err(|error| match (error.kind(), &manifest.encryption) {
        (io::ErrorKind::PermissionDenied, Some(Encryption { recipients, .. })) => {
            BackupError::Stranger { path: path.clone(), recipients: recipients.join(", ") }
        }
        _ => altered(error.to_string()),
    })?;
    let (_, _, sha256) = file.end();
    let (_, store_bytes, store_sha256) = target.end();
    if sha256 != manifest.sha256 {
        return Err(altered("its SHA-256 is another".into()));
    }
    if (store_bytes, &store_sha256) != (manifest.store_bytes, &manifest.store_sha256) {
        return Err(altered("the store in it is another".into()));
    }
    Ok(())
}

impl Scratch {
    /// Unpacks the store of `manifest`, which is in the directory `at`, to a file that goes with what is
    /// returned.
    pub(super) fn unpack(
        &self,
        manifest: &Manifest,
        at: &Path,
        opener: Option<&Opener>,
        seen: &AtomicU64,
    ) -> Result<Unfinished, BackupError> {
        let file = Unfinished::beside(&self.0.join(&manifest.file));
        // What one has left there that was ended.
        match fs::remove_file(file.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::file(file.path(), "removed")(error));
            }
            _ => {}
        }
        let new = create(file.path()).map_err(BackupError::file(file.path(), "made"))?;
        let mut new = Paced::new(new);
        unpack(manifest, at, opener, &mut new, seen)?;
        new.finish().map_err(BackupError::file(file.path(), "written"))?;
        Ok(file)
    }
}
