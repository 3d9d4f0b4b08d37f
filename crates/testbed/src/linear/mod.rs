//! Whether what a register answered could have come from one register that does one thing after
//! the other.
//!
//! The search is that of Wing and Gong, with the memory of where it has been that Lowe added: it
//! looks for an order in which every operation takes effect at some moment between its start and
//! its end, and each answer is what the register holds then. Registers are independent of each
//! other, so each history is about one.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug, Write as _};
use std::hash::Hash;

/// How many situations are looked at before the search gives up.
const PATIENCE: usize = 2_000_000;

/// What was done, as its answer tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<V> {
    /// It was read, and held this.
    Read(V),
    /// It was set to this, whatever it held.
    Write(V),
    /// It held `from` and was set to `to`.
    Swap {
        /// What it held.
        from: V,
        /// What it holds then.
        to: V,
    },
    /// It was to be changed if it held `from`, and did not.
    Refused {
        /// What it did not hold.
        from: V,
    },
}

/// One operation of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<V> {
    /// What was done.
    pub action: Action<V>,
    /// When it was begun. Only the order of these times matters.
    pub start: u64,
    /// When it was answered. Where the answer is not known it may have happened at any time since
    /// it was begun, or never.
    pub end: Option<u64>,
}

/// Why a history is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// There is no such order. The text shows how far one came, and what did not fit in.
    Contradiction(String),
    /// There may be one, but it was not found in reasonable time.
    Undecided,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contradiction(text) => f.write_str(text),
            Self::Undecided => f.write_str("too much happened at once to find out"),
        }
    }
}

/// Looks for an order of `history` for a register that held `initial` before.
///
/// # Errors
/// When there is none, or it is not found.
pub fn check<V: Clone + Eq + Hash + Debug>(
    initial: &V,
    history: &[Operation<V>],
) -> Result<(), Objection> {
    let mut operations: Vec<&Operation<V>> = history.iter().collect();
    operations.sort_by_key(|operation| operation.start);
    let witnesses = Witnesses::of(&operations);
    let mut best = (0, initial.clone(), Done::none(operations.len()));
    let mut seen = HashSet::new();
    let mut open = vec![(best.1.clone(), best.2.clone())];
    while let Some((value, done)) = open.pop() {
        let Some(first) = done.first_end(&operations) else { return Ok(()) };
        if done.count > best.0 {
            best = (done.count, value.clone(), done.clone());
        }
        let fitting = done.left(&operations, first).filter_map(|index| {
            let operation = operations[index];
            after(&operation.action, &value).map(|after| (index, operation, after))
        });
        let mut next: Vec<_> = fitting.collect();
        // What changes nothing, whatever the register holds, cannot be wrong to take now.
        let idle = next.iter().position(|(_, operation, _)| {
            operation.end.is_some()
                && matches!(operation.action, Action::Read(_) | Action::Refused { .. })
        });
        if let Some(idle) = idle {
            next = vec![next.swap_remove(idle)];
        } else {
            let refused = witnesses.refuses(&operations, &done, &value);
            next.retain(|(index, operation, _)| {
                operation.end.is_some() || refused || witnesses.saw(*index, &done)
            });
        }
        // The last is tried first: what was answered, and of that what ended first.
        next.sort_by_key(|(_, operation, _)| Reverse(operation.end.unwrap_or(u64::MAX)));
        for (index, _, value) in next {
            let done = done.with(index);
            if seen.insert((value.clone(), done.words.clone())) {
                open.push((value, done));
            }
        }
        if seen.len() > PATIENCE {
            return Err(Objection::Undecided);
        }
    }
    Err(Objection::Contradiction(explained(&operations, &best.1, &best.2)))
}

/// What the register holds after `action`, if that fits what it held.
fn after<V: Clone + Eq>(action: &Action<V>, value: &V) -> Option<V> {
    match action {
        Action::Read(read) => (read == value).then(|| value.clone()),
        Action::Write(written) => Some(written.clone()),
        Action::Swap { from, to } => (from == value).then(|| to.clone()),
        Action::Refused { from } => (from != value).then(|| value.clone()),
    }
}

/// The operations that have found their place.
#[derive(Debug, Clone)]
struct Done {
    words: Vec<u64>,
    count: usize,
}

impl Done {
    fn none(operations: usize) -> Self {
        Self { words: vec![0; operations.div_ceil(64)], count: 0 }
    }

    fn has(&self, index: usize) -> bool {
        self.words[index / 64] >> (index % 64) & 1 == 1
    }

    fn with(&self, index: usize) -> Self {
        let mut more = self.clone();
        more.words[index / 64] |= 1 << (index % 64);
        more.count += 1;
        more
    }

    /// Those among the first `count` that have no place.
    fn left_of(&self, count: usize) -> impl Iterator<Item = usize> {
        let words = self.words.iter().enumerate().filter(|(_, word)| **word != u64::MAX);
        let indices = words.flat_map(|(number, _)| number * 64..(number + 1) * 64);
        indices.take_while(move |index| *index < count).filter(|index| !self.has(*index))
    }

    /// When the first of those ended that were answered and have no place.
    fn first_end<V>(&self, operations: &[&Operation<V>]) -> Option<u64> {
        self.left_of(operations.len()).filter_map(|index| operations[index].end).min()
    }

    /// Those without a place that began before `end`, so that they may come next.
    fn left<V>(&self, operations: &[&Operation<V>], end: u64) -> impl Iterator<Item = usize> {
        self.left_of(operations.partition_point(|operation| operation.start < end))
    }
}

/// Who can tell whether something happened that was not answered: whoever saw what it left, or was
/// refused because of it. What nobody noticed may as well not have happened.
struct Witnesses {
    /// By operation, who saw what it left.
    saw: Vec<Vec<usize>>,
    refused: Vec<usize>,
}

impl Witnesses {
    fn of<V: Eq + Hash>(operations: &[&Operation<V>]) -> Self {
        let mut by_value = HashMap::<&V, Vec<usize>>::new();
        let mut refused = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            match &operation.action {
                Action::Read(value) | Action::Swap { from: value, .. } => {
                    by_value.entry(value).or_default().push(index);
                }
                Action::Refused { .. } => refused.push(index),
                Action::Write(_) => {}
            }
        }
        let saw = operations.iter().map(|operation| match (&operation.action, operation.end) {
            (Action::Write(left) | Action::Swap { to: left, .. }, None) => {
                by_value.get(left).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        });
        Self { saw: saw.collect(), refused }
    }

    /// Whether somebody without a place saw what the operation left.
    fn saw(&self, index: usize, done: &Done) -> bool {
        self.saw[index].iter().any(|witness| !done.has(*witness))
    }

    /// Whether somebody without a place was refused because the register did not hold `value`.
    fn refuses<V: Eq>(&self, operations: &[&Operation<V>], done: &Done, value: &V) -> bool {
        self.refused.iter().any(|index| {
            let refused = &operations[*index].action;
            !done.has(*index) && matches!(refused, Action::Refused { from } if from == value)
        })
    }
}

/// The last that have a place in the longest order, and the first that have none.
fn explained<V: Debug>(operations: &[&Operation<V>], value: &V, done: &Done) -> String {
    let mut text = format!(
        "no order explains the answers: {} of {} have a place, and then it holds {value:?}",
        done.count,
        operations.len()
    );
    let first = done.first_end(operations).unwrap_or(u64::MAX);
    let stuck = operations.partition_point(|operation| operation.start < first);
    let last = operations[..stuck].iter().enumerate().skip(stuck.saturating_sub(20));
    for (index, Operation { action, start, end }) in last {
        let place = if done.has(index) { "has a place" } else { "has none" };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {start}..{end:?} {action:?} {place}");
    }
    text
}
