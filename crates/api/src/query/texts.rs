//! Texts as they are asked for, in the simplest form.

use super::logic::{Asked, Logic, Set};
use super::scalar::TextOperator;
use super::values::{Place, Values};

/// What a text can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// Whether letter case does not matter.
    pub any_case: bool,
    /// What is asked of it.
    pub like: Like,
}

/// Texts that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Like {
    /// They are among these.
    Whole(Values<String>),
    /// They start so.
    Start(String),
    /// They end so.
    End(String),
    /// They have this in them.
    Part(String),
}

impl Texts {
    /// What `operator` asks.
    pub(super) fn asked(operator: &TextOperator, any_case: bool) -> Logic<Asked<Self>> {
        let like = match operator {
            TextOperator::Whole(test) => {
                let whole = test.logic(|text| Place::At((**text).to_owned()));
                return whole.map(&|Asked { holds, values }| {
                    let like = Like::Whole(values);
                    Asked { holds, values: Self { any_case, like } }
                });
            }
            TextOperator::StartsWith(part) => Like::Start((**part).to_owned()),
            TextOperator::EndsWith(part) => Like::End((**part).to_owned()),
            TextOperator::Contains(part) => Like::Part((**part).to_owned()),
        };
        Asked::of(true, Self { any_case, like })
    }
}

/// Whether it is known which of these are less than others: the order of folded texts is another.
fn are_ordered(values: &Values<String>, any_case: bool) -> bool {
    !any_case || values.below.is_none() && values.above.is_none()
}

impl Set for Texts {
    fn join(&mut self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        match (&mut self.like, &other.like) {
            (Like::Whole(one), Like::Whole(more))
                if self.any_case == other.any_case
                    && are_ordered(one, self.any_case)
                    && are_ordered(more, self.any_case) =>
            {
                one.join(more)
            }
            _ => false,
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        let is = match (&self.like, &other.like) {
            (Like::Whole(one), Like::Whole(more)) => {
                self.any_case == other.any_case
                    && are_ordered(one, self.any_case)
                    && are_ordered(more, self.any_case)
                    && one.is_within(more)
            }
            _ => false,
        };
        is || self == other
    }

    fn is_empty(&self) -> bool {
        matches!(&self.like, Like::Whole(values) if values.is_empty())
    }
}
