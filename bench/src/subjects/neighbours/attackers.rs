//! Those who do their worst until they are told to stop, and what they are answered.

use anyhow::{Result, anyhow};
use guestlist_bench::http::Connection;
use guestlist_testbed::connect_from;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How often what was answered, by status; [`NONE`] where no answer came or was waited for.
pub(in crate::subjects) type Answers = BTreeMap<u16, u64>;
pub(super) const NONE: u16 = 0;

/// Where one of them is, by its number.
pub(in crate::subjects) type From = fn(u64) -> Ipv4Addr;

/// All in one network.
pub(in crate::subjects) const fn one_network(_: u64) -> Ipv4Addr {
    Ipv4Addr::LOCALHOST
}

/// Each in a network of its own, of sixteen.
pub(super) fn many_networks(number: u64) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number % 16).unwrap_or_default())
}

/// Whether to go on, and how many have begun.
#[derive(Default)]
struct Going {
    stop: AtomicBool,
    begun: AtomicU64,
}

impl Going {
    fn on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// One of them is at its worst now.
    fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks what is next when it is answered.
    fn ask(
        &self,
        (to, from): (SocketAddr, Ipv4Addr),
        next: impl Fn() -> Vec<u8>,
    ) -> Result<Answers> {
        let (mut answers, mut connection) = (Answers::new(), None);
        self.begin();
        while self.on() {
            let mut open = match connection.take() {
                Some(open) => open,
                None => Connection::open_from(from, to)?,
            };
            let answer = open.send(&next()).ok();
            let status = answer.as_ref().map_or(NONE, |answer| answer.status);
            *answers.entry(status).or_default() += 1;
            connection = answer.filter(|answer| !answer.close).map(|_| open);
        }
        Ok(answers)
    }
}

type Attack = Box<dyn Fn(u64, &Going) -> Result<Answers> + Send + Sync>;

/// Some who do the same.
pub(in crate::subjects) struct Scene {
    pub(super) name: &'static str,
    threads: u64,
    attack: Attack,
}

impl Scene {
    /// Nobody does anything.
    pub(super) fn quiet() -> Self {
        Self { name: "nothing", threads: 0, attack: Box::new(|_, _| Ok(Answers::new())) }
    }

    pub(super) const fn is_quiet(&self) -> bool {
        self.threads == 0
    }

    /// So many who ask for the next thing when they are answered. `next` is told how often something was
    /// asked before.
    pub(in crate::subjects) fn asking(
        name: &'static str,
        threads: u64,
        (to, from): (SocketAddr, From),
        next: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let asked = AtomicU64::new(0);
        let attack = move |thread, going: &Going| {
            going.ask((to, from(thread)), || next(asked.fetch_add(1, Ordering::Relaxed)))
        };
        Self { name, threads, attack: Box::new(attack) }
    }

    /// One who asks the same over and over, and each turn another of these.
    pub(super) fn once(name: &'static str, to: SocketAddr, each: Vec<Vec<u8>>) -> Self {
        let turns = AtomicUsize::new(0);
        let attack = move |_, going: &Going| {
            let turn = turns.fetch_add(1, Ordering::Relaxed);
            going.ask((to, Ipv4Addr::LOCALHOST), || each[turn % each.len()].clone())
        };
        Self { name, threads: 1, attack: Box::new(attack) }
    }

    /// So many who ask, and are gone before they can be answered.
    pub(super) fn leaving(
        name: &'static str,
        threads: u64,
        to: SocketAddr,
        next: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let asked = AtomicU64::new(0);
        let attack = move |_, going: &Going| {
            let mut sent = 0;
            going.begin();
            while going.on() {
                let request = next(asked.fetch_add(1, Ordering::Relaxed));
                Connection::open(to)?.leave(&request)?;
                sent += 1;
                thread::sleep(Duration::from_millis(200));
            }
            Ok([(NONE, sent)].into())
        };
        Self { name, threads, attack: Box::new(attack) }
    }

    /// So many connections that ask, have little room for what is answered, and read none of it; others
    /// take their place every few seconds.
    pub(super) fn unread(
        name: &'static str,
        count: u64,
        to: SocketAddr,
        next: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        const ROOM: usize = 4096;
        const HELD: Duration = Duration::from_secs(3);
        let attack = move |_, going: &Going| {
            let mut sent = 0;
            while going.on() {
                let mut held = Vec::new();
                for _ in 0..count {
                    let mut connection = connect_from(Ipv4Addr::LOCALHOST, to, Some(ROOM))?;
                    connection.write_all(&next(sent))?;
                    held.push(connection);
                    sent += 1;
                }
                if sent == count {
                    going.begin();
                }
                let began = Instant::now();
                while began.elapsed() < HELD && going.on() {
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Ok([(NONE, sent)].into())
        };
        Self { name, threads: 1, attack: Box::new(attack) }
    }

    /// So many connections that say no more than `said`, each the next of it; when there are all of them a
    /// new one takes the place of the oldest, two hundred times a second.
    pub(super) fn silent(
        name: &'static str,
        count: u64,
        (to, from): (SocketAddr, From),
        said: Vec<Vec<u8>>,
    ) -> Self {
        const THREADS: u64 = 8;
        let count = count.div_ceil(THREADS);
        let attack = move |thread, going: &Going| {
            let (mut opened, mut held) = (0, VecDeque::new());
            for words in said.iter().cycle() {
                if !going.on() {
                    break;
                }
                let mut connection = connect_from(from(thread + THREADS * opened), to, None)?;
                // It may be closed already.
                drop(connection.write_all(words));
                held.push_back(connection);
                opened += 1;
                if opened == count {
                    going.begin();
                }
                if opened > count {
                    held.pop_front();
                    thread::sleep(Duration::from_millis(40));
                }
            }
            Ok([(NONE, opened)].into())
        };
        Self { name, threads: THREADS, attack: Box::new(attack) }
    }

    /// Those of all these scenes at the same time.
    pub(super) fn together(name: &'static str, scenes: Vec<Self>) -> Self {
        let threads = scenes.iter().map(|scene| scene.threads).sum();
        let attack = move |thread, going: &Going| {
            let mut before = 0;
            for scene in &scenes {
                if thread - before < scene.threads {
                    return (scene.attack)(thread - before, going);
                }
                before += scene.threads;
            }
            Ok(Answers::new())
        };
        Self { name, threads, attack: Box::new(attack) }
    }

    /// Does `work` while this goes on.
    pub(in crate::subjects) fn during<T>(
        &self,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Answers)> {
        // Until they are in each other's way; and no longer than this, where they never are.
        const AHEAD: Duration = Duration::from_millis(500);
        const PATIENCE: Duration = Duration::from_secs(20);
        let going = Going::default();
        thread::scope(|scope| {
            let attack = |number| (self.attack)(number, &going);
            let attackers: Vec<_> =
                (0..self.threads).map(|number| scope.spawn(move || attack(number))).collect();
            let began = Instant::now();
            // One that has failed never begins.
            while going.begun.load(Ordering::Relaxed) < self.threads
                && began.elapsed() < PATIENCE
                && !attackers.iter().any(ScopedJoinHandle::is_finished)
            {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(AHEAD);
            let done = work();
            going.stop.store(true, Ordering::Relaxed);
            let mut answers = Answers::new();
            for attacker in attackers {
                let ended = attacker.join().map_err(|_| anyhow!("a thread ended badly"))?;
                for (status, count) in ended? {
                    *answers.entry(status).or_default() += count;
                }
            }
            Ok((done?, answers))
        })
    }
}
