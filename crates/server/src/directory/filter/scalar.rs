//! Texts and moments.

use super::sql::{FALSE, Filter, TRUE, joined, order, with_null};
use crate::rows::convert::{contains, ends_with, key, starts_with};
use crate::rows::list::Folded;
use guestlist_api::query::{
    Comparison, Instant, Listed, MomentTest, TextOperator, TextTest, ValueTest,
};

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

/// A moment, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Moment(pub(super) &'static str);

impl Filter<'_> {
    /// What `test` asks of `text`.
    pub(super) fn text(&mut self, of: Text, test: &TextTest) -> String {
        let all = test.operators.iter().map(|operator| self.text_operator(of, test, operator));
        joined(all.collect(), " AND ")
    }

    fn text_operator(&mut self, of: Text, test: &TextTest, operator: &TextOperator) -> String {
        let column = if test.any_case { of.key.whole } else { of.column };
        let fold = |value: &str| if test.any_case { key(value) } else { value.to_owned() };
        let pattern = match operator {
            TextOperator::Whole(ValueTest::Compare(comparison, None)) => {
                return with_null(column, *comparison);
            }
            TextOperator::Whole(ValueTest::Compare(comparison, Some(value))) => {
                return self.compare_text(of, *comparison, value, test.any_case);
            }
            TextOperator::Whole(ValueTest::In(values)) => {
                let values: Vec<&str> = values.0.iter().map(|value| &**value).collect();
                return self.text_in(of, &values, test.any_case);
            }
            TextOperator::Whole(ValueTest::Nin(values)) => {
                let list = self.list(values.0.iter().map(|value| fold(value)));
                return list.map_or(TRUE.into(), |list| {
                    format!("({column} IS NULL OR {column} NOT IN {list})")
                });
            }
            TextOperator::StartsWith(part) => starts_with(&fold(part)),
            TextOperator::EndsWith(part) => ends_with(&fold(part)),
            TextOperator::Contains(part) => contains(&fold(part)),
        };
        // What is in a text is in its folded form as well, which has an index of parts on PostgreSQL.
        let mut folded = String::new();
        if !test.any_case && !matches!(operator, TextOperator::StartsWith(_)) {
            let pattern = self.bind(key(&pattern));
            folded = format!(r" AND {} LIKE {pattern} ESCAPE '\'", of.key.whole);
        }
        let pattern = self.bind(pattern);
        format!(r"({column} LIKE {pattern} ESCAPE '\'{folded} AND {column} IS NOT NULL)")
    }

    fn compare_text(
        &mut self,
        text: Text,
        comparison: Comparison,
        value: &str,
        any_case: bool,
    ) -> String {
        let (column, value) =
            if any_case { (text.key.whole, key(value)) } else { (text.column, value.to_owned()) };
        match order(comparison) {
            Some(order) => {
                let value = self.bind(value);
                format!("({column} {order} {value} AND {column} IS NOT NULL)")
            }
            None if comparison == Comparison::Eq => self.text_in(text, &[&value], any_case),
            None => {
                let value = self.bind(value);
                format!("({column} IS NULL OR {column} <> {value})")
            }
        }
    }

    /// `text` is one of `values`. What is equal folds alike, and the folded form has an index.
    fn text_in(&mut self, text: Text, values: &[&str], any_case: bool) -> String {
        let Text { column, key: folded } = text;
        let Folded { whole, indexed } = folded;
        let begin = self.list(values.iter().map(|value| folded.cut(&key(value))));
        let Some(begin) = begin else { return FALSE.into() };
        // All of it, where that is not said yet.
        let all = match any_case {
            true if whole == indexed => None,
            true => self.list(values.iter().map(|value| key(value))).map(|list| (whole, list)),
            false => {
                self.list(values.iter().map(|value| (*value).to_owned())).map(|list| (column, list))
            }
        };
        let all = all.map_or(String::new(), |(text, list)| format!(" AND {text} IN {list}"));
        format!("({indexed} IN {begin}{all} AND {indexed} IS NOT NULL)")
    }

    /// What `test` asks of a moment.
    pub(super) fn moment(&mut self, Moment(column): Moment, test: &MomentTest) -> String {
        let all = test.0.iter().map(|operator| match operator {
            ValueTest::Compare(comparison, None) => with_null(column, *comparison),
            ValueTest::Compare(comparison, Some(value)) => {
                self.compare_moment(column, *comparison, *value)
            }
            ValueTest::In(values) => self.moments(values).map_or(FALSE.into(), |list| {
                format!("({column} IN {list} AND {column} IS NOT NULL)")
            }),
            ValueTest::Nin(values) => self.moments(values).map_or(TRUE.into(), |list| {
                format!("({column} IS NULL OR {column} NOT IN {list})")
            }),
        });
        joined(all.collect(), " AND ")
    }

    /// The whole milliseconds among `values`, as a list of parameters.
    fn moments(&mut self, values: &Listed<Instant>) -> Option<String> {
        let whole = values.0.iter().filter_map(|value| match value {
            Instant::At(millis) => Some(self.select.bind(*millis)),
            Instant::After(_) => None,
        });
        let names: Vec<String> = whole.collect();
        (!names.is_empty()).then(|| format!("({})", names.join(", ")))
    }

    fn compare_moment(&mut self, column: &str, comparison: Comparison, value: Instant) -> String {
        let (order, millis) = match (order(comparison), value) {
            // No moment is between two milliseconds.
            (None, Instant::After(_)) if comparison == Comparison::Ne => return TRUE.into(),
            (None, Instant::After(_)) => return FALSE.into(),
            (None, Instant::At(millis)) => {
                let millis = self.select.bind(millis);
                return if comparison == Comparison::Eq {
                    format!("({column} = {millis} AND {column} IS NOT NULL)")
                } else {
                    format!("({column} IS NULL OR {column} <> {millis})")
                };
            }
            (Some(order), Instant::At(millis)) => (order, millis),
            (Some(order), Instant::After(millis)) => {
                (if order.starts_with('>') { ">" } else { "<=" }, millis)
            }
        };
        let millis = self.select.bind(millis);
        format!("({column} {order} {millis} AND {column} IS NOT NULL)")
    }
}
