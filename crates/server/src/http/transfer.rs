//! Large answers on their way, and how fast each is read. Where others wait for the memory that one
//! takes, whoever reads slowest loses the connection.

use super::connections::Place;
use guestlist_store::Flow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Bytes a second: whoever reads as fast as that keeps the connection, whoever waits.
const SLOW: u64 = 64 << 10;
/// For how long it is measured.
const MEASURED: Duration = Duration::from_secs(2);

/// Those that are on their way.
static ALL: Mutex<Vec<Arc<Transfer>>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<Arc<Transfer>>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A large answer on its way.
#[derive(Debug)]
pub(crate) struct Transfer {
    flow: Flow,
    /// The connection that it is written to.
    to: OnceLock<Weak<Place>>,
    /// How many bytes had been written to that, and when.
    sample: Mutex<Option<(Instant, u64)>>,
    closed: AtomicBool,
}

// Answers are compared in tests, by what they say.
impl PartialEq for Transfer {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Transfer {}

/// It is on its way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Transfer>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        all().retain(|transfer| !Arc::ptr_eq(transfer, &self.0));
    }
}

impl Transfer {
    /// One for a client of `flow`.
    pub(super) fn begin(flow: Flow) -> (UnderWay, Arc<Self>) {
        let new = Arc::new(Self {
            flow,
            to: OnceLock::new(),
            sample: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        all().push(Arc::clone(&new));
        (UnderWay(Arc::clone(&new)), new)
    }

    /// From now on it is written to the connection that has `place`.
    pub(super) fn write_to(&self, place: &Arc<Place>) {
        // An answer is written once.
        let _ = self.to.set(Arc::downgrade(place));
    }

    /// How many bytes a second are read of it, once that is known; the kernel takes the first ones.
    fn rate(&self, place: &Place, now: Instant) -> Option<u64> {
        let written = place.written();
        let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, before) = *sample.get_or_insert((now, written));
        let measured = now.duration_since(since);
        if measured < MEASURED {
            return None;
        }
        let millis = u64::try_from(measured.as_millis()).unwrap_or(u64::MAX);
        let rate = written.saturating_sub(before).saturating_mul(1000) / millis.max(1);
        if rate >= SLOW {
            *sample = Some((now, written));
        }
        Some(rate)
    }
}

/// Closes the connection of whoever reads slowest, of those of `flow` or of all, if that is slow. One
/// after the other: what the last has held is free in a moment.
pub(super) fn close_slowest(flow: Option<Flow>) {
    let now = Instant::now();
    let all = all();
    let concerned = all.iter().filter(|transfer| flow.is_none_or(|flow| transfer.flow == flow));
    let mut slowest: Option<(u64, &Arc<Transfer>, Arc<Place>)> = None;
    for transfer in concerned {
        let Some(place) = transfer.to.get().and_then(Weak::upgrade) else { continue };
        if transfer.closed.load(Ordering::Relaxed) {
            return;
        }
        let Some(rate) = transfer.rate(&place, now).filter(|rate| *rate < SLOW) else { continue };
        if slowest.as_ref().is_none_or(|(least, ..)| rate < *least) {
            slowest = Some((rate, transfer, place));
        }
    }
    let slowest = slowest.map(|(_, transfer, place)| (Arc::clone(transfer), place));
    // Whoever drops a place or an answer meanwhile waits for this.
    drop(all);
    if let Some((transfer, place)) = slowest {
        transfer.closed.store(true, Ordering::Relaxed);
        place.close();
        tracing::debug!("a connection that reads slowly made room for others");
    }
}
