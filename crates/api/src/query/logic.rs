//! A query in its simplest form, in which a store is asked: nothing is negated but what is asked of
//! one field, nothing is asked twice, and conditions on one field that can be read together are one.

#[cfg(test)]
mod tests;

/// Conditions that all hold, or of which one does.
#[derive(Debug, Clone, PartialEq)]
pub enum Logic<T> {
    /// All of these hold; where there are none, that is always so.
    All(Vec<Self>),
    /// One of these holds; where there are none, that is never so.
    Any(Vec<Self>),
    /// This holds of a field.
    Field(T),
}

/// What is asked of a field, in its simplest form.
pub trait Term: Sized + Clone + PartialEq {
    /// Makes this hold where both hold, if one term can say so; else it stays as it is.
    fn and(&mut self, other: &Self) -> bool;

    /// Makes this hold where one of the two does, if one term can say so; else it stays as it is.
    fn or(&mut self, other: &Self) -> bool;
}

impl<T> Logic<T> {
    /// What always holds.
    pub const ALWAYS: Self = Self::All(Vec::new());
    /// What never holds.
    pub const NEVER: Self = Self::Any(Vec::new());

    /// How many of the terms `count` holds of.
    #[must_use]
    pub fn count(&self, count: fn(&T) -> bool) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(|part| part.count(count)).sum(),
            Self::Field(term) => usize::from(count(term)),
        }
    }

    /// The same about other terms.
    pub(super) fn map<U>(self, f: &impl Fn(T) -> U) -> Logic<U> {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.map(f)).collect();
        match self {
            Self::All(parts) => Logic::All(each(parts)),
            Self::Any(parts) => Logic::Any(each(parts)),
            Self::Field(term) => Logic::Field(f(term)),
        }
    }
}

impl<T: Term> Logic<T> {
    /// All of `parts` hold if `all`, or else one of them.
    pub(super) fn of(all: bool, parts: impl IntoIterator<Item = Self>) -> Self {
        let mut known: Vec<Self> = Vec::new();
        for part in parts {
            match (part, all) {
                (Self::Any(none), true) if none.is_empty() => return Self::NEVER,
                (Self::All(none), false) if none.is_empty() => return Self::ALWAYS,
                // What is inside was compared with each other when it was made.
                (Self::All(inner), true) | (Self::Any(inner), false) => {
                    let before = known.len();
                    for part in inner {
                        Self::add(&mut known, before, part, all);
                    }
                }
                (part, _) => {
                    let before = known.len();
                    Self::add(&mut known, before, part, all);
                }
            }
        }
        match <[Self; 1]>::try_from(known) {
            Ok([one]) => one,
            Err(known) if all => Self::All(known),
            Err(known) => Self::Any(known),
        }
    }

    /// Adds `part`, if none of the first `before` says it too.
    fn add(known: &mut Vec<Self>, before: usize, part: Self, all: bool) {
        let said = known.iter_mut().take(before).any(|other| match (other, &part) {
            (Self::Field(known), Self::Field(term)) if all => known.and(term),
            (Self::Field(known), Self::Field(term)) => known.or(term),
            (known, part) => known == part,
        });
        if !said {
            known.push(part);
        }
    }
}

/// What a field can be, as a set of values.
pub trait Set: Clone + PartialEq {
    /// Adds all of `other`, if a set can say so; else it stays as it is.
    fn join(&mut self, other: &Self) -> bool;

    /// Whether all of this is in `other`: never where it is not.
    fn is_within(&self, other: &Self) -> bool;

    /// Whether nothing is in it.
    fn is_empty(&self) -> bool;
}

/// A field is among `values`, or is not. Of a field of many values: one of them is, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<S> {
    /// Whether it is.
    pub holds: bool,
    /// Among these.
    pub values: S,
}

impl<S: Set> Asked<S> {
    /// Whether a field is among `values`, or, unless it `holds`, is not.
    pub(super) fn of(holds: bool, values: S) -> Logic<Self> {
        match (holds, values.is_empty()) {
            (true, true) => Logic::NEVER,
            (false, true) => Logic::ALWAYS,
            (holds, false) => Logic::Field(Self { holds, values }),
        }
    }

    /// To be among several sets, or not to be among one of them, is the same of the least, where that
    /// is within the others.
    fn least(&mut self, other: &Self) -> bool {
        if self.values.is_within(&other.values) {
            return true;
        }
        let is_less = other.values.is_within(&self.values);
        if is_less {
            self.values = other.values.clone();
        }
        is_less
    }
}

impl<S: Set> Term for Asked<S> {
    fn and(&mut self, other: &Self) -> bool {
        match (self.holds, other.holds) {
            (false, false) => self.values.join(&other.values),
            (true, true) => self.least(other),
            _ => false,
        }
    }

    fn or(&mut self, other: &Self) -> bool {
        match (self.holds, other.holds) {
            (true, true) => self.values.join(&other.values),
            (false, false) => self.least(other),
            _ => false,
        }
    }
}

impl<S: Set> Logic<Asked<S>> {
    /// This if it `holds`, or else its opposite.
    pub(super) fn turned(self, holds: bool) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.turned(holds)).collect();
        match self {
            same if holds => same,
            Self::All(parts) => Self::Any(each(parts)),
            Self::Any(parts) => Self::All(each(parts)),
            Self::Field(asked) => Self::Field(Asked { holds: !asked.holds, ..asked }),
        }
    }
}
