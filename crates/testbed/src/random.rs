//! Chance that can be had again.

use anyhow::Context as _;
use std::io::{Read as _, Write as _};

/// `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The series that `seed` begins.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The series of the seed that the environment names with `variable`, or of one that is
    /// different every time. It is printed either way, for whoever has to see the same again: to
    /// the terminal only if the test fails, as all that tests write.
    ///
    /// # Errors
    /// When what is named is no number.
    pub fn of(variable: &str) -> anyhow::Result<Self> {
        let seed = if let Ok(seed) = std::env::var(variable) {
            seed.parse().with_context(|| format!("{variable} is a number"))?
        } else {
            let mut bytes = [0; 8];
            std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
            u64::from_le_bytes(bytes)
        };
        writeln!(std::io::stdout(), "{variable}={seed}")?;
        Ok(Self::new(seed))
    }

    /// Another series, told from others of this one by `number`.
    #[must_use]
    pub fn fork(&self, number: u64) -> Self {
        let mut fork = Self(self.0 ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        fork.next();
        fork
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of `items`, if there are any.
    pub fn one_of<T: Clone>(&mut self, items: impl IntoIterator<Item = T>) -> Option<T> {
        let items: Vec<T> = items.into_iter().collect();
        let count = u64::try_from(items.len()).ok().filter(|count| *count > 0)?;
        usize::try_from(self.below(count)).ok().and_then(|index| items.get(index).cloned())
    }

    /// Some of `items`.
    pub fn some_of<T>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        items.into_iter().filter(|_| self.once_in(2)).collect()
    }
}
