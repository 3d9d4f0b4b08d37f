//! A page of what a search has found, for which each candidate is read once: how many rows there are
//! is known then too, and only those of the page are read as a whole.

use super::candidates::Candidates;
use super::order::{Key, Order, Position, Value};
use super::page::{Budget, HEAVIEST_PAGE, Listed, Paging};
use super::select::{Select, all};
use crate::error::{Error, Result};
use crate::rows::convert::id;
use crate::rows::{FromRow, Param, Row, Tx, tuning};
use guestlist_api::entity::SortDirection;
use guestlist_api::id::ObjectId;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What a row is sorted by, where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey<'k> {
    Nothing,
    Text(&'k str),
    Moment(i64),
}

impl<'k> SortKey<'k> {
    fn of(value: &'k Value) -> Self {
        match value {
            Value::Nothing => Self::Nothing,
            Value::Text(text) => Self::Text(text),
            Value::Moment(millis) => Self::Moment(*millis),
        }
    }

    fn read(row: &'k Row<'_>, key: Option<Key>) -> Result<Self> {
        Ok(match key {
            None => Self::Nothing,
            Some(key) if key.is_moment() => {
                row.get_at::<Option<i64>>(2)?.map_or(Self::Nothing, Self::Moment)
            }
            Some(_) => row.text("sorted_by")?.map_or(Self::Nothing, Self::Text),
        })
    }

    fn to_value(self) -> Value {
        match self {
            Self::Nothing => Value::Nothing,
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Moment(millis) => Value::Moment(millis),
        }
    }
}

/// A row that may be on the page, in memory: what it is sorted by, and how to read the rest.
struct PageRow {
    value: Value,
    id: String,
    number: i64,
}

impl PageRow {
    fn sort_key(&self) -> (SortKey<'_>, &str) {
        (SortKey::of(&self.value), &self.id)
    }

    fn bytes(&self) -> usize {
        let text = if let Value::Text(text) = &self.value { text.len() } else { 0 };
        size_of::<Self>() + text + self.id.len()
    }
}

/// The first rows of an order, of more that come in none.
struct First {
    direction: SortDirection,
    most: usize,
    rows: Vec<PageRow>,
    /// Whether the last of them so far is known, behind which nothing is wanted.
    full: bool,
    bytes: usize,
}

impl First {
    const fn new(direction: SortDirection, most: usize) -> Self {
        Self { direction, most, rows: Vec::new(), full: false, bytes: 0 }
    }

    fn order(
        direction: SortDirection,
        one: (SortKey<'_>, &str),
        other: (SortKey<'_>, &str),
    ) -> Ordering {
        match direction {
            SortDirection::Asc => one.cmp(&other),
            SortDirection::Desc => other.cmp(&one),
        }
    }

    /// Whether a row in this place is one of them as far as is known.
    fn wants(&self, place: (SortKey<'_>, &str)) -> bool {
        let last = self.rows.get(self.most.wrapping_sub(1)).filter(|_| self.full);
        self.most > 0
            && last.is_none_or(|last| Self::order(self.direction, place, last.sort_key()).is_lt())
    }

    /// Adds `row`, if there is room: `false` when they take more than a page may.
    fn push(&mut self, row: PageRow) -> bool {
        self.bytes += row.bytes();
        self.rows.push(row);
        // Twice as many are held, so that most rows are put in no order at all.
        if self.rows.len() >= self.most.saturating_mul(2) {
            let direction = self.direction;
            let by = |a: &PageRow, b: &PageRow| Self::order(direction, a.sort_key(), b.sort_key());
            self.rows.select_nth_unstable_by(self.most - 1, by);
            self.rows.truncate(self.most);
            self.full = true;
            self.bytes = self.rows.iter().map(PageRow::bytes).sum();
        }
        self.bytes <= HEAVIEST_PAGE
    }

    fn sorted(mut self) -> Vec<PageRow> {
        let direction = self.direction;
        self.rows.sort_unstable_by(|a, b| Self::order(direction, a.sort_key(), b.sort_key()));
        self.rows.truncate(self.most);
        self.rows
    }
}

impl Select {
    /// A page of what was found, as [`Select::page`] says it; nothing where nothing was searched for,
    /// or where the page is so far from the first, or the texts are so long, that too much would be held in memory.
    pub(super) fn gather<T: FromRow<Error>>(
        &self,
        tx: &mut Tx<'_>,
        columns: &str,
        order: Order,
        paging: &Paging,
    ) -> Result<Option<Listed<T>>> {
        let Some(candidates) = &self.found else { return Ok(None) };
        let skip = paging.skip();
        let most = skip.saturating_add(paging.per_page);
        if most > tuning::of(tx).search_most_in_memory {
            return Ok(None);
        }
        let most = usize::try_from(most).map_err(Error::internal)?;
        let skip = usize::try_from(skip).map_err(Error::internal)?;
        let (mut total, mut beyond, mut fits) = (0_u64, 0_usize, true);
        let direction = paging.reading();
        let mut first = First::new(direction, most);
        let after = paging.beyond();
        let after = after.map(|position| (SortKey::of(&position.value), position.id.to_string()));
        self.each_found(tx, candidates, order, |row, place| {
            total += 1;
            let wanted = after.as_ref().is_none_or(|(value, id)| {
                // Of those that are alike nobody comes after, where no two are.
                let last = (*value, if place.1.is_empty() { "" } else { id.as_str() });
                First::order(direction, place, last).is_gt()
            });
            beyond += usize::from(wanted);
            if wanted && first.wants(place) {
                let (value, id) = (place.0.to_value(), place.1.to_owned());
                fits = first.push(PageRow { value, id, number: row.get_at(0)? });
            }
            Ok(fits)
        })?;
        if !fits {
            return Ok(None);
        }
        let rows: Vec<PageRow> = first.sorted().into_iter().skip(skip).collect();
        let (items, budget) = read_numbered(tx, columns, &rows)?;
        let (mut items, ids): (Vec<T>, Vec<ObjectId>) = items.into_iter().unzip();
        let position =
            |(row, id): (&PageRow, &ObjectId)| Position { value: row.value.clone(), id: *id };
        let first = rows.first().zip(ids.first()).map(position);
        let last = rows.last().zip(ids.last()).filter(|_| beyond > most).map(position);
        let (next, previous) = paging.around(first, last, total);
        if paging.backwards() {
            items.reverse();
        }
        Ok(Some(Listed { items, total, next, previous, budget }))
    }

    /// Gives each row to `each` until it says `false`, and its place in the order, in which it has no
    /// id where no two rows are alike without.
    fn each_found(
        &self,
        tx: &mut Tx<'_>,
        candidates: &Candidates,
        order: Order,
        mut each: impl FnMut(&Row<'_>, (SortKey<'_>, &str)) -> Result<bool>,
    ) -> Result<()> {
        let mut values: Vec<&dyn Param> = self.values.iter().map(|value| &**value).collect();
        // Whose they are, the numbers say.
        let from = candidates.from(&mut values);
        let ends = self.bounds.iter().flat_map(|bound| [Some(&bound.from), bound.to.as_ref()]);
        let ends: Vec<&str> = ends.flatten().map(String::as_str).collect();
        let conditions = all(self.conditions.iter(), &ends);
        let key = order.key.map_or("NULL", |key| key.column);
        let id = if order.key.is_some_and(Key::is_unique) { "''" } else { order.id };
        let before = self.before;
        let sql = format!(
            "{before}SELECT u.number, {id} AS id, {key} AS sorted_by FROM {from}{conditions}"
        );
        tx.each(&sql, &values, |row| {
            let id = row.text("id")?.unwrap_or_default();
            each(row, (SortKey::read(row, order.key)?, id))
        })
    }
}

/// The rows of `wanted`, in that order, with their ids.
fn read_numbered<T: FromRow<Error>>(
    tx: &mut Tx<'_>,
    columns: &str,
    wanted: &[PageRow],
) -> Result<(Vec<(T, ObjectId)>, Budget)> {
    let mut budget = Budget::full();
    let mut found = HashMap::with_capacity(wanted.len());
    let numbers: Vec<String> = wanted.iter().map(|row| row.number.to_string()).collect();
    let numbers = format!("[{}]", numbers.join(","));
    let sql = format!(
        "SELECT {columns}, u.number FROM json_each($1) wanted
         CROSS JOIN experience_users u ON u.number = wanted.value"
    );
    tx.each(&sql, &[&numbers], |row| {
        budget.spend(row.size()?)?;
        found.insert(row.get::<i64>("number")?, (T::from_row(row)?, id(row, "id")?));
        Ok(true)
    })?;
    let missing = || Error::internal("a row that has just been there");
    let rows = wanted.iter().map(|row| found.remove(&row.number).ok_or_else(missing));
    Ok((rows.collect::<Result<_>>()?, budget))
}
