//! By which plan a page is found: in the order of an index, or by sorting what another index found.

use super::order::{Key, Order, Part, Written};
use super::page::{Budget, Listed, Paging, Start};
use super::select::{Bound, Only, Select, all};
use crate::error::{Error, Result};
use crate::rows::convert::id;
use crate::rows::{FromRow, Param, Row, Tx, counts, tuning};
use guestlist_store::Dialect;

/// How many rows may be passed over for each row that would be sorted otherwise: to read them is to
/// read on in an index, where what is sorted is read from here and there.
const SCAN_FACTOR: u64 = 4;

/// How many times as many rows are rather sorted where an index of parts of texts has just found them,
/// to be counted: it takes as long again, and in their order they may all be at the far end.
const FOUND_AGAIN: u64 = 10;

/// Steps of SQLite's machine for a row that is passed over, and for an id that is noted as wanted.
const STEPS_TO_PASS: u64 = 5;
const STEPS_TO_NOTE: u64 = 8;

/// How a page is found.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// In the order of an index of that order; nothing is read but that index until a row is wanted.
    /// It is abandoned after so many steps, where there is no telling how far the rows are.
    Try(u64),
    /// In the order of an index of that order.
    Ordered,
    /// By an index that finds the rows, which are sorted then.
    Sorted,
}

impl Select {
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
        let Some((_, counted)) =
            self.of.as_ref().filter(|_| total > 0 && tx.dialect() == Dialect::Sqlite)
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
        let plan = if narrow && total <= sorted { Plan::Sorted } else { Plan::Ordered };
        let found_few = self.found.as_ref().is_some_and(|found| found.count <= few);
        let steps =
            if self.narrow || found_few { self.steps(tx, order, paging, total)? } else { None };
        let plans = steps.map(Plan::Try).into_iter().chain([plan]);
        for plan in plans {
            if let Some(rows) = self.read(tx, columns, order, paging, total, plan)? {
                return Ok(rows);
            }
        }
        Err(Error::internal("no way to a page"))
    }

    /// As [`Select::page`], by one plan; nothing when that was abandoned.
    fn read<T: FromRow<Error>>(
        &self,
        tx: &mut Tx<'_>,
        columns: &str,
        order: Order,
        paging: &Paging,
        total: u64,
        plan: Plan,
    ) -> Result<Option<Listed<T>>> {
        let mut values: Vec<&dyn Param> = self.values.iter().map(|value| &**value).collect();
        let mut from = self.from.to_owned();
        let mut whose = self.of.as_ref().map(|(condition, _)| condition);
        match (plan, order.key) {
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
        let written = Written::new(order, paging.reading(), matches!(plan, Plan::Sorted));
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
        let mut budget = Budget::full();
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
            match plan {
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
