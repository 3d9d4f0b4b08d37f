//! Work that nobody waits for as they wait for an answer, and what it writes.

use super::error::BackupError;
use crate::priority::give_way;
use crate::store::OpenError;
use std::fs::File;
use std::io::{self, Write};
use std::thread;
use tokio::sync::oneshot;

/// How much threads give way that look at a copy and pack it.
const NICENESS: i32 = 19;

/// Bytes that are written before they are synced. Many at once would keep those waiting who sync a few: on
/// most file systems a sync waits for what others have written.
const UNSYNCED: usize = 16 << 20;

/// Does `work` on a thread of its own, which may wait for disks.
pub(super) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let (send, done) = oneshot::channel();
    let working = move || {
        // Whoever asked may have gone.
        let _ = send.send(work());
    };
    let started = thread::Builder::new().name("backup".into()).spawn(working);
    started.map_err(OpenError::Thread)?;
    done.await.unwrap_or(Err(BackupError::Panicked))
}

/// As [`on_a_thread`], on one that gives way to all others: for what holds nothing meanwhile that others need,
/// and may take as long as it takes.
pub(super) async fn in_no_hurry<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    on_a_thread(|| {
        give_way(NICENESS, "backup");
        work()
    })
    .await
}

/// A file that is synced as it is written, a little at a time.
pub(super) struct Paced {
    file: File,
    unsynced: usize,
}

impl Paced {
    pub(super) const fn new(file: File) -> Self {
        Self { file, unsynced: 0 }
    }

    /// Syncs the rest.
    pub(super) fn finish(self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl Write for Paced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.unsynced += count;
        if self.unsynced >= UNSYNCED {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux keeps the niceness of each thread: it is the nineteenth field of its state.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_give_way() {
        let state = in_no_hurry(|| Ok(std::fs::read_to_string("/proc/thread-self/stat").unwrap()));
        let state = state.await.unwrap();
        let fields = state.rsplit(')').next().unwrap();
        assert_eq!(fields.split_whitespace().nth(16), Some("19"), "{state}");
    }

    #[tokio::test]
    async fn a_thread_that_panics_is_an_error() {
        let panics = on_a_thread(|| -> Result<(), _> { panic!("on purpose") }).await;
        assert!(matches!(panics, Err(BackupError::Panicked)));
    }
}
