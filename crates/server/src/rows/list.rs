//! One page of a table: closed words become SQL here, what a person typed becomes a parameter.

mod gather;
mod order;

pub(crate) use order::{Folded, Key, Order};
pub use order::{Position, Value};

use super::convert::{self, id};
use super::counts::{self, Counted};
use super::{FromRow, Param, Row, Tx, tuning};
use crate::directory::search::{self, Candidates};
use crate::error::{Error, Result};
use guestlist_api::entity::{DEFAULT_PER_PAGE, PageNumber, PerPage, SortDirection};
use guestlist_api::wire::{Problem, Rule};
use order::{Part, Written};

/// The most that the rows of one page may hold, in bytes: what bounds the memory of a list. A
/// thousand users of a thousand bytes are an eighth of it.
pub const HEAVIEST_PAGE: usize = 8 << 20;

/// What an id takes of it.
pub(crate) const ID: usize = 24;

/// What is left of [`HEAVIEST_PAGE`].
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    /// Takes `bytes` from what is left.
    ///
    /// # Errors
    /// [`Error::Invalid`] when that is too little: a page is answered whole or not at all.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<()> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            let rule = format!("asks for a page over {HEAVIEST_PAGE} bytes: ask for fewer items");
            Error::Invalid(vec![Problem::new("perPage", Rule::Other(rule.into()))])
        })?;
        Ok(())
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Listed<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
    /// Where the next page is, if there is more.
    pub next: Option<Start>,
    /// Where the page before is, if this is not the first.
    pub previous: Option<Start>,
    /// What is left for what other tables say of its items.
    pub(crate) budget: Budget,
}

impl<T> Listed<T> {
    /// The only page of a list of nothing.
    #[must_use]
    pub const fn empty() -> Self {
        let budget = Budget(HEAVIEST_PAGE);
        Self { items: Vec::new(), total: 0, next: None, previous: None, budget }
    }

    /// The same page of what `f` makes of its items.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listed<U> {
        let Self { items, total, next, previous, budget } = self;
        Listed { items: items.into_iter().map(f).collect(), total, next, previous, budget }
    }
}

/// How many rows may be passed over for each row that would be sorted otherwise: to read them is to
/// read on in an index, where what is sorted is read from here and there.
const SCAN_FACTOR: u64 = 4;

/// How many times as many rows are rather sorted where an index of parts of texts has just found them,
/// to be counted: it takes as long again, and in their order they may all be at the far end.
const FOUND_AGAIN: u64 = 10;

/// Steps of SQLite's machine for a row that is passed over, and for an id that is noted as wanted.
const STEPS_TO_PASS: u64 = 5;
const STEPS_TO_NOTE: u64 = 8;

/// Which rows of a table, and in which order. Conditions are SQL text of this crate; values only
/// ever travel as parameters.
pub(crate) struct Select {
    from: &'static str,
    of: Option<(String, Counted)>,
    conditions: Vec<String>,
    values: Vec<Box<dyn Param>>,
    before: &'static str,
    narrow: bool,
    only: Option<Only>,
    found: Option<Candidates>,
    by_part: bool,
    bounds: Vec<Bound>,
    total: Option<u64>,
}

/// What is all that is asked of rows, if nothing else is.
enum Only {
    /// That their id is among those; where they are from, if each is there once.
    Among(Option<String>),
    /// That the text in this column matches.
    Matching(&'static str),
}

/// A way to come by a page.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// In the order of an index of that order; nothing is read but that index until a row is wanted.
    /// It is given up after so many steps, where there is no telling how far the rows are.
    Try(u64),
    /// In the order of an index of that order.
    Ordered,
    /// By an index that finds the rows, which are sorted then.
    Sorted,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// After as many full pages.
    Page(u64),
    /// After this position.
    After(Position),
    /// It ends before this position.
    Before(Position),
    /// It ends where the list does.
    End,
}

/// What else holds of rows whose column starts with some text.
struct Bound {
    column: &'static str,
    /// It is not before that.
    from: String,
    /// It is before all that comes after.
    to: Option<String>,
}

/// Which page of a list, and how it is sorted.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Where it starts.
    pub start: Start,
    /// How many rows a page.
    pub per_page: u64,
    /// In which direction.
    pub direction: SortDirection,
}

impl Paging {
    /// What was asked for, or what is usual.
    #[must_use]
    pub fn new(
        page: Option<PageNumber>,
        per_page: Option<PerPage>,
        direction: Option<SortDirection>,
    ) -> Self {
        Self {
            start: Start::Page(page.map_or(0, |page| page.0)),
            per_page: per_page.unwrap_or(DEFAULT_PER_PAGE).0,
            direction: direction.unwrap_or(SortDirection::Asc),
        }
    }

    /// Whether rows are read from the end of the page to its start.
    const fn backwards(&self) -> bool {
        matches!(self.start, Start::Before(_) | Start::End)
    }

    /// The direction in which rows are read.
    const fn reading(&self) -> SortDirection {
        match (self.direction, self.backwards()) {
            (SortDirection::Asc, false) | (SortDirection::Desc, true) => SortDirection::Asc,
            (SortDirection::Asc, true) | (SortDirection::Desc, false) => SortDirection::Desc,
        }
    }

    /// The position beyond which rows are read.
    const fn beyond(&self) -> Option<&Position> {
        match &self.start {
            Start::After(position) | Start::Before(position) => Some(position),
            Start::Page(_) | Start::End => None,
        }
    }

    /// How many rows are passed over.
    const fn skip(&self) -> u64 {
        match self.start {
            Start::Page(page) => page.saturating_mul(self.per_page),
            Start::After(_) | Start::Before(_) | Start::End => 0,
        }
    }

    /// Where the next page is and the one before, of a page which has rows from `first` to `last`,
    /// as they were read, of `total`. Both pages are beyond a row of this one, so that nothing
    /// between them can be passed over; where this one has none, it is at an end of the list.
    fn around(
        &self,
        first: Option<Position>,
        last: Option<Position>,
        total: u64,
    ) -> (Option<Start>, Option<Start>) {
        let or = |end: Start| (total > 0).then_some(end);
        match self.start {
            Start::Page(0) => (last.map(Start::After), None),
            Start::Page(_) | Start::After(_) => {
                (last.map(Start::After), first.map(Start::Before).or(or(Start::End)))
            }
            Start::Before(_) => {
                (first.map(Start::After).or(or(Start::Page(0))), last.map(Start::Before))
            }
            Start::End => (None, last.map(Start::Before)),
        }
    }
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
    fn ends(&self, order: Order, paging: &Paging, few: bool) -> Vec<&str> {
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
    fn sole(&self) -> Option<&Only> {
        self.only.as_ref().filter(|_| self.conditions.len() == 1 && self.bounds.is_empty())
    }

    /// How many rows there are.
    fn count(&self, tx: &mut Tx<'_>) -> Result<u64> {
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

    /// The steps within which a page is probably found in the order of an index that says all that
    /// is asked, if sorting `total` rows takes longer.
    fn steps(
        &self,
        tx: &mut Tx<'_>,
        order: Order,
        paging: &Paging,
        total: u64,
    ) -> Result<Option<u64>> {
        let noted = match self.sole() {
            Some(Only::Among(..)) => total,
            Some(Only::Matching(column)) if order.key.is_some_and(|key| key.column == *column) => 0,
            _ => return Ok(None),
        };
        let Some((_, counted)) = self.of.as_ref().filter(|_| total > 0 && search::is_indexed(tx))
        else {
            return Ok(None);
        };
        let all = counts::of(tx, *counted)?;
        // Half as far again as they are when they are as dense everywhere.
        let wanted = paging.skip().saturating_add(paging.per_page).saturating_mul(3) / 2;
        let passed = (u128::from(wanted) * u128::from(all) / u128::from(total)).min(all.into());
        let passed = u64::try_from(passed).unwrap_or(all);
        let steps = passed * STEPS_TO_PASS + noted * STEPS_TO_NOTE;
        Ok((passed <= total.saturating_mul(SCAN_FACTOR)).then_some(steps))
    }

    /// One page of the rows in their order, and how many rows there are in all. Rows without a value
    /// come first in ascending order and last in descending order.
    pub(crate) fn page<T: FromRow<Error>>(
        self,
        tx: &mut Tx<'_>,
        columns: &str,
        order: Order,
        paging: &Paging,
    ) -> Result<Listed<T>> {
        if let Some(rows) = self.gather(tx, columns, order, paging)? {
            return Ok(rows);
        }
        let total = self.count(tx)?;
        // No index is in the order of an expression, so that one for the condition is looked for.
        let other = |bound: &Bound| order.key.is_none_or(|key| key.column != bound.column);
        let searched = self.found.is_some() || self.by_part;
        let narrow = self.narrow || searched || self.bounds.iter().any(other);
        let few = tuning::of(tx).sort_limit;
        let sorted = if searched { few.saturating_mul(FOUND_AGAIN) } else { few };
        let way = if narrow && total <= sorted { Plan::Sorted } else { Plan::Ordered };
        let found_few = self.found.as_ref().is_some_and(|found| found.count <= few);
        let steps =
            if self.narrow || found_few { self.steps(tx, order, paging, total)? } else { None };
        let ways = steps.map(Plan::Try).into_iter().chain([way]);
        for way in ways {
            if let Some(rows) = self.read(tx, columns, order, paging, total, way)? {
                return Ok(rows);
            }
        }
        Err(Error::internal("no way to a page"))
    }

    /// As [`Select::page`], in one way; nothing when that was given up.
    fn read<T: FromRow<Error>>(
        &self,
        tx: &mut Tx<'_>,
        columns: &str,
        order: Order,
        paging: &Paging,
        total: u64,
        way: Plan,
    ) -> Result<Option<Listed<T>>> {
        let mut values: Vec<&dyn Param> = self.values.iter().map(|value| &**value).collect();
        let mut from = self.from.to_owned();
        let mut whose = self.of.as_ref().map(|(condition, _)| condition);
        match (way, order.key) {
            (Plan::Try(_), Some(Key { index, .. })) if !index.is_empty() => {
                from = format!("{from} INDEXED BY {index}");
            }
            (Plan::Sorted, _) => {
                if let Some(candidates) = &self.found {
                    from = candidates.from(&mut values);
                    whose = None; // the numbers say it
                }
            }
            _ => {}
        }
        let written = Written::new(order, paging.reading(), matches!(way, Plan::Sorted));
        let ends = self.ends(order, paging, total <= tuning::of(tx).sort_limit);
        let parts = match paging.beyond() {
            Some(position) => written.after(position, values.len() + 1),
            None => match paging.skip() {
                skip if skip >= total => Vec::new(),
                skip => vec![Part { condition: None, values: Vec::new(), skip }],
            },
        };
        let key = order.key.map_or("NULL", |key| key.column);
        let (before, by) = (self.before, written.by());
        let mut budget = Budget(HEAVIEST_PAGE);
        let (mut items, mut first, mut last, mut more) = (Vec::new(), None, None, false);
        let turns = paging.start != Start::Page(0);
        for part in parts {
            let conditions = whose.into_iter().chain(&self.conditions);
            let conditions = all(conditions.chain(&part.condition), &ends);
            let left = paging.per_page.saturating_sub(items.len() as u64);
            // One more than there is room for, to see whether there is one.
            let limit = i64::try_from(left.saturating_add(1)).unwrap_or(i64::MAX);
            let offset = i64::try_from(part.skip).unwrap_or(i64::MAX);
            let mut values = values.clone();
            values.extend(part.values.iter().map(|value| &**value));
            let (l, o) = (values.len() + 1, values.len() + 2);
            values.extend([&limit as &dyn Param, &offset]);
            let sql = format!(
                "{before}SELECT {columns}, CAST({key} AS TEXT) AS sorted_by FROM {from}{conditions}
                 ORDER BY {by} LIMIT ${l} OFFSET ${o}"
            );
            let mut each = |row: &Row<'_>| {
                let count = items.len() as u64 + 1;
                if count > paging.per_page {
                    more = true;
                    return Ok(false);
                }
                budget.spend(row.size()?)?;
                if turns && count == 1 {
                    first = Some((row.get("sorted_by")?, id(row, "id")?));
                }
                if count == paging.per_page {
                    last = Some((row.get("sorted_by")?, id(row, "id")?));
                }
                items.push(T::from_row(row)?);
                Ok(true)
            };
            match way {
                Plan::Try(steps) if !tx.try_each(&sql, &values, steps, &mut each)? => {
                    return Ok(None);
                }
                Plan::Try(_) => {}
                Plan::Ordered | Plan::Sorted => tx.each(&sql, &values, &mut each)?,
            }
            if more {
                break;
            }
        }
        if paging.backwards() {
            items.reverse();
        }
        let first = first.map(|(text, id)| order.position(text, id)).transpose()?;
        let last = last.filter(|_| more).map(|(text, id)| order.position(text, id)).transpose()?;
        let (next, previous) = paging.around(first, last, total);
        Ok(Some(Listed { items, total, next, previous, budget }))
    }
}

/// `conditions` and `ends` of bounds, as SQL says that they all hold.
fn all<'c>(conditions: impl Iterator<Item = &'c String>, ends: &[&'c str]) -> String {
    let all: Vec<&str> = conditions.map(String::as_str).chain(ends.iter().copied()).collect();
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}
