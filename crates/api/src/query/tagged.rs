//! Tags as they are asked for, in the simplest form.

use super::logic::{Asked, Logic, Set};
use super::tags::{TagMatcher, TagPart, TagTest};
use super::{Listed, TagText};
use std::collections::BTreeSet;

/// Texts that the key or the value of a tag can be; `None` is any.
pub type TagTexts = Option<BTreeSet<String>>;

/// Tags of these keys and of these values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagBox {
    /// What the key can be.
    pub keys: TagTexts,
    /// What the value can be.
    pub values: TagTexts,
}

/// Tags of which each is in one of these boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagBoxes(pub Vec<TagBox>);

fn is_within(one: Option<&BTreeSet<String>>, other: Option<&BTreeSet<String>>) -> bool {
    match (one, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) => one.is_subset(other),
    }
}

fn join(texts: &mut TagTexts, other: TagTexts) {
    *texts = texts.take().zip(other).map(|(mut all, more)| {
        all.extend(more);
        all
    });
}

impl TagBox {
    fn is_within(&self, other: &Self) -> bool {
        is_within(self.keys.as_ref(), other.keys.as_ref())
            && is_within(self.values.as_ref(), other.values.as_ref())
    }
}

impl TagBoxes {
    fn of(keys: TagTexts, values: TagTexts) -> Self {
        let empty = |texts: &TagTexts| texts.as_ref().is_some_and(BTreeSet::is_empty);
        let none = empty(&keys) || empty(&values);
        Self(if none { Vec::new() } else { vec![TagBox { keys, values }] })
    }

    fn add(&mut self, new: TagBox) {
        let Self(boxes) = self;
        if boxes.iter().any(|known| new.is_within(known)) {
            return;
        }
        boxes.retain(|known| !known.is_within(&new));
        if let Some(same) = boxes.iter_mut().find(|known| known.keys == new.keys) {
            join(&mut same.values, new.values);
        } else if let Some(same) = boxes.iter_mut().find(|known| known.values == new.values) {
            join(&mut same.keys, new.keys);
        } else {
            boxes.push(new);
        }
    }
}

impl Set for TagBoxes {
    fn join(&mut self, other: &Self) -> bool {
        for new in &other.0 {
            self.add(new.clone());
        }
        true
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|one| other.0.iter().any(|other| one.is_within(other)))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TagPart {
    /// Whether a tag has to be there or must not be, and which texts half of it can be.
    fn half(&self) -> (bool, TagTexts) {
        let all = |texts: &Listed<TagText>| texts.0.iter().map(|text| text.to_string()).collect();
        match self {
            Self::Is(None) => (false, None),
            Self::Is(Some(text)) => (true, Some([text.to_string()].into())),
            Self::In(texts) => (true, Some(all(texts))),
            Self::Nin(texts) => (false, Some(all(texts))),
        }
    }
}

/// A text or `$in` asks for a tag. `null` and `$nin` ask that there be none: of those that the other
/// half of a matcher asks for, if it has one, none whose key or value is there (`null`) or listed
/// (`$nin`). So `{"$tagKey": "a", "$tagValue": X}` is the same as `{"a": X}`.
fn pair(
    (key, keys): (bool, TagTexts),
    (value, values): (bool, TagTexts),
) -> Logic<Asked<TagBoxes>> {
    if key || value {
        return Asked::of(key && value, TagBoxes::of(keys, values));
    }
    let mut none = TagBoxes::of(keys, None);
    none.join(&TagBoxes::of(None, values));
    Asked::of(false, none)
}

impl TagMatcher {
    fn logic(&self, holds: bool) -> Logic<Asked<TagBoxes>> {
        let one = match self {
            Self::Key(part) => {
                let (some, keys) = part.half();
                Asked::of(some, TagBoxes::of(keys, None))
            }
            Self::Value(part) => {
                let (some, values) = part.half();
                Asked::of(some, TagBoxes::of(None, values))
            }
            Self::Pair { key, value } => pair(key.half(), value.half()),
            Self::Named(parts) => {
                let all = parts.iter().map(|(name, part)| {
                    pair((true, Some([name.clone()].into())), part.half()).turned(holds)
                });
                return Logic::of(holds, all);
            }
        };
        one.turned(holds)
    }
}

/// `test` in its simplest form, or the opposite unless it `holds`.
pub(super) fn test(test: &TagTest, holds: bool) -> Logic<Asked<TagBoxes>> {
    let (TagTest::Eq(matcher) | TagTest::Ne(matcher)) = test;
    let holds = holds == matches!(test, TagTest::Eq(_));
    match matcher {
        None => Asked::of(!holds, TagBoxes::of(None, None)),
        Some(matcher) => matcher.logic(holds),
    }
}
