//! A row as PostgreSQL sent it.

use super::wire::ColumnOf;
use crate::error::{Error, Result};
use crate::value::{self, Column};
use std::ops::Range;

/// A row as it was sent.
pub(crate) struct Row<'r> {
    pub(super) columns: &'r [ColumnOf],
    pub(super) data: &'r [u8],
    pub(super) places: &'r [Option<Range<usize>>],
}

impl Row<'_> {
    /// The value of the column called `name`.
    pub(crate) fn get<T: Column>(&self, name: &str) -> Result<T> {
        self.get_at(self.place(name)?)
    }

    /// The text in the column called `name`; `None` is nothing.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        let (oid, bytes) = self.cell(self.place(name)?)?;
        bytes.map(|bytes| value::text(oid, bytes)).transpose()
    }

    fn place(&self, name: &str) -> Result<usize> {
        let place = self.columns.iter().position(|column| *column.name == *name);
        place.ok_or_else(|| Error::internal(format!("there is no column {name}")))
    }

    /// The value of the column at `index`.
    pub(crate) fn get_at<T: Column>(&self, index: usize) -> Result<T> {
        let (oid, bytes) = self.cell(index)?;
        T::take(oid, bytes)
    }

    /// The type and the bytes of what is at `index`.
    fn cell(&self, index: usize) -> Result<(u32, Option<&[u8]>)> {
        let (Some(column), Some(place)) = (self.columns.get(index), self.places.get(index)) else {
            return Err(Error::internal(format!("there is no column {index}")));
        };
        Ok((column.oid, place.clone().and_then(|place| self.data.get(place))))
    }

    /// How many bytes its values have.
    pub(crate) fn size(&self) -> usize {
        self.places.iter().flatten().map(Range::len).sum()
    }
}
