//! Pauses that grow with each failure, and differ by chance (backoff).

use std::time::Duration;

/// How long to wait after `failed` failures: twice as long each time, and never as long as others.
pub(super) fn pause(failed: u32, longest: Duration) -> Duration {
    let most = Duration::from_millis(2 << failed.min(16)).min(longest);
    let random = crate::chance::random::<1>().map_or(0, |[byte]| u32::from(byte));
    most / 2 + most * random / 512
}
