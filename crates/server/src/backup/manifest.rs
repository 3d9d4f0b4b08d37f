//! What a backup says of itself.

use super::age::Recipient;
use super::error::BackupError;
use crate::moving::Sums;
use crate::store::VERSION;
use guestlist_api::time::DateTime;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The format of a backup that anybody can read, and of one that is encrypted: who knows only the first is to
/// refuse it.
const PLAIN: u32 = 1;
const ENCRYPTED: u32 = 2;

/// What a manifest's name ends with.
const ENDING: &str = ".json";

/// The longest file that is read as a manifest, in bytes; one has two thousand or so.
const MOST: u64 = 1 << 20;

/// Which engine the store had that was backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// How the file with the packed store is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The format: `age`.
    pub format: String,
    /// Who can read it.
    pub recipients: Vec<String>,
}

/// What a backup holds of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// Its name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// As `guestlist checksum` prints it.
    pub checksum: String,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// How to read this: 1, or 2 where the store is encrypted.
    pub format: u32,
    /// When it was begun. The store is of a moment soon after.
    pub created_at: DateTime,
    /// The version of the program that made it.
    pub made_by: String,
    /// The version of the schema that the store has.
    pub schema_version: usize,
    /// Which engine the store had.
    pub source: Source,
    /// The name of the file with the packed store, which is beside this one.
    pub file: String,
    /// How long that is, in bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How long the store is when it is unpacked, in bytes.
    pub store_bytes: u64,
    /// The SHA-256 of that.
    pub store_sha256: String,
    /// How it is encrypted, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// How many rows all tables have.
    pub rows: u64,
    /// The checksum of all tables, as `guestlist checksum` prints it.
    pub checksum: String,
    /// The same of each table.
    pub tables: Vec<TableSum>,
}

/// What is known of a packed store.
pub(super) struct Packing {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) store_bytes: u64,
    pub(super) store_sha256: String,
}

impl Manifest {
    /// That of the backup called `name`, begun at `created_at`.
    pub(super) fn new(
        name: &str,
        created_at: DateTime,
        source: Source,
        sums: &Sums,
        packing: Packing,
        recipients: &[Recipient],
    ) -> Self {
        let encrypted = !recipients.is_empty();
        let encryption = Encryption {
            format: "age".to_owned(),
            recipients: recipients.iter().map(ToString::to_string).collect(),
        };
        Self {
            format: if encrypted { ENCRYPTED } else { PLAIN },
            created_at,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            schema_version: VERSION,
            source,
            file: store_name(name, encrypted),
            bytes: packing.bytes,
            sha256: packing.sha256,
            store_bytes: packing.store_bytes,
            store_sha256: packing.store_sha256,
            encryption: encrypted.then_some(encryption),
            rows: sums.rows(),
            checksum: sums.checksum().to_string(),
            tables: table_sums(sums),
        }
    }

    /// One of a store with nothing in it, begun at `at`.
    #[cfg(test)]
    pub(super) fn of_test(at: DateTime) -> Self {
        let (sha256, store_sha256) = (String::new(), String::new());
        let packing = Packing { bytes: 6, sha256, store_bytes: 6, store_sha256 };
        Self::new(&name(at), at, Source::Sqlite, &Sums(Vec::new()), packing, &[])
    }

    fn read(path: &Path) -> Result<Self, BackupError> {
        let not = |why: String| BackupError::NotAManifest { path: path.to_owned(), why };
        let read = || {
            let length = fs::metadata(path)?.len();
            Ok((length <= MOST).then_some(fs::read(path)?))
        };
        let bytes = read().map_err(BackupError::file(path, "read"))?;
        let bytes = bytes.ok_or_else(|| not("it is too long".into()))?;
        Self::parse(&bytes).map_err(not)
    }

    /// What is in such a file, or why it is none.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        // Looked at first: another format may have other fields.
        let format = serde_json::from_slice::<serde_json::Value>(bytes);
        let format = format.map_err(|error| error.to_string())?;
        match format.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if [PLAIN, ENCRYPTED].map(u64::from).contains(&format) => {}
            Some(format) => {
                return Err(format!(
                    "it is of format {format}, and this Guestlist reads {PLAIN} and {ENCRYPTED}"
                ));
            }
            None => return Err("it has no format".into()),
        }
        let manifest: Self = serde_json::from_value(format).map_err(|error| error.to_string())?;
        if (manifest.format == ENCRYPTED) != manifest.encryption.is_some() {
            return Err("its format and its encryption do not fit one another".into());
        }
        // It is a name beside this file, and leads nowhere else.
        if Path::new(&manifest.file).file_name() != Some(manifest.file.as_ref()) {
            return Err("file is to be a name without a directory".into());
        }
        Ok(manifest)
    }
}

/// What the checksums of each table are called in a manifest.
pub(super) fn table_sums(sums: &Sums) -> Vec<TableSum> {
    let sum = |sum: &crate::moving::Sum| TableSum {
        table: sum.table.to_owned(),
        rows: sum.rows,
        checksum: sum.checksum.to_string(),
    };
    sums.0.iter().map(sum).collect()
}

/// The name of a backup that is begun at `now`: names sort as times do.
pub(super) fn name(now: DateTime) -> String {
    format!("guestlist-{}", now.to_string().replace(['-', ':'], ""))
}

pub(super) fn store_name(name: &str, encrypted: bool) -> String {
    format!("{name}.sqlite.zst{}", if encrypted { ".age" } else { "" })
}

pub(super) fn manifest_name(name: &str) -> String {
    format!("{name}{ENDING}")
}

/// The backups in the directory at `path`, the oldest first.
///
/// # Errors
/// When it cannot be read, or a file in it that is called like a manifest is none.
pub fn list(path: &Path) -> Result<Vec<(PathBuf, Manifest)>, BackupError> {
    let failed = || BackupError::file(path, "read");
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("guestlist-") && name.ends_with(ENDING) {
            let manifest = Manifest::read(&path)?;
            found.push((path, manifest));
        }
    }
    found.sort_by_key(|(_, manifest)| manifest.created_at);
    Ok(found)
}

/// The backup at `path`: that of a manifest, or the newest in a directory.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn find(path: &Path) -> Result<(PathBuf, Manifest), BackupError> {
    if path.is_dir() {
        list(path)?.pop().ok_or_else(|| BackupError::None(path.to_owned()))
    } else {
        Ok((path.to_owned(), Manifest::read(path)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;

    #[test]
    fn fuzz_manifest() {
        let whole = Manifest::of_test(DateTime::from_millis(1_782_000_000_123));
        let words = [
            "\"format\":2",
            "\"file\":\"../x\"",
            "\"encryption\":{\"format\":\"age\",\"recipients\":[]}",
            "null",
            "-1",
            "1e999",
            "18446744073709551616",
            "/",
            "..",
            "\\u0000",
        ];
        let fuzz = Fuzz::new("manifest").input(serde_json::to_vec(&whole).unwrap()).words(words);
        fuzz.run(|bytes| match Manifest::parse(bytes) {
            Ok(manifest) => {
                assert!(
                    !manifest.file.contains('/') && !["", ".", ".."].contains(&&*manifest.file)
                );
                let again = Manifest::parse(&serde_json::to_vec(&manifest).unwrap()).unwrap();
                assert_eq!(again, manifest);
                "read".to_owned()
            }
            // What of the text it repeats tells little.
            Err(why) if why.starts_with("missing") => {
                why.split(" at").next().unwrap_or_default().to_owned()
            }
            Err(why) => why
                .split(|c: char| "\",`".contains(c) || c.is_ascii_digit())
                .next()
                .unwrap()
                .to_owned(),
        });
    }
}
