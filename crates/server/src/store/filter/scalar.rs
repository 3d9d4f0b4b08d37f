//! Texts and moments.

use super::super::convert::{contains, ends_with, key, starts_with};
use super::super::list::Folded;
use super::{FALSE, Filter, TRUE, joined, order, unlike, with_null};
use guestlist_api::query::{Comparison, Operator, Scalar, ScalarTest};
use guestlist_api::time::DateTime;

/// A text: the column that has it, and its folded form.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) column: &'static str,
    pub(super) key: Folded,
}

impl Text {
    /// What the text starts with when `test` holds. What it says folds as the text does.
    pub(super) fn starts(self, test: &ScalarTest) -> impl Iterator<Item = (Folded, String)> {
        test.operators.iter().filter_map(move |operator| match operator {
            Operator::StartsWith(part) => Some((self.key, key(part))),
            _ => None,
        })
    }
}

/// What a text has in it when `test` holds, folded; what it starts with and what it is only if `or`.
pub(super) fn parts(test: &ScalarTest, or: bool) -> Vec<String> {
    let part = |operator: &Operator| match operator {
        Operator::EndsWith(part) | Operator::Contains(part) => Some(key(part)),
        Operator::StartsWith(part) if or => Some(key(part)),
        Operator::Compare(Comparison::Eq, Some(Scalar::Text(text))) if or => Some(key(text)),
        _ => None,
    };
    test.operators.iter().filter_map(part).collect()
}

/// A moment, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Moment(pub(super) &'static str);

/// A value as a moment is compared with it.
enum Instant {
    /// A whole number of milliseconds.
    At(i64),
    /// Between this one and the next.
    After(i64),
}

/// The texts among `values`.
fn texts(values: &[Scalar]) -> Vec<&str> {
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        if let Scalar::Text(text) = value {
            texts.push(text.as_str());
        }
    }
    texts
}

/// `value` as a moment, if it is one: milliseconds, or a date with or without a time.
fn instant(value: &Scalar) -> Option<Instant> {
    match value {
        Scalar::Text(text) => {
            let moment = text.parse::<DateTime>().or_else(|error| match text.len() {
                10 => format!("{text}T00:00:00Z").parse(),
                _ => Err(error),
            });
            moment.ok().map(|moment| Instant::At(moment.millis()))
        }
        #[expect(clippy::cast_possible_truncation, reason = "no moment is as far as the ends")]
        Scalar::Number(millis) if millis.fract() == 0.0 => Some(Instant::At(*millis as i64)),
        #[expect(clippy::cast_possible_truncation, reason = "numbers this large are whole")]
        Scalar::Number(millis) => Some(Instant::After(millis.floor() as i64)),
        Scalar::Bool(_) => None,
    }
}

impl Filter<'_> {
    /// What `test` asks of `text`.
    pub(super) fn text(&mut self, of: Text, test: &ScalarTest) -> String {
        let all = test.operators.iter().map(|operator| self.text_operator(of, test, operator));
        joined(all.collect(), " AND ")
    }

    fn text_operator(&mut self, of: Text, test: &ScalarTest, operator: &Operator) -> String {
        let column = if test.any_case { of.key.whole } else { of.column };
        let fold = |value: &str| if test.any_case { key(value) } else { value.to_owned() };
        let pattern = match operator {
            Operator::Compare(comparison, None) => return with_null(column, *comparison),
            Operator::Compare(comparison, Some(Scalar::Text(value))) => {
                return self.compare_text(of, *comparison, value, test.any_case);
            }
            Operator::Compare(comparison, Some(_)) => return unlike(*comparison),
            Operator::In(values) => return self.text_in(of, &texts(&values.0), test.any_case),
            Operator::Nin(values) => {
                let list = self.list(texts(&values.0).into_iter().map(fold));
                return list.map_or(TRUE.into(), |list| {
                    format!("({column} IS NULL OR {column} NOT IN {list})")
                });
            }
            Operator::StartsWith(part) => starts_with(&fold(part)),
            Operator::EndsWith(part) => ends_with(&fold(part)),
            Operator::Contains(part) => contains(&fold(part)),
        };
        // What is in a text is in its folded form as well, which has an index of parts on PostgreSQL.
        let mut folded = String::new();
        if !test.any_case && !matches!(operator, Operator::StartsWith(_)) {
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
    pub(super) fn moment(&mut self, Moment(column): Moment, test: &ScalarTest) -> String {
        let all = test.operators.iter().map(|operator| match operator {
            Operator::Compare(comparison, None) => with_null(column, *comparison),
            Operator::Compare(comparison, Some(value)) => {
                self.compare_moment(column, *comparison, instant(value))
            }
            Operator::In(values) => self.moments(&values.0).map_or(FALSE.into(), |list| {
                format!("({column} IN {list} AND {column} IS NOT NULL)")
            }),
            Operator::Nin(values) => self.moments(&values.0).map_or(TRUE.into(), |list| {
                format!("({column} IS NULL OR {column} NOT IN {list})")
            }),
            // A moment is no text.
            Operator::StartsWith(_) | Operator::EndsWith(_) | Operator::Contains(_) => FALSE.into(),
        });
        joined(all.collect(), " AND ")
    }

    /// The whole milliseconds among `values`, as a list of parameters.
    fn moments(&mut self, values: &[Scalar]) -> Option<String> {
        let whole = values.iter().filter_map(|value| match instant(value) {
            Some(Instant::At(millis)) => Some(self.select.bind(millis)),
            _ => None,
        });
        let names: Vec<String> = whole.collect();
        (!names.is_empty()).then(|| format!("({})", names.join(", ")))
    }

    fn compare_moment(
        &mut self,
        column: &str,
        comparison: Comparison,
        value: Option<Instant>,
    ) -> String {
        let (order, millis) = match (order(comparison), value) {
            (_, None) | (None, Some(Instant::After(_))) => return unlike(comparison),
            (None, Some(Instant::At(millis))) => {
                let millis = self.select.bind(millis);
                return if comparison == Comparison::Eq {
                    format!("({column} = {millis} AND {column} IS NOT NULL)")
                } else {
                    format!("({column} IS NULL OR {column} <> {millis})")
                };
            }
            (Some(order), Some(Instant::At(millis))) => (order, millis),
            (Some(order), Some(Instant::After(millis))) => {
                (if order.starts_with('>') { ">" } else { "<=" }, millis)
            }
        };
        let millis = self.select.bind(millis);
        format!("({column} {order} {millis} AND {column} IS NOT NULL)")
    }
}
