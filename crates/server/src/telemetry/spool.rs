//! What is logged, on its way out: gathered in memory and written by a thread of its own, many
//! lines at once, so that no request waits for whoever reads the log.
//!
//! Errors are not gathered: whoever logs one goes on when it is written, because the next that
//! happens may be the end of the process.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that may wait for a slow reader; beyond that the newest lines are dropped, and counted.
const WAITING: usize = 4 << 20;
/// How long lines are gathered: what a person who watches does not notice.
const GATHER: Duration = Duration::from_millis(10);
/// How long to wait for a slow reader at the end.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an error waits to be written: much longer than it takes where the reader reads.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Lines that were dropped since the process began: there is one log.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many lines of the log were dropped, because nobody read them in time.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Where the thread that writes is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Running,
    /// It is to write what waits, and to end.
    Ending,
    /// Everything has been handed over, and it is gone.
    Ended,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    dropped: u64,
    /// Bytes that ever were among the lines, and those of them that have been written.
    taken: u64,
    written: u64,
    /// Somebody waits for what is among the lines.
    urgent: bool,
    /// The reader is slow, so that nobody waits for it.
    stuck: bool,
    stage: Stage,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write, where there was nothing; or it is to end, or has.
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where lines are put. Clones put them in the same place.
#[derive(Clone)]
pub(super) struct Spool {
    shared: Arc<Shared>,
    /// Whether a line is to be written before whoever logs it goes on.
    at_once: bool,
}

/// Keeps the log going; when it goes, what waits is written.
pub struct Guard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Spool {
    /// A spool that is written to `out`.
    pub(super) fn start(out: impl Write + Send + 'static) -> (Self, Guard) {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let work = move || empty(&seen, out);
        // Without a thread there is no log, which is no reason not to serve.
        let thread = thread::Builder::new().name("log".to_owned()).spawn(work).ok();
        (Self { shared: Arc::clone(&shared), at_once: false }, Guard { shared, thread })
    }
}

impl Write for Spool {
    /// Takes one line, whole or not at all.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.lock();
        if state.lines.len() + line.len() > WAITING {
            state.dropped += 1;
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return Ok(line.len());
        }
        let idle = state.lines.is_empty();
        state.lines.extend_from_slice(line);
        state.taken += u64::try_from(line.len()).unwrap_or_default();
        let waits = self.at_once && !state.stuck && state.stage != Stage::Ended;
        state.urgent |= waits;
        if idle || waits {
            self.shared.changed.notify_all();
        }
        if waits {
            let own = state.taken;
            let behind = |state: &mut State| state.written < own && state.stage != Stage::Ended;
            let waited = self.shared.changed.wait_timeout_while(state, AT_ONCE, behind);
            let (mut state, late) = waited.unwrap_or_else(PoisonError::into_inner);
            state.stuck |= late.timed_out();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Spool {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Self {
        Self { at_once: *about.level() == Level::ERROR, ..self.clone() }
    }
}

/// Writes what comes to `out`, until it is to end and nothing is left.
fn empty(shared: &Shared, mut out: impl Write) {
    let mut written = Vec::new();
    loop {
        let mut state = shared.lock();
        while state.lines.is_empty() && state.dropped == 0 && state.stage == Stage::Running {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stage == Stage::Running {
            let gathering = |state: &mut State| state.stage == Stage::Running && !state.urgent;
            let gathered = shared.changed.wait_timeout_while(state, GATHER, gathering);
            state = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        let ending = state.stage == Stage::Ending;
        state.urgent = false;
        std::mem::swap(&mut state.lines, &mut written);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        // There is nobody to tell that the log cannot be written.
        let _ = out.write_all(&written);
        if dropped > 0 {
            let _ = writeln!(
                out,
                r#"{{"level":"WARN","message":"lines were dropped","dropped":{dropped}}}"#
            );
        }
        let _ = out.flush();
        let mut state = shared.lock();
        state.written += u64::try_from(written.len()).unwrap_or_default();
        state.stuck = false;
        if ending {
            state.stage = Stage::Ended;
        }
        drop(state);
        shared.changed.notify_all();
        written.clear();
        if ending {
            return;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stage = Stage::Ending;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let goes_on = |state: &mut State| state.stage != Stage::Ended;
            let ended = self.shared.changed.wait_timeout_while(state, PATIENCE, goes_on);
            if ended.is_ok_and(|(state, _)| state.stage == Stage::Ended) {
                drop(thread.join());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Somebody who reads when told to.
    struct Slow {
        go: Receiver<()>,
        read: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.go.recv(); // once nobody tells it any more it reads all
            let _ = self.read.send(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Slow, Sender<()>, Receiver<Vec<u8>>) {
        let ((tell, go), (read, all)) = (channel(), channel());
        (Slow { go, read }, tell, all)
    }

    #[test]
    fn what_waits_is_written_in_the_end_and_in_order() {
        let (out, tell, all) = slow();
        drop(tell);
        let (mut spool, guard) = Spool::start(out);
        let lines: Vec<String> = (0..10_000).map(|number| format!("{number}\n")).collect();
        for line in &lines {
            spool.write_all(line.as_bytes()).unwrap();
        }
        drop(guard);
        let written: Vec<u8> = all.try_iter().flatten().collect();
        assert_eq!(String::from_utf8(written).unwrap(), lines.concat());
    }

    /// Counts what it was given.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_is_written_before_whoever_logs_it_goes_on() {
        let log_text = Written::default();
        let (spool, guard) = Spool::start(log_text.clone());
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(spool).finish();
        tracing::subscriber::with_default(log, || {
            for number in 0..50 {
                tracing::info!("before {number}");
                tracing::error!("error {number}");
                let written = String::from_utf8(log_text.0.lock().unwrap().clone()).unwrap();
                for words in ["before", "error"] {
                    assert!(written.contains(&format!("{words} {number}\n")), "{written}");
                }
            }
        });
        drop(guard);
    }

    #[test]
    fn errors_wait_for_a_reader_that_does_not_read_but_once() {
        let (out, tell, _all) = slow();
        let (spool, guard) = Spool::start(out);
        let mut spool = Spool { at_once: true, ..spool };
        let start = std::time::Instant::now();
        for _ in 0..1000 {
            spool.write_all(b"error\n").unwrap();
        }
        // Once each would be 100 s.
        assert!(start.elapsed() < Duration::from_secs(20));
        drop(tell);
        drop(guard);
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (out, tell, all) = slow();
        let (mut spool, guard) = Spool::start(out);
        let line = [b'x'; 1 << 10];
        for _ in 0..3 * (WAITING >> 10) {
            assert_eq!(spool.write(&line).unwrap(), line.len());
        }
        assert!(spool.shared.lock().lines.len() <= WAITING);
        drop(tell);
        drop(guard);
        let written: Vec<u8> = all.try_iter().flatten().collect();
        let end = String::from_utf8_lossy(&written[written.len() - 100..]).into_owned();
        assert!(end.contains("lines were dropped"), "{end}");
        assert!(written.len() <= 2 * WAITING + 200);
    }
}
