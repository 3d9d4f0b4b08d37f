//! Hashing passwords, on threads of its own.
//!
//! A hash takes a core for about 16 ms, which on the threads that serve requests would stop
//! everything else. So there is a fixed number of threads for it, each with the memory that one
//! hash needs, and places before them where those who wait take turns (`places.rs`). Who finds none is
//! refused soon, because a sign-in that waits for seconds is worth less than one that is tried again.

pub use super::password_hash::PasswordHash;

use super::meter::Meter;
use super::password_hash::{CHEAP, CHEAP_PREFIX, Costs, LANES, SALT, TAG, USUAL};
use super::places::{self, Asker, Busy, Places, Room};
use crate::clock::random;
use crate::error::{Error, Result};
use crate::priority::give_way;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use guestlist_api::secret::{Password, TypedPassword};
use guestlist_store::Ephemeral;
use prometheus_client::metrics::counter::Counter;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use tokio::time::sleep;
use zeroize::Zeroizing;

/// A hash that came from elsewhere may not hold a thread for longer than this many passes do.
const MOST_PASSES: u32 = 16;
/// How many applications, or how many accounts that strangers sign in to, may have all their places
/// taken: together they wait for a second or so.
const SHARES: usize = 8;
/// How much there is for hashing.
#[derive(Debug, Clone)]
pub struct HasherOptions {
    /// How many threads; at least one. Each takes 19 MiB from its first hash on.
    pub workers: usize,
    /// How many jobs of one application may wait for each thread.
    pub queue_per_worker: usize,
    /// How long a job may have waited when its turn comes.
    pub deadline: Duration,
}

impl Default for HasherOptions {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            // One core stays for the rest: with all of them hashing, the slowest reads took
            // eight times as long, with one free they took no longer than with no hashing.
            workers: cores.saturating_sub(1).max(1),
            // About an eighth of a second of work: a longer queue serves no more, only later.
            queue_per_worker: 8,
            // Reached only when the machine is starved. By then the client has given up.
            deadline: Duration::from_secs(5),
        }
    }
}

/// Hashes and verifies passwords. Clones share the threads, which end with the last of them.
#[derive(Clone)]
pub struct Hasher {
    places: Arc<Places<Job>>,
    threads: Arc<[JoinHandle<()>]>,
    deadline: Duration,
    decoy: PasswordHash,
    costs: Costs,
}

/// A place in the queue for hashing, until it is used or dropped.
pub struct Place(places::Place<Job>);

struct Job(Box<dyn FnOnce(&mut Bench) + Send>);

/// How much the threads give way to those that answer.
const NICENESS: i32 = 10;

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the operating system has no threads or no random bytes to give.
    pub fn start(options: &HasherOptions) -> Result<Self> {
        Self::with(options, USUAL)
    }

    /// As [`Hasher::start`], for the passwords of a store that nobody keeps: a hash takes
    /// microseconds, and so would guessing. It needs the proof that there is such a store, a
    /// service over any other refuses it, and what it makes is no hash to any other hasher.
    ///
    /// # Errors
    /// As [`Hasher::start`].
    pub fn cheap(options: &HasherOptions, _: &Ephemeral) -> Result<Self> {
        Self::with(options, CHEAP)
    }

    /// Whether it is one that [`Hasher::cheap`] started.
    #[must_use]
    pub fn is_cheap(&self) -> bool {
        self.costs.prefix == CHEAP_PREFIX
    }

    fn with(options: &HasherOptions, costs: Costs) -> Result<Self> {
        let workers = options.workers.max(1);
        let each = workers * options.queue_per_worker;
        // With one thread it is everybody's in turn; with more, nobody has over half.
        let room = Room { each, all: each * SHARES, threads: workers.div_ceil(2) };
        let places = Arc::new(Places::<Job>::new(room));
        let hashed = &places.meter().hashed;
        let mut threads = Vec::with_capacity(workers);
        for number in 0..workers {
            let (line, mut bench) = (places.line(), Bench::new(costs, hashed.clone()));
            let thread = thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || {
                    give_way(NICENESS, "hashing");
                    let mut busy = Busy::default();
                    while let Some(job) = line.next(&mut busy) {
                        // Its hook has told of a panic, and whoever waits for the job gets an error.
                        // What it has left behind is not used again.
                        if catch_unwind(AssertUnwindSafe(|| (job.0)(&mut bench))).is_err() {
                            bench = Bench::new(costs, bench.hashed.clone());
                        }
                    }
                })
                .map_err(Error::internal)?;
            threads.push(thread);
            places.meter().workers.inc();
        }
        let decoy = PasswordHash::encode(costs, &random::<SALT>()?, &random::<TAG>()?);
        let (threads, deadline) = (threads.into(), options.deadline);
        Ok(Self { places, threads, deadline, decoy, costs })
    }

    /// The hash of `password` with a new salt, for `asker`.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, or this one waited for too long.
    pub async fn hash(&self, asker: Asker, password: Password) -> Result<PasswordHash> {
        self.run(self.place(asker).await?, move |bench| bench.hash(password.as_bytes())).await
    }

    /// Whether `stored` was made with less than a hash takes now: it came from elsewhere, or is old.
    #[must_use]
    pub fn is_weak(&self, stored: &PasswordHash) -> bool {
        stored.is_weak(self.costs)
    }

    /// As [`Hasher::hash`], of a password that was checked, for somebody who has a place. It may be shorter than
    /// one that is set.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn hash_again(&self, place: Place, password: TypedPassword) -> Result<PasswordHash> {
        self.run(place, move |bench| bench.hash(password.as_bytes())).await
    }

    /// A place in the queue for `asker`, to have before anything is written down for them. One that is not
    /// free is asked for once more, after a pause: whoever asks at once whenever they are refused would take
    /// all the time of the server by being refused.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none.
    pub async fn place(&self, asker: Asker) -> Result<Place> {
        if let Ok(place) = self.reserve(asker) {
            return Ok(place);
        }
        sleep(PAUSE).await;
        let place = self.reserve(asker);
        if place.is_err() {
            self.meter().refused.inc();
        }
        place
    }

    /// A place in the queue for `asker`, if one is free.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none.
    pub fn reserve(&self, asker: Asker) -> Result<Place> {
        self.places.reserve(asker).map(Place).ok_or(BUSY)
    }

    /// Whether `stored` was made of `password`, in its normal form or, where that is another, as it
    /// was typed; `asker` wants to know. With nothing stored it is not, and it takes as long to say so, as it does for a
    /// hash that was made with less: who is known here cannot be found out with a watch. Only one that was made with
    /// more takes longer.
    ///
    /// # Errors
    /// [`Error::Busy`] as [`Hasher::hash`]; [`Error::Internal`] when `stored` is not the hash of
    /// a password, or one that takes more memory or time than there is for one.
    pub async fn verify(
        &self,
        asker: Asker,
        password: TypedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<bool> {
        self.verify_in(self.place(asker).await?, password, stored).await
    }

    /// As [`Hasher::verify`], of somebody who has a place.
    ///
    /// # Errors
    /// As [`Hasher::verify`].
    pub async fn verify_in(
        &self,
        place: Place,
        password: TypedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let same = self.run(place, move |bench| {
            Ok(bench.verify(password.as_bytes(), &stored)?
                || match password.as_typed() {
                    Some(typed) => bench.verify(typed, &stored)?,
                    None => false,
                })
        });
        Ok(same.await? && known)
    }

    /// Whether every thread lives.
    ///
    /// # Errors
    /// When one has ended.
    pub fn intact(&self) -> Result<()> {
        if self.threads.iter().any(JoinHandle::is_finished) {
            return Err(Error::internal("a thread that hashes passwords has ended"));
        }
        Ok(())
    }

    /// How many hashes were made so far, for verification too.
    #[must_use]
    pub fn hashed(&self) -> u64 {
        self.meter().hashed.get()
    }

    /// What is counted of it.
    pub(crate) fn meter(&self) -> &Meter {
        self.places.meter()
    }

    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut Bench) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let (queued, deadline, refused) =
            (Instant::now(), self.deadline, self.meter().refused.clone());
        let job = |place: places::Place<Job>| {
            let job = move |bench: &mut Bench| {
                // It is somebody else's from here on.
                drop(place);
                if reply.is_closed() {
                    return;
                }
                let late = queued.elapsed() > deadline;
                let done = if late { Err(BUSY) } else { work(bench) };
                refused.inc_by(late.into());
                // The caller may have gone meanwhile, and the answer with them.
                drop(reply.send(done));
            };
            Job(Box::new(job))
        };
        Places::put(place.0, job);
        answer.await.map_err(Error::internal)?
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("waiting", &self.places.waiting()).finish_non_exhaustive()
    }
}

/// How long whoever finds no place waits before asking once more: sixteen connections that do nothing else are
/// refused 64 times a second then, and whoever is told to come back has lost a quarter of the time.
const PAUSE: Duration = Duration::from_millis(250);

const BUSY: Error = Error::Busy { what: "Password hashing is busy", retry_after: 1 };

/// What one thread works with: the memory of one hash, taken when the first is made, for a
/// server where nobody signs in should be small, and used for each after it.
struct Bench {
    costs: Costs,
    blocks: Vec<Block>,
    hashed: Counter,
}

impl Bench {
    const fn new(costs: Costs, hashed: Counter) -> Self {
        Self { costs, blocks: Vec::new(), hashed }
    }

    fn tag(
        &mut self,
        password: &[u8],
        salt: &[u8],
        length: usize,
        parameters: Params,
    ) -> Result<Zeroizing<Vec<u8>>> {
        if self.blocks.is_empty() {
            self.blocks = vec![Block::new(); self.costs.memory as usize];
        }
        let mut tag = Zeroizing::new(vec![0; length]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into_with_memory(password, salt, &mut tag, &mut self.blocks[..])
            .map_err(Error::internal)?;
        Ok(tag)
    }

    /// Does what a hash with these `parameters` lacks to what one takes now, for nothing but the time.
    fn make_up(&mut self, parameters: &Params) -> Result<()> {
        let Costs { memory, passes, .. } = self.costs;
        let cost = parameters.m_cost().saturating_mul(parameters.t_cost());
        let mut missing = memory.saturating_mul(passes).saturating_sub(cost);
        while missing >= Params::MIN_M_COST {
            let once = missing.min(memory);
            let parameters = Params::new(once, 1, LANES, Some(TAG)).map_err(Error::internal)?;
            self.tag(&[], &[0; SALT], TAG, parameters)?;
            missing -= once;
        }
        Ok(())
    }

    fn hash(&mut self, password: &[u8]) -> Result<PasswordHash> {
        let salt = random::<SALT>()?;
        let tag = self.tag(password, &salt, TAG, self.costs.parameters()?)?;
        self.hashed.inc();
        Ok(PasswordHash::encode(self.costs, &salt, &tag))
    }

    fn verify(&mut self, password: &[u8], stored: &PasswordHash) -> Result<bool> {
        let (parameters, salt, tag) = stored
            .decode(self.costs)
            .ok_or_else(|| Error::internal("a stored password hash is not sound"))?;
        if parameters.m_cost() > self.costs.memory || parameters.t_cost() > MOST_PASSES {
            return Err(Error::internal("a stored password hash takes more than there is for one"));
        }
        let ours = self.tag(password, &salt, tag.len(), parameters.clone())?;
        self.make_up(&parameters)?;
        self.hashed.inc();
        Ok(ours.ct_eq(&tag[..]).into())
    }
}

#[cfg(test)]
#[path = "hasher_tests.rs"]
mod tests;
