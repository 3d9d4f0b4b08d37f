//! What all parts of a query are read with: how deep and how large it may be, and lists.

use super::Listed;
use super::logic::{Asked, Logic, Set};
use crate::wire::{Problems, Rule, Wire};
use schemars::JsonSchema;
use serde_json::Value;

/// How deep a query may be nested, the outermost being 1.
pub const MOST_DEPTH: usize = 20;

/// How much a query may ask: each operator and each query inside it count one, and each element
/// of a list.
pub const MOST_CONDITIONS: usize = 500;

/// How many of its conditions on tags and lists of ids may be left once all are one that can be read
/// together: each is a look into another table for each thing that there is.
pub const MOST_APART: usize = 20;

/// What is left of what a query may hold.
#[derive(Debug)]
pub struct Budget {
    depth: usize,
    conditions: Option<usize>,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self { depth: MOST_DEPTH - 1, conditions: Some(MOST_CONDITIONS) }
    }

    /// Whether more was taken than there was. It is told once, of the query as a whole.
    pub(super) const fn is_spent(&self) -> bool {
        self.conditions.is_none()
    }

    /// Takes `count` conditions; `None` when there are not as many left.
    pub(super) fn take(&mut self, count: usize) -> Option<()> {
        self.conditions = self.conditions.and_then(|left| left.checked_sub(count));
        self.conditions.map(drop)
    }

    /// Reads a query inside the one being read.
    pub(super) fn deeper<T>(
        &mut self,
        at: &mut Problems,
        read: impl FnOnce(&mut Problems, &mut Self) -> Option<T>,
    ) -> Option<T> {
        self.take(1)?;
        let Some(depth) = self.depth.checked_sub(1) else {
            let rule = format!("must not be nested more than {MOST_DEPTH} deep");
            return at.refuse(Rule::Other(rule.into()));
        };
        self.depth = depth;
        let inner = read(at, self);
        self.depth += 1;
        inner
    }
}

/// What can be asked of a field.
pub trait Test: Sized + JsonSchema {
    /// What the field can be.
    type Set: Set;

    /// Whether it is asked of rows of their own, of which a thing may have many.
    const APART: bool;

    /// In its simplest form, or the opposite unless it `holds`.
    fn logic(&self, holds: bool) -> Logic<Asked<Self::Set>>;

    /// Reads it from `value`.
    fn read(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self>;
}

/// Whether there is a field of that name, and what is asked of it if that is good.
#[derive(Debug)]
pub enum Known<T> {
    /// There is.
    Yes(Option<T>),
    /// There is not.
    No,
}

/// The elements of `value`, as `read` reads each.
pub(super) fn listed<T>(
    value: Value,
    at: &mut Problems,
    mut read: impl FnMut(Value, &mut Problems) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::Array(items) = value else { return at.refuse(Rule::WrongType) };
    if items.len() > 100 {
        return at.refuse(Rule::TooManyItems);
    }
    let mut all = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        all.push(at.nested(index.to_string(), |at| read(item, at)));
    }
    all.into_iter().collect()
}

/// The values that another is looked for in.
pub(super) fn values<T: Wire>(
    value: Value,
    at: &mut Problems,
    budget: &mut Budget,
) -> Option<Listed<T>> {
    // One is counted with the operator.
    let more = value.as_array().map_or(0, |items| items.len().saturating_sub(1));
    if more < 100 {
        budget.take(more)?;
    }
    Listed::read(value, at)
}
