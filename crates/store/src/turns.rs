//! Fair queueing: a queue for each flow, taken in turn, and no flow on more threads than its share.

use crate::flow::Flow;
use std::collections::{HashMap, VecDeque};

/// Jobs that wait, by their flows.
#[derive(Debug)]
pub struct Turns<J> {
    flows: HashMap<Flow, Waiting<J>>,
    /// Each flow that has a job waiting and is on fewer threads than it may be, once.
    turn: VecDeque<Flow>,
    waiting: usize,
    /// How many threads may work for one flow at once.
    threads: usize,
    /// How many jobs of one flow may wait.
    room: usize,
}

#[derive(Debug)]
struct Waiting<J> {
    jobs: VecDeque<J>,
    /// How many threads work for it.
    threads: usize,
}

/// Whether a flow may have another thread.
fn may_have_more(flow: Flow, threads: usize, most: usize) -> bool {
    threads < most || flow == Flow::OWN
}

/// The flows that one thread works for at the moment.
pub type Held = Vec<Flow>;

impl<J> Turns<J> {
    /// With room for so many jobs of one flow, which is worked for by so many threads at most.
    #[must_use]
    pub fn new(threads: usize, room: usize) -> Self {
        Self {
            flows: HashMap::new(),
            turn: VecDeque::new(),
            waiting: 0,
            threads: threads.max(1),
            room: room.max(1),
        }
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
        !self.turn.is_empty()
    }

    /// Whether a job may be taken by a thread that works for the flows `held`.
    #[must_use]
    pub fn may_be_taken(&self, held: &Held) -> bool {
        let more = |flow| self.flows.get(flow).is_some_and(|waiting| !waiting.jobs.is_empty());
        self.has_turn() || held.iter().any(more)
    }

    /// Puts `job` behind those of its flow.
    ///
    /// # Errors
    /// It comes back when too many of them wait.
    pub fn push(&mut self, flow: Flow, job: J) -> Result<(), J> {
        let new = || Waiting { jobs: VecDeque::new(), threads: 0 };
        let waiting = self.flows.entry(flow).or_insert_with(new);
        // What the owner of the store does is bounded by what they do.
        if waiting.jobs.len() >= self.room && flow != Flow::OWN {
            return Err(job);
        }
        if waiting.jobs.is_empty() && may_have_more(flow, waiting.threads, self.threads) {
            self.turn.push_back(flow);
        }
        waiting.jobs.push_back(job);
        self.waiting += 1;
        Ok(())
    }

    /// Takes the next job for a thread that works for the flows `held`.
    pub fn take(&mut self, held: &mut Held) -> Option<J> {
        let Some(flow) = self.turn.pop_front() else { return self.take_more(held) };
        let waiting = self.flows.get_mut(&flow)?;
        let job = waiting.jobs.pop_front()?;
        if !held.contains(&flow) {
            waiting.threads += 1;
            held.push(flow);
        }
        if !waiting.jobs.is_empty() && may_have_more(flow, waiting.threads, self.threads) {
            self.turn.push_back(flow);
        }
        self.waiting -= 1;
        Some(job)
    }

    /// Takes another job of a flow that the thread works for, which may be on no more threads.
    fn take_more(&mut self, held: &Held) -> Option<J> {
        let job = held
            .iter()
            .find_map(|flow| self.flows.get_mut(flow).and_then(|f| f.jobs.pop_front()))?;
        self.waiting -= 1;
        Some(job)
    }

    /// Notes that a thread has done what it took for the flows `held`.
    pub fn release(&mut self, held: &mut Held) {
        for flow in held.drain(..) {
            let Some(waiting) = self.flows.get_mut(&flow) else { continue };
            let had_all = !may_have_more(flow, waiting.threads, self.threads);
            waiting.threads -= 1;
            if waiting.jobs.is_empty() {
                if waiting.threads == 0 {
                    self.flows.remove(&flow);
                }
            } else if had_all {
                self.turn.push_back(flow);
            }
        }
    }

    /// Takes everything that waits.
    pub fn drain(&mut self) -> Vec<J> {
        self.turn.clear();
        self.waiting = 0;
        let all = self.flows.values_mut().flat_map(|waiting| waiting.jobs.drain(..)).collect();
        self.flows.retain(|_, waiting| waiting.threads > 0);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flow(number: u8) -> Flow {
        Flow::new(1, [number; 12])
    }

    #[test]
    fn flows_take_turns_whatever_one_of_them_sends() {
        let mut turns = Turns::new(9, 99);
        for (flow, job) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (3, "c1"), (2, "b2")] {
            turns.push(self::flow(flow), job).unwrap();
        }
        let mut held = Held::new();
        let order: Vec<_> = std::iter::from_fn(|| turns.take(&mut held)).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn a_flow_is_on_no_more_threads_than_its_share() {
        let mut turns = Turns::new(2, 99);
        for job in 0..5 {
            turns.push(flow(1), job).unwrap();
        }
        let mut threads = [Held::new(), Held::new(), Held::new()];
        assert_eq!(turns.take(&mut threads[0]), Some(0));
        assert_eq!(turns.take(&mut threads[1]), Some(1));
        assert_eq!(turns.take(&mut threads[2]), None);
        // A thread that works for it may take more for the same transaction.
        assert_eq!(turns.take(&mut threads[0]), Some(2));
        turns.push(flow(2), 7).unwrap();
        assert_eq!(turns.take(&mut threads[2]), Some(7));
        assert!(!turns.has_turn());
        turns.release(&mut threads[1]);
        assert_eq!(turns.take(&mut threads[1]), Some(3));
        // Whoever owns the store may have them all.
        (0..3).for_each(|job| turns.push(Flow::OWN, job).unwrap());
        let mut threads = [Held::new(), Held::new(), Held::new()];
        assert!(threads.iter_mut().all(|held| turns.take(held).is_some()));
    }

    #[test]
    fn a_flow_may_not_fill_the_queue() {
        let mut turns = Turns::new(1, 2);
        assert!(turns.push(flow(1), 1).is_ok() && turns.push(flow(1), 2).is_ok());
        assert_eq!(turns.push(flow(1), 3), Err(3));
        assert!(turns.push(flow(2), 4).is_ok());
        // What the owner of the store does has no share, and no bound.
        assert!((0..9).all(|job| turns.push(Flow::OWN, job).is_ok()));
        assert_eq!(turns.len(), 12);
        assert_eq!(turns.drain().len(), 12);
        assert_eq!((turns.len(), turns.has_turn()), (0, false));
    }

    proptest! {
        /// Whatever is pushed, taken and released: nothing is lost, nobody is on too many threads,
        /// and what may be taken is taken.
        #[test]
        fn nothing_is_lost_and_nobody_has_more_than_a_share(
            steps in proptest::collection::vec((0_u8..4, 0_u8..4), 0..200)
        ) {
            const SHARE: usize = 2;
            let (mut turns, mut held) = (Turns::new(SHARE, 1000), vec![Held::new(); 4]);
            let (mut sent, mut taken) = (0, 0);
            for (what, number) in steps {
                let thread = usize::from(number);
                match what {
                    0 | 1 => {
                        turns.push(flow(number), number).unwrap();
                        sent += 1;
                    }
                    2 => taken += usize::from(turns.take(&mut held[thread]).is_some()),
                    _ => turns.release(&mut held[thread]),
                }
                for number in 0..4 {
                    let on = held.iter().filter(|held| held.contains(&flow(number))).count();
                    prop_assert!(on <= SHARE);
                    let waits = turns.flows.get(&flow(number)).is_some_and(|f| !f.jobs.is_empty());
                    let turn = turns.turn.iter().filter(|next| **next == flow(number)).count();
                    prop_assert_eq!(turn, usize::from(waits && on < SHARE));
                }
                prop_assert_eq!(turns.len(), sent - taken);
            }
            for held in &mut held {
                turns.release(held);
            }
            while turns.take(&mut held[0]).is_some() {
                taken += 1;
                turns.release(&mut held[0]);
            }
            prop_assert_eq!((sent, turns.flows.len()), (taken, 0));
        }
    }
}
