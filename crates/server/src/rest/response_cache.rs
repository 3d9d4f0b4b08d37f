//! The response cache: answers to GETs of one user, or of a page of the users or the groups of an
//! application, as bytes.
//!
//! The key is a token and a target. An entry is valid as long as the store says that nothing has
//! changed of what it was made of, the record of the token included (a snapshot of generations). So it
//! is never out of date, and nothing has to invalidate it.
//!
//! The gzip form is made at the first hit that accepts gzip, and cached with the plain one under the
//! same snapshot. That packing does not pay is cached as well.
//!
//! Admission: a response is cached when it is asked for the second time. Of very many users that are
//! each asked for once in a while, all would be evicted before they are of use.

use crate::error::Result;
use crate::http::coding::{self, Gzip, Packed};
use crate::http::reply::{gzip_tag, share_if_large};
use crate::store::Snapshot;
use bytes::Bytes;
use guestlist_api::id::ApiTokenId;
use guestlist_api::time::DateTime;
use hyper::header::HeaderValue;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes that all answers together may take: 30,000 or so of ordinary users in their plain form, and
/// 22,000 in both.
const MAX_BYTES: u64 = 48 << 20;
/// The most answers there is room for, were they empty.
const MAX_RESPONSES: usize = 64 << 10;
/// What an answer takes beside what is in it: its keys, its counts, and its place in the map.
const AROUND: usize = 448;
/// Questions of which it is known that they were asked before, or nearly as many.
const REMEMBERED: usize = 64 << 10;
/// The longest target whose answer is kept.
pub(crate) const LONGEST_TARGET: usize = 256;

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(crate) struct CachedResponse {
    /// What it depends on.
    pub(crate) snapshot: Snapshot,
    /// When its token ends.
    pub(crate) expires: Option<DateTime>,
    /// What was done, for the log.
    pub(crate) operation: &'static str,
    /// The tag of what it says.
    pub(crate) etag: Option<HeaderValue>,
    /// What it says.
    pub(crate) body: Bytes,
    /// The same as gzip. What it takes is part of the weight, so that an answer is kept anew rather
    /// than changed when this is made.
    pub(crate) gzip: Gzip,
}

#[derive(PartialEq, Eq, Hash)]
struct CacheKey {
    token: ApiTokenId,
    target: Box<str>,
}

/// A [`CacheKey`] as it is asked.
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

impl Equivalent<CacheKey> for Asking<'_> {
    fn equivalent(&self, question: &CacheKey) -> bool {
        self.token == question.token && *self.target == *question.target
    }
}

#[derive(Clone)]
struct Size;

impl Weighter<CacheKey, Arc<CachedResponse>> for Size {
    fn weight(&self, question: &CacheKey, kept: &Arc<CachedResponse>) -> u64 {
        let tag = |etag: &Option<HeaderValue>| etag.as_ref().map_or(0, HeaderValue::len);
        let packed = match &kept.gzip {
            Gzip::Packed(packed) => tag(&packed.etag) + packed.body.len(),
            Gzip::Untried | Gzip::Unkept | Gzip::Useless => 0,
        };
        let plain = tag(&kept.etag) + kept.body.len();
        (AROUND + question.target.len() + plain + packed) as u64
    }
}

/// The answers.
pub(crate) struct ResponseCache {
    answers: Cache<CacheKey, Arc<CachedResponse>, Size>,
    /// Of the questions that share a place, by which the one asked last is known again.
    asked: Box<[AtomicU32]>,
    hasher: RandomState,
}

impl Default for ResponseCache {
    fn default() -> Self {
        Self {
            answers: Cache::with_weighter(MAX_RESPONSES, MAX_BYTES, Size),
            asked: std::iter::repeat_with(AtomicU32::default).take(REMEMBERED).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl ResponseCache {
    /// The answer that the bearer of `token` was given to a GET of `target`.
    pub(crate) fn get(&self, token: ApiTokenId, target: &str) -> Option<Arc<CachedResponse>> {
        self.answers.get(&Asking { token, target })
    }

    /// Whether the bearer of `token` asked for `target` not long ago, so that it is worth keeping
    /// the answer. Takes note that it does now.
    pub(crate) fn asked_before(&self, token: ApiTokenId, target: &str) -> bool {
        let hash = self.hasher.hash_one(Asking { token, target });
        // The remainder is below the number of places, and half of a hash is no longer than it is.
        let place = usize::try_from(hash % REMEMBERED as u64).unwrap_or_default();
        // Not zero, as which all places begin.
        let mark = u32::try_from(hash >> 32).unwrap_or_default() | 1;
        self.asked[place].swap(mark, Ordering::Relaxed) == mark
    }

    /// Keeps an answer to the bearer of `token` for a GET of `target`.
    pub(crate) fn put(
        &self,
        token: ApiTokenId,
        target: &str,
        kept: CachedResponse,
    ) -> Arc<CachedResponse> {
        let kept = Arc::new(kept);
        self.answers.insert(CacheKey { token, target: target.into() }, Arc::clone(&kept));
        kept
    }

    /// Makes the gzip form of `kept`, which was found for `token` and `target`, and keeps it with
    /// the plain one from now on.
    ///
    /// # Errors
    /// When there is no memory for an answer that is so large.
    pub(crate) async fn pack(
        &self,
        token: ApiTokenId,
        target: &str,
        kept: &CachedResponse,
    ) -> Result<Arc<CachedResponse>> {
        // Many may be asked for at once.
        let share = share_if_large(kept.body.len()).await?;
        let gzip = match coding::gzip(&kept.body).await {
            Some(body) => {
                let etag = kept.etag.as_ref().map(|tag| gzip_tag(tag).unwrap_or(tag.clone()));
                // As much as it takes, where what was written into has room to spare.
                Gzip::Packed(Packed { body: Bytes::copy_from_slice(&body), etag })
            }
            None => Gzip::Useless,
        };
        drop(share);
        let packed = self.put(token, target, CachedResponse { gzip, ..kept.clone() });
        // There is no room for both forms of what nearly fills a shard of the cache.
        if self.answers.peek(&Asking { token, target }).is_none() {
            self.put(token, target, CachedResponse { gzip: Gzip::Unkept, ..kept.clone() });
        }
        Ok(packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use guestlist_api::id::ObjectId;
    use std::io::Read as _;

    const TOKEN: ApiTokenId = ApiTokenId(ObjectId::from_bytes([1; 12]));

    fn kept(body: Bytes) -> CachedResponse {
        CachedResponse {
            snapshot: Snapshot::of_nothing(),
            expires: None,
            operation: "experienceUser.get",
            etag: Some(HeaderValue::from_static("\"x\"")),
            body,
            gzip: Gzip::Untried,
        }
    }

    /// Text that shrinks to some three quarters, so that the packed form is a good part of it.
    fn text(length: usize) -> Bytes {
        let mut state = 1_u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b"0123456789abcdefghijklmnopqrstuv"[usize::try_from(state >> 59).unwrap()]
        };
        std::iter::repeat_with(&mut letter).take(length).collect()
    }

    fn packed(kept: &CachedResponse) -> &Packed {
        match &kept.gzip {
            Gzip::Packed(packed) => packed,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_packed_form_is_kept_with_the_plain_one() {
        let ready = ResponseCache::default();
        let plain = ready.put(TOKEN, "/a", kept(text(2000)));
        let answered = ready.pack(TOKEN, "/a", &plain).await.unwrap();
        let kept = ready.get(TOKEN, "/a").unwrap();
        assert!(Arc::ptr_eq(&answered, &kept));
        assert_eq!((&kept.body, &kept.etag), (&plain.body, &plain.etag));
        let packed = packed(&kept);
        assert_eq!(packed.etag.as_ref().unwrap(), "\"x-gzip\"");
        assert!(packed.body.len() < kept.body.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(&*packed.body).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
    }

    #[tokio::test]
    async fn that_it_is_not_worth_it_is_kept_as_well() {
        let ready = ResponseCache::default();
        let plain = ready.put(TOKEN, "/a", kept(Bytes::from_static(b"{}")));
        ready.pack(TOKEN, "/a", &plain).await.unwrap();
        assert_eq!(ready.get(TOKEN, "/a").unwrap().gzip, Gzip::Useless);
    }

    #[tokio::test]
    async fn both_forms_count() {
        let ready = ResponseCache::default();
        let question = CacheKey { token: TOKEN, target: "/a".into() };
        let plain = ready.put(TOKEN, "/a", kept(text(2000)));
        let alone = Size.weight(&question, &plain);
        let both = ready.pack(TOKEN, "/a", &plain).await.unwrap();
        let packed = packed(&both);
        let more = packed.body.len() + "\"x-gzip\"".len();
        assert_eq!(Size.weight(&question, &both), alone + more as u64);
        assert_eq!(ready.answers.weight(), alone + more as u64);

        // Ten times as much as there is room for.
        let body = text(60_000);
        let size = |kept: &CachedResponse| match &kept.gzip {
            Gzip::Packed(packed) => kept.body.len() + packed.body.len(),
            other => panic!("{other:?}"),
        };
        let count = 10 * usize::try_from(MAX_BYTES).unwrap() / body.len();
        let one = ready.pack(TOKEN, "/0", &kept(body.clone())).await.unwrap();
        for number in 0..count {
            // What packing makes of it, over again.
            let plain = ready.put(TOKEN, &format!("/{number}"), kept(body.clone()));
            let again = CachedResponse { gzip: one.gzip.clone(), ..CachedResponse::clone(&plain) };
            ready.put(TOKEN, &format!("/{number}"), again);
        }
        let get = |number: usize| ready.get(TOKEN, &format!("/{number}"));
        let held: usize = (0..count).filter_map(get).map(|kept| size(&kept)).sum();
        assert!(held as u64 <= MAX_BYTES, "{held}");
        assert!(held as u64 > MAX_BYTES / 2, "{held}");
    }

    #[test]
    fn what_is_around_an_answer_is_counted() {
        // In an `Arc`, with the counts that `Bytes` and `HeaderValue` make when they are cloned
        // first, and the links of the cache.
        let counts = 2 * size_of::<usize>() + 4 * 3 * size_of::<usize>();
        let links = 4 * size_of::<usize>();
        let around = size_of::<CachedResponse>() + size_of::<CacheKey>() + counts + links;
        assert!(around <= AROUND, "{around}");
    }

    #[tokio::test]
    async fn what_is_too_large_in_both_forms_is_kept_in_the_plain_one() {
        let ready = ResponseCache::default();
        let shard = usize::try_from(ready.answers.shard_capacity()).unwrap();
        let body = text(shard * 9 / 10);
        let plain = ready.put(TOKEN, "/a", kept(body.clone()));
        let answered = ready.pack(TOKEN, "/a", &plain).await.unwrap();
        assert!(packed(&answered).body.len() > shard / 10);
        let kept = ready.get(TOKEN, "/a").unwrap();
        assert_eq!((&kept.body, &kept.gzip), (&body, &Gzip::Unkept));
    }

    #[test]
    fn what_is_asked_again_soon_is_known_again() {
        let ready = ResponseCache::default();
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
