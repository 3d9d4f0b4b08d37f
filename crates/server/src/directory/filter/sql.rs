//! What all conditions are written with: parameters, and the words of SQL that they share.

use crate::rows::list::Select;
use guestlist_api::query::Comparison;

/// A condition that always holds.
pub(super) const TRUE: &str = "1 = 1";
/// A condition that never holds.
pub(super) const FALSE: &str = "1 = 0";

/// Makes conditions, and binds the values in them.
pub(super) struct Filter<'f> {
    pub(super) select: &'f mut Select,
    pub(super) application: &'f str,
}

impl Filter<'_> {
    pub(super) fn bind(&mut self, text: impl Into<String>) -> String {
        let text: String = text.into();
        self.select.bind(text)
    }

    /// `(a, b, c)`, each a parameter; `None` when there is nothing to list.
    pub(super) fn list(&mut self, texts: impl IntoIterator<Item = String>) -> Option<String> {
        let names: Vec<String> = texts.into_iter().map(|text| self.bind(text)).collect();
        (!names.is_empty()).then(|| format!("({})", names.join(", ")))
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

/// How SQL writes a comparison that orders; `None` for the two that do not.
pub(super) const fn order(comparison: Comparison) -> Option<&'static str> {
    match comparison {
        Comparison::Eq | Comparison::Ne => None,
        Comparison::Gt => Some(">"),
        Comparison::Lt => Some("<"),
        Comparison::Gte => Some(">="),
        Comparison::Lte => Some("<="),
    }
}

/// What becomes of a comparison of `column` with `null`.
pub(super) fn with_null(column: &str, comparison: Comparison) -> String {
    match comparison {
        Comparison::Eq => format!("{column} IS NULL"),
        Comparison::Ne => format!("{column} IS NOT NULL"),
        _ => FALSE.into(),
    }
}
