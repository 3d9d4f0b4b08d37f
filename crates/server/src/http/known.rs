//! Tokens that were good a moment ago.
//!
//! Whom a token speaks for and what it may do never change, but whether it is still good can at any
//! time. So a read begins with what is known of its token, and asks the store about it in the
//! transaction that reads: one way to the store and back, where asking first would be two.

use crate::store::api_tokens::Grant;
use guestlist_api::id::ApiTokenId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Tokens that are remembered; beyond that all are forgotten, as each is soon known again.
const MOST: usize = 10_000;

/// What is known of tokens. It proves nothing.
#[derive(Default)]
pub(super) struct Known(RwLock<HashMap<ApiTokenId, Arc<Grant>>>);

impl Known {
    /// What the token `id` allowed when it was last asked about.
    pub(super) fn get(&self, id: ApiTokenId) -> Option<Grant> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).map(|grant| Grant::clone(grant))
    }

    /// Remembers `grant`.
    pub(super) fn put(&self, grant: &Grant) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(grant.token, Arc::new(grant.clone()));
    }
}
