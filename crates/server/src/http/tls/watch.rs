//! Following the files of a certificate while the server runs.

use super::{Tls, TlsFiles};
use guestlist_api::time::DateTime;
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// In milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// How many of them before its end a certificate is warned of. What renews one by itself does so a month
/// before.
const WARN_DAYS: i64 = 14;

/// SIGHUP, by which operators have a server read its files again.
#[derive(Debug)]
pub(crate) struct Hangups(Option<Signal>);

impl Hangups {
    /// Listens for it. A server that was started in a terminal ends with that, as does whatever else was.
    pub(crate) fn listen() -> Self {
        if io::stdin().is_terminal() {
            return Self(None);
        }
        let signal = signal(SignalKind::hangup());
        Self(signal.inspect_err(|error| tracing::warn!(%error, "nobody listens for SIGHUP")).ok())
    }

    /// Waits for the next.
    pub(crate) async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

impl Tls {
    /// Reads the files again when they are others than they were, or at a SIGHUP, for as long as it runs.
    pub(crate) async fn watch(self: Arc<Self>, hangups: &mut Hangups) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch = Watch::of(&self.files);
        loop {
            let told = tokio::select! {
                _ = looks.tick() => false,
                () = hangups.next() => true,
            };
            let tls = Arc::clone(&self);
            // A file may be on a disk that takes its time.
            let looking = tokio::task::spawn_blocking(move || {
                watch.look(&tls, told);
                watch
            });
            let Ok(looked) = looking.await else { return };
            watch = looked;
        }
    }
}

/// What was seen of the files.
#[derive(Debug)]
pub(super) struct Watch {
    /// As they were read last.
    read: [Stamp; 2],
    /// As they were at the last look.
    seen: [Stamp; 2],
    /// When the end of the certificate was last warned of.
    warned: Option<DateTime>,
}

impl Watch {
    pub(super) fn of(files: &TlsFiles) -> Self {
        let stamps = stamps(files);
        Self { read: stamps, seen: stamps, warned: None }
    }

    /// Looks at the files of `tls`, and has them read if they are others and whoever writes them is done, or
    /// at once if it was `told`. Whether the end of the certificate was warned of.
    pub(super) fn look(&mut self, tls: &Tls, told: bool) -> bool {
        let now = stamps(&tls.files);
        let settled = now != self.read && now == self.seen;
        self.seen = now;
        if told || settled {
            self.read = now;
            match tls.reload() {
                Ok(()) => self.warned = None,
                Err(why) => tracing::error!(%why, "the certificate stays as it was"),
            }
        }
        self.warn(tls)
    }

    /// Warns of the end of the certificate, once a day.
    fn warn(&mut self, tls: &Tls) -> bool {
        let (ends, now) = (tls.ends(), tls.clock.now());
        let left = ends.millis().saturating_sub(now.millis()) / DAY;
        let lately = self.warned.is_some_and(|warned| now < warned.plus_millis(DAY));
        let warns = left < WARN_DAYS && !lately;
        if warns {
            self.warned = Some(now);
            let file = tls.files.certificate.display();
            tracing::warn!(%file, %ends, days = left.max(0), "the certificate ends soon");
        }
        warns
    }
}

/// What tells a file from one that was there before, also where a link now names another.
type Stamp = Option<(u64, u64, i64, i64, u64)>;

fn stamps(files: &TlsFiles) -> [Stamp; 2] {
    let of = |path: &Path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.dev(), file.ino(), file.mtime(), file.mtime_nsec(), file.len()))
    };
    [of(&files.certificate), of(&files.key)]
}
