//! The memory that all clients together may hold, for what they send and for what they are slow to
//! read. Each of the two is the process's, whatever number of listeners it has.

use super::transfer::{Transfer, UnderWay, close_slowest};
use crate::error::{Error, Result};
use bytes::Bytes;
use guestlist_store::Flow;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

const KIB: usize = 1024;

/// Bytes of bodies that are arriving, beyond what is free.
static BODIES: Semaphore = Semaphore::const_new(256 * KIB);
/// Bytes of a body that are free: more than nearly all bodies have. So whoever holds all the rest
/// with slow large ones only keeps other large ones out.
const FREE: usize = 16 * KIB;

/// Bytes of pages that are being made or sent.
static PAGES: LazyLock<Pages> = LazyLock::new(Pages::default);
const ALL_PAGES: usize = 256 * KIB;
/// How much of that those of one flow may hold: whoever is slow to read keeps no others waiting.
const PAGES_OF_ONE: usize = ALL_PAGES / 4;
/// How long a list waits for others to be read.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits before whoever reads slowest is closed, and then the next.
const TURN: Duration = Duration::from_millis(250);

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

/// The memory for pages, in KiB.
struct Pages {
    all: Semaphore,
    /// What there is for each flow that holds some.
    each: Mutex<HashMap<Flow, Arc<Semaphore>>>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { all: Semaphore::new(ALL_PAGES), each: Mutex::default() }
    }
}

impl Pages {
    fn lock(&self) -> MutexGuard<'_, HashMap<Flow, Arc<Semaphore>>> {
        self.each.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of what there is for one flow. It is forgotten with the last.
#[derive(Debug)]
struct Part {
    flow: Flow,
    of: Arc<Semaphore>,
}

impl Part {
    fn of(flow: Flow) -> Self {
        let mut each = PAGES.lock();
        let of = each.entry(flow).or_insert_with(|| Arc::new(Semaphore::new(PAGES_OF_ONE)));
        Self { flow, of: Arc::clone(of) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut each = PAGES.lock();
        // This one and the one in the map: permits have one each too.
        if Arc::strong_count(&self.of) == 2 {
            each.remove(&self.flow);
        }
    }
}

/// A share of the memory for pages.
#[derive(Debug)]
pub(crate) struct PageShare {
    own: OwnedSemaphorePermit,
    all: SemaphorePermit<'static>,
    // After the permits, which it counts.
    part: Part,
}

/// Why there is no share, as it is told.
pub(crate) const TOO_MANY_PAGES: &str = "Too many lists are waiting to be read";
const NO_ROOM: Error = Error::Busy { what: TOO_MANY_PAGES, retry_after: 5 };

impl PageShare {
    /// A share for `bytes` for a client of `flow`, if there is one.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none.
    pub(crate) fn now(flow: Flow, bytes: usize) -> Result<Self> {
        let part = Part::of(flow);
        let own = Arc::clone(&part.of).try_acquire_many_owned(kib(bytes));
        let own = own.map_err(|_| NO_ROOM)?;
        let all = PAGES.all.try_acquire_many(kib(bytes)).map_err(|_| NO_ROOM)?;
        Ok(Self { own, all, part })
    }

    /// A share for `bytes` for a client of `flow`, as soon as there is one. Meanwhile those make room
    /// who read slowly.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none for too long.
    pub(crate) async fn of(flow: Flow, bytes: usize) -> Result<Self> {
        let (part, has_own) = (Part::of(flow), AtomicBool::new(false));
        let (of, wanted) = (Arc::clone(&part.of), kib(bytes));
        let mut both = pin!(async {
            // Its own first: of what there is for all, nothing is held by those who wait.
            let own = of.acquire_many_owned(wanted).await?;
            has_own.store(true, Ordering::Relaxed);
            Ok::<_, AcquireError>((own, PAGES.all.acquire_many(wanted).await?))
        });
        let until = Instant::now() + PATIENCE;
        loop {
            match timeout(TURN, &mut both).await {
                Ok(Ok((own, all))) => return Ok(Self { own, all, part }),
                Err(_) if Instant::now() < until => {
                    close_slowest((!has_own.load(Ordering::Relaxed)).then_some(flow));
                }
                _ => return Err(NO_ROOM),
            }
        }
    }

    /// Makes it a share for `bytes` at least.
    ///
    /// # Errors
    /// [`Error::Busy`] when they are more than thought and there is no more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<()> {
        let wanted = kib(bytes) as usize;
        if let Some(more @ 1..) = wanted.checked_sub(self.all.num_permits()) {
            let more = Self::now(self.part.flow, more * KIB)?;
            self.own.merge(more.own);
            self.all.merge(more.all);
        }
        Ok(())
    }

    /// The same for `bytes`, now that it is known how many they are.
    ///
    /// # Errors
    /// As [`PageShare::grow`].
    pub(crate) fn resize(mut self, bytes: usize) -> Result<Self> {
        self.grow(bytes)?;
        let less = self.all.num_permits() - kib(bytes) as usize;
        drop((self.own.split(less), self.all.split(less)));
        Ok(self)
    }

    /// `bytes`, which hold the share until the last of them is sent.
    pub(super) fn hold(self, bytes: Bytes) -> (Bytes, Arc<Transfer>) {
        struct Held(
            Bytes,
            #[expect(dead_code, reason = "held, not looked at")] (PageShare, UnderWay),
        );
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        let (under_way, transfer) = Transfer::begin(self.part.flow);
        (Bytes::from_owner(Held(bytes, (self, under_way))), transfer)
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

        let (free, flow) = (|| PAGES.all.available_permits(), Flow::new(1, [1; 12]));
        let before = free();
        let share = PageShare::of(flow, 100 * KIB).await.unwrap().resize(10 * KIB).unwrap();
        assert_eq!(free(), before - 10);
        let share = share.resize(20 * KIB).unwrap();
        let (bytes, _) = share.hold(Bytes::from_static(b"page"));
        let part = bytes.slice(1..2);
        drop(bytes);
        assert_eq!(free(), before - 20);
        assert_eq!(&part[..], b"a");
        drop(part);
        assert_eq!(free(), before);
        let share = PageShare::of(flow, KIB).await.unwrap();
        assert!(matches!(share.resize((before + 1) * KIB), Err(Error::Busy { .. })));
        assert_eq!(free(), before);

        // A cached page is sent like one that is made: when it is its turn.
        let own = PageShare::now(flow, PAGES_OF_ONE * KIB).unwrap();
        let reply = || Reply::new(StatusCode::OK, vec![b'x'; 100 * KIB]);
        let meta = RequestMeta::of(&HeaderMap::new());
        let mut answer = std::pin::pin!(finish(reply().to(flow), &meta));
        assert!(timeout(Duration::from_millis(50), &mut answer).await.is_err());
        // Nobody else waits for those who are slow.
        let other = finish(reply().to(Flow::new(1, [2; 12])), &meta).await;
        assert_eq!(other.status(), StatusCode::OK);
        drop((own, other));
        assert_eq!(answer.await.status(), StatusCode::OK);
        assert_eq!((free(), PAGES.lock().len()), (before, 0));
    }
}
