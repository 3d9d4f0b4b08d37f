//! Sets of values of an ordered type.

use super::logic::{Asked, Logic, Set};
use super::{Comparison, ValueTest};
use std::collections::BTreeSet;

/// Some values, and all beyond others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<V> {
    /// That there is none.
    pub missing: bool,
    /// Whatever there is.
    pub any: bool,
    /// These.
    pub some: BTreeSet<V>,
    /// All up to this.
    pub below: Option<End<V>>,
    /// All from this on.
    pub above: Option<End<V>>,
}

/// Where a range of values ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End<V> {
    /// At this value.
    pub at: V,
    /// Which belongs to the range.
    pub with: bool,
}

impl<V> Default for Values<V> {
    fn default() -> Self {
        let (missing, any, some) = (false, false, BTreeSet::new());
        Self { missing, any, some, below: None, above: None }
    }
}

impl<V: Ord> Values<V> {
    pub(super) fn missing() -> Self {
        Self { missing: true, ..Self::default() }
    }

    pub(super) fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// Whether there are some single values in it, and nothing else.
    #[must_use]
    pub fn are_single(&self) -> bool {
        !self.missing && !self.any && self.below.is_none() && self.above.is_none()
    }

    fn has(&self, value: &V) -> bool {
        let below = |end: &End<V>| *value < end.at || end.with && *value == end.at;
        let above = |end: &End<V>| *value > end.at || end.with && *value == end.at;
        self.any
            || self.some.contains(value)
            || self.below.as_ref().is_some_and(below)
            || self.above.as_ref().is_some_and(above)
    }
}

impl<V> FromIterator<V> for Values<V>
where
    V: Ord,
{
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        Self { some: values.into_iter().collect(), ..Self::default() }
    }
}

impl<V: Ord> End<V> {
    /// Whether all up to this is also up to `other`.
    fn is_below(&self, other: &Self) -> bool {
        (&self.at, self.with) <= (&other.at, other.with)
    }

    /// Whether all from this on is also from `other` on.
    fn is_above(&self, other: &Self) -> bool {
        (&self.at, !self.with) >= (&other.at, !other.with)
    }
}

/// The end of a range of whom one of the two is, of which `within` says whether it is in the other.
fn wider<V: Clone>(
    one: Option<&End<V>>,
    other: Option<&End<V>>,
    within: fn(&End<V>, &End<V>) -> bool,
) -> Option<End<V>> {
    match (one, other) {
        (Some(one), Some(other)) if within(one, other) => Some(other.clone()),
        (Some(one), _) => Some(one.clone()),
        (None, other) => other.cloned(),
    }
}

impl<V: Ord + Clone> Set for Values<V> {
    fn join(&mut self, other: &Self) -> bool {
        self.missing |= other.missing;
        self.any |= other.any;
        self.some.extend(other.some.iter().cloned());
        self.below = wider(self.below.as_ref(), other.below.as_ref(), End::is_below);
        self.above = wider(self.above.as_ref(), other.above.as_ref(), End::is_above);
        true
    }

    fn is_within(&self, other: &Self) -> bool {
        let within =
            |one: &Option<End<V>>, other: &Option<End<V>>, is: fn(&End<V>, &End<V>) -> bool| {
                one.as_ref().is_none_or(|one| other.as_ref().is_some_and(|other| is(one, other)))
            };
        (!self.missing || other.missing)
            && (other.any
                || !self.any
                    && self.some.iter().all(|value| other.has(value))
                    && within(&self.below, &other.below, End::is_below)
                    && within(&self.above, &other.above, End::is_above))
    }

    fn is_empty(&self) -> bool {
        self.are_single() && self.some.is_empty()
    }
}

/// What a field is compared with, which may be between two values that it can be.
pub(super) enum Place<V> {
    /// This value.
    At(V),
    /// Above this one, and below the next.
    After(V),
}

/// How `comparison` with `value` is said of a field that may lack one.
pub(super) fn compared<V: Ord + Clone>(
    comparison: Comparison,
    value: Option<Place<V>>,
) -> Logic<Asked<Values<V>>> {
    let Some(place) = value else {
        // Nothing is more, less or as much as what is missing.
        return match comparison {
            Comparison::Eq => Asked::of(true, Values::missing()),
            Comparison::Ne => Asked::of(false, Values::missing()),
            _ => Logic::NEVER,
        };
    };
    let above = |at, with| Values { above: Some(End { at, with }), ..Values::default() };
    let below = |at, with| Values { below: Some(End { at, with }), ..Values::default() };
    let values = match (comparison, place) {
        (Comparison::Eq | Comparison::Ne, Place::At(value)) => [value].into_iter().collect(),
        (Comparison::Eq | Comparison::Ne, Place::After(_)) => Values::default(),
        (Comparison::Gt, Place::At(at) | Place::After(at))
        | (Comparison::Gte, Place::After(at)) => above(at, false),
        (Comparison::Gte, Place::At(at)) => above(at, true),
        (Comparison::Lt, Place::At(at)) => below(at, false),
        (Comparison::Lte, Place::At(at) | Place::After(at))
        | (Comparison::Lt, Place::After(at)) => below(at, true),
    };
    Asked::of(comparison != Comparison::Ne, values)
}

impl<T> ValueTest<T> {
    /// In its simplest form, where `place` says where a value is.
    pub(super) fn logic<V: Ord + Clone>(
        &self,
        place: impl Fn(&T) -> Place<V>,
    ) -> Logic<Asked<Values<V>>> {
        let single = |value: &T| match place(value) {
            Place::At(value) => Some(value),
            Place::After(_) => None,
        };
        match self {
            Self::Compare(comparison, value) => compared(*comparison, value.as_ref().map(&place)),
            Self::In(values) => Asked::of(true, values.0.iter().filter_map(single).collect()),
            Self::Nin(values) => Asked::of(false, values.0.iter().filter_map(single).collect()),
        }
    }
}
