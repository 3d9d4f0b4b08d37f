//! The grant cache: what tokens allowed a moment ago.
//!
//! Whom a token speaks for and what it may do never change, but whether it is still good can at any
//! time. Where the store can tell that nothing has changed since it was asked, it need not be asked
//! again. Where it cannot, it is not asked again for half a second; then a read begins with what is
//! known of its token, and asks the store about it in the transaction that reads: one way to the
//! store and back, where asking first would be two.

use crate::store::{Snapshot, Store};
use crate::tokens::grant::Grant;
use guestlist_api::id::ApiTokenId;
use guestlist_api::time::DateTime;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Tokens that are remembered; beyond that all are forgotten, as each is soon known again.
const MOST: usize = 10_000;

/// What is known of tokens, by their ids.
#[derive(Default)]
pub(crate) struct GrantCache(RwLock<HashMap<ApiTokenId, Arc<Entry>>>);

struct Entry {
    grant: Grant,
    /// As long as it holds, the token is good until it ends.
    snapshot: Option<Snapshot>,
}

impl Entry {
    fn holds(&self, store: &Store, now: DateTime) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| store.holds(snapshot))
            && self.grant.expires.is_none_or(|end| now < end)
    }
}

impl GrantCache {
    /// What the token `id` allowed when it was last asked about, which proves nothing.
    pub(crate) fn stale(&self, id: ApiTokenId) -> Option<Grant> {
        self.entry(id).map(|entry| entry.grant.clone())
    }

    /// What the token `id` allows at `now`, if that is known.
    pub(crate) fn fresh(&self, store: &Store, id: ApiTokenId, now: DateTime) -> Option<Grant> {
        self.entry(id).filter(|entry| entry.holds(store, now)).map(|entry| entry.grant.clone())
    }

    /// Whether that is known.
    pub(crate) fn is_fresh(&self, store: &Store, id: ApiTokenId, now: DateTime) -> bool {
        self.entry(id).is_some_and(|entry| entry.holds(store, now))
    }

    fn entry(&self, id: ApiTokenId) -> Option<Arc<Entry>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Remembers `grant`, which was read after `snapshot` was taken.
    pub(crate) fn put(&self, grant: &Grant, snapshot: Option<Snapshot>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(grant.token, Arc::new(Entry { grant: grant.clone(), snapshot }));
    }
}
