//! Line in the queue for hashing, and whose turn it is.
//!
//! A hash takes a core for 16 ms, so a few who ask for many could keep all others waiting. Whoever has
//! shown a token takes turns by application, strangers by the account that they name, and the two kinds
//! alternate. Nobody can have all the places of their kind: an application has a few, and strangers from
//! one network half.

use guestlist_store::{Flow, Held, Turns};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Who wants a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Somebody who has shown a token, or runs the server.
    Holder(Flow),
    /// Somebody who has not, and comes from this network to sign in to this account.
    Stranger {
        /// Where they come from.
        network: Flow,
        /// Whom they say that they are, known or not.
        account: Flow,
    },
}

impl Asker {
    /// Whoever runs the server.
    pub const OWN: Self = Self::Holder(Flow::OWN);
}

/// How many may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Of one application, or for one account.
    pub(super) each: usize,
    /// Of all applications, and as many strangers.
    pub(super) all: usize,
    /// How many threads may hash for one of them.
    pub(super) threads: usize,
}

/// Jobs that wait for a thread, as threads see them.
pub(super) struct Line<J> {
    state: Mutex<State<J>>,
    came: Condvar,
    all: usize,
}

struct State<J> {
    holders: Turns<J>,
    strangers: Turns<(Flow, J)>,
    /// How many strangers of each network wait.
    networks: HashMap<Flow, usize>,
    /// Whether a stranger is next, if one waits.
    stranger_next: bool,
    closed: bool,
}

/// The same, for those who have a job. The threads end when it is dropped and nobody waits.
pub(super) struct Places<J>(Arc<Line<J>>);

/// The flows that a thread works for.
#[derive(Default)]
pub(super) struct Busy {
    holders: Held,
    strangers: Held,
}

impl<J> Line<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, when there is one, for a thread that has done what it was `busy` with. `None` when
    /// none will come.
    pub(super) fn next(&self, busy: &mut Busy) -> Option<J> {
        let mut state = self.lock();
        state.holders.release(&mut busy.holders);
        state.strangers.release(&mut busy.strangers);
        loop {
            if let Some(job) = state.take(busy) {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<J> State<J> {
    fn take(&mut self, busy: &mut Busy) -> Option<J> {
        let first = if self.stranger_next { self.stranger(busy) } else { None };
        if first.is_some() {
            self.stranger_next = false;
            return first;
        }
        self.stranger_next = true;
        self.holders.take(&mut busy.holders).or_else(|| self.stranger(busy))
    }

    fn stranger(&mut self, busy: &mut Busy) -> Option<J> {
        let (network, job) = self.strangers.take(&mut busy.strangers)?;
        if let Some(waiting) = self.networks.get_mut(&network) {
            *waiting -= 1;
            if *waiting == 0 {
                self.networks.remove(&network);
            }
        }
        Some(job)
    }
}

impl<J> Places<J> {
    pub(super) fn new(room: Room) -> Self {
        let Room { each, all, threads } = room;
        let state = State {
            holders: Turns::new(threads, each),
            strangers: Turns::new(threads, each),
            networks: HashMap::new(),
            stranger_next: false,
            closed: false,
        };
        Self(Arc::new(Line { state: Mutex::new(state), came: Condvar::new(), all }))
    }

    /// What a thread takes its jobs from.
    pub(super) fn line(&self) -> Arc<Line<J>> {
        Arc::clone(&self.0)
    }

    /// Has `job` wait; or not, when there is no place for `asker`.
    pub(super) fn put(&self, asker: Asker, job: J) -> Result<(), ()> {
        let Line { came, all, .. } = &*self.0;
        let mut state = self.0.lock();
        match asker {
            Asker::Holder(flow) => {
                let full = state.holders.len() >= *all && flow != Flow::OWN;
                if full || state.holders.push(flow, job).is_err() {
                    return Err(());
                }
            }
            Asker::Stranger { network, account } => {
                let before = state.networks.get(&network).copied().unwrap_or_default();
                let full = state.strangers.len() >= *all || before >= all.div_ceil(2);
                if full || state.strangers.push(account, (network, job)).is_err() {
                    return Err(());
                }
                state.networks.insert(network, before + 1);
            }
        }
        came.notify_one();
        Ok(())
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        let state = self.0.lock();
        state.holders.len() + state.strangers.len()
    }
}

impl<J> Drop for Places<J> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(number: u8) -> Flow {
        Flow::new(1, [number; 12])
    }

    fn stranger(network: u8, account: u8) -> Asker {
        Asker::Stranger { network: flow(network), account: flow(account) }
    }

    fn order(places: &Places<&'static str>) -> Vec<&'static str> {
        let (line, mut busy) = (places.line(), Busy::default());
        (0..places.waiting()).filter_map(|_| line.next(&mut busy)).collect()
    }

    #[test]
    fn applications_accounts_and_the_two_kinds_take_turns() {
        let places = Places::new(Room { each: 8, all: 16, threads: 1 });
        for job in ["a1", "a2", "a3"] {
            places.put(Asker::Holder(flow(1)), job).unwrap();
        }
        places.put(Asker::Holder(flow(2)), "b1").unwrap();
        for (account, job) in [(1, "s1"), (1, "s2"), (2, "t1")] {
            places.put(stranger(9, account), job).unwrap();
        }
        assert_eq!(order(&places), ["a1", "s1", "b1", "t1", "a2", "s2", "a3"]);
    }

    #[test]
    fn nobody_has_all_the_places() {
        let places = Places::new(Room { each: 2, all: 4, threads: 1 });
        let put = |asker| places.put(asker, "").is_ok();
        let holder = |number| Asker::Holder(flow(number));
        assert_eq!(
            [1, 1, 1, 2, 2, 3].map(|number| put(holder(number))),
            [true, true, false, true, true, false]
        );
        // Whoever runs the server has a place in any case.
        assert!(put(Asker::OWN));
        // One network has half of those of strangers, and one account no more than it may.
        assert_eq!(
            [(1, 1), (1, 2), (1, 3), (2, 1), (2, 4), (3, 5)].map(|(n, a)| put(stranger(n, a))),
            [true, true, false, true, true, false]
        );
        order(&places);
        assert!(put(stranger(1, 3)));
    }

    #[test]
    fn what_waits_is_done_before_the_end() {
        let places = Places::new(Room { each: 2, all: 4, threads: 1 });
        let (line, mut busy) = (places.line(), Busy::default());
        places.put(Asker::OWN, "last").unwrap();
        drop(places);
        assert_eq!(line.next(&mut busy), Some("last"));
        assert_eq!(line.next(&mut busy), None);
    }
}
