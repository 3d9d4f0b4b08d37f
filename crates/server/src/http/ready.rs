//! Answers that are kept ready, as bytes: those to a bearer who asks for one user, or for a page
//! of the users or the groups of an application.
//!
//! An answer is sent again to the same token for the same target as long as the store says that
//! nothing has changed of what it was made of, which includes the record of the token. So there is
//! no time for which it may be wrong, and nobody has to forget it.
//!
//! What is asked for the first time is not kept: of very many users that are each asked for once in
//! a while, all would be put away and thrown out again before they are of use.

use crate::store::Stamp;
use bytes::Bytes;
use guestlist_api::id::ApiTokenId;
use guestlist_api::time::DateTime;
use hyper::header::HeaderValue;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes that all answers together may take: 30,000 or so of ordinary users.
const ROOM: u64 = 48 << 20;
/// The most answers there is room for, were they empty.
const MOST: usize = 64 << 10;
/// What an answer takes beside what is in it: its keys, its counts, and its place in the map.
const AROUND: usize = 320;
/// Questions of which it is known that they were asked before, or nearly as many.
const REMEMBERED: usize = 64 << 10;
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
pub(super) struct Ready {
    answers: Cache<Question, Arc<Kept>, Size>,
    /// Of the questions that share a place, by which the one asked last is known again.
    asked: Box<[AtomicU32]>,
    hasher: RandomState,
}

impl Default for Ready {
    fn default() -> Self {
        Self {
            answers: Cache::with_weighter(MOST, ROOM, Size),
            asked: std::iter::repeat_with(AtomicU32::default).take(REMEMBERED).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Ready {
    /// The answer that the bearer of `token` was given to a GET of `target`.
    pub(super) fn get(&self, token: ApiTokenId, target: &str) -> Option<Arc<Kept>> {
        self.answers.get(&Asking { token, target })
    }

    /// Whether the bearer of `token` asked for `target` not long ago, so that it is worth keeping
    /// the answer. Takes note that it does now.
    pub(super) fn asked_before(&self, token: ApiTokenId, target: &str) -> bool {
        let hash = self.hasher.hash_one(Asking { token, target });
        // The remainder is below the number of places, and half of a hash is no longer than it is.
        let place = usize::try_from(hash % REMEMBERED as u64).unwrap_or_default();
        // Not zero, as which all places begin.
        let mark = u32::try_from(hash >> 32).unwrap_or_default() | 1;
        self.asked[place].swap(mark, Ordering::Relaxed) == mark
    }

    /// Keeps an answer to the bearer of `token` for a GET of `target`.
    pub(super) fn put(&self, token: ApiTokenId, target: &str, kept: Kept) {
        self.answers.insert(Question { token, target: target.into() }, Arc::new(kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_api::id::ObjectId;

    #[test]
    fn what_is_asked_again_soon_is_known_again() {
        let ready = Ready::default();
        let [one, other] = [1, 2].map(|byte| ApiTokenId(ObjectId::from_bytes([byte; 12])));
        assert!(!ready.asked_before(one, "/a"));
        assert!(ready.asked_before(one, "/a"));
        assert!(!ready.asked_before(other, "/a"));
        assert!(!ready.asked_before(one, "/b"));
        // Many times as many others push it out, but for a chance of one in ten millions.
        for number in 0..16 * REMEMBERED {
            ready.asked_before(one, &format!("/{number}"));
        }
        assert!(!ready.asked_before(one, "/a"));
    }
}
