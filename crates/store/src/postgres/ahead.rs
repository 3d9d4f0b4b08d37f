//! Statements that are sent before their rows are asked for, and the rows on their way to whoever asks.

use super::connection::InFlight;
use super::row::Row;
use super::statements::Encoded;
use super::wire::ColumnOf;
use crate::engine::Each;
use crate::error::{Error, Result};
use crate::row::{self, Cells};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::DataRowBody;
use std::ops::Range;
use std::sync::Arc;

/// A statement that was sent before its result was asked for.
pub(super) struct Ahead {
    /// What is asked; nothing where nobody is going to.
    pub(super) bound: Option<Encoded>,
    pub(super) sent: InFlight,
    /// Whether a change leaves its answer as it is.
    pub(super) lasts: bool,
    /// What is said if it is refused as a conflict.
    pub(super) conflict: Option<Box<str>>,
    /// The answer, once it is read.
    pub(super) rows: Option<(Arc<[ColumnOf]>, Vec<DataRowBody>)>,
}

impl Ahead {
    /// One that nobody is going to ask for.
    pub(super) fn unasked(sent: InFlight, conflict: Option<&str>) -> Self {
        Self { bound: None, sent, lasts: false, conflict: conflict.map(Box::from), rows: None }
    }

    /// Whether it is what `bound` asks.
    pub(super) fn is(&self, bound: &Encoded) -> bool {
        self.bound.as_ref() == Some(bound)
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.as_ref().is_none_or(|(_, rows)| rows.is_empty())
    }

    /// Shows what was found.
    pub(super) fn show(self, visit: &mut Visit<'_, '_>) {
        if let Some((columns, rows)) = self.rows {
            for row in rows {
                visit.row(&columns, &row);
            }
        }
    }
}

/// Gives rows to `each` until it has enough.
pub(super) struct Visit<'v, 'e> {
    each: &'v mut Each<'e>,
    more: Result<bool>,
    places: Vec<Option<Range<usize>>>,
}

impl<'v, 'e> Visit<'v, 'e> {
    pub(super) fn new(each: &'v mut Each<'e>) -> Self {
        Self { each, more: Ok(true), places: Vec::new() }
    }

    /// What came of it.
    pub(super) fn end(self) -> Result<()> {
        self.more.map(drop)
    }

    pub(super) fn row(&mut self, columns: &[ColumnOf], row: &DataRowBody) {
        // The rest of the rows is on its way, so that it is read, but not looked at.
        if let Ok(true) = self.more {
            self.more = self.place(row).and_then(|()| {
                let row = Row { columns, data: row.buffer(), places: &self.places };
                (self.each)(&row::Row(Cells::Postgres(row)))
            });
        }
    }

    fn place(&mut self, row: &DataRowBody) -> Result<()> {
        self.places.clear();
        let mut ranges = row.ranges();
        while let Some(place) = ranges.next().map_err(Error::internal)? {
            self.places.push(place);
        }
        Ok(())
    }
}
