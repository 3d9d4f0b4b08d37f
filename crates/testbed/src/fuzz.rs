//! Hostile bytes: a target reads inputs that chance makes of known ones, for a while, and whoever reads them must
//! neither panic nor break what the target says of it.
//!
//! It needs no other build of what is tested: a target tells of what kind each outcome is, and an input that
//! comes to a new kind is one to go on from. Known inputs are a corpus, `tests/corpora/NAME.txt`, a line each as
//! Rust escapes bytes; all of them are tried first, in every run.
//!
//! `GUESTLIST_FUZZ_SECONDS` says for how long, `GUESTLIST_FUZZ_SEED` which chance, and with `GUESTLIST_FUZZ_ADD` the
//! inputs that came to something new are added to the corpus.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use crate::Random;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

const SECONDS: &str = "GUESTLIST_FUZZ_SECONDS";
const SEED: &str = "GUESTLIST_FUZZ_SEED";
const ADD: &str = "GUESTLIST_FUZZ_ADD";

/// How long a target is tried where nobody says.
const BRIEFLY: Duration = Duration::from_secs(1);
/// Inputs are no longer than that, unless the corpus has one that is.
const LONGEST: usize = 4096;
/// Kinds of outcomes beyond which new ones are no news.
const MOST_KINDS: usize = 4096;
/// Bytes that mean something to many readers.
const TELLING: &[u8] = b"\0\t\n\r \"#%&'*+,-./:;<=>?@[\\]^_`{|}~\x7f\x80\xff";

/// A target by its name, and what is known of what it reads.
#[derive(Debug)]
pub struct Fuzz {
    name: &'static str,
    words: Vec<Vec<u8>>,
    inputs: Vec<Vec<u8>>,
}

impl Fuzz {
    /// One with the corpus of that name.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, words: Vec::new(), inputs: corpus(name) }
    }

    /// And with words that are put into inputs.
    #[must_use]
    pub fn words<W: AsRef<[u8]>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_vec()));
        self
    }

    /// And with an input that no file has, because it is made anew for each run.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.inputs.push(input.into());
        self
    }

    /// Tries the corpus, and then what becomes of it until the time is over. `target` says of which kind the
    /// outcome is, and panics where it is not one that there may be.
    ///
    /// # Panics
    /// When the target does; the input is printed.
    pub fn run<K: Hash>(self, mut target: impl FnMut(&[u8]) -> K) {
        let seconds = std::env::var(SECONDS).ok();
        // A run of the suite is as the one before it; whoever looks for something new says for how long.
        let mut random = if seconds.is_some() || std::env::var_os(SEED).is_some() {
            Random::of(SEED).expect("a seed")
        } else {
            Random::new(1)
        };
        let time = seconds.map_or(BRIEFLY, |seconds| {
            Duration::from_secs_f64(seconds.parse().expect("GUESTLIST_FUZZ_SECONDS is a number"))
        });
        let (mut kinds, mut slowest) = (HashSet::new(), Duration::ZERO);
        let (mut executions, adds) = (0_u64, std::env::var_os(ADD).is_some());
        let mut kind = |input: &[u8]| {
            executions += 1;
            let _told = Told { name: self.name, input };
            let start = Instant::now();
            let mut hasher = DefaultHasher::new();
            target(input).hash(&mut hasher);
            slowest = slowest.max(start.elapsed());
            hasher.finish()
        };
        let mut inputs = self.inputs;
        assert!(!inputs.is_empty(), "there is no corpus for {}", self.name);
        for input in &inputs {
            kinds.insert(kind(input));
        }
        let (known, start) = (inputs.len(), Instant::now());
        while start.elapsed() < time {
            // The clock is not asked as often as a quick reader reads.
            for _ in 0..16 {
                let input = mutated(&inputs, &self.words, &mut random);
                let found = kind(&input);
                if kinds.len() < MOST_KINDS && kinds.insert(found) {
                    let short = if adds {
                        shortened(input, |shorter| kind(shorter) == found)
                    } else {
                        input
                    };
                    inputs.push(short);
                }
            }
        }
        let _ = writeln!(
            std::io::stdout(),
            "{}: {executions} executions in {:.1} s, {} kinds of outcomes, {} inputs, the slowest in {slowest:?}",
            self.name,
            start.elapsed().as_secs_f64(),
            kinds.len(),
            inputs.len(),
        );
        if adds {
            add(self.name, inputs.get(known..).unwrap_or_default());
        }
    }
}

/// Prints an input when it goes in a panic.
struct Told<'t> {
    name: &'static str,
    input: &'t [u8],
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = writeln!(
                std::io::stdout(),
                "{}: this input, which belongs into its corpus as soon as it is mended:\n{}",
                self.name,
                self.input.escape_ascii()
            );
        }
    }
}

fn index(random: &mut Random, below: usize) -> usize {
    let below = u64::try_from(below.max(1)).unwrap_or(u64::MAX);
    usize::try_from(random.below(below)).unwrap_or_default()
}

fn byte(random: &mut Random) -> u8 {
    match random.below(3) {
        0 => u8::try_from(random.below(256)).unwrap_or_default(),
        1 => TELLING[index(random, TELLING.len())],
        _ => b' ' + u8::try_from(random.below(95)).unwrap_or_default(),
    }
}

/// What chance makes of one of the `inputs`.
fn mutated(inputs: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = inputs[index(random, inputs.len())].clone();
    for _ in 0..=random.below(4) {
        let at = index(random, bytes.len() + 1);
        let length = index(random, (bytes.len() - at).min(32) + 1);
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = byte(random),
            2 => bytes.insert(at, byte(random)),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let copy = bytes[at..at + length].repeat(1 + index(random, 3));
                let to = index(random, bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            5 | 6 if !words.is_empty() => {
                let word = &words[index(random, words.len())];
                // In the place of something, or before it.
                let end = if random.once_in(2) { at + length } else { at };
                bytes.splice(at..end, word.iter().copied());
            }
            7 => {
                let other = &inputs[index(random, inputs.len())];
                bytes.truncate(at);
                bytes.extend(&other[index(random, other.len() + 1)..]);
            }
            _ => {
                let more = vec![byte(random); 1 + index(random, 40)];
                bytes.splice(at..at, more);
            }
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

/// `input` without what can be left out of it while it `is_same`.
fn shortened(mut input: Vec<u8>, mut is_same: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut length = input.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at + length <= input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..at + length);
            if is_same(&shorter) {
                input = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    input
}

fn path(name: &str) -> PathBuf {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpora");
    corpora.join(name).with_extension("txt")
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    match fs::read_to_string(path(name)) {
        Ok(text) => text.lines().map(unescaped).collect(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{}", path(name).display());
            Vec::new()
        }
    }
}

fn add(name: &str, inputs: &[Vec<u8>]) {
    let mut text = fs::read_to_string(path(name)).unwrap_or_default();
    for input in inputs {
        writeln!(text, "{}", input.escape_ascii()).expect("a String takes everything");
    }
    fs::write(path(name), text).expect("a corpus");
}

/// The bytes that became `line` when they were escaped.
///
/// # Panics
/// When none did.
fn unescaped(line: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits =
                    [rest.next(), rest.next()].map(|digit| char::from(digit.unwrap_or(b' ')));
                let digits = String::from_iter(digits);
                u8::from_str_radix(&digits, 16).expect("two digits behind \\x")
            }
            Some(itself @ (b'\\' | b'\'' | b'"')) => itself,
            other => unreachable!("\\ and {other:?} in {line}"),
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescaped(&all.escape_ascii().to_string()), all);
    }

    #[test]
    fn what_is_hidden_behind_kinds_is_found_and_told() {
        // Nobody comes to this by chance alone; each letter is a kind of its own.
        let hidden = b"secret";
        let found = std::panic::catch_unwind(|| {
            let fuzz = Fuzz { name: "nothing", words: Vec::new(), inputs: vec![b"x".to_vec()] };
            fuzz.run(|bytes| {
                let same = bytes.iter().zip(hidden).take_while(|(a, b)| a == b).count();
                assert!(same < hidden.len(), "found");
                same
            });
        });
        assert!(found.is_err(), "a second was not enough");
    }

    #[test]
    fn an_input_is_shortened_to_what_makes_it_what_it_is() {
        let is_same = |bytes: &[u8]| bytes.contains(&b'a') && bytes.contains(&b'z');
        assert_eq!(shortened(b"xxaxxxxxxxxxzxxx".to_vec(), is_same), b"az");
    }
}
