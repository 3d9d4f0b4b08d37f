//! A store that nobody keeps, for tests.
//!
//! It is the very store that production uses: files, a write-ahead log, readers that see a moment
//! while another thread writes, writes that share a commit. SQLite's own databases in memory have
//! no write-ahead log, so readers and the writer would wait for each other there, and a test would
//! not see what the server does. What differs is where the files are and what a commit promises.
//! They are in a directory that only their owner can enter: under `/dev/shm`, which is memory,
//! where there is one with room, or else among the temporary files, never waiting for the disk.
//! No two stores share one. It is removed with the store; one that a killed process left behind is
//! removed when the next such store of the same user is made.

use crate::chance;
use crate::migrate::OpenError;
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The proof that there is a store which nobody keeps: what is only right for such a store asks
/// for it. Only [`Store::ephemeral`](crate::Store::ephemeral) gives one.
///
/// ```compile_fail
/// guestlist_store::Ephemeral(());
/// ```
///
/// It is there, and only cannot be made:
///
/// ```
/// let again = |proof: &guestlist_store::Ephemeral| proof.clone();
/// ```
#[derive(Debug, Clone)]
pub struct Ephemeral(());

/// How the directories are called, before what is random.
const NAME: &str = "guestlist-ephemeral-";
/// A file in each, locked as long as its store lives.
const LOCK: &str = "lock";
/// What is memory on Linux.
const MEMORY: &str = "/dev/shm";
/// The least that has to be free there: containers often have but 64 MiB of it, which others use
/// as well.
const ROOM: u64 = 256 << 20;

/// The directory of one store; it goes when this goes.
pub(crate) struct Scratch {
    directory: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new directory, and the proof that what is in it is nobody's.
    pub(crate) fn new() -> Result<(Self, Ephemeral), OpenError> {
        static SWEEP: Once = Once::new();
        let base = base();
        SWEEP.call_once(|| sweep(&base));
        let failed = |source| OpenError::File { path: base.clone(), source };
        // Another process that sweeps may be faster than the lock: then once more.
        for _ in 0..8 {
            let random = chance::name().map_err(|error| failed(io::Error::other(error)))?;
            let directory = base.join(format!("{NAME}{random}"));
            DirBuilder::new().mode(0o700).create(&directory).map_err(failed)?;
            let Some(lock) = lock(&directory.join(LOCK), true) else { continue };
            let scratch = Self { directory, _lock: lock };
            // Made here, because a store makes sure that the name of a new file lasts.
            let mut file = File::options();
            if file.write(true).create_new(true).mode(0o600).open(scratch.database()).is_ok() {
                return Ok((scratch, Ephemeral(())));
            }
        }
        Err(failed(io::Error::other("no directory could be locked")))
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("guestlist.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The threads of a store that was not closed may be about to remove a file as well.
        for _ in 0..3 {
            if fs::remove_dir_all(&self.directory).is_ok() {
                return;
            }
        }
        tracing::warn!(directory = %self.directory.display(), "left to the next to sweep up");
    }
}

/// The file at `path`, locked, unless it is locked already. Others can put anything there where
/// anybody may write: what is no file of this user's own is let alone, and not waited for.
fn lock(path: &Path, create: bool) -> Option<File> {
    let careful = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file =
        File::options().write(true).create_new(create).custom_flags(careful).open(path).ok()?;
    let own = file.metadata().is_ok_and(|of| of.is_file() && is_own(&of));
    (own && file.try_lock().is_ok()).then_some(file)
}

/// Whether it is of the user whom this process runs as.
fn is_own(of: &Metadata) -> bool {
    of.uid() == rustix::process::geteuid().as_raw()
}

/// Removes what processes that were killed have left in `base`.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        // What a link leads to is not what was left behind.
        let own = fs::symlink_metadata(entry.path()).is_ok_and(|of| of.is_dir() && is_own(&of));
        if own
            && entry.file_name().to_string_lossy().starts_with(NAME)
            && let Some(_lock) = lock(&entry.path().join(LOCK), false)
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Where the directories are.
fn base() -> PathBuf {
    let memory = Path::new(MEMORY);
    let free = rustix::fs::statvfs(memory).map_or(0, |room| room.f_bavail * room.f_frsize);
    if free >= ROOM { memory.to_owned() } else { std::env::temp_dir() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::SCHEMA;
    use crate::{Options, Result, Store, Tx};
    use std::sync::mpsc;

    fn directory(store: &Store) -> PathBuf {
        store.0.scratch.as_ref().unwrap().directory.clone()
    }

    fn ephemeral() -> (Store, Ephemeral) {
        Store::ephemeral(&SCHEMA, &Options { readers: 1, ..Options::default() }).unwrap()
    }

    fn keep(key: &'static str) -> impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static {
        move |tx| {
            let sql = "INSERT INTO settings (name, value) VALUES ($1, $2)";
            tx.run(sql, &[&key, &vec![0_u8]]).map(drop)
        }
    }

    fn kept(tx: &mut Tx<'_>) -> Result<Vec<String>> {
        tx.all("SELECT name FROM settings ORDER BY name", &[])
    }

    #[tokio::test]
    async fn every_connection_sees_the_one_database_and_no_other() {
        let ((one, _), (two, _)) = (ephemeral(), ephemeral());
        one.write(keep("one")).await.unwrap();
        two.write(keep("two")).await.unwrap();
        assert_eq!(one.read(kept).await.unwrap(), ["one"]);
        assert_eq!(two.read(kept).await.unwrap(), ["two"]);
        assert!(one.is_ephemeral());
        one.ready().await.unwrap();
    }

    #[tokio::test]
    async fn it_logs_ahead_but_does_not_wait_for_the_disk() {
        let (store, _) = ephemeral();
        let mode = |tx: &mut Tx<'_>| tx.first::<String>("PRAGMA journal_mode", &[]);
        let sync = |tx: &mut Tx<'_>| tx.first::<i64>("PRAGMA synchronous", &[]);
        assert_eq!(store.write(mode).await.unwrap().as_deref(), Some("wal"));
        assert_eq!(store.write(sync).await.unwrap(), Some(0));
    }

    #[tokio::test]
    async fn a_read_sees_its_moment_while_another_writes() {
        let (store, _) = ephemeral();
        let ((here, arrived), (release, go)) = (mpsc::channel(), mpsc::channel::<()>());
        let go = std::sync::Mutex::new(go);
        let reader = store.clone();
        let read = tokio::spawn(async move {
            reader
                .read(move |tx| {
                    let before = kept(tx)?;
                    here.send(()).unwrap();
                    go.lock().unwrap().recv().unwrap();
                    Ok((before, kept(tx)?))
                })
                .await
        });
        tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
        // Were there no write-ahead log, this would wait for the read, which waits for us.
        store.write(keep("later")).await.unwrap();
        release.send(()).unwrap();
        let (before, after) = read.await.unwrap().unwrap();
        assert_eq!((before.len(), after.len()), (0, 0));
        assert_eq!(store.read(kept).await.unwrap(), ["later"]);
    }

    #[tokio::test]
    async fn it_is_its_owners_and_gone_with_the_store() {
        use std::os::unix::fs::PermissionsExt as _;
        let (store, _) = ephemeral();
        let closed = directory(&store);
        store.write(keep("x")).await.unwrap();
        assert_eq!(fs::metadata(&closed).unwrap().permissions().mode() & 0o777, 0o700);
        store.close().await;
        assert!(!closed.exists());
        let (store, _) = ephemeral();
        let dropped = directory(&store);
        assert!(dropped.exists());
        drop(store);
        assert!(!dropped.exists());
    }

    #[test]
    fn only_what_nobody_holds_is_swept_up() {
        let base = tempfile::tempdir().unwrap();
        let left = base.path().join(format!("{NAME}left"));
        let held = base.path().join(format!("{NAME}held"));
        let other = base.path().join("other");
        for directory in [&left, &held, &other] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join(LOCK), "").unwrap();
        }
        let lock = lock(&held.join(LOCK), false).unwrap();
        sweep(base.path());
        assert!(!left.exists() && held.exists() && other.exists());
        drop(lock);
        sweep(base.path());
        assert!(!held.exists() && other.exists());
    }

    /// Whoever may write there may leave what is never ready to be opened, or leads elsewhere.
    #[test]
    fn what_others_leave_there_is_let_alone() {
        let base = tempfile::tempdir().unwrap();
        let of = |name: &str| base.path().join(format!("{NAME}{name}"));
        let (waits, linked, leads) = (of("waits"), of("linked"), of("leads"));
        let precious = base.path().join("precious");
        for directory in [&waits, &leads, &precious] {
            fs::create_dir(directory).unwrap();
        }
        fs::write(precious.join(LOCK), "").unwrap();
        let pipe = waits.join(LOCK);
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink(&precious, &linked).unwrap();
        std::os::unix::fs::symlink(precious.join(LOCK), leads.join(LOCK)).unwrap();
        let sweep_soon = || {
            let (done, told) = mpsc::channel();
            let place = base.path().to_owned();
            std::thread::spawn(move || {
                sweep(&place);
                done.send(()).unwrap();
            });
            told.recv_timeout(std::time::Duration::from_mins(1)).expect("it waits for nobody");
        };
        sweep_soon();
        // With somebody who reads it can be opened, and is still no file.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let _reader = File::options().read(true).custom_flags(flags).open(&pipe).unwrap();
        sweep_soon();
        for kept in [&waits, &leads, &linked, &precious.join(LOCK)] {
            assert!(fs::symlink_metadata(kept).is_ok(), "{}", kept.display());
        }
    }
}
