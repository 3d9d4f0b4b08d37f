//! Which rows are listed: conditions as SQL says them, and what is known of how many fulfil them.

use super::candidates::Candidates;
use super::order::{Folded, Order};
use super::page::Paging;
use crate::error::Result;
use crate::rows::counts::Counted;
use crate::rows::{Param, Tx, convert};
use guestlist_api::entity::SortDirection;

/// Which rows of a table, and in which order. Conditions are SQL text of this crate; values only
/// ever travel as parameters.
pub(crate) struct Select {
    pub(super) from: &'static str,
    pub(super) of: Option<(String, Counted)>,
    pub(super) conditions: Vec<String>,
    pub(super) values: Vec<Box<dyn Param>>,
    pub(super) before: &'static str,
    pub(super) narrow: bool,
    only: Option<Only>,
    pub(super) found: Option<Candidates>,
    pub(super) by_part: bool,
    pub(super) bounds: Vec<Bound>,
    total: Option<u64>,
}

/// What is all that is asked of rows, if nothing else is.
pub(super) enum Only {
    /// That their id is among those; where they are from, if each is there once.
    Among(Option<String>),
    /// That the text in this column matches.
    Matching(&'static str),
}

/// What else holds of rows whose column starts with some text.
pub(super) struct Bound {
    pub(super) column: &'static str,
    /// It is not before that.
    pub(super) from: String,
    /// It is before all that comes after.
    pub(super) to: Option<String>,
}

impl Select {
    /// All rows of `from`, a table or a join.
    pub(crate) fn from(from: &'static str) -> Self {
        Self {
            from,
            of: None,
            conditions: Vec::new(),
            values: Vec::new(),
            before: "",
            narrow: false,
            only: None,
            found: None,
            by_part: false,
            bounds: Vec::new(),
            total: None,
        }
    }

    /// With a common table expression before it.
    pub(crate) fn with(mut self, before: &'static str) -> Self {
        self.before = before;
        self
    }

    /// The next parameter is `value`; the answer is how SQL names it.
    pub(crate) fn bind(&mut self, value: impl Param + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    /// Only rows for which `condition` holds.
    pub(crate) fn only(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Only the rows of an owner, for which `condition` holds and which are counted so.
    pub(crate) fn of(&mut self, condition: String, counted: Counted) {
        self.of = Some((condition, counted));
    }

    /// Only rows whose id, in the column `id`, is among what `expression` of `from` says, which may
    /// be very few. No other id is there, and if `once`, then none twice.
    pub(crate) fn among(&mut self, id: &str, expression: &str, from: &str, once: bool) {
        self.narrow(format!("{id} IN (SELECT {expression} FROM {from})"));
        self.only = Some(Only::Among(once.then(|| from.to_owned())));
    }

    /// Only users that were found by parts of their texts.
    pub(crate) fn found(&mut self, candidates: Candidates) {
        self.found = Some(candidates);
    }

    /// An index of the engine's own may find the rows by parts of their texts.
    pub(crate) fn by_part(&mut self) {
        self.by_part = true;
    }

    /// As [`Select::only`], for a condition that may hold of very few rows and find them by itself.
    pub(crate) fn narrow(&mut self, condition: impl Into<String>) {
        self.only(condition);
        self.narrow = true;
    }

    /// It is known that there are `total` rows, so that nobody has to count them.
    pub(crate) fn known(&mut self, total: u64) {
        self.total = Some(total);
    }

    /// Only rows whose `text` matches `glob` as a whole.
    pub(crate) fn matching(&mut self, text: Folded, glob: &str) {
        let pattern = self.bind(convert::like(glob));
        self.only(format!(r"{} LIKE {pattern} ESCAPE '\'", text.whole));
        self.only = Some(Only::Matching(text.whole));
        self.starting(text, &convert::prefix(glob));
    }

    /// Other conditions hold only of rows whose `text` starts with `prefix`, which an index of
    /// it finds. It is not for rows that are read in another order, of which many match:
    /// then they would all have to be sorted.
    pub(crate) fn starting(&mut self, text: Folded, prefix: &str) {
        if prefix.is_empty() {
            return;
        }
        let (column, prefix) = (text.indexed, text.cut(prefix));
        let from = format!("{column} >= {}", self.bind(prefix.clone()));
        let to = convert::after(&prefix).map(|after| format!("{column} < {}", self.bind(after)));
        self.bounds.push(Bound { column, from, to });
    }

    /// Which ends of the bounds help to read a page of rows, which are `few` or not, in their order.
    pub(super) fn ends(&self, order: Order, paging: &Paging, few: bool) -> Vec<&str> {
        let mut all = Vec::new();
        for Bound { column, from, to } in &self.bounds {
            let sorted = order.key.is_some_and(|key| key.column == *column);
            // Where a page starts is an end by itself, and of two an engine may use the wrong one.
            let (first, last) = match (paging.beyond(), paging.reading()) {
                _ if few => (true, true),
                _ if !sorted => (false, false),
                (None, _) => (true, true),
                (Some(_), SortDirection::Asc) => (false, true),
                (Some(_), SortDirection::Desc) => (true, false),
            };
            all.extend(first.then_some(from.as_str()));
            all.extend(to.as_deref().filter(|_| last));
        }
        all
    }

    /// What is all that is asked of rows beside whose they are, if it is one thing.
    pub(super) fn sole(&self) -> Option<&Only> {
        self.only.as_ref().filter(|_| self.conditions.len() == 1 && self.bounds.is_empty())
    }

    /// How many rows there are.
    pub(super) fn count(&self, tx: &mut Tx<'_>) -> Result<u64> {
        if let Some(total) = self.total {
            return Ok(total);
        }
        let ends = self.bounds.iter().flat_map(|bound| [Some(&bound.from), bound.to.as_ref()]);
        let ends: Vec<&str> = ends.flatten().map(String::as_str).collect();
        let mut values: Vec<&dyn Param> = self.values.iter().map(|value| &**value).collect();
        let (before, from) = (self.before, self.from);
        let of = match (self.sole(), &self.found) {
            (Some(Only::Among(Some(from))), _) => from.clone(),
            // Whose they are, the numbers say.
            (_, Some(found)) => {
                let conditions = all(self.conditions.iter(), &ends);
                format!("{}{conditions}", found.from(&mut values))
            }
            (_, None) => {
                let whose = self.of.iter().map(|(condition, _)| condition);
                format!("{from}{}", all(whose.chain(&self.conditions), &ends))
            }
        };
        let sql = format!("{before}SELECT count(*) AS total FROM {of}");
        let total: Option<i64> = tx.first(&sql, &values)?;
        Ok(total.and_then(|total| u64::try_from(total).ok()).unwrap_or_default())
    }
}

/// `conditions` and `ends` of bounds, as SQL says that they all hold.
pub(super) fn all<'c>(conditions: impl Iterator<Item = &'c String>, ends: &[&'c str]) -> String {
    let all: Vec<&str> = conditions.map(String::as_str).chain(ends.iter().copied()).collect();
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}
