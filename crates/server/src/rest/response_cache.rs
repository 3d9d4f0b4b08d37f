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
//! Admission: a response is cached when it is requested for the second time. Of very many users that
//! are each requested once in a while, all would be evicted before they are of use.

use crate::error::Result;
use crate::http::coding::{self, Gzip, Packed};
use crate::http::reply::{gzip_tag, share_if_large};
use crate::store::Snapshot;
use bytes::Bytes;
use guestlist_api::id::ApiTokenId;
use guestlist_api::time::DateTime;
use guestlist_store::Flow;
use hyper::header::HeaderValue;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes that all answers together may take: 30,000 or so of ordinary users in their plain form, and
/// 22,000 in both.
pub(crate) const MAX_BYTES: u64 = 48 << 20;
/// The most answers there is room for, were they empty.
const MAX_RESPONSES: usize = 64 << 10;
/// What an answer takes beside what is in it: its keys, its counts, and its place in the map.
const AROUND: usize = 448;
/// Requests of which it is known that they came before, or nearly as many.
const REMEMBERED: usize = 64 << 10;
/// The longest target whose answer is cached.
pub(crate) const LONGEST_TARGET: usize = 256;

/// A cached answer.
#[derive(Debug, Clone)]
pub(crate) struct CachedResponse {
    /// What it depends on.
    pub(crate) snapshot: Snapshot,
    /// When its token ends.
    pub(crate) expires: Option<DateTime>,
    /// What was done, for the log.
    pub(crate) operation: &'static str,
    /// Who asked for it, and whose memory it takes while it is sent.
    pub(crate) flow: Flow,
    /// The tag of what it says.
    pub(crate) etag: Option<HeaderValue>,
    /// What it says.
    pub(crate) body: Bytes,
    /// The same as gzip. What it takes is part of the weight, so that an answer is cached anew
    /// rather than changed when this is made.
    pub(crate) gzip: Gzip,
}

#[derive(PartialEq, Eq, Hash)]
struct CacheKey {
    token: ApiTokenId,
    target: Box<str>,
}

/// A [`CacheKey`] to look up, which owns nothing.
struct KeyRef<'a> {
    token: ApiTokenId,
    target: &'a str,
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.token.hash(state);
        self.target.hash(state);
    }
}

impl Equivalent<CacheKey> for KeyRef<'_> {
    fn equivalent(&self, key: &CacheKey) -> bool {
        self.token == key.token && *self.target == *key.target
    }
}

#[derive(Clone)]
struct Size;

impl Weighter<CacheKey, Arc<CachedResponse>> for Size {
    fn weight(&self, key: &CacheKey, response: &Arc<CachedResponse>) -> u64 {
        let tag = |etag: &Option<HeaderValue>| etag.as_ref().map_or(0, HeaderValue::len);
        let packed = match &response.gzip {
            Gzip::Packed(packed) => tag(&packed.etag) + packed.body.len(),
            Gzip::Untried | Gzip::NoRoom | Gzip::Useless => 0,
        };
        let plain = tag(&response.etag) + response.body.len();
        (AROUND + key.target.len() + plain + packed) as u64
    }
}

/// The answers.
pub(crate) struct ResponseCache {
    answers: Cache<CacheKey, Arc<CachedResponse>, Size>,
    /// Of the requests that share a place, by which the last one is known again.
    requested: Box<[AtomicU32]>,
    hasher: RandomState,
}

impl Default for ResponseCache {
    fn default() -> Self {
        Self {
            answers: Cache::with_weighter(MAX_RESPONSES, MAX_BYTES, Size),
            requested: std::iter::repeat_with(AtomicU32::default).take(REMEMBERED).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl ResponseCache {
    /// The answer that the bearer of `token` was given to a GET of `target`.
    pub(crate) fn get(&self, token: ApiTokenId, target: &str) -> Option<Arc<CachedResponse>> {
        self.answers.get(&KeyRef { token, target })
    }

    /// How many answers there are, and how many bytes they take.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.answers.len(), self.answers.weight())
    }

    /// Whether the bearer of `token` requested `target` not long ago, so that it is worth caching
    /// the answer. Takes note that it does now.
    pub(crate) fn requested_before(&self, token: ApiTokenId, target: &str) -> bool {
        let hash = self.hasher.hash_one(KeyRef { token, target });
        // The remainder is below the number of places, and half of a hash is no longer than it is.
        let place = usize::try_from(hash % REMEMBERED as u64).unwrap_or_default();
        // Not zero, as which all places begin.
        let mark = u32::try_from(hash >> 32).unwrap_or_default() | 1;
        self.requested[place].swap(mark, Ordering::Relaxed) == mark
    }

    /// Caches an answer to the bearer of `token` for a GET of `target`.
    pub(crate) fn put(
        &self,
        token: ApiTokenId,
        target: &str,
        response: CachedResponse,
    ) -> Arc<CachedResponse> {
        let response = Arc::new(response);
        self.answers.insert(CacheKey { token, target: target.into() }, Arc::clone(&response));
        response
    }

    /// Makes the gzip form of `response`, which is cached for `token` and `target`, and caches it
    /// with the plain one from now on.
    ///
    /// # Errors
    /// When there is no memory for an answer that is so large.
    pub(crate) async fn pack(
        &self,
        token: ApiTokenId,
        target: &str,
        response: &CachedResponse,
    ) -> Result<Arc<CachedResponse>> {
        // Many may be requested at once.
        let share = share_if_large(response.flow, response.body.len()).await?;
        let gzip = match coding::gzip(&response.body).await {
            Some(body) => {
                let etag = response.etag.as_ref().map(|tag| gzip_tag(tag).unwrap_or(tag.clone()));
                // As much as it takes, where what was written into has room to spare.
                Gzip::Packed(Packed { body: Bytes::copy_from_slice(&body), etag })
            }
            None => Gzip::Useless,
        };
        drop(share);
        let packed = self.put(token, target, CachedResponse { gzip, ..response.clone() });
        // There is no room for both forms of what nearly fills a shard of the cache.
        if self.answers.peek(&KeyRef { token, target }).is_none() {
            self.put(token, target, CachedResponse { gzip: Gzip::NoRoom, ..response.clone() });
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

    fn response(body: Bytes) -> CachedResponse {
        CachedResponse {
            snapshot: Snapshot::of_nothing(),
            expires: None,
            operation: "experienceUser.get",
            flow: Flow::OWN,
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

    fn packed(cached: &CachedResponse) -> &Packed {
        match &cached.gzip {
            Gzip::Packed(packed) => packed,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_packed_form_is_cached_with_the_plain_one() {
        let cache = ResponseCache::default();
        let plain = cache.put(TOKEN, "/a", response(text(2000)));
        let answered = cache.pack(TOKEN, "/a", &plain).await.unwrap();
        let cached = cache.get(TOKEN, "/a").unwrap();
        assert!(Arc::ptr_eq(&answered, &cached));
        assert_eq!((&cached.body, &cached.etag), (&plain.body, &plain.etag));
        let packed = packed(&cached);
        assert_eq!(packed.etag.as_ref().unwrap(), "\"x-gzip\"");
        assert!(packed.body.len() < cached.body.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(&*packed.body).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
    }

    #[tokio::test]
    async fn that_it_is_not_worth_it_is_cached_as_well() {
        let cache = ResponseCache::default();
        let plain = cache.put(TOKEN, "/a", response(Bytes::from_static(b"{}")));
        cache.pack(TOKEN, "/a", &plain).await.unwrap();
        assert_eq!(cache.get(TOKEN, "/a").unwrap().gzip, Gzip::Useless);
    }

    #[tokio::test]
    async fn both_forms_count() {
        let cache = ResponseCache::default();
        let key = CacheKey { token: TOKEN, target: "/a".into() };
        let plain = cache.put(TOKEN, "/a", response(text(2000)));
        let plain_only = Size.weight(&key, &plain);
        let both = cache.pack(TOKEN, "/a", &plain).await.unwrap();
        let packed = packed(&both);
        let more = packed.body.len() + "\"x-gzip\"".len();
        assert_eq!(Size.weight(&key, &both), plain_only + more as u64);
        assert_eq!(cache.answers.weight(), plain_only + more as u64);

        // Ten times as much as there is room for.
        let body = text(60_000);
        let size = |cached: &CachedResponse| match &cached.gzip {
            Gzip::Packed(packed) => cached.body.len() + packed.body.len(),
            other => panic!("{other:?}"),
        };
        let count = 10 * usize::try_from(MAX_BYTES).unwrap() / body.len();
        let one = cache.pack(TOKEN, "/0", &response(body.clone())).await.unwrap();
        for number in 0..count {
            // What packing makes of it, over again.
            let plain = cache.put(TOKEN, &format!("/{number}"), response(body.clone()));
            let again = CachedResponse { gzip: one.gzip.clone(), ..CachedResponse::clone(&plain) };
            cache.put(TOKEN, &format!("/{number}"), again);
        }
        let get = |number: usize| cache.get(TOKEN, &format!("/{number}"));
        let held: usize = (0..count).filter_map(get).map(|cached| size(&cached)).sum();
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
    async fn what_is_too_large_in_both_forms_is_cached_in_the_plain_one() {
        let cache = ResponseCache::default();
        let shard = usize::try_from(cache.answers.shard_capacity()).unwrap();
        let body = text(shard * 9 / 10);
        let plain = cache.put(TOKEN, "/a", response(body.clone()));
        let answered = cache.pack(TOKEN, "/a", &plain).await.unwrap();
        assert!(packed(&answered).body.len() > shard / 10);
        let cached = cache.get(TOKEN, "/a").unwrap();
        assert_eq!((&cached.body, &cached.gzip), (&body, &Gzip::NoRoom));
    }

    #[test]
    fn what_is_asked_again_soon_is_known_again() {
        let cache = ResponseCache::default();
        let [one, other] = [1, 2].map(|byte| ApiTokenId(ObjectId::from_bytes([byte; 12])));
        assert!(!cache.requested_before(one, "/a"));
        assert!(cache.requested_before(one, "/a"));
        assert!(!cache.requested_before(other, "/a"));
        assert!(!cache.requested_before(one, "/b"));
        // Many times as many others push it out, but for a chance of one in ten millions.
        for number in 0..16 * REMEMBERED {
            cache.requested_before(one, &format!("/{number}"));
        }
        assert!(!cache.requested_before(one, "/a"));
    }
}
