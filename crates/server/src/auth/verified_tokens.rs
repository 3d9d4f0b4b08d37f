//! A cache of tokens whose signatures were verified: a bounded map that evicts nearly the least recently
//! used.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many maps there are, each behind its own lock, so that requests seldom wait for another.
const SHARDS: usize = 16;

/// The key of an entry: bytes that a caller cannot choose, such as a digest.
pub(super) type Key = [u8; 32];

/// An LRU cache: what was put in or looked up last stays, and never more than its capacity.
///
/// Each shard has two generations. What is put in or found joins the young one; when that is
/// full it becomes the old one, and the old one is forgotten. That is nearly the order of last
/// use, for the price of a map.
pub(super) struct VerifiedTokens<V> {
    shards: [Mutex<Generations<V>>; SHARDS],
    /// How many entries one generation of one shard may have.
    share: usize,
}

struct Generations<V> {
    young: HashMap<Key, V>,
    old: HashMap<Key, V>,
}

impl<V: Copy> VerifiedTokens<V> {
    pub(super) fn new(capacity: usize) -> Self {
        let empty = || Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() });
        Self { shards: std::array::from_fn(|_| empty()), share: capacity / SHARDS / 2 }
    }

    pub(super) fn get(&self, key: &Key) -> Option<V> {
        let mut shard = self.shard(key);
        if let Some(value) = shard.young.get(key) {
            return Some(*value);
        }
        let value = shard.old.remove(key)?;
        shard.put(*key, value, self.share);
        Some(value)
    }

    pub(super) fn put(&self, key: Key, value: V) {
        self.shard(&key).put(key, value, self.share);
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.clear();
            shard.old.clear();
        }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Generations<V>> {
        // Nothing panics while it holds the lock, and a map is sound whenever nothing runs.
        self.shards[usize::from(key[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Generations<V> {
    fn put(&mut self, key: Key, value: V, share: usize) {
        if self.young.len() >= share {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl<V> VerifiedTokens<V> {
        pub(in crate::auth) fn len(&self) -> usize {
            let lock = |shard: &Mutex<Generations<V>>| {
                let shard = shard.lock().unwrap();
                shard.young.len() + shard.old.len()
            };
            self.shards.iter().map(lock).sum()
        }
    }

    fn key(number: u32) -> Key {
        let mut key = [0; 32];
        key[0] = number.to_le_bytes()[0];
        key[28..].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn never_holds_more_than_its_capacity() {
        let recent = VerifiedTokens::new(320);
        for number in 0..10_000 {
            recent.put(key(number), number);
            assert!(recent.len() <= 320);
            assert_eq!(recent.get(&key(number)), Some(number));
        }
        assert!(recent.len() >= 160);
        assert_eq!(recent.get(&key(0)), None);
    }

    #[test]
    fn keeps_what_is_in_use() {
        let recent = VerifiedTokens::new(320);
        for number in 0..10_000 {
            recent.put(key(number), number);
            assert_eq!(recent.get(&key(0)), Some(0));
        }
    }
}
