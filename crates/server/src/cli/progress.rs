//! How far a command is.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked how far it is.
const OFTEN: Duration = Duration::from_millis(200);

/// How far it is, on a terminal.
pub(super) struct Progress {
    what: &'static str,
    before: u64,
    total: u64,
    began: Instant,
    shown: bool,
}

impl Progress {
    /// Of `total` of `what`, `before` are done already.
    pub(super) fn new(what: &'static str, before: u64, total: u64) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { what, before, total, began: Instant::now(), shown }
    }

    pub(super) fn show(&mut self, done: u64) {
        if self.shown {
            let bar = self.bar(done, self.began.elapsed());
            // Nothing is lost with a terminal that has gone.
            self.shown = write!(std::io::stderr(), "\r{bar}\x1b[K").is_ok();
        }
    }

    pub(super) fn end(&self) {
        if self.shown {
            drop(writeln!(std::io::stderr()));
        }
    }

    /// Shows how many are `done` until `work` is.
    pub(super) async fn of<T>(mut self, done: &AtomicU64, work: impl Future<Output = T>) -> T {
        let mut ticks = tokio::time::interval(OFTEN);
        let mut work = std::pin::pin!(work);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                _ = ticks.tick() => self.show(done.load(Ordering::Relaxed)),
            }
        };
        self.show(done.load(Ordering::Relaxed));
        self.end();
        result
    }

    /// `done` after `took`.
    fn bar(&self, done: u64, took: Duration) -> String {
        const WIDTH: u64 = 30;
        let Self { what, before, total, .. } = *self;
        let full = usize::try_from(done.saturating_mul(WIDTH) / total.max(1)).unwrap_or_default();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = done.saturating_sub(before).saturating_mul(1000) / millis;
        let left = total.saturating_sub(done).div_ceil(rate.max(1));
        format!(
            "[{}{}] {:3} %  {done} {what}, {rate}/s, {left} s left",
            "#".repeat(full),
            " ".repeat(usize::try_from(WIDTH).unwrap_or_default().saturating_sub(full)),
            done.saturating_mul(100) / total.max(1),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(before: u64, done: u64, total: u64, took: Duration) -> String {
        Progress::new("users", before, total).bar(done, took)
    }

    #[test]
    fn the_bar_says_how_far_how_fast_and_how_long() {
        let half = bar(0, 500_000, 1_000_000, Duration::from_secs(10));
        assert_eq!(
            half,
            "[###############               ]  50 %  500000 users, 50000/s, 10 s left"
        );
        assert!(bar(0, 10, 10, Duration::ZERO).ends_with("100 %  10 users, 10000/s, 0 s left"));
        assert!(bar(0, 1, 10, Duration::from_secs(100)).contains(" 9 s left"));
    }

    #[test]
    fn what_was_done_before_does_not_count_for_the_rate() {
        let on = bar(600, 800, 1000, Duration::from_secs(10));
        assert!(on.ends_with(" 80 %  800 users, 20/s, 10 s left"), "{on}");
    }
}
