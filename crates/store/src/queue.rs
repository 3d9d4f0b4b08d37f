//! Jobs that wait for threads. Flows take turns (`turns.rs`), and what finds a few rows by their keys
//! has a lane of its own: some threads take nothing else, so that no query keeps them.

use crate::error::{Error, Result};
use crate::flow::{Flow, Lane};
use crate::job::{Job, Outcome, busy, gone};
use crate::migrate::OpenError;
use crate::turns::{Held, Turns};
use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What a thread of the store does with its jobs.
pub(crate) type Service = Box<dyn FnOnce(&Jobs) + Send>;

/// What may wait in a queue, and how many threads may work for one flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// How many jobs may wait. Of one flow it is half of them.
    pub(crate) jobs: usize,
    /// How many threads take nothing but what is found by key.
    pub(crate) key_only: usize,
    /// How many threads may do the other work of one flow.
    pub(crate) per_flow: usize,
    /// Whose jobs take longer than this on average has turns of its own, where they are timed.
    pub(crate) slow_over: Duration,
}

impl Room {
    /// For `threads` of which some are only for what is found by key, and of whose others one flow
    /// has half.
    pub(crate) fn shared(jobs: usize, threads: usize) -> Self {
        let key_only = key_only(threads);
        Self { key_only, per_flow: (threads - key_only).div_ceil(2), ..Self::single(jobs) }
    }

    /// For `threads` of which one flow has half, whatever it does.
    pub(crate) const fn halved(jobs: usize, threads: usize) -> Self {
        Self { per_flow: threads.div_ceil(2), ..Self::single(jobs) }
    }

    /// For a thread that takes whatever comes, flow by flow.
    pub(crate) const fn single(jobs: usize) -> Self {
        Self { jobs, key_only: 0, per_flow: usize::MAX, slow_over: Duration::MAX }
    }

    /// The same, of a thread that says how long jobs take ([`Jobs::took`]).
    pub(crate) fn timed(self, slow_over: Duration) -> Self {
        Self { slow_over, ..self }
    }
}

/// How many of `threads` that read take nothing but what is found by key: a third, and one of two.
pub(crate) const fn key_only(threads: usize) -> usize {
    if threads == 2 { 1 } else { threads / 3 }
}

/// The jobs that wait for a kind of thread, as seen by those who send them.
pub(crate) struct Queue {
    feed: Feed,
    threads: Vec<JoinHandle<()>>,
}

/// What both ends of a queue share.
struct Shared {
    state: Mutex<State>,
    /// Wakes threads that take anything, and those that take what is found by key.
    any: Condvar,
    key: Condvar,
}

struct State {
    any: Turns<Box<dyn Job>>,
    key: Turns<Box<dyn Job>>,
    room: usize,
    /// How many ways into it there are.
    feeds: usize,
    /// How many threads wait for anything, and for what is found by key.
    idle_any: usize,
    idle_key: usize,
    /// How many threads there are for anything, and for what is found by key alone.
    living_any: usize,
    living_key: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.any.len() + self.key.len()
    }

    fn drain(&mut self) -> Vec<Box<dyn Job>> {
        let mut all = self.key.drain();
        all.append(&mut self.any.drain());
        all
    }

    /// Whether a thread is left that takes jobs of `lane`.
    const fn serves(&self, lane: Lane) -> bool {
        self.living_any > 0 || (matches!(lane, Lane::Key) && self.living_key > 0)
    }
}

/// A way into a queue. It keeps the queue open: whoever has one ends before the queue does.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    living: watch::Receiver<usize>,
}

impl Clone for Feed {
    fn clone(&self) -> Self {
        self.shared.lock().feeds += 1;
        Self { shared: Arc::clone(&self.shared), living: self.living.clone() }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.lock().feeds -= 1;
        self.shared.any.notify_all();
        self.shared.key.notify_all();
    }
}

impl Feed {
    /// Puts `job` behind those of its flow, or gives it back with the reason why not.
    fn send(&self, job: Box<dyn Job>) -> Result<(), (Box<dyn Job>, Error)> {
        let (flow, lane) = (job.flow(), job.lane());
        let mut state = self.shared.lock();
        if !state.serves(lane) {
            return Err((job, gone()));
        }
        if state.waiting() >= state.room {
            return Err((job, busy()));
        }
        let turns = if lane == Lane::Key { &mut state.key } else { &mut state.any };
        turns.push(flow, job).map_err(|job| (job, busy()))?;
        if lane == Lane::Key && state.idle_key > 0 {
            self.shared.key.notify_one();
        } else if state.idle_any > 0 {
            self.shared.any.notify_one();
        }
        Ok(())
    }

    /// Puts `job` behind those of its flow, or answers it with the reason why not.
    pub(crate) fn pass(&self, job: Box<dyn Job>) {
        if let Err((job, why)) = self.send(job) {
            job.finish(Outcome::NotDone(why));
        }
    }

    /// Takes out what waits.
    pub(crate) fn take_back(&self) -> Vec<Box<dyn Job>> {
        self.shared.lock().drain()
    }
}

/// The same, as seen by a thread.
pub(crate) struct Jobs {
    shared: Arc<Shared>,
    takes: Lane,
    /// Whether what is found by key goes first, because no thread is only for that.
    key_first: bool,
    /// The flows that the thread works for.
    held: RefCell<Held>,
    living: watch::Sender<usize>,
}

/// Why there is no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoJob {
    /// None came in time.
    Timeout,
    /// None will come.
    Closed,
}

impl Jobs {
    /// The next job, when there is one. The thread is done with those it took before.
    pub(crate) fn next(&self) -> Result<Box<dyn Job>, NoJob> {
        self.next_until(None)
    }

    /// As [`Jobs::next`], if there is one within `patience`.
    pub(crate) fn next_within(&self, patience: Duration) -> Result<Box<dyn Job>, NoJob> {
        self.next_until(Instant::now().checked_add(patience))
    }

    fn next_until(&self, until: Option<Instant>) -> Result<Box<dyn Job>, NoJob> {
        let mut held = self.held.borrow_mut();
        let mut state = self.shared.lock();
        state.any.release(&mut held);
        loop {
            if let Some(job) = self.take(&mut state, &mut held) {
                return Ok(job);
            }
            if state.feeds == 0 {
                return Err(NoJob::Closed);
            }
            let patience = until.map(|until| until.saturating_duration_since(Instant::now()));
            if patience.is_some_and(|patience| patience.is_zero()) {
                return Err(NoJob::Timeout);
            }
            let bell = if self.takes == Lane::Key { &self.shared.key } else { &self.shared.any };
            *self.idle(&mut state) += 1;
            state = match patience {
                None => bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    bell.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            *self.idle(&mut state) -= 1;
        }
    }

    fn idle<'s>(&self, state: &'s mut State) -> &'s mut usize {
        if self.takes == Lane::Key { &mut state.idle_key } else { &mut state.idle_any }
    }

    fn take(&self, state: &mut State, held: &mut Held) -> Option<Box<dyn Job>> {
        // What is found by key holds no flow: it takes no time.
        let by_key = |state: &mut State| state.key.take(&mut Held::new());
        if self.key_first
            && let Some(job) = by_key(state)
        {
            return Some(job);
        }
        if self.takes == Lane::Any
            && let Some(job) = state.any.take(held)
        {
            // Several flows may have come into their share at once.
            if state.any.has_turn() && state.idle_any > 0 {
                self.shared.any.notify_one();
            }
            return Some(job);
        }
        by_key(state)
    }

    /// Another job, if one waits, to be done together with those that were taken before.
    pub(crate) fn try_next(&self) -> Option<Box<dyn Job>> {
        self.take(&mut self.shared.lock(), &mut self.held.borrow_mut())
    }

    /// Notes how long a job of `flow` took that was taken since [`Jobs::next`].
    pub(crate) fn took(&self, flow: Flow, time: Duration) {
        self.held.borrow_mut().took(flow, time);
    }

    /// How many jobs wait, of all flows.
    pub(crate) fn len(&self) -> usize {
        self.shared.lock().waiting()
    }

    /// Whether none waits that this thread may take now.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.shared.lock();
        let any = self.takes == Lane::Any && state.any.may_be_taken(&self.held.borrow());
        !any && state.key.is_empty()
    }

    /// Takes out everything that waits.
    pub(crate) fn drain(&self) -> Vec<Box<dyn Job>> {
        self.shared.lock().drain()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.any.release(&mut self.held.borrow_mut());
        match self.takes {
            Lane::Any => state.living_any -= 1,
            Lane::Key => state.living_key -= 1,
        }
        // A queue keeps its jobs even when nobody is left to take them, and their callers would
        // wait for ever; dropping a job tells its caller.
        let mut left = Vec::new();
        if !state.serves(Lane::Any) {
            left.append(&mut state.any.drain());
        }
        if !state.serves(Lane::Key) {
            left.append(&mut state.key.drain());
        }
        drop(state);
        drop(left);
        self.living.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Queue {
    /// Starts a thread for each of `services`, all fed by one queue.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(name: &str, room: Room, services: Vec<Service>) -> Result<Self, OpenError> {
        // A queue without room would refuse jobs that an idle thread is there to take.
        let jobs = room.jobs.max(1);
        let state = State {
            any: Turns::new(room.per_flow, jobs.div_ceil(2)).timed(room.slow_over),
            // Each takes so little that the threads are not counted.
            key: Turns::new(usize::MAX, jobs.div_ceil(2)),
            room: jobs,
            feeds: 1,
            idle_any: 0,
            idle_key: 0,
            living_any: services.len().saturating_sub(room.key_only),
            living_key: services.len().min(room.key_only),
        };
        let (any, key) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { state: Mutex::new(state), any, key });
        let (count, living) = watch::channel(services.len());
        let feed = Feed { shared: Arc::clone(&shared), living };
        let mut threads = Vec::new();
        for (place, service) in services.into_iter().enumerate() {
            let takes = if place < room.key_only { Lane::Key } else { Lane::Any };
            let (shared, living) = (Arc::clone(&shared), count.clone());
            let key_first = room.key_only == 0;
            let jobs = Jobs { shared, takes, key_first, held: RefCell::default(), living };
            let thread = thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || service(&jobs))
                .map_err(OpenError::Thread)?;
            threads.push(thread);
        }
        Ok(Self { feed, threads })
    }

    /// Puts `job` behind those of its flow.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is no room; [`Error::Internal`] when nobody serves the queue.
    pub(crate) fn send(&self, job: Box<dyn Job>) -> Result<()> {
        self.feed.send(job).map_err(|(_, why)| why)
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.feed.shared.lock().waiting()
    }

    /// A way into it for a thread of the store.
    pub(crate) fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Whether all its threads live.
    ///
    /// # Errors
    /// [`Error::Internal`] when one does not.
    pub(crate) fn intact(&self) -> Result<()> {
        if *self.feed.living.borrow() == self.threads.len() { Ok(()) } else { Err(gone()) }
    }

    /// Takes no more jobs and waits until the last is done and the threads have ended.
    pub(crate) async fn end(self) {
        let Self { feed, threads } = self;
        let mut living = feed.living.clone();
        drop(feed);
        // Fails when the counting side is gone, which is to say that the threads are.
        drop(living.wait_for(|count| *count == 0).await);
        for thread in threads {
            drop(thread.join()); // a panic has been reported by its hook
        }
    }
}
