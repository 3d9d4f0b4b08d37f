//! What all conditions are written with: parameters, and the words of SQL that they share.

use crate::rows::list::Select;
use guestlist_api::query::{Asked, Values};
use guestlist_store::Dialect;

/// A condition that always holds.
pub(super) const TRUE: &str = "1 = 1";
/// A condition that never holds.
pub(super) const FALSE: &str = "1 = 0";

/// Makes conditions, and binds the values in them.
pub(super) struct Filter<'f> {
    pub(super) select: &'f mut Select,
    pub(super) application: &'f str,
    pub(super) dialect: Dialect,
    /// Whether no more than one thing is asked of rows of their own.
    pub(super) alone: bool,
}

impl Filter<'_> {
    pub(super) fn bind(&mut self, text: impl Into<String>) -> String {
        let text: String = text.into();
        self.select.bind(text)
    }

    /// That what is in `column` is one of `texts`, each a parameter; `None` when there are none.
    pub(super) fn among(
        &mut self,
        column: &str,
        texts: impl IntoIterator<Item = String>,
    ) -> Option<String> {
        let names: Vec<String> = texts.into_iter().map(|text| self.bind(text)).collect();
        is_in(column, &names, true)
    }

    /// What is asked of `column`, whose values `bind` makes parameters. Where it is missing, and no
    /// more is asked than what is there, it may be NULL, which is as good as false: nothing negates
    /// it.
    pub(super) fn values<V>(
        &mut self,
        column: &str,
        Asked { holds, values }: &Asked<Values<V>>,
        mut bind: impl FnMut(&mut Self, &V) -> String,
    ) -> String {
        let mut parts = Vec::new();
        let is = |null: bool| if null == *holds { "IS NULL" } else { "IS NOT NULL" };
        if values.missing {
            parts.push(format!("{column} {}", is(true)));
        }
        if values.any {
            parts.push(format!("{column} {}", is(false)));
        }
        let names: Vec<String> = values.some.iter().map(|value| bind(self, value)).collect();
        parts.extend(is_in(column, &names, *holds));
        for (end, order, other) in [(&values.above, '>', '<'), (&values.below, '<', '>')] {
            if let Some(end) = end {
                let at = bind(self, &end.at);
                let order =
                    if *holds { order_of(order, end.with) } else { order_of(other, !end.with) };
                parts.push(format!("{column} {order} {at}"));
            }
        }
        match (holds, values.missing) {
            (true, _) => joined(parts, " OR "),
            (false, true) => joined(parts, " AND "),
            (false, false) => {
                let all = joined(parts, " AND ");
                joined(vec![format!("{column} IS NULL"), all], " OR ")
            }
        }
    }
}

/// That what is in `column` is one of the parameters `names`, or is not; `None` when there are none.
fn is_in(column: &str, names: &[String], holds: bool) -> Option<String> {
    match (names, holds) {
        ([], _) => None,
        ([one], true) => Some(format!("{column} = {one}")),
        ([one], false) => Some(format!("{column} <> {one}")),
        (_, true) => Some(format!("{column} IN ({})", names.join(", "))),
        (_, false) => Some(format!("{column} NOT IN ({})", names.join(", "))),
    }
}

/// `conditions` as one; with none of them it always holds.
pub(super) fn joined(conditions: Vec<String>, between: &str) -> String {
    match <[String; 1]>::try_from(conditions) {
        Ok([one]) => one,
        Err(none) if none.is_empty() => TRUE.into(),
        Err(several) => format!("({})", several.join(between)),
    }
}

/// How SQL says that something is more (`>`) or less (`<`) than something else, or, if `with`, as much.
pub(super) const fn order_of(order: char, with: bool) -> &'static str {
    match (order, with) {
        ('>', false) => ">",
        ('>', true) => ">=",
        (_, false) => "<",
        (_, true) => "<=",
    }
}
