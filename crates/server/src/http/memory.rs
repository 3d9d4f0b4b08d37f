//! The memory that all clients together may hold, for what they send and for what they are slow to
//! read. Each of the two is the process's, whatever number of listeners it has.

use crate::error::{Error, Result};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

const KIB: usize = 1024;

/// Bytes of bodies that are arriving, beyond what is free.
static BODIES: Semaphore = Semaphore::const_new(256 * KIB);
/// Bytes of a body that are free: more than nearly all bodies have. So whoever holds all the rest
/// with slow large ones only keeps other large ones out.
const FREE: usize = 16 * KIB;

/// Bytes of pages that are being made or sent.
static PAGES: Semaphore = Semaphore::const_new(256 * KIB);
/// How long a list waits for others to be read.
const PATIENCE: Duration = Duration::from_secs(5);

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX)
}

/// A share of the memory for bodies that grows with the body.
#[derive(Default)]
pub(crate) struct BodyShare(Option<SemaphorePermit<'static>>);

impl BodyShare {
    /// Makes it a share for `bytes` in all.
    ///
    /// # Errors
    /// [`Error::Busy`] when others hold the rest.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<()> {
        let wanted = kib(bytes.saturating_sub(FREE));
        let held = self.0.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = wanted.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX));
        if more == 0 {
            return Ok(());
        }
        let more = BODIES.try_acquire_many(more).map_err(|_| Error::Busy {
            what: "The server is taking in too many large bodies",
            retry_after: 5,
        })?;
        match &mut self.0 {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// A share of the memory for pages.
#[derive(Debug)]
pub(crate) struct PageShare(SemaphorePermit<'static>);

const TOO_MANY_PAGES: Error =
    Error::Busy { what: "Too many lists are waiting to be read", retry_after: 5 };

impl PageShare {
    /// A share for `bytes`, if there is one.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none.
    pub(crate) fn now(bytes: usize) -> Result<Self> {
        PAGES.try_acquire_many(kib(bytes)).map(Self).map_err(|_| TOO_MANY_PAGES)
    }

    /// A share for `bytes`, as soon as there is one.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none for too long.
    pub(crate) async fn of(bytes: usize) -> Result<Self> {
        match timeout(PATIENCE, PAGES.acquire_many(kib(bytes))).await {
            Ok(Ok(permit)) => Ok(Self(permit)),
            _ => Err(TOO_MANY_PAGES),
        }
    }

    /// The same for `bytes`, now that it is known how many they are.
    ///
    /// # Errors
    /// [`Error::Busy`] when they are more than thought and there is no more.
    pub(crate) fn resize(mut self, bytes: usize) -> Result<Self> {
        let (wanted, held) = (kib(bytes), u32::try_from(self.0.num_permits()).unwrap_or(u32::MAX));
        if let Some(less) = held.checked_sub(wanted) {
            drop(self.0.split(less as usize));
        } else {
            let more = PAGES.try_acquire_many(wanted - held).map_err(|_| TOO_MANY_PAGES)?;
            self.0.merge(more);
        }
        Ok(self)
    }

    /// `bytes`, which hold the share until the last of them is sent.
    pub(crate) fn hold(self, bytes: Bytes) -> Bytes {
        struct Held(Bytes, #[expect(dead_code, reason = "held, not looked at")] PageShare);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Bytes::from_owner(Held(bytes, self))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::{Reply, RequestMeta, finish};
    use super::*;
    use hyper::{HeaderMap, StatusCode};

    // One test, for the shares are those of the whole process.
    #[tokio::test]
    async fn shares_are_bounded_and_come_back() {
        let mut small = BodyShare::default();
        small.grow(FREE).unwrap();
        assert!(small.0.is_none());
        let before = BODIES.available_permits();
        let mut large = BodyShare::default();
        large.grow(FREE + 1).unwrap();
        large.grow(FREE + 3 * KIB).unwrap();
        assert_eq!(BODIES.available_permits(), before - 3);
        assert!(matches!(BodyShare::default().grow(FREE + before * KIB), Err(Error::Busy { .. })));
        small.grow(FREE).unwrap();
        drop(large);
        assert_eq!(BODIES.available_permits(), before);

        let before = PAGES.available_permits();
        let share = PageShare::of(100 * KIB).await.unwrap().resize(10 * KIB).unwrap();
        assert_eq!(PAGES.available_permits(), before - 10);
        let share = share.resize(20 * KIB).unwrap();
        let bytes = share.hold(Bytes::from_static(b"page"));
        let part = bytes.slice(1..2);
        drop(bytes);
        assert_eq!(PAGES.available_permits(), before - 20);
        assert_eq!(&part[..], b"a");
        drop(part);
        assert_eq!(PAGES.available_permits(), before);
        let share = PageShare::of(KIB).await.unwrap();
        assert!(matches!(share.resize((before + 1) * KIB), Err(Error::Busy { .. })));
        assert_eq!(PAGES.available_permits(), before);

        // A cached page is sent like one that is made: when it is its turn.
        let others = PageShare::now(before * KIB).unwrap();
        let reply = Reply::new(StatusCode::OK, vec![b'x'; 100 * KIB]);
        let meta = RequestMeta::of(&HeaderMap::new());
        let mut answer = std::pin::pin!(finish(reply, &meta));
        assert!(timeout(Duration::from_millis(50), &mut answer).await.is_err());
        drop(others);
        assert_eq!(answer.await.status(), StatusCode::OK);
    }
}
