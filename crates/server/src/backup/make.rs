//! Making a backup, in the order in which each step can be believed.

use super::age::{Opener, Recipient};
use super::background::{in_no_hurry, on_a_thread};
use super::directory::{Directory, Unfinished};
use super::error::BackupError;
use super::manifest::{Manifest, Source, manifest_name, name, store_name};
use super::unpack::{pack, unpack};
use crate::error::{Error, Result as StoreResult};
use crate::moving::{self, Record, State, Sums, options, rows, sums};
use crate::rows::Tx;
use crate::rows::table::Table;
use crate::store::tables::{Line, TABLES};
use crate::store::{MIGRATIONS, Store, StoreUrl, VERSION, inspect};
use guestlist_api::time::DateTime;
use guestlist_store::{check_database, copy_database, count_pages, migrate};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Rows that are written to a copy in one transaction.
const AT_ONCE: usize = 2000;
/// Times that many rows are read ahead of those that are written.
const AHEAD: usize = 2;

/// A backup that has begun: nothing is copied yet.
pub struct Begun {
    from: StoreUrl,
    directory: Directory,
    name: String,
    at: DateTime,
    recipients: Vec<Recipient>,
}

impl Begun {
    /// Begins a backup of the store `from` in the directory `to`, which is made if there is none. It is encrypted
    /// to `recipients` if there are any.
    ///
    /// # Errors
    /// When somebody else makes one there, or the directory cannot be used.
    pub fn begin(
        from: &StoreUrl,
        to: &Path,
        recipients: &[Recipient],
        now: DateTime,
    ) -> Result<Self, BackupError> {
        let directory = Directory::hold(to)?;
        let recipients = recipients.to_vec();
        Ok(Self { from: from.clone(), directory, name: name(now), at: now, recipients })
    }

    /// What [`Begun::copy`] counts, and how many of it there are about.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn size(&self) -> Result<(&'static str, u64), BackupError> {
        match &self.from {
            StoreUrl::Sqlite(path) => {
                let path = path.clone();
                let pages = on_a_thread(move || Ok(count_pages(&path)?)).await?;
                Ok(("pages copied", pages))
            }
            StoreUrl::Postgres(_) => {
                let at = self.from.to_string();
                let store = Store::open_at(&self.from, &options())?;
                let count = store.read(rows).await.map_err(BackupError::store(&at))?;
                store.close().await;
                Ok(("rows copied", count))
            }
        }
    }

    /// Copies the store as it is now, and counts what is copied in `seen` meanwhile.
    ///
    /// # Errors
    /// When one of the two stores fails, or this one is an unfinished copy itself.
    pub async fn copy(self, seen: Arc<AtomicU64>) -> Result<Copied, BackupError> {
        let copy = self.directory.unfinished(&format!("{}.sqlite", self.name));
        let to = copy.path().to_owned();
        let source = match &self.from {
            StoreUrl::Sqlite(path) => {
                let from = path.clone();
                let work = move || {
                    let progress = |pages: guestlist_store::Pages| {
                        seen.store(pages.copied, Ordering::Relaxed);
                    };
                    Ok(copy_database(&from, &to, VERSION, progress)?)
                };
                // No checkpoint passes it until it is done, so it is not kept waiting.
                on_a_thread(work).await?;
                Source::Sqlite
            }
            StoreUrl::Postgres(_) => {
                copy_rows(&self.from, &to, seen).await?;
                Source::Postgres
            }
        };
        let Self { from, directory, name, at, recipients } = self;
        Ok(Copied { from: from.to_string(), directory, name, at, recipients, copy, source })
    }
}

/// Some rows of a table, and what to do with them.
struct Batch {
    table: &'static Table,
    lines: Vec<Line>,
    with: fn(&Table, &mut Tx<'_>, &[Line]) -> StoreResult<()>,
}

/// Reads all rows in one transaction, and hands them on.
fn read_all(tx: &mut Tx<'_>, to: &mpsc::Sender<Batch>) -> StoreResult<()> {
    let send =
        |batch| to.blocking_send(batch).map_err(|_| Error::internal("nobody writes the copy"));
    for table in TABLES {
        let again =
            table.self_reference.map(|_| Table::refer as fn(&Table, &mut Tx<'_>, &[Line]) -> _);
        for with in
            [Some(Table::add as fn(&Table, &mut Tx<'_>, &[Line]) -> _), again].into_iter().flatten()
        {
            let mut lines = Vec::new();
            table.walk(tx, |line| {
                lines.push(line.clone());
                if lines.len() == AT_ONCE {
                    send(Batch { table, lines: std::mem::take(&mut lines), with })?;
                }
                Ok(())
            })?;
            send(Batch { table, lines, with })?;
        }
    }
    Ok(())
}

/// Copies all rows of the store `from`, as they are at one moment, into a new store at `path`.
async fn copy_rows(from: &StoreUrl, path: &Path, seen: Arc<AtomicU64>) -> Result<(), BackupError> {
    let (at, there) = (from.to_string(), path.display().to_string());
    let from = Store::open_at(from, &options())?;
    let to = Store::open(path, &options())?;
    let clear = |tx: &mut Tx<'_>| {
        // What an empty store says of itself.
        TABLES.iter().filter(|table| table.derived).try_for_each(|table| table.clear(tx))
    };
    to.write(clear).await.map_err(BackupError::store(&there))?;
    let (send, mut batches) = mpsc::channel::<Batch>(AHEAD);
    let reading = async {
        let read = from.read(move |tx| read_all(tx, &send));
        read.await.map_err(BackupError::store(&at))
    };
    let writing = async {
        while let Some(Batch { table, lines, with }) = batches.recv().await {
            let count = lines.len() as u64;
            let written = to.write(move |tx| with(table, tx, &lines)).await;
            written.map_err(BackupError::store(&there))?;
            seen.fetch_add(count, Ordering::Relaxed);
        }
        Ok(())
    };
    let done = tokio::try_join!(writing, reading);
    from.close().await;
    to.close().await;
    done.map(drop)
}

/// A store that was copied, and is neither looked at nor packed.
pub struct Copied {
    from: String,
    directory: Directory,
    name: String,
    at: DateTime,
    recipients: Vec<Recipient>,
    copy: Unfinished,
    source: Source,
}

impl Copied {
    /// How many rows the copy has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows(&self) -> Result<u64, BackupError> {
        count(self.copy.path()).await
    }

    /// Reads all of the copy: whether it is whole, and what it holds. Counts its rows in `seen` meanwhile.
    ///
    /// # Errors
    /// When it is not whole, or the store was an unfinished copy itself.
    pub async fn check(self, seen: Arc<AtomicU64>) -> Result<Checked, BackupError> {
        let (sums, record) = read_whole(self.copy.path(), seen).await?;
        if let Some(Record { state: State::Arriving, other, .. }) = record {
            return Err(BackupError::Unfinished { at: self.from, of: other });
        }
        Ok(Checked { copied: self, sums })
    }
}

/// A copy that is known to be whole.
pub struct Checked {
    copied: Copied,
    sums: Sums,
}

impl Checked {
    /// How long it is, in bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> Result<u64, BackupError> {
        let path = self.copied.copy.path();
        fs::metadata(path).map(|file| file.len()).map_err(BackupError::file(path, "read"))
    }

    /// Packs it, and counts the bytes in `seen` meanwhile.
    ///
    /// # Errors
    /// When there is no room, or a disk fails.
    pub async fn pack(self, seen: Arc<AtomicU64>) -> Result<Packed, BackupError> {
        in_no_hurry(move || {
            let Self { copied, sums } = self;
            let Copied { directory, name, at, recipients, copy, source, .. } = copied;
            let store = store_name(&name, !recipients.is_empty());
            let packed = directory.unfinished(&store);
            let (packing, opener) = pack(copy.path(), packed.path(), &recipients, &seen)?;
            directory.finish(&packed, &store)?;
            let manifest = Manifest::new(&name, at, source, &sums, packing, &recipients);
            Ok(Packed { directory, name, manifest, opener })
        })
        .await
    }
}

/// A packed store, which is no backup as long as its manifest is missing.
pub struct Packed {
    directory: Directory,
    name: String,
    manifest: Manifest,
    /// What reads it back: nobody here has the key of a recipient.
    opener: Option<Opener>,
}

impl Packed {
    /// How long the store is, in bytes.
    #[must_use]
    pub const fn store_bytes(&self) -> u64 {
        self.manifest.store_bytes
    }

    /// Reads back what was packed, counts the bytes in `seen` meanwhile, and makes a backup of it by
    /// writing the manifest, of which the path is returned.
    ///
    /// # Errors
    /// When it is not what was packed, or cannot be read.
    pub async fn finish(self, seen: Arc<AtomicU64>) -> Result<(PathBuf, Manifest), BackupError> {
        in_no_hurry(move || {
            let Self { directory, name, manifest, opener } = self;
            let to = &mut std::io::sink();
            unpack(&manifest, directory.path(), opener.as_ref(), to, &seen)?;
            let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
            let file = manifest_name(&name);
            directory.write(&file, &text)?;
            Ok((directory.path().join(file), manifest))
        })
        .await
    }
}

/// How many rows the store at `path` has, which is of this version.
pub(super) async fn count(path: &Path) -> Result<u64, BackupError> {
    let path = path.to_owned();
    in_no_hurry(move || {
        let at = path.display().to_string();
        let mut inspector = inspect(&StoreUrl::Sqlite(path), &options())?;
        inspector.read(rows).map_err(BackupError::store(&at))
    })
    .await
}

/// Reads all of the store at `path`, which nobody else uses and is brought up to date: whether it is whole, what
/// it holds, and what it has to do with a move.
pub(super) async fn read_whole(
    path: &Path,
    seen: Arc<AtomicU64>,
) -> Result<(Sums, Option<Record>), BackupError> {
    let path = path.to_owned();
    in_no_hurry(move || {
        check_database(&path)?;
        let at = path.display().to_string();
        let url = StoreUrl::Sqlite(path);
        migrate(&url, MIGRATIONS)?;
        let read = inspect(&url, &options())?
            .read(|tx: &mut Tx<'_>| Ok((sums(tx, &seen)?, moving::look(tx)?)));
        read.map_err(BackupError::store(&at))
    })
    .await
}
