//! Generations of rows, by which the caches know whether an entry is still valid.
//!
//! Every row that an answer depends on has a generation, a counter which the writer makes odd before
//! it commits a change of that row and even again after (a seqlock). Whoever caches an answer takes a
//! snapshot of the generations *before* the transaction that reads begins. The answer stands for as long
//! as they are what they were: a change that the transaction did not see has moved one of them since, or
//! is moving it now. There are fewer counters than rows, and rows that share one only forget each other's
//! answers.
//!
//! Another process may write the same file. SQLite numbers the commits of a file, whoever makes
//! them, in the memory that its processes share, and that number is looked at each time: when it is
//! not the one that this process knows of, no answer stands until everything has been forgotten.
//!
//! Where other processes write and nothing tells of it, there are only brief snapshots, of what may be
//! out of date for a moment: a change that is made here ends them at once, and one that is made elsewhere
//! when the moment has passed.

use crate::scope::{RowKey, Scope};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Generations of rows: half a megabyte of them.
const GENERATIONS: usize = 1 << 16;
/// The generation of everything that has none of its own.
const REST: usize = 0;

/// The most that an answer may depend on, beside everything.
const DEPENDS: usize = 3;

/// The generations of what an answer depends on, as they were before it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    generations: [(usize, u64); 1 + DEPENDS],
    /// When it is worth nothing any more, whatever the generations are.
    until: Option<Instant>,
}

/// The generations of a store.
pub(crate) struct Versions {
    generations: Box<[AtomicU64]>,
    hasher: RandomState,
    external: Option<ExternalCommits>,
    /// How long a brief snapshot is good, if others may change what it is of and nothing tells of it.
    trust: Option<Duration>,
}

impl Versions {
    /// Those of a store that no other process can write.
    pub(crate) fn exclusive() -> Self {
        let generations = std::iter::repeat_with(|| AtomicU64::new(0)).take(GENERATIONS).collect();
        Self { generations, hasher: RandomState::new(), external: None, trust: None }
    }

    /// Those of a store that others write without a trace, where a brief snapshot is good as long as
    /// `trust`.
    pub(crate) fn with_trust(trust: Duration) -> Self {
        Self { trust: Some(trust), ..Self::exclusive() }
    }

    /// Those of the database at `path`, which has a connection open.
    ///
    /// # Errors
    /// When the memory that its processes share cannot be read.
    pub(crate) fn shared(path: &Path) -> io::Result<Self> {
        Ok(Self { external: Some(ExternalCommits::watch(path)?), ..Self::exclusive() })
    }

    fn place(&self, key: &RowKey) -> usize {
        // The remainder is below the number of generations.
        1 + usize::try_from(self.hasher.hash_one(key) % (GENERATIONS as u64 - 1))
            .unwrap_or_default()
    }

    /// The generations of `what`; `None` while one of them is changing. Where others write without a
    /// trace there is one only of what is `brief`, and for a while.
    pub(crate) fn snapshot(
        &self,
        what: [Option<RowKey>; DEPENDS],
        brief: bool,
    ) -> Option<Snapshot> {
        if let Some(external) = &self.external
            && !external.up_to_date()
        {
            external.listen(|| self.forget_all());
            return None;
        }
        if self.trust.is_some() && !brief {
            return None;
        }
        let until = self.trust.map(|trust| Instant::now() + trust);
        let [a, b, c] = what.map(|key| key.map_or(REST, |key| self.place(&key)));
        let generations =
            [REST, a, b, c].map(|place| (place, self.generations[place].load(Ordering::SeqCst)));
        let settled = generations.iter().all(|(_, generation)| generation % 2 == 0);
        settled.then_some(Snapshot { generations, until })
    }

    /// Whether nothing of what `snapshot` is of has changed, or is changing.
    pub(crate) fn hold(&self, snapshot: &Snapshot) -> bool {
        let same = |(place, generation): &(usize, u64)| {
            self.generations[*place].load(Ordering::SeqCst) == *generation
        };
        // The others first: they are silent again once everything was forgotten, which the
        // generations tell from then on.
        self.external.as_ref().is_none_or(ExternalCommits::up_to_date)
            && snapshot.generations.iter().all(same)
            && snapshot.until.is_none_or(|until| Instant::now() < until)
    }

    /// Says that the writer is about to commit changes of `what`, until the answer goes.
    pub(crate) fn changing(&self, what: &[Scope]) -> Changing<'_> {
        let mut places = Vec::with_capacity(2 * what.len());
        for scope in what {
            match scope {
                Scope::Nothing => {}
                Scope::Row { key, with } => {
                    places.push(self.place(key));
                    places.extend(with.as_ref().map(|key| self.place(key)));
                }
                Scope::Everything => places.push(REST),
            }
        }
        places.sort_unstable();
        places.dedup();
        let lock = self.external.as_ref().map(ExternalCommits::lock);
        self.step(&places);
        Changing { versions: self, places, own: 0, _lock: lock }
    }

    fn step(&self, places: &[usize]) {
        for place in places {
            self.generations[*place].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Has no answer stand from here on.
    pub(crate) fn close(&self) {
        // For ever changing. Whatever else counts, counts twice.
        self.step(&[REST]);
    }

    fn forget_all(&self) {
        self.step(&[REST, REST]);
    }
}

/// Changes that are being committed.
pub(crate) struct Changing<'v> {
    versions: &'v Versions,
    places: Vec<usize>,
    own: u32,
    _lock: Option<MutexGuard<'v, ()>>,
}

impl Changing<'_> {
    /// Says that there was a commit, which SQLite has numbered.
    pub(crate) fn committed(&mut self) {
        self.own = 1;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let Some(external) = &self.versions.external {
            external.account(self.own, || self.versions.forget_all());
        }
        self.versions.step(&self.places);
    }
}

/// The processes that may write the same file.
struct ExternalCommits {
    index: &'static File,
    /// The number of the last commit of which everything that it changed has been forgotten.
    known: AtomicU32,
    /// Held while a commit of ours is not accounted for.
    accounting: Mutex<()>,
}

impl ExternalCommits {
    /// Where the number is in the index of the log: a format that SQLite documents and keeps.
    const NUMBER: u64 = 8;

    fn watch(path: &Path) -> io::Result<Self> {
        // Left open for ever: to close any descriptor of a file gives up the locks that the
        // process, which is to say SQLite, has on it (POSIX `fcntl`).
        let index: &'static File = Box::leak(Box::new(File::open(index_of(path))?));
        let external = Self { index, known: AtomicU32::new(0), accounting: Mutex::new(()) };
        external.known.store(external.number()?, Ordering::SeqCst);
        Ok(external)
    }

    /// The number of the last commit that readers can see.
    fn number(&self) -> io::Result<u32> {
        use std::os::unix::fs::FileExt as _;
        let mut number = [0; 4];
        self.index.read_exact_at(&mut number, Self::NUMBER)?;
        Ok(u32::from_ne_bytes(number))
    }

    /// Whether there was no commit that is not accounted for.
    fn up_to_date(&self) -> bool {
        self.number().is_ok_and(|number| number == self.known.load(Ordering::SeqCst))
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.accounting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accounts for the commits of others, unless there may be one of ours among them.
    fn listen(&self, forget_all: impl FnOnce()) {
        if let Ok(_lock) = self.accounting.try_lock() {
            self.account(0, forget_all);
        }
    }

    /// Accounts for all commits, of which `own` are ours.
    fn account(&self, own: u32, forget_all: impl FnOnce()) {
        // When it cannot be read no answer stands, and this is tried again.
        let Ok(number) = self.number() else { return };
        if number != self.known.load(Ordering::SeqCst).wrapping_add(own) {
            forget_all();
        }
        self.known.store(number, Ordering::SeqCst);
    }
}

/// The file that is the index of the log of the database at `path`.
fn index_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-shm");
    name.into()
}

impl Snapshot {
    /// One that nothing ends, for whoever tries out what is done with one.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self { generations: [(REST, 0); 1 + DEPENDS], until: None }
    }
}
