//! Texts and moments.

use super::sql::{Filter, joined};
use crate::rows::convert::{contains, ends_with, key, starts_with};
use crate::rows::list::Folded;
use guestlist_api::query::{
    Asked, Comparison, Like, TextOperator, TextTest, Texts, ValueTest, Values,
};
use guestlist_store::Dialect;
use std::collections::BTreeSet;

/// A text: the column that has it, and its folded form.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) column: &'static str,
    pub(super) key: Folded,
}

impl Text {
    /// What the text starts with when `test` holds. What it says folds as the text does.
    pub(super) fn starts(self, test: &TextTest) -> impl Iterator<Item = (Folded, String)> {
        test.operators.iter().filter_map(move |operator| match operator {
            TextOperator::StartsWith(part) => Some((self.key, key(part))),
            _ => None,
        })
    }
}

/// What a text has in it when `test` holds, folded; what it starts with and what it is only if `or`.
pub(super) fn parts(test: &TextTest, or: bool) -> Vec<String> {
    let part = |operator: &TextOperator| match operator {
        TextOperator::EndsWith(part) | TextOperator::Contains(part) => Some(key(part)),
        TextOperator::StartsWith(part) if or => Some(key(part)),
        TextOperator::Whole(ValueTest::Compare(Comparison::Eq, Some(whole))) if or => {
            Some(key(whole))
        }
        _ => None,
    };
    test.operators.iter().filter_map(part).collect()
}

impl Filter<'_> {
    /// What is asked of `text`.
    pub(super) fn text(&mut self, of: Text, asked: &Asked<Texts>) -> String {
        let Texts { any_case, like } = &asked.values;
        let column = if *any_case { of.key.whole } else { of.column };
        let fold = |value: &str| if *any_case { key(value) } else { value.to_owned() };
        let (pattern, part) = match like {
            Like::Whole(values) => return self.whole(of, *any_case, asked.holds, values),
            Like::Start(part) => (starts_with(&fold(part)), None),
            Like::End(part) => (ends_with(&fold(part)), Some(fold(part))),
            Like::Part(part) => (contains(&fold(part)), Some(fold(part))),
        };
        let (is, is_not) = match part {
            // Its `LIKE` tries a long part anew at each place, character by character.
            Some(part) if self.dialect == Dialect::Sqlite => {
                let part = self.bind(part);
                if matches!(like, Like::End(_)) {
                    let end = format!("substr({column}, -length({part}))");
                    (format!("{end} = {part}"), format!("{end} <> {part}"))
                } else {
                    let place = format!("instr({column}, {part})");
                    (format!("{place} > 0"), format!("{place} = 0"))
                }
            }
            part => {
                // What is in a text is in its folded form as well, which has an index of parts.
                let mut folded = String::new();
                if asked.holds && !any_case && part.is_some() {
                    let pattern = self.bind(key(&pattern));
                    folded = format!(r" AND {} LIKE {pattern} ESCAPE '\'", of.key.whole);
                }
                let pattern = self.bind(pattern);
                let like = |not: &str| format!(r"{column} {not}LIKE {pattern} ESCAPE '\'");
                (format!("({}{folded})", like("")), like("NOT "))
            }
        };
        if asked.holds { is } else { format!("({column} IS NULL OR {is_not})") }
    }

    /// That `text` is among `values`, or, unless it `holds`, is not.
    fn whole(&mut self, of: Text, any_case: bool, holds: bool, values: &Values<String>) -> String {
        let column = if any_case { of.key.whole } else { of.column };
        let mut values = values.clone();
        let some = if holds { std::mem::take(&mut values.some) } else { BTreeSet::new() };
        let mut parts = Vec::new();
        if !some.is_empty() {
            parts.push(self.text_in(of, &some, any_case));
        }
        if some.is_empty() || !values.are_single() {
            let asked = Asked { holds, values };
            parts.push(self.values(column, &asked, |filter, value| {
                filter.bind(if any_case { key(value) } else { value.clone() })
            }));
        }
        joined(parts, " OR ")
    }

    /// `text` is one of `values`. What is equal folds alike, and the folded form has an index.
    fn text_in(&mut self, text: Text, values: &BTreeSet<String>, any_case: bool) -> String {
        let Text { column, key: folded } = text;
        let Folded { whole, indexed } = folded;
        let begin: BTreeSet<String> = values.iter().map(|value| folded.cut(&key(value))).collect();
        let begin = self.among(indexed, begin);
        // All of it, where that is not said yet.
        let all = match any_case {
            true if whole == indexed => None,
            true => self.among(whole, values.iter().map(|value| key(value))),
            false => self.among(column, values.iter().cloned()),
        };
        joined(begin.into_iter().chain(all).collect(), " AND ")
    }

    /// What is asked of the moment in `column`, in milliseconds.
    pub(super) fn moment(&mut self, column: &str, asked: &Asked<Values<i64>>) -> String {
        self.values(column, asked, |filter, millis| filter.select.bind(*millis))
    }
}
