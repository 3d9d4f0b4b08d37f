//! The only sources of time and of chance.

use guestlist_api::id::ObjectId;
use guestlist_api::time::DateTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time, in milliseconds since 1970.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that stands still until it is set.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The time now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    pub fn now(&self) -> DateTime {
        let millis = match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_millis()).ok())
                .unwrap_or_default(),
            Self::Manual(millis) => millis.load(Ordering::Relaxed),
        };
        DateTime::from_millis(millis)
    }
}

/// Fills `buffer` with random bytes from the operating system.
///
/// # Errors
/// When the operating system has none to give.
pub fn random<const N: usize>() -> crate::error::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| crate::error::Error::internal(error.to_string()))?;
    Ok(bytes)
}

/// Makes identifiers: four bytes of seconds, five that are this process, three that count.
#[derive(Debug)]
pub struct Ids {
    process: [u8; 5],
    count: AtomicU32,
}

impl Ids {
    /// A new series.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn new() -> crate::error::Result<Self> {
        let [x, y, z] = random()?;
        let count = AtomicU32::new(u32::from_be_bytes([0, x, y, z]));
        Ok(Self { process: random()?, count })
    }

    /// The next identifier.
    #[must_use]
    pub fn next(&self, now: DateTime) -> ObjectId {
        let [_, s @ ..] = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let seconds = u32::try_from(now.millis() / 1000).unwrap_or_default().to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds);
        bytes[4..9].copy_from_slice(&self.process);
        bytes[9..].copy_from_slice(&s);
        ObjectId::from_bytes(bytes)
    }
}
