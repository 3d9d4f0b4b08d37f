//! How many bytes of answers an application has stored under an `Idempotency-Key`. They are summed now and
//! then, in a read of the application's own, and what this server adds meanwhile is added here: counting
//! them with each write would have all writes of an application wait for one another.

use crate::error::{Error, Result};
use crate::rows::idempotency;
use crate::store::Store;
use guestlist_api::id::ApplicationId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What part of the quota is added here before it is looked at what others have added: with so many servers
/// as this, an application has twice its quota at worst.
const SHARE: u64 = 16;
/// How often it is looked whether there is room again.
const AGAIN: Duration = Duration::from_secs(10);
/// How often it is looked at all, because the quota may have been changed.
const AT_LEAST: Duration = Duration::from_mins(10);

#[derive(Default)]
struct Spent {
    /// What there was when it was last summed.
    summed: u64,
    /// What was added here since.
    added: u64,
    /// What there may be.
    most: Option<u64>,
    /// When it was last summed, if it was.
    at: Option<Instant>,
    /// Whether somebody is summing it.
    summing: bool,
}

impl Spent {
    fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.summed.saturating_add(self.added) >= most)
    }

    fn is_stale(&self) -> bool {
        self.at.is_none_or(|at| {
            let added = self.most.is_some_and(|most| self.added > most / SHARE);
            let age = at.elapsed();
            added || age > AT_LEAST || age > AGAIN && self.is_full()
        })
    }
}

/// What each application has stored, as far as is known here.
#[derive(Default)]
pub(crate) struct AnswerBudget(Mutex<HashMap<ApplicationId, Spent>>);

/// Somebody who sums, until this is dropped.
struct Summing<'b>(&'b AnswerBudget, ApplicationId);

impl Drop for Summing<'_> {
    fn drop(&mut self) {
        self.0.with(self.1, |spent| spent.summing = false);
    }
}

impl AnswerBudget {
    fn with<T>(&self, application: ApplicationId, see: impl FnOnce(&mut Spent) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        see(all.entry(application).or_default())
    }

    /// Lets an answer of the application be stored.
    ///
    /// # Errors
    /// [`Error::QuotaExceeded`] when it has no room for more; and when the store fails.
    pub(crate) async fn admit(&self, store: &Store, application: ApplicationId) -> Result<()> {
        let stale = self.with(application, |spent| {
            let stale = spent.is_stale() && !spent.summing;
            spent.summing |= stale;
            stale.then_some(spent.added)
        });
        if let Some(added) = stale {
            let summing = Summing(self, application);
            let (summed, most) = store.read(move |tx| idempotency::held(tx, application)).await?;
            self.with(application, |spent| {
                // What came meanwhile may be in the sum or not.
                let added = spent.added.saturating_sub(added);
                (spent.summed, spent.added, spent.most) = (summed, added, most);
                spent.at = Some(Instant::now());
            });
            drop(summing);
        }
        match self.with(application, |spent| spent.most.filter(|_| spent.is_full())) {
            Some(limit) => Err(Error::QuotaExceeded {
                what: "bytes of answers under an Idempotency-Key",
                limit,
                remedy: "send the request without one, or try again when some are a day old",
            }),
            None => Ok(()),
        }
    }

    /// So many bytes were stored.
    pub(crate) fn add(&self, application: ApplicationId, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.with(application, |spent| spent.added = spent.added.saturating_add(bytes));
    }

    /// The quota of the application was changed.
    pub(crate) fn forget(&self, application: ApplicationId) {
        self.with(application, |spent| spent.at = None);
    }
}
