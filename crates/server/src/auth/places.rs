//! Places in the queue for hashing, and whose turn it is.
//!
//! A hash takes a core for 16 ms, so a few who ask for many could keep all others waiting. Whoever has
//! shown a token takes turns by application, strangers by the account that they name, and the two kinds
//! alternate. Whoever signs in from a network that the account knows is no stranger. Nobody can have all the
//! places of their kind: an application has a few, strangers from one network half, and so have all users together
//! whom one application knows. A place is had before there is a job, so that nothing is written down for somebody
//! who finds none.

use super::meter::Meter;
use guestlist_store::{Flow, Held, Turns};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Who wants a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Somebody who has shown a token, comes from a network that the account knows, or runs the server.
    Holder(Flow),
    /// A user whom an account of this application knows, by this.
    Known {
        /// Whose user.
        application: Flow,
        /// Whom the account knows.
        user: Flow,
    },
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

/// How many places there are.
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
    room: Room,
    meter: Meter,
}

struct State<J> {
    holders: Turns<Waiting<J>>,
    strangers: Turns<Waiting<J>>,
    /// Places that are taken: by applications, among them by the users of each, for accounts, and by the networks
    /// of strangers.
    held: Taken,
    known: Taken,
    accounts: Taken,
    networks: Taken,
    /// Whether a stranger is next, if one waits.
    stranger_next: bool,
    closed: bool,
}

/// A job, and since when it waits.
type Waiting<J> = (Instant, J);

/// Places that are taken, by whom.
#[derive(Default)]
struct Taken {
    all: usize,
    each: HashMap<Flow, usize>,
}

impl Taken {
    /// Whether one more may be taken by `flow`, of which `each` may have so many.
    fn has_room(&self, flow: Flow, each: usize, all: usize) -> bool {
        self.all < all && self.each.get(&flow).is_none_or(|taken| *taken < each)
    }

    fn take(&mut self, flow: Flow) {
        self.all += 1;
        *self.each.entry(flow).or_default() += 1;
    }

    fn give(&mut self, flow: Flow) {
        self.all -= 1;
        if let Some(taken) = self.each.get_mut(&flow) {
            *taken -= 1;
            if *taken == 0 {
                self.each.remove(&flow);
            }
        }
    }
}

/// A place, until it is dropped.
pub(super) struct Place<J> {
    line: Arc<Line<J>>,
    asker: Asker,
}

impl<J> Drop for Place<J> {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        match self.asker {
            Asker::Holder(flow) => state.held.give(flow),
            Asker::Known { application, user } => {
                state.held.give(user);
                state.known.give(application);
            }
            Asker::Stranger { network, account } => {
                state.accounts.give(account);
                state.networks.give(network);
            }
        }
    }
}

/// The same, for those who have a job. The threads end when it is dropped and nobody waits.
pub(super) struct Places<J>(Arc<Line<J>>);

/// The flows that a thread works for.
#[derive(Default)]
pub(super) struct Busy {
    holders: Held,
    strangers: Held,
    /// Since when, if it is.
    since: Option<Instant>,
}

impl<J> Line<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, when there is one, for a thread that has done what it was `busy` with. `None` when
    /// none will come.
    pub(super) fn next(&self, busy: &mut Busy) -> Option<J> {
        if let Some(since) = busy.since.take() {
            self.meter.worked(since.elapsed());
        }
        let mut state = self.lock();
        state.holders.release(&mut busy.holders);
        state.strangers.release(&mut busy.strangers);
        loop {
            if let Some((since, job)) = state.take(busy) {
                self.meter.take(since.elapsed());
                busy.since = Some(Instant::now());
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
    fn take(&mut self, busy: &mut Busy) -> Option<Waiting<J>> {
        let strangers = &mut self.strangers;
        let first = if self.stranger_next { strangers.take(&mut busy.strangers) } else { None };
        if first.is_some() {
            self.stranger_next = false;
            return first;
        }
        self.stranger_next = true;
        self.holders.take(&mut busy.holders).or_else(|| strangers.take(&mut busy.strangers))
    }
}

impl<J> Places<J> {
    pub(super) fn new(room: Room) -> Self {
        // Whoever has a job has a place, and those are counted.
        let turns = || Turns::new(room.threads, usize::MAX);
        let state = State {
            holders: turns(),
            strangers: turns(),
            held: Taken::default(),
            known: Taken::default(),
            accounts: Taken::default(),
            networks: Taken::default(),
            stranger_next: false,
            closed: false,
        };
        let (state, came, meter) = (Mutex::new(state), Condvar::new(), Meter::default());
        Self(Arc::new(Line { state, came, room, meter }))
    }

    /// What a thread takes its jobs from.
    pub(super) fn line(&self) -> Arc<Line<J>> {
        Arc::clone(&self.0)
    }

    /// What is counted of them.
    pub(super) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// A place for `asker`, if there is one.
    pub(super) fn reserve(&self, asker: Asker) -> Option<Place<J>> {
        let Room { each, all, .. } = self.0.room;
        let mut state = self.0.lock();
        match asker {
            Asker::Holder(flow) => {
                // Whoever runs the server bounds what they do by doing it.
                if flow != Flow::OWN && !state.held.has_room(flow, each, all) {
                    return None;
                }
                state.held.take(flow);
            }
            Asker::Known { application, user } => {
                if !state.held.has_room(user, each, all)
                    || !state.known.has_room(application, all.div_ceil(2), all)
                {
                    return None;
                }
                state.held.take(user);
                state.known.take(application);
            }
            Asker::Stranger { network, account } => {
                if !state.accounts.has_room(account, each, all)
                    || !state.networks.has_room(network, all.div_ceil(2), all)
                {
                    return None;
                }
                state.accounts.take(account);
                state.networks.take(network);
            }
        }
        drop(state);
        Some(Place { line: Arc::clone(&self.0), asker })
    }

    /// Has the job that `make` makes wait in `place`, which it gives up when it begins.
    pub(super) fn put(place: Place<J>, make: impl FnOnce(Place<J>) -> J) {
        let (line, asker) = (Arc::clone(&place.line), place.asker);
        let job = (Instant::now(), make(place));
        line.meter.put();
        let mut state = line.lock();
        // There is room for whoever has a place.
        let refused = match asker {
            Asker::Holder(flow) | Asker::Known { user: flow, .. } => state.holders.push(flow, job),
            Asker::Stranger { account, .. } => state.strangers.push(account, job),
        };
        drop(state);
        drop(refused);
        line.came.notify_one();
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

    /// A job, and its place until it is done.
    type Job = (&'static str, Place<Named>);
    struct Named(Box<Job>);

    fn flow(number: u8) -> Flow {
        Flow::new(1, [number; 12])
    }

    fn holder(number: u8) -> Asker {
        Asker::Holder(flow(number))
    }

    fn stranger(network: u8, account: u8) -> Asker {
        Asker::Stranger { network: flow(network), account: flow(account) }
    }

    fn put(places: &Places<Named>, asker: Asker, name: &'static str) -> bool {
        let Some(place) = places.reserve(asker) else { return false };
        Places::put(place, |place| Named(Box::new((name, place))));
        true
    }

    fn order(places: &Places<Named>) -> Vec<&'static str> {
        let (line, mut busy) = (places.line(), Busy::default());
        (0..places.waiting()).filter_map(|_| line.next(&mut busy)).map(|job| job.0.0).collect()
    }

    #[test]
    fn applications_accounts_and_the_two_kinds_take_turns() {
        let places = Places::new(Room { each: 8, all: 16, threads: 1 });
        for job in ["a1", "a2", "a3"] {
            assert!(put(&places, holder(1), job));
        }
        assert!(put(&places, holder(2), "b1"));
        for (account, job) in [(1, "s1"), (1, "s2"), (2, "t1")] {
            assert!(put(&places, stranger(9, account), job));
        }
        assert_eq!(order(&places), ["a1", "s1", "b1", "t1", "a2", "s2", "a3"]);
    }

    #[test]
    fn nobody_has_all_the_places() {
        let places = Places::new(Room { each: 2, all: 4, threads: 1 });
        let each = [1, 1, 1, 2, 2, 3].map(|number| put(&places, holder(number), ""));
        assert_eq!(each, [true, true, false, true, true, false]);
        // Whoever runs the server has a place in any case.
        assert!(put(&places, Asker::OWN, ""));
        // One network has half of those of strangers, and one account no more than it may.
        let some = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 4), (3, 5)];
        let each = some.map(|(network, account)| put(&places, stranger(network, account), ""));
        assert_eq!(each, [true, true, false, true, true, false]);
        order(&places);
        assert!(put(&places, stranger(1, 3), ""));
    }

    #[test]
    fn users_whom_one_application_knows_have_half_of_the_places() {
        let places = Places::new(Room { each: 2, all: 8, threads: 1 });
        let known = |application: u8, user: u8| Asker::Known {
            application: flow(application),
            user: flow(user),
        };
        let some = [(1, 10), (1, 10), (1, 10), (1, 11), (1, 12), (1, 13), (2, 20), (2, 21)];
        let each = some.map(|(application, user)| put(&places, known(application, user), ""));
        assert_eq!(each, [true, true, false, true, true, false, true, true]);
        // Whoever has shown a token has what is left.
        let each = [3, 3, 4].map(|number| put(&places, holder(number), ""));
        assert_eq!(each, [true, true, false]);
        order(&places);
        assert!(put(&places, known(1, 13), ""));
        assert_eq!(places.0.lock().held.all, 1);
    }

    #[test]
    fn a_place_is_free_again_when_it_is_not_used() {
        let places = Places::<Named>::new(Room { each: 1, all: 1, threads: 1 });
        let place = places.reserve(stranger(1, 1));
        assert!(place.is_some() && places.reserve(stranger(2, 2)).is_none());
        drop(place);
        assert!(places.reserve(stranger(2, 2)).is_some());
        assert_eq!(places.0.lock().networks.each.len(), 0);
    }

    #[test]
    fn what_waits_is_done_before_the_end() {
        let places = Places::new(Room { each: 2, all: 4, threads: 1 });
        let (line, mut busy) = (places.line(), Busy::default());
        assert!(put(&places, Asker::OWN, "last"));
        drop(places);
        assert_eq!(line.next(&mut busy).map(|job| job.0.0), Some("last"));
        assert!(line.next(&mut busy).is_none());
    }
}
