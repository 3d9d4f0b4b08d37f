//! How often those of one network may fail, whatever they fail at: so often at once, and then once in a
//! while. It is counted in the memory of the process, in front of the store and of anything that
//! costs, and for so many networks at most.

use super::network::Network;
use guestlist_api::time::DateTime;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Networks that are remembered, in less than a megabyte. Beyond that those that failed least are
/// forgotten.
const MOST_NETWORKS: usize = 10_000;

/// How long after the question whoever fails too often is answered: a connection asks once at a time, so
/// that each of them can fail no faster than that.
const PAUSE: Duration = Duration::from_secs(1);

/// What each network may fail at one kind of thing.
#[derive(Debug)]
pub(crate) struct Allowances {
    /// How many failures in a row cost nothing.
    free: i64,
    /// The milliseconds after which one is forgotten.
    each: i64,
    /// When the last failure of a network is forgotten, in milliseconds since 1970.
    networks: Mutex<HashMap<Network, i64>>,
}

impl Allowances {
    /// So many at once, and one more after `each`.
    pub(crate) fn new(free: u32, each: Duration) -> Self {
        Self { free: free.into(), each: millis(each), networks: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, i64>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The milliseconds after which all is forgotten that was to be at `end`; no more than if nothing
    /// were left, also when the clock went back.
    fn spent(&self, end: Option<&i64>, now: DateTime) -> i64 {
        end.map_or(0, |end| (end - now.millis()).clamp(0, self.most()))
    }

    /// The milliseconds after which all is forgotten when nothing is left.
    const fn most(&self) -> i64 {
        self.free * self.each
    }

    /// The seconds after which the network of `address` may fail again; 0 when it may now.
    pub(crate) fn wait(&self, address: IpAddr, now: DateTime) -> u32 {
        let spent = self.spent(self.lock().get(&Network::of_client(address)), now);
        let over = spent + self.each - self.most();
        u32::try_from(over.max(0)).map_or(u32::MAX, |over| over.div_ceil(1000))
    }

    /// The network of `address` has failed once more, or may be about to.
    pub(crate) fn spend(&self, address: IpAddr, now: DateTime) {
        self.add(address, now, self.most());
    }

    /// The network of `address` has failed once more. Gives how long it should wait for its answer: those
    /// who fail too often are answered one after the other, and nobody waits for longer than [`PAUSE`].
    pub(crate) fn turn(&self, address: IpAddr, now: DateTime) -> Duration {
        let wait = self.add(address, now, self.most() + millis(PAUSE)) - self.most();
        Duration::from_millis(u64::try_from(wait).unwrap_or(0))
    }

    /// Adds a failure, and gives the milliseconds after which all is forgotten, `most` at most.
    fn add(&self, address: IpAddr, now: DateTime, most: i64) -> i64 {
        let (network, mut networks) = (Network::of_client(address), self.lock());
        if networks.len() >= MOST_NETWORKS && !networks.contains_key(&network) {
            make_room(&mut networks, now);
        }
        let end = networks.entry(network).or_insert(0);
        let spent = ((*end - now.millis()).clamp(0, most) + self.each).min(most);
        *end = now.millis() + spent;
        spent
    }

    /// The network of `address` has not failed after all.
    pub(crate) fn give_back(&self, address: IpAddr) {
        if let Some(end) = self.lock().get_mut(&Network::of_client(address)) {
            *end -= self.each;
        }
    }

    /// Forgets all of it.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Forgets what is over, or else the half that failed least.
fn make_room(networks: &mut HashMap<Network, i64>, now: DateTime) {
    networks.retain(|_, end| *end > now.millis());
    if networks.len() >= MOST_NETWORKS {
        let mut ends: Vec<i64> = networks.values().copied().collect();
        let (_, middle, _) = ends.select_nth_unstable(MOST_NETWORKS / 2);
        networks.retain(|_, end| *end > *middle);
    }
}

/// Waits until it is time to answer somebody who fails too often and asked at `began`.
pub(crate) async fn pause(began: Instant) {
    sleep_until(began + PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime = DateTime::from_millis(1_800_000_000_000);

    fn at(seconds: i64) -> DateTime {
        NOW.plus_millis(seconds * 1000)
    }

    fn network(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_network_fails_so_often_and_then_once_in_a_while() {
        let allowances = Allowances::new(3, Duration::from_secs(2));
        let (one, other) = (network(1), network(2));
        for _ in 0..3 {
            assert_eq!(allowances.wait(one, NOW), 0);
            allowances.spend(one, NOW);
        }
        assert_eq!((allowances.wait(one, NOW), allowances.wait(other, NOW)), (2, 0));
        assert_eq!((allowances.wait(one, at(1)), allowances.wait(one, at(2))), (1, 0));
        allowances.spend(one, at(2));
        assert_eq!(allowances.wait(one, at(2)), 2);
        allowances.give_back(one);
        assert_eq!(allowances.wait(one, at(2)), 0);
        // It owes no more than all, however often it was refused, and also when the clock went back.
        for _ in 0..9 {
            allowances.spend(one, at(2));
        }
        assert_eq!((allowances.wait(one, at(2)), allowances.wait(one, NOW)), (2, 2));
        assert_eq!(allowances.wait(one, at(9)), 0);
    }

    #[test]
    fn those_who_fail_too_often_take_turns() {
        let allowances = Allowances::new(3, Duration::from_millis(400));
        let (one, other) = (network(1), network(2));
        let waits: Vec<_> = (0..7).map(|_| allowances.turn(one, NOW).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 400, 800, 1000, 1000]);
        assert_eq!(allowances.turn(other, NOW), Duration::ZERO);
        // Two seconds later five of them are forgotten, and nothing was owed beyond a second.
        assert_eq!(allowances.turn(one, at(2)), Duration::from_millis(0));
    }

    #[test]
    fn those_of_a_network_have_one_allowance() {
        let allowances = Allowances::new(1, Duration::from_secs(2));
        let [here, near, far] = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::", "2001:db8:0:2::1"]
            .map(|address| address.parse().unwrap());
        allowances.spend(here, NOW);
        assert_eq!([here, near, far].map(|address| allowances.wait(address, NOW)), [2, 2, 0]);
        allowances.clear();
        assert_eq!(allowances.wait(here, NOW), 0);
    }

    #[test]
    fn those_who_failed_most_are_remembered() {
        let allowances = Allowances::new(2, Duration::from_mins(1));
        allowances.spend(network(0), NOW);
        allowances.spend(network(0), NOW);
        for number in 1..=3 * u32::try_from(MOST_NETWORKS).unwrap() {
            allowances.spend(network(number), NOW);
            assert!(allowances.lock().len() <= MOST_NETWORKS);
        }
        assert_eq!(allowances.wait(network(0), NOW), 60);
    }
}
