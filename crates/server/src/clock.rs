//! The only sources of time and of chance.

use guestlist_api::id::ObjectId;
use guestlist_api::time::DateTime;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time, in milliseconds since 1970.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that is set by hand, in tests.
    Settable(Arc<Settable>),
    /// One of these, brought to the time of the database that several servers share.
    Shared(Arc<Shared>),
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> DateTime {
        match self {
            Self::System => system(),
            Self::Settable(clock) => clock.now(),
            Self::Shared(clock) => {
                clock.machine.now().plus_millis(clock.behind.load(Ordering::Relaxed))
            }
        }
    }

    /// Whether time passes by itself.
    #[must_use]
    pub fn is_running(&self) -> bool {
        match self {
            Self::System => true,
            Self::Settable(clock) => clock.is_running(),
            Self::Shared(clock) => clock.machine.is_running(),
        }
    }
}

/// A clock that is so many milliseconds behind the time that it tells.
#[derive(Debug)]
pub struct Shared {
    machine: Clock,
    behind: AtomicI64,
}

impl Shared {
    /// The time of a database that `machine` is so many milliseconds behind.
    pub(crate) const fn new(machine: Clock, behind: i64) -> Self {
        Self { machine, behind: AtomicI64::new(behind) }
    }

    /// The clock itself.
    pub(crate) const fn machine(&self) -> &Clock {
        &self.machine
    }

    /// Goes on as one that is so many milliseconds behind.
    pub(crate) fn set(&self, behind: i64) {
        self.behind.store(behind, Ordering::Relaxed);
    }
}

/// When something that was last changed at `before` is changed at `now`: never earlier, also when
/// the clock goes back.
#[must_use]
pub fn later(before: DateTime, now: DateTime) -> DateTime {
    before.max(now)
}

/// The time of the machine.
#[expect(clippy::disallowed_methods, reason = "this is the Clock")]
fn system() -> DateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let millis = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    DateTime::from_millis(millis.unwrap_or_default())
}

/// A clock that goes with the machine's until it is set, and then stands still.
#[derive(Debug)]
pub struct Settable(Mutex<Pace>);

#[derive(Debug, Clone, Copy)]
enum Pace {
    /// So many milliseconds ahead of the machine.
    Running(i64),
    Standing(DateTime),
}

impl Pace {
    fn now(self) -> DateTime {
        match self {
            Self::Running(ahead) => within_years(system().plus_millis(ahead)),
            Self::Standing(at) => at,
        }
    }
}

/// The nearest moment that the wire can say, and that arithmetic has room around.
fn within_years(moment: DateTime) -> DateTime {
    const LAST: i64 = 253_402_300_799_999;
    DateTime::from_millis(moment.millis().clamp(0, LAST))
}

impl Settable {
    /// One that goes with the machine's.
    #[must_use]
    pub const fn running() -> Self {
        Self(Mutex::new(Pace::Running(0)))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> DateTime {
        self.pace().now()
    }

    /// Whether time passes by itself.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(*self.pace(), Pace::Running(_))
    }

    /// Stands still at `moment` from now on; at the nearest end of the years 1970 to 9999 if it is
    /// outside of them.
    pub fn set(&self, moment: DateTime) {
        *self.pace() = Pace::Standing(within_years(moment));
    }

    /// Lets `millis` milliseconds pass at once, or takes them back; it goes on or stands still
    /// after that as before.
    pub fn advance(&self, millis: i64) {
        let mut pace = self.pace();
        *pace = match *pace {
            Pace::Running(ahead) => Pace::Running(ahead.saturating_add(millis)),
            Pace::Standing(at) => Pace::Standing(within_years(at.plus_millis(millis))),
        };
    }

    /// Goes on from where it is.
    pub fn run(&self) {
        let mut pace = self.pace();
        *pace = Pace::Running(pace.now().millis() - system().millis());
    }

    /// Goes with the machine's again, as at first.
    pub fn reset(&self) {
        *self.pace() = Pace::Running(0);
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settable_clock_runs_until_it_is_set_and_again_when_told() {
        let clock = Settable::running();
        let at = DateTime::from_millis;
        assert!(clock.is_running());
        assert!((system().millis()..).contains(&clock.now().millis().saturating_add(1000)));
        clock.advance(3_600_000);
        assert!(clock.is_running() && clock.now() >= system().plus_millis(3_590_000));
        clock.set(at(5000));
        assert_eq!((clock.now(), clock.is_running()), (at(5000), false));
        clock.advance(-2000);
        assert_eq!(clock.now(), at(3000));
        clock.run();
        assert!(clock.is_running() && (3000..60_000).contains(&clock.now().millis()));
        clock.reset();
        assert!(clock.now() >= system().plus_millis(-1000));
    }

    #[test]
    fn a_settable_clock_stays_within_the_years_that_can_be_written() {
        let clock = Settable::running();
        for (moment, text) in
            [(i64::MIN, "1970-01-01T00:00:00.000Z"), (i64::MAX, "9999-12-31T23:59:59.999Z")]
        {
            clock.set(DateTime::from_millis(moment));
            assert_eq!(clock.now().to_string(), text);
            clock.run();
            clock.advance(moment);
            assert_eq!(clock.now().to_string(), text);
            clock.advance(moment);
            clock.run();
            clock.reset();
        }
    }
}
