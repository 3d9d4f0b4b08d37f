//! Fair queueing: a queue for each flow, taken in turn, and no flow on more threads than its share.
//!
//! Where jobs are timed, flows whose jobs take long have turns of their own. A job of such a slow flow
//! is taken alone, so that nobody's commit waits for it; and then the quick flows that wait have as
//! much time as it took, before another is taken.

use crate::flow::Flow;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Of how many jobs the last one is a part in the average of a flow. A thread that is kept from its
/// processor once must not make a flow slow.
const AVERAGED: u32 = 8;

/// How many times as long as what is slow a job counts at most: a flow that has ended its long work is
/// quick again after a few jobs.
const LONGEST: u32 = 16;

/// How many flows that have nothing to do are remembered because their jobs took long.
const REMEMBERED: usize = 256;

/// Jobs that wait, by their flows.
#[derive(Debug)]
pub struct Turns<J> {
    flows: HashMap<Flow, Waiting<J>>,
    /// Each flow that has a job waiting and is on fewer threads than it may be, once.
    quick: VecDeque<Flow>,
    /// The same, of flows that are slow.
    slow: VecDeque<Flow>,
    waiting: usize,
    /// How many threads may work for one flow at once.
    threads: usize,
    /// How many jobs of one flow may wait.
    room: usize,
    /// How long the jobs of a flow take on average, if it is slow at least.
    slow_over: Duration,
    /// How much time quick flows have before the next job of a slow one.
    owed: Duration,
}

#[derive(Debug)]
struct Waiting<J> {
    jobs: VecDeque<J>,
    /// How many threads work for it.
    threads: usize,
    /// How long its jobs took lately.
    average: Duration,
    slow: bool,
}

impl<J> Waiting<J> {
    const fn new() -> Self {
        Self { jobs: VecDeque::new(), threads: 0, average: Duration::ZERO, slow: false }
    }

    /// Whether `flow` has a turn where each may be on `most` threads, and if so whether among the slow.
    fn turn(&self, flow: Flow, most: usize) -> Option<bool> {
        let most = if self.slow { 1 } else { most };
        let more = self.threads < most || flow == Flow::OWN;
        (more && !self.jobs.is_empty()).then_some(self.slow)
    }

    /// Notes how long some of its jobs took.
    fn average_with(&mut self, spent: &Spent, longest: Duration) {
        if let Some(each) = spent.time.checked_div(spent.jobs) {
            let before = self.average.saturating_mul(AVERAGED - 1);
            self.average = before.saturating_add(each.min(longest)) / AVERAGED;
        }
    }
}

/// What a thread has done for a flow since it took the first of its jobs.
#[derive(Debug)]
struct Spent {
    flow: Flow,
    jobs: u32,
    time: Duration,
}

/// The flows that one thread works for at the moment.
#[derive(Debug, Default)]
pub struct Held {
    flows: Vec<Spent>,
    /// Whether it is a slow one, of which one job is taken.
    slow: bool,
}

impl Held {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { flows: Vec::new(), slow: false }
    }

    /// Notes how long a job of `flow` took, which is one of these.
    pub(crate) fn took(&mut self, flow: Flow, time: Duration) {
        if let Some(spent) = self.flows.iter_mut().find(|spent| spent.flow == flow) {
            spent.jobs += 1;
            spent.time += time;
        }
    }

    fn has(&self, flow: Flow) -> bool {
        self.flows.iter().any(|spent| spent.flow == flow)
    }
}

impl<J> Turns<J> {
    /// With room for so many jobs of one flow, which is worked for by so many threads at most.
    #[must_use]
    pub fn new(threads: usize, room: usize) -> Self {
        Self {
            flows: HashMap::new(),
            quick: VecDeque::new(),
            slow: VecDeque::new(),
            waiting: 0,
            threads: threads.max(1),
            room: room.max(1),
            slow_over: Duration::MAX,
            owed: Duration::ZERO,
        }
    }

    /// The same, where a flow is slow whose jobs take longer than this on average.
    pub(crate) fn timed(self, slow_over: Duration) -> Self {
        Self { slow_over, ..self }
    }

    /// How many jobs wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.waiting
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Whether a job may be taken by a thread that works for no flow yet.
    #[must_use]
    pub fn has_turn(&self) -> bool {
        !self.quick.is_empty() || !self.slow.is_empty()
    }

    /// Whether a job may be taken by a thread that works for the flows `held`.
    #[must_use]
    pub fn may_be_taken(&self, held: &Held) -> bool {
        let waits = |flow| self.flows.get(flow).is_some_and(|waiting| !waiting.jobs.is_empty());
        let more = || held.flows.iter().any(|spent| waits(&spent.flow));
        if held.flows.is_empty() {
            self.has_turn()
        } else {
            !held.slow && (!self.quick.is_empty() || more())
        }
    }

    /// Puts `job` behind those of its flow.
    ///
    /// # Errors
    /// It comes back when too many of them wait.
    pub fn push(&mut self, flow: Flow, job: J) -> Result<(), J> {
        let waiting = self.flows.entry(flow).or_insert_with(Waiting::new);
        // What the owner of the store does is bounded by what they do.
        if waiting.jobs.len() >= self.room && flow != Flow::OWN {
            return Err(job);
        }
        let had_turn = waiting.turn(flow, self.threads).is_some();
        waiting.jobs.push_back(job);
        self.waiting += 1;
        if !had_turn && let Some(slow) = waiting.turn(flow, self.threads) {
            if slow { &mut self.slow } else { &mut self.quick }.push_back(flow);
        }
        Ok(())
    }

    /// Takes the next job for a thread that works for the flows `held`. A slow flow's is the first that a
    /// thread takes, and the last.
    pub fn take(&mut self, held: &mut Held) -> Option<J> {
        if held.slow {
            return None;
        }
        let first = held.flows.is_empty();
        let slow = first && (self.owed.is_zero() || self.quick.is_empty()) && !self.slow.is_empty();
        let turn = if slow { &mut self.slow } else { &mut self.quick };
        let Some(flow) = turn.pop_front() else { return self.take_more(held) };
        let waiting = self.flows.get_mut(&flow)?;
        let job = waiting.jobs.pop_front()?;
        if !held.has(flow) {
            waiting.threads += 1;
            held.flows.push(Spent { flow, jobs: 0, time: Duration::ZERO });
            held.slow = slow;
        }
        if waiting.turn(flow, self.threads).is_some() {
            turn.push_back(flow);
        }
        self.waiting -= 1;
        Some(job)
    }

    /// Takes another job of a flow that the thread works for, which may be on no more threads.
    fn take_more(&mut self, held: &Held) -> Option<J> {
        let job = held.flows.iter().find_map(|spent| {
            self.flows.get_mut(&spent.flow).and_then(|waiting| waiting.jobs.pop_front())
        })?;
        self.waiting -= 1;
        Some(job)
    }

    /// Notes that a thread has done what it took for the flows `held`.
    pub fn release(&mut self, held: &mut Held) {
        let (mut quick, mut slow) = (Duration::ZERO, Duration::ZERO);
        for spent in held.flows.drain(..) {
            let flow = spent.flow;
            let Some(waiting) = self.flows.get_mut(&flow) else { continue };
            let before = waiting.turn(flow, self.threads);
            waiting.threads -= 1;
            waiting.average_with(&spent, self.slow_over.saturating_mul(LONGEST));
            waiting.slow = waiting.average > self.slow_over && flow != Flow::OWN;
            *if waiting.slow { &mut slow } else { &mut quick } += spent.time;
            let now = waiting.turn(flow, self.threads);
            if before != now {
                // It was quick until now: a slow one is not taken while it is on a thread.
                if before.is_some() {
                    self.quick.retain(|next| *next != flow);
                }
                if let Some(slow) = now {
                    if slow { &mut self.slow } else { &mut self.quick }.push_back(flow);
                }
            }
            let idle = waiting.jobs.is_empty() && waiting.threads == 0;
            if idle && waiting.average <= self.slow_over / AVERAGED {
                self.flows.remove(&flow);
            } else if idle && self.flows.len() > REMEMBERED + self.waiting {
                self.flows.retain(|_, other| !other.jobs.is_empty() || other.threads > 0);
            }
        }
        self.owed = if slow.is_zero() { self.owed.saturating_sub(quick) } else { slow };
        held.slow = false;
    }

    /// Takes everything that waits.
    pub fn drain(&mut self) -> Vec<J> {
        self.quick.clear();
        self.slow.clear();
        self.waiting = 0;
        let all = self.flows.values_mut().flat_map(|waiting| waiting.jobs.drain(..)).collect();
        self.flows.retain(|_, waiting| waiting.threads > 0);
        all
    }
}

#[cfg(test)]
mod tests;
