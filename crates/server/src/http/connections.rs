//! The connections that are open: how many, from where, and which of them say nothing.
//!
//! There are so many places, and so many for the connections of one network; those of a trusted proxy
//! are of many, and are not counted for it. When all places are taken, the connection that has been
//! silent for longest makes room for a new one: one that never asked anything good, if there is one,
//! before one that may ask again. Before the latter goes, the network with the most connections makes room, for
//! itself too, also with one whose body does not come. What is being answered is left alone.

use super::limits::Limits;
use super::meter::Meter;
use super::network::Network;
use crate::error::Error;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::sleep;

/// A request is being read or answered that may change something.
const BUSY: u64 = u64::MAX;
/// A request is being read or answered that changes nothing.
const LOOKING: u64 = u64::MAX - 1;
/// A request has been answered, and not all of the answer has been written.
const ANSWERED: u64 = u64::MAX - 2;
/// There is nothing to write, and nobody has looked yet whether there is something to read.
const WRITTEN: u64 = u64::MAX - 3;
/// It has made room for another.
const CLOSED: u64 = u64::MAX - 4;

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    began: Instant,
    open: Mutex<Open>,
    meter: Option<Arc<Meter>>,
}

#[derive(Debug, Default)]
struct Open {
    all: HashMap<u64, Arc<Connection>>,
    /// How many there are of each network, beside those with proxies.
    networks: HashMap<Network, usize>,
    /// How many there ever were.
    count: u64,
}

/// An open connection, as whoever makes room sees it.
#[derive(Debug)]
struct Connection {
    number: u64,
    network: Network,
    /// Whether it is with a proxy, and so of many networks.
    is_proxy: bool,
    /// Whether it has asked something that was answered well, or may ask for many.
    asked: AtomicBool,
    /// Since when it is silent, in microseconds since the server began, or one of the above.
    state: AtomicU64,
    /// The bytes that were written to it.
    written: AtomicU64,
    /// Whether a body is not read to its end.
    unread: AtomicBool,
    closed: Notify,
}

/// A connection's place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
}

/// What it means that a client has closed its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SideClosed {
    /// It is the end: nothing is asked, or not all of it came.
    Over,
    /// What was asked is not answered yet, and changes nothing: if nobody waits it need not be done.
    Looking,
    /// What was asked is being done, or its answer is being written.
    Asked,
}

impl Connections {
    /// Those that `limits` let in, which `meter` counts.
    pub(super) fn new(limits: Limits, meter: Option<Arc<Meter>>) -> Arc<Self> {
        if let Some(meter) = &meter {
            meter.limit_connections(limits.max_connections);
        }
        Arc::new(Self { limits, began: Instant::now(), open: Mutex::default(), meter })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(CLOSED - 1).min(CLOSED - 1)
    }

    /// A place for a connection with `peer`, who may be a proxy that is trusted.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none, and everybody who has one is being answered.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Result<Place, Error> {
        self.admit_for(peer, is_proxy, 0)
    }

    /// The same, where so many places are about to be left for it.
    fn admit_for(
        self: &Arc<Self>,
        peer: IpAddr,
        is_proxy: bool,
        left: usize,
    ) -> Result<Place, Error> {
        let busy = |what, own| {
            if let Some(meter) = &self.meter {
                meter.refuse(own);
            }
            Error::Busy { what, retry_after: 1 }
        };
        let network = Network::of_client(peer);
        let mut open = self.lock();
        let own = open.networks.get(&network).copied().unwrap_or(0);
        if !is_proxy
            && own >= self.limits.max_connections_per_client
            && !open.make_room(|connection| connection.network == network)
        {
            return Err(busy("There are too many connections from your network", true));
        }
        if open.all.len() >= self.limits.max_connections + left
            && !open.make_room(|connection| !connection.asked.load(Ordering::Relaxed))
            && !open.make_room_in_largest(network)
            && !open.make_room(|_| true)
        {
            return Err(busy("The server has too many connections", false));
        }
        open.count += 1;
        let connection = Arc::new(Connection {
            number: open.count,
            network,
            is_proxy,
            asked: AtomicBool::new(is_proxy),
            state: AtomicU64::new(WRITTEN),
            written: AtomicU64::new(0),
            unread: AtomicBool::new(false),
            closed: Notify::new(),
        });
        open.all.insert(connection.number, Arc::clone(&connection));
        if !is_proxy {
            *open.networks.entry(network).or_default() += 1;
        }
        if let Some(meter) = &self.meter {
            meter.accept();
            meter.set_connections(open.all.len());
        }
        Ok(Place { connections: Arc::clone(self), connection })
    }
}

impl Open {
    /// Closes a silent connection, the first to go of those that `may`; whether there was one.
    fn make_room(&mut self, may: impl Fn(&Connection) -> bool) -> bool {
        loop {
            let silent = self.all.values().filter(|connection| may(connection));
            let silent = silent.filter_map(|connection| {
                let since = connection.silent_since()?;
                Some((connection.asked.load(Ordering::Relaxed), since, connection))
            });
            let first = silent.min_by_key(|(asked, since, of)| (*asked, *since, of.number));
            let Some((_, since, first)) = first else { return false };
            // Or else it has begun to ask meanwhile.
            if first
                .state
                .compare_exchange(since, CLOSED, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                first.closed.notify_one();
                let number = first.number;
                self.remove(number);
                return true;
            }
        }
    }

    /// Closes a connection of the network that has the most, which may be `network` itself: a silent one, or
    /// else the oldest whose body does not come. Whether there was one. Where nearly all networks have one,
    /// none has to.
    fn make_room_in_largest(&mut self, network: Network) -> bool {
        let own = self.networks.get(&network).copied().unwrap_or(0);
        let largest = self.networks.iter().max_by_key(|(_, count)| **count);
        let largest = match largest {
            Some((&largest, count)) if *count > own + 1 => largest,
            _ if own > 1 => network,
            _ => return false,
        };
        let of_it = |connection: &Connection| connection.network == largest && !connection.is_proxy;
        if self.make_room(of_it) {
            return true;
        }
        let unread = self
            .all
            .values()
            .filter(|connection| of_it(connection) && connection.unread.load(Ordering::Relaxed));
        let Some(first) = unread.min_by_key(|connection| connection.number) else { return false };
        first.state.store(CLOSED, Ordering::Release);
        first.closed.notify_one();
        let number = first.number;
        self.remove(number);
        true
    }

    fn remove(&mut self, number: u64) {
        let Some(connection) = self.all.remove(&number) else { return };
        if connection.is_proxy {
            return;
        }
        if let Some(count) = self.networks.get_mut(&connection.network) {
            *count -= 1;
            if *count == 0 {
                self.networks.remove(&connection.network);
            }
        }
    }
}

impl Connection {
    fn silent_since(&self) -> Option<u64> {
        Some(self.state.load(Ordering::Acquire)).filter(|state| *state < CLOSED)
    }
}

impl Place {
    /// A place for `client`, whom the proxy that has this one speaks for, in its stead.
    ///
    /// # Errors
    /// As [`Connections::admit`].
    pub(super) fn instead_for(&self, client: IpAddr) -> Result<Self, Error> {
        self.connections.admit_for(client, false, 1)
    }

    /// A request has come, which may change something or is `safe` (RFC 9110 9.2.1). False when the
    /// connection has just made room for another.
    pub(super) fn begin(&self, safe: bool) -> bool {
        let busy = if safe { LOOKING } else { BUSY };
        let begun =
            self.connection.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
                (state != CLOSED).then_some(busy)
            });
        begun.is_ok()
    }

    /// Whether a body is read to its end.
    pub(super) fn note_unread(&self, unread: bool) {
        self.connection.unread.store(unread, Ordering::Relaxed);
    }

    /// Whether a body was not read to its end.
    pub(super) fn is_unread(&self) -> bool {
        self.connection.unread.load(Ordering::Relaxed)
    }

    /// What it means that the client has closed its side.
    pub(super) fn side_closed(&self) -> SideClosed {
        match self.connection.state.load(Ordering::Relaxed) {
            _ if self.is_unread() => SideClosed::Over,
            LOOKING => SideClosed::Looking,
            BUSY | ANSWERED => SideClosed::Asked,
            _ => SideClosed::Over,
        }
    }

    /// It has been answered, and the connection is silent when the answer has been written and
    /// nothing is there to read. Whoever has asked
    /// something good may keep the connection for longer.
    pub(super) fn end(&self, good: bool) {
        if good {
            self.connection.asked.store(true, Ordering::Relaxed);
        }
        self.connection.state.store(ANSWERED, Ordering::Release);
    }

    /// So many bytes have been written.
    pub(super) fn wrote(&self, bytes: usize) {
        self.connection.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many have been written so far.
    pub(super) fn written(&self) -> u64 {
        self.connection.written.load(Ordering::Relaxed)
    }

    /// Has the connection go, in the middle of what it does.
    pub(super) fn close(&self) {
        self.connection.closed.notify_one();
    }

    /// All that there was to write has been written.
    pub(super) fn flushed(&self) {
        if self.connection.state.load(Ordering::Relaxed) == ANSWERED {
            self.connection.state.store(WRITTEN, Ordering::Release);
        }
    }

    /// There was nothing to read. What has come by then is no silence, however little time there was
    /// to look at it.
    pub(super) fn waits(&self) {
        if self.connection.state.load(Ordering::Relaxed) == WRITTEN {
            self.connection.state.store(self.connections.now(), Ordering::Release);
        }
    }

    /// Waits until the connection has to go: it makes room for another, or has asked nothing good in
    /// time.
    pub(super) async fn is_over(&self) {
        tokio::select! {
            () = self.connection.closed.notified() => {}
            () = self.stays_silent() => {}
        }
    }

    async fn stays_silent(&self) {
        let patience = self.connections.limits.first_request_timeout;
        while !self.connection.asked.load(Ordering::Relaxed) {
            let silent = self.connection.silent_since().map_or(Duration::ZERO, |since| {
                Duration::from_micros(self.connections.now().saturating_sub(since))
            });
            match patience.checked_sub(silent).filter(|left| !left.is_zero()) {
                Some(left) => sleep(left).await,
                None => return,
            }
        }
        std::future::pending::<()>().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.remove(self.connection.number);
        if let Some(meter) = &self.connections.meter {
            meter.set_connections(open.all.len());
        }
    }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
