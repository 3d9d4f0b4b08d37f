//! What a store consists of: the one list of its tables.

use crate::administrators::{rows as administrators, sign_ins};
use crate::applications::rows as applications;
use crate::directory::groups::rows as groups;
use crate::directory::users::rows as users;
use crate::directory::{memberships, tag_index};
use crate::error::Result;
use crate::links::rows as links;
use crate::mail::rows as mails;
use crate::rows::table::{Column, Holds, Table, numbers};
use crate::rows::{Param, Row, Tx, counts, idempotency, settings};
use crate::sign_in::{attempts, keys, settings as sign_in};
use crate::tokens::rows as tokens;
use crate::work::rows as work;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Every table but `moves`, after those that it refers to. What SQLite keeps of itself to search
/// users by, a table and the numbers it knows them by, is made by inserting them.
pub(crate) const TABLES: &[Table] = &[
    settings::TABLE,
    administrators::TABLE,
    applications::TABLE,
    keys::TABLE,
    sign_in::TABLE,
    attempts::TABLE,
    users::TABLE,
    groups::TABLE,
    memberships::TABLE,
    links::TABLE,
    mails::TABLE,
    work::TABLE,
    tokens::TABLE,
    sign_ins::TABLE,
    idempotency::TABLE,
    tag_index::USER_TAGS,
    tag_index::GROUP_TAGS,
    tag_index::ENDPOINTS,
    counts::TABLE,
];

/// A value of a column.
#[derive(Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Whole(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    pub(crate) fn param(&self) -> &dyn Param {
        match self {
            Self::Text(value) => value,
            Self::Whole(value) => value,
            Self::Bytes(value) => value,
        }
    }

    fn is_something(&self) -> bool {
        match self {
            Self::Text(value) => value.is_some(),
            Self::Whole(value) => value.is_some(),
            Self::Bytes(value) => value.is_some(),
        }
    }

    /// What stands for no value of its kind.
    fn nothing(&self) -> &'static dyn Param {
        match self {
            Self::Text(_) => &None::<String>,
            Self::Whole(_) => &None::<i64>,
            Self::Bytes(_) => &None::<Vec<u8>>,
        }
    }

    /// Adds it to `digest`, so that no two rows are the same to it that are not the same.
    pub(crate) fn digest(&self, digest: &mut Sha256) {
        let whole;
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Text(Some(text)) => (1, text.as_bytes()),
            Self::Whole(Some(number)) => {
                whole = number.to_be_bytes();
                (2, &whole)
            }
            Self::Bytes(Some(bytes)) => (3, bytes),
            Self::Text(None) | Self::Whole(None) | Self::Bytes(None) => {
                return digest.update([0]);
            }
        };
        digest.update([kind]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
}

/// A row, all columns of it.
pub(crate) type Line = Vec<Value>;

/// The columns of a row that are its key.
pub(crate) type Key = Vec<Value>;

impl Table {
    fn read(&self, row: &Row<'_>, count: usize) -> Result<Line> {
        let columns = self.columns.iter().take(count).enumerate();
        let value = |(index, column): (usize, &Column)| {
            Ok(match column.holds {
                Holds::Text => Value::Text(row.get_at(index)?),
                Holds::Whole => Value::Whole(row.get_at(index)?),
                Holds::Bytes => Value::Bytes(row.get_at(index)?),
            })
        };
        columns.map(value).collect()
    }

    /// Gives every row to `each`, in the order of the keys.
    pub(crate) fn walk(
        &self,
        tx: &mut Tx<'_>,
        each: impl FnMut(&Line) -> Result<()>,
    ) -> Result<()> {
        self.walk_some(tx, "1 = 1", &[], each)
    }

    /// As [`Table::walk`], of the rows of which `which` is so, whose parameters are `params`.
    pub(crate) fn walk_some(
        &self,
        tx: &mut Tx<'_>,
        which: &str,
        params: &[&dyn Param],
        mut each: impl FnMut(&Line) -> Result<()>,
    ) -> Result<()> {
        let (all, key) = (self.list(self.columns.len()), self.list(self.key));
        let sql = format!("SELECT {all} FROM {} WHERE {which} ORDER BY {key}", self.name);
        tx.each(&sql, params, |row| {
            each(&self.read(row, self.columns.len())?)?;
            Ok(true)
        })
    }

    /// The rows behind the one with the key `after`, in the order of the keys: `most` of them, or
    /// fewer where they have `room` bytes or more.
    pub(crate) fn page(
        &self,
        tx: &mut Tx<'_>,
        after: Option<&[Value]>,
        most: usize,
        room: usize,
    ) -> Result<Vec<Line>> {
        let (all, key) = (self.list(self.columns.len()), self.list(self.key));
        let behind = after
            .map_or_else(String::new, |_| format!("WHERE ({key}) > ({})", numbers(1, self.key)));
        let sql = format!("SELECT {all} FROM {} {behind} ORDER BY {key} LIMIT {most}", self.name);
        let params: Vec<_> = after.into_iter().flatten().map(Value::param).collect();
        let (mut lines, mut size) = (Vec::new(), 0);
        tx.each(&sql, &params, |row| {
            size += row.size()?;
            lines.push(self.read(row, self.columns.len())?);
            Ok(size < room)
        })?;
        Ok(lines)
    }

    /// The key of `line`.
    pub(crate) fn key_of(&self, line: &Line) -> Key {
        line.iter().take(self.key).cloned().collect()
    }

    /// The greatest key there is.
    pub(crate) fn last(&self, tx: &mut Tx<'_>) -> Result<Option<Key>> {
        let key = self.list(self.key);
        let backwards = key.replace(", ", " DESC, ");
        let sql = format!("SELECT {key} FROM {} ORDER BY {backwards} DESC LIMIT 1", self.name);
        let mut last = None;
        tx.each(&sql, &[], |row| {
            last = Some(self.read(row, self.key)?);
            Ok(false)
        })?;
        Ok(last)
    }

    /// How many rows there are.
    pub(crate) fn count(&self, tx: &mut Tx<'_>) -> Result<u64> {
        let count: Option<i64> = tx.first(&format!("SELECT count(*) FROM {}", self.name), &[])?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }

    pub(crate) fn is_empty(&self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(tx.first::<i64>(&format!("SELECT 1 FROM {} LIMIT 1", self.name), &[])?.is_none())
    }

    /// Adds `lines`, but for what refers to other rows of the table.
    pub(crate) fn add(&self, tx: &mut Tx<'_>, lines: &[Line]) -> Result<()> {
        /// Rows of one statement: enough that there is nothing to gain by more.
        const AT_ONCE: usize = 100;
        let width = self.columns.len();
        for lines in lines.chunks(AT_ONCE) {
            let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.name, self.list(width));
            for row in 0..lines.len() {
                let comma = if row == 0 { "" } else { ", " };
                // Writing into a text does not fail.
                let _ = write!(sql, "{comma}({})", numbers(row * width + 1, width));
            }
            let cells = lines.iter().flat_map(|line| line.iter().enumerate());
            let params: Vec<&dyn Param> = cells
                .map(|(column, value)| {
                    if self.self_reference == Some(column) {
                        value.nothing()
                    } else {
                        value.param()
                    }
                })
                .collect();
            tx.run(&sql, &params)?;
        }
        Ok(())
    }

    /// Has `lines`, which are there, refer to what they refer to.
    pub(crate) fn refer(&self, tx: &mut Tx<'_>, lines: &[Line]) -> Result<()> {
        let Some(column) = self.self_reference.and_then(|column| self.columns.get(column)) else {
            return Ok(());
        };
        let key = self.list(self.key);
        let sql = format!(
            "UPDATE {} SET {} = $1 WHERE ({key}) = ({})",
            self.name,
            column.name,
            numbers(2, self.key)
        );
        for line in lines {
            if let Some(value) = self.self_reference.and_then(|column| line.get(column))
                && value.is_something()
            {
                let key = line.iter().take(self.key);
                let params: Vec<_> = [value].into_iter().chain(key).map(Value::param).collect();
                tx.run(&sql, &params)?;
            }
        }
        Ok(())
    }

    /// Removes all rows.
    pub(crate) fn clear(&self, tx: &mut Tx<'_>) -> Result<()> {
        if let Some(column) = self.self_reference.and_then(|column| self.columns.get(column)) {
            tx.run(&format!("UPDATE {} SET {} = NULL", self.name, column.name), &[])?;
        }
        tx.run(&format!("DELETE FROM {}", self.name), &[])?;
        Ok(())
    }
}
