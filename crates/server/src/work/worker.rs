//! Has done what is due.

use super::rows::{self, Taken};
use crate::error::Result;
use crate::rest::App;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How often it is looked whether something is due, if nobody says so: another node may have wanted it, and what
/// failed is tried again.
const EVERY: Duration = Duration::from_secs(2);
/// As much as is done at once.
const AT_ONCE: i64 = 8;

type Done = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A kind of work, and how it is done. That removes the row, or says when it is due again.
pub(crate) struct Kind {
    /// How its rows call it.
    pub(crate) name: &'static str,
    /// Does one.
    pub(crate) run: fn(Arc<App>, Taken) -> Done,
}

/// Wakes whoever does the work.
#[derive(Default)]
pub(crate) struct Worker {
    wake: Notify,
    /// Whoever does some of it in this process.
    turn: Mutex<()>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

impl Worker {
    /// Something may be due.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Does what is due, for as long as it runs.
    pub(crate) async fn run(&self, app: Arc<App>, kinds: &'static [Kind]) {
        loop {
            match self.round(&app, kinds).await {
                Ok(true) => {}
                Ok(false) => drop(timeout(EVERY, self.wake.notified()).await),
                // It is tried again soon, and is there until it is done.
                Err(error) => {
                    tracing::warn!(%error, "what is to be done waits");
                    tokio::time::sleep(EVERY).await;
                }
            }
        }
    }

    /// Does what is due now, and waits for what is being done.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn drain(&self, app: &Arc<App>, kinds: &'static [Kind]) -> Result<()> {
        while self.round(app, kinds).await? {}
        Ok(())
    }

    async fn round(&self, app: &Arc<App>, kinds: &'static [Kind]) -> Result<bool> {
        let _turn = self.turn.lock().await;
        round(app, kinds).await
    }
}

/// Does some of what is due, and says whether there was any.
async fn round(app: &Arc<App>, kinds: &'static [Kind]) -> Result<bool> {
    let now = app.clock.now();
    // Mostly nothing is, and a read costs less than a write that changes nothing.
    if !app.store.read(move |tx| rows::is_due(tx, now)).await? {
        return Ok(false);
    }
    let taken = app.store.write(move |tx| rows::take(tx, now, AT_ONCE)).await?;
    let mut at_work = JoinSet::new();
    let any = !taken.is_empty();
    for taken in taken {
        // One of a newer node is done there.
        if let Some(kind) = kinds.iter().find(|kind| kind.name == taken.kind) {
            drop(at_work.spawn((kind.run)(Arc::clone(app), taken)));
        }
    }
    while let Some(done) = at_work.join_next().await {
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what is to be done waits"),
            Err(error) => tracing::error!(%error, "what is to be done has failed"),
        }
    }
    Ok(any)
}
