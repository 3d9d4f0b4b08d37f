//! Work that takes a processor for milliseconds: away from the threads that answer, and no more of it at
//! once than leaves them half of the processors.

use crate::error::{Error, Result};
use std::sync::LazyLock;
use std::thread;
use tokio::sync::Semaphore;

/// Bytes of a body from which on reading it is such work.
pub(crate) const HEAVY: usize = 64 << 10;

static PLACES: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new((cores / 2).max(1))
});

/// Does `work` when it is its turn.
///
/// # Errors
/// [`Error::Internal`] when it panics.
pub(crate) async fn away<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let _place = PLACES.acquire().await.map_err(Error::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
