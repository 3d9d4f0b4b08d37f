//! A buffer for what a client sends, which may hold passwords: bounded, and wiped.

use crate::error::{Error, Result};
use zeroize::Zeroizing;

/// A growing buffer that leaves no copy behind when it moves.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Buffer {
    /// An empty one for `limit` bytes at most.
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Zeroizing::default(), limit }
    }

    /// Adds `more`.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`].
    pub(super) fn push(&mut self, more: &[u8]) -> Result<()> {
        let needed = self.bytes.len() + more.len();
        if needed > self.limit {
            return Err(Error::BodyTooLarge { limit: self.limit });
        }
        if needed > self.bytes.capacity() {
            // `Vec` would free the old bytes without wiping them.
            let mut larger = Vec::with_capacity(needed.next_power_of_two());
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger.into();
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// How many bytes it holds.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_buffer_holds_what_was_put_in(parts in proptest::collection::vec(".{0,9}", 0..9)) {
            let mut buffer = Buffer::new(1024);
            for part in &parts {
                buffer.push(part.as_bytes()).unwrap();
            }
            prop_assert_eq!(buffer.into_bytes().to_vec(), parts.concat().into_bytes());
        }
    }
}
