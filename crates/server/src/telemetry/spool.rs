//! What is logged, on its way out: gathered in memory and written by a thread of its own, many
//! lines at once, so that no request waits for whoever reads the log.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that may wait for a slow reader; beyond that the newest lines are dropped, and counted.
const WAITING: usize = 4 << 20;
/// How long lines are gathered: what a person who watches does not notice.
const GATHER: Duration = Duration::from_millis(10);
/// How long to wait for a slow reader at the end.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    dropped: u64,
    ending: bool,
    /// Everything has been handed over, and the thread is gone.
    ended: bool,
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
pub(super) struct Spool(Arc<Shared>);

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
        (Self(Arc::clone(&shared)), Guard { shared, thread })
    }
}

impl Write for Spool {
    /// Takes one line, whole or not at all.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.lines.len() + line.len() > WAITING {
            state.dropped += 1;
        } else {
            let idle = state.lines.is_empty();
            state.lines.extend_from_slice(line);
            drop(state);
            if idle {
                self.0.changed.notify_all();
            }
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
}

/// Writes what comes to `out`, until it is to end and nothing is left.
fn empty(shared: &Shared, mut out: impl Write) {
    let mut written = Vec::new();
    loop {
        let mut state = shared.lock();
        while state.lines.is_empty() && state.dropped == 0 && !state.ending {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.ending {
            let gathered = shared.changed.wait_timeout_while(state, GATHER, |state| !state.ending);
            state = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        let ending = state.ending;
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
        written.clear();
        if ending {
            shared.lock().ended = true;
            shared.changed.notify_all();
            return;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ending = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let ended =
                self.shared.changed.wait_timeout_while(state, PATIENCE, |state| !state.ended);
            if ended.is_ok_and(|(state, _)| state.ended) {
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

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (out, tell, all) = slow();
        let (mut spool, guard) = Spool::start(out);
        let line = [b'x'; 1 << 10];
        for _ in 0..3 * (WAITING >> 10) {
            assert_eq!(spool.write(&line).unwrap(), line.len());
        }
        assert!(spool.0.lock().lines.len() <= WAITING);
        drop(tell);
        drop(guard);
        let written: Vec<u8> = all.try_iter().flatten().collect();
        let end = String::from_utf8_lossy(&written[written.len() - 100..]).into_owned();
        assert!(end.contains("lines were dropped"), "{end}");
        assert!(written.len() <= 2 * WAITING + 200);
    }
}
