//! One page of a table: closed words become SQL here, what a person typed becomes a parameter.

use super::{FromRow, Param, Tx, convert};
use crate::error::{Error, Result};
use guestlist_api::entity::{DEFAULT_PER_PAGE, PageNumber, PerPage, SortDirection};
use guestlist_api::wire::{Problem, Rule};

/// The most that the rows of one page may hold, in bytes: what bounds the memory of a list. A
/// thousand users of a thousand bytes are an eighth of it.
pub const HEAVIEST_PAGE: usize = 8 << 20;

/// What an id takes of it.
pub(super) const ID: usize = 24;

/// What is left of [`HEAVIEST_PAGE`].
pub(super) struct Budget(usize);

impl Budget {
    /// Takes `bytes` from what is left.
    ///
    /// # Errors
    /// [`Error::Invalid`] when that is too little: a page is answered whole or not at all.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<()> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            let rule = format!("asks for a page over {HEAVIEST_PAGE} bytes: ask for fewer items");
            Error::Invalid(vec![Problem::new("perPage", Rule::Other(rule.into()))])
        })?;
        Ok(())
    }
}

/// One page of rows.
pub(super) struct Rows<T> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// How many rows all pages have together.
    pub(super) total: u64,
    /// What is left for what other tables say of them.
    pub(super) budget: Budget,
}

/// As many rows as are rather found first and sorted then. To read rows in their order until a page
/// is full takes longer than that when fewer than these are wanted of a million. Tests see both.
pub(super) const FEW: u64 = if cfg!(test) { 10 } else { 10_000 };

/// What lists are sorted by that a row may lack. The order says where such rows go only for these:
/// PostgreSQL reads an index in order when it says the same, and those of the others do not.
const MAY_LACK: [&str; 4] = ["u.first_name_key", "u.last_name_key", "u.last_login", "t.expires"];

/// Which rows of a table, and in which order. Conditions are SQL text of this crate; values only
/// ever travel as parameters.
pub(super) struct Select {
    from: &'static str,
    conditions: Vec<String>,
    values: Vec<Box<dyn Param>>,
    before: &'static str,
    narrow: bool,
    bounds: Vec<(&'static str, String)>,
    total: Option<u64>,
}

/// Which page of a list, and how it is sorted.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// Which page, from 0.
    pub page: u64,
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
            page: page.map_or(0, |page| page.0),
            per_page: per_page.unwrap_or(DEFAULT_PER_PAGE).0,
            direction: direction.unwrap_or(SortDirection::Asc),
        }
    }
}

impl Select {
    /// All rows of `from`, a table or a join.
    pub(super) fn from(from: &'static str) -> Self {
        Self {
            from,
            conditions: Vec::new(),
            values: Vec::new(),
            before: "",
            narrow: false,
            bounds: Vec::new(),
            total: None,
        }
    }

    /// With a common table expression before it.
    pub(super) fn with(mut self, before: &'static str) -> Self {
        self.before = before;
        self
    }

    /// The next parameter is `value`; the answer is how SQL names it.
    pub(super) fn bind(&mut self, value: impl Param + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    /// Only rows for which `condition` holds.
    pub(super) fn only(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// As [`Select::only`], for a condition that may hold of very few rows and find them by itself.
    pub(super) fn narrow(&mut self, condition: impl Into<String>) {
        self.only(condition);
        self.narrow = true;
    }

    /// It is known that there are `total` rows, so that nobody has to count them.
    pub(super) fn known(&mut self, total: u64) {
        self.total = Some(total);
    }

    /// Only rows whose `column` matches `glob` as a whole.
    pub(super) fn matching(&mut self, column: &'static str, glob: &str) {
        let pattern = self.bind(convert::like(glob));
        self.only(format!(r"{column} LIKE {pattern} ESCAPE '\'"));
        self.starting(column, &convert::prefix(glob));
    }

    /// Other conditions hold only of rows whose `column` starts with `prefix`, which an index of
    /// that column finds. It is not for rows that are read in another order, of which many match:
    /// then they would all have to be sorted.
    pub(super) fn starting(&mut self, column: &'static str, prefix: &str) {
        if prefix.is_empty() {
            return;
        }
        let from = self.bind(prefix.to_owned());
        let mut bound = format!("{column} >= {from}");
        if let Some(after) = convert::after(prefix) {
            let to = self.bind(after);
            bound = format!("{bound} AND {column} < {to}");
        }
        self.bounds.push((column, bound));
    }

    /// One page of the rows, sorted by `sort` and then by `tie`, and how many rows there are in
    /// all. Rows without a value come first in ascending order and last in descending order.
    pub(super) fn page<T: FromRow>(
        self,
        tx: &mut Tx<'_>,
        columns: &str,
        sort: &str,
        tie: &str,
        paging: Paging,
    ) -> Result<Rows<T>> {
        let mut budget = Budget(HEAVIEST_PAGE);
        let conditions = |bounded: &dyn Fn(&str) -> bool| {
            let bounds = self.bounds.iter().filter(|(column, _)| bounded(column));
            let all = self.conditions.iter().chain(bounds.map(|(_, bound)| bound));
            let all: Vec<&str> = all.map(String::as_str).collect();
            if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
        };
        let (before, from) = (self.before, self.from);
        let mut values: Vec<&dyn Param> = self.values.iter().map(|value| &**value).collect();
        let total = if let Some(total) = self.total {
            total
        } else {
            let conditions = conditions(&|_| true);
            let sql = format!("{before}SELECT count(*) AS total FROM {from}{conditions}");
            let total: Option<i64> = tx.first(&sql, &values)?;
            total.and_then(|total| u64::try_from(total).ok()).unwrap_or_default()
        };
        let skip = paging.page.saturating_mul(paging.per_page);
        if skip >= total {
            return Ok(Rows { items: Vec::new(), total, budget });
        }
        let may_lack = MAY_LACK.contains(&sort);
        let few = total <= FEW;
        let conditions = conditions(&|column| few || column == sort);
        let narrow = self.narrow || self.bounds.iter().any(|(column, _)| *column != sort);
        // No index is in the order of an expression, so that one for the condition is looked for.
        let sort =
            if narrow && few { format!("coalesce({sort}, {sort})") } else { sort.to_owned() };
        let (way, nulls) = match paging.direction {
            SortDirection::Asc => ("ASC", " NULLS FIRST"),
            SortDirection::Desc => ("DESC", " NULLS LAST"),
        };
        let nulls = if may_lack { nulls } else { "" };
        let order = if sort == tie {
            format!("{tie} {way}")
        } else {
            format!("{sort} {way}{nulls}, {tie} {way}")
        };
        let limit = i64::try_from(paging.per_page).unwrap_or(i64::MAX);
        let offset = i64::try_from(skip).unwrap_or(i64::MAX);
        let (l, o) = (values.len() + 1, values.len() + 2);
        values.extend([&limit as &dyn Param, &offset]);
        let sql = format!(
            "{before}SELECT {columns} FROM {from}{conditions} ORDER BY {order} LIMIT ${l} OFFSET ${o}"
        );
        let items = tx.all_within(&sql, &values, &mut budget)?;
        Ok(Rows { items, total, budget })
    }
}
