//! Answers that are kept ready, as bytes: those to a bearer who asks for one user, or for a page
//! of the users or the groups of an application.
//!
//! An answer is sent again to the same token for the same target as long as the store says that
//! nothing has changed of what it was made of, which includes the record of the token. So there is
//! no time for which it may be wrong, and nobody has to forget it.

use crate::store::Stamp;
use bytes::Bytes;
use guestlist_api::id::ApiTokenId;
use guestlist_api::time::DateTime;
use hyper::header::HeaderValue;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Bytes that all answers together may take: 30,000 or so of ordinary users.
const ROOM: u64 = 48 << 20;
/// The most answers there is room for, were they empty.
const MOST: usize = 64 << 10;
/// What an answer takes beside what is in it: its keys, its counts, and its place in the map.
const AROUND: usize = 320;
/// The longest target whose answer is kept.
pub(super) const LONGEST_TARGET: usize = 256;

/// An answer that is kept.
pub(super) struct Kept {
    /// What it depends on.
    pub(super) stamp: Stamp,
    /// When its token ends.
    pub(super) expires: Option<DateTime>,
    /// What was done, for the log.
    pub(super) operation: &'static str,
    /// The tag of what it says.
    pub(super) etag: Option<HeaderValue>,
    /// What it says.
    pub(super) body: Bytes,
}

#[derive(PartialEq, Eq, Hash)]
struct Question {
    token: ApiTokenId,
    target: Box<str>,
}

/// A [`Question`] as it is asked.
struct Asking<'a> {
    token: ApiTokenId,
    target: &'a str,
}

impl Hash for Asking<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.token.hash(state);
        self.target.hash(state);
    }
}

impl Equivalent<Question> for Asking<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        self.token == question.token && *self.target == *question.target
    }
}

#[derive(Clone)]
struct Size;

impl Weighter<Question, Arc<Kept>> for Size {
    fn weight(&self, question: &Question, kept: &Arc<Kept>) -> u64 {
        let etag = kept.etag.as_ref().map_or(0, HeaderValue::len);
        (AROUND + question.target.len() + etag + kept.body.len()) as u64
    }
}

/// The answers.
pub(super) struct Ready(Cache<Question, Arc<Kept>, Size>);

impl Default for Ready {
    fn default() -> Self {
        Self(Cache::with_weighter(MOST, ROOM, Size))
    }
}

impl Ready {
    /// The answer that the bearer of `token` was given to a GET of `target`.
    pub(super) fn get(&self, token: ApiTokenId, target: &str) -> Option<Arc<Kept>> {
        self.0.get(&Asking { token, target })
    }

    /// Keeps an answer to the bearer of `token` for a GET of `target`.
    pub(super) fn put(&self, token: ApiTokenId, target: &str, kept: Kept) {
        self.0.insert(Question { token, target: target.into() }, Arc::new(kept));
    }
}
