//! What is tried again, and when.

use crate::error::Error;
use std::time::Duration;

/// What is tried again: anything if no connection could be made, and otherwise a request that is
/// safe to repeat (a GET, or a write with an `Idempotency-Key`) whose connection broke, that was
/// not answered in time, or that was answered 429, 502, 503 or 504.
///
/// Between two attempts passes a random time below a bound that doubles (full jitter), and what
/// `Retry-After` asks for, whichever the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    pub(crate) attempts: u32,
    pub(crate) total: Duration,
    pub(crate) base: Duration,
    pub(crate) longest: Duration,
    pub(crate) writes: bool,
}

impl Default for Retries {
    /// Four attempts within 60 s, waiting for at most 0.1, 0.2 and 0.4 s. Writes get a key, so that
    /// they can be repeated too.
    fn default() -> Self {
        Self {
            attempts: 4,
            total: Duration::from_mins(1),
            base: Duration::from_millis(100),
            longest: Duration::from_secs(10),
            writes: true,
        }
    }
}

impl Retries {
    /// Every request is sent once.
    #[must_use]
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// For the hosted platform, which ignores the key: a write is tried again only if no connection
    /// could be made.
    #[must_use]
    pub fn hosted() -> Self {
        Self { writes: false, ..Self::default() }
    }

    /// How often a request is sent at most; at least once.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long after the first attempt another one may begin. It ends when this is over, too.
    #[must_use]
    pub const fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// The bound of the first pause, which doubles with each one up to `longest`.
    #[must_use]
    pub const fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.base = first;
        self.longest = longest;
        self
    }

    /// How long to wait after attempt number `attempt` (the first is 1) ended in `error` with
    /// `left` of the total time to go, or `None` if that is the end of it. `repeatable` says
    /// whether the request may reach the server twice.
    pub(crate) fn pause(
        &self,
        attempt: u32,
        error: &Error,
        repeatable: bool,
        left: Duration,
    ) -> Option<Duration> {
        let (again, retry_after) = match error {
            Error::Transport(broken) => (repeatable || broken.is_unsent(), None),
            Error::Timeout(_) => (repeatable, None),
            Error::Status { status: 429 | 502 | 503 | 504, retry_after, .. } => {
                (repeatable, *retry_after)
            }
            _ => (false, None),
        };
        if !again || attempt >= self.attempts {
            return None;
        }
        let doubled = self.base.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        let pause = doubled.min(self.longest).mul_f64(fraction());
        Some(pause.saturating_add(retry_after.unwrap_or_default())).filter(|pause| *pause < left)
    }
}

/// A random number from 0 to 1; 1, the longest pause, if there is no chance to be had.
fn fraction() -> f64 {
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

/// A key for a write that no other write has.
pub(crate) fn new_key() -> Option<String> {
    let (high, low) = (getrandom::u64().ok()?, getrandom::u64().ok()?);
    Some(format!("{high:016x}{low:016x}"))
}

/// What `Retry-After` says: seconds, or a moment, which is compared with the `Date` of the same
/// answer so that no clock has to be right.
pub(crate) fn retry_after(said: &str, date: Option<&str>) -> Option<Duration> {
    let said = said.trim();
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(said).ok()?;
    let now = httpdate::parse_http_date(date?.trim()).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use reqwest::StatusCode;

    fn refused(status: u16, retry_after: Option<u64>) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::refused(status, Bytes::new(), retry_after.map(Duration::from_secs))
    }

    const LEFT: Duration = Duration::from_mins(1);

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retries = Retries::default()
            .attempts(u32::MAX)
            .pauses(Duration::from_millis(100), Duration::from_secs(1));
        for (attempt, most) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (99, 1000)] {
            let pauses: Vec<_> = (0..200)
                .map(|_| retries.pause(attempt, &refused(503, None), true, LEFT).unwrap())
                .collect();
            let most = Duration::from_millis(most);
            assert!(pauses.iter().all(|pause| *pause <= most));
            // Full jitter: from nothing to all of it.
            assert!(pauses.iter().any(|pause| *pause < most / 4));
            assert!(pauses.iter().any(|pause| *pause > most * 3 / 4));
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let retries = Retries::default();
        for (status, again) in [
            (400, false),
            (401, false),
            (404, false),
            (408, false),
            (409, false),
            (412, false),
            (429, true),
            (500, false),
            (502, true),
            (503, true),
            (504, true),
        ] {
            let pause = |safe| retries.pause(1, &refused(status, None), safe, LEFT);
            assert_eq!(pause(true).is_some(), again, "{status}");
            assert_eq!(pause(false), None, "{status}");
        }
        let pause = |safe| retries.pause(1, &Error::Timeout(LEFT), safe, LEFT);
        assert!(pause(true).is_some() && pause(false).is_none());
    }

    #[test]
    fn the_server_is_left_alone_for_as_long_as_it_asks_or_given_up() {
        let pause = |left| Retries::default().pause(1, &refused(429, Some(7)), true, left);
        let asked = Duration::from_secs(7);
        assert!((asked..=asked + Duration::from_millis(100)).contains(&pause(LEFT).unwrap()));
        assert_eq!(pause(asked), None);
    }

    #[test]
    fn attempts_are_counted() {
        let retries = Retries::default().attempts(2);
        assert!(retries.pause(1, &refused(503, None), true, LEFT).is_some());
        assert!(retries.pause(2, &refused(503, None), true, LEFT).is_none());
        assert!(Retries::none().pause(1, &refused(503, None), true, LEFT).is_none());
    }

    #[test]
    fn retry_after_is_seconds_or_a_moment() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (said, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(said, date), seconds.map(Duration::from_secs), "{said}");
        }
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
    }
}
