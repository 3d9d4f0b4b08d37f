//! Rows of a result, and what they can be.

use crate::error::{Error, Result};
use crate::postgres;
use crate::value::Column;

/// One row of a result. It cannot be shown, for what is in it may be secret.
pub struct Row<'r>(pub(crate) Cells<'r>);

/// The row as its engine has it.
pub(crate) enum Cells<'r> {
    /// With the names of its columns.
    Sqlite(&'r rusqlite::Row<'r>, &'r [Box<str>]),
    Postgres(postgres::row::Row<'r>),
}

impl Row<'_> {
    /// The value of the column called `name`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn get<T: Column>(&self, name: &str) -> Result<T> {
        match &self.0 {
            Cells::Sqlite(row, names) => row.get(place(names, name)?).map_err(Error::internal),
            Cells::Postgres(row) => row.get(name),
        }
    }

    /// The text in the column called `name`, where it stands; `None` is nothing.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        match &self.0 {
            Cells::Sqlite(row, names) => {
                let value = row.get_ref(place(names, name)?).map_err(Error::internal)?;
                value.as_str_or_null().map_err(Error::internal)
            }
            Cells::Postgres(row) => row.text(name),
        }
    }

    /// The value of the column at `index`, the first being 0: cheaper than [`Row::get`] where the
    /// statement lists its columns.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn get_at<T: Column>(&self, index: usize) -> Result<T> {
        match &self.0 {
            Cells::Sqlite(row, _) => row.get(index).map_err(Error::internal),
            Cells::Postgres(row) => row.get_at(index),
        }
    }

    /// How many bytes there are in it, numbers not always counted.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn size(&self) -> Result<usize> {
        match &self.0 {
            Cells::Sqlite(row, names) => (0..names.len()).try_fold(0, |size, index| {
                let column = row.get_ref(index).map_err(Error::internal)?;
                Ok(size + column.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len))
            }),
            Cells::Postgres(row) => Ok(row.size()),
        }
    }
}

/// Where in a row whose columns have these `names` the one called `name` is.
fn place(names: &[Box<str>], name: &str) -> Result<usize> {
    let place = names.iter().position(|of| **of == *name);
    place.ok_or_else(|| Error::internal(format!("there is no column {name}")))
}

/// Something that a row can be, or else an `E`.
pub trait FromRow<E = Error>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// When the row does not hold one.
    fn from_row(row: &Row<'_>) -> Result<Self, E>;
}

macro_rules! single {
    ($($kind:ty)*) => {$(
        impl<E: From<Error>> FromRow<E> for $kind {
            fn from_row(row: &Row<'_>) -> Result<Self, E> {
                Ok(row.get_at(0)?)
            }
        }
    )*};
}

single! { String i64 bool Vec<u8> }

impl<T: Column, E: From<Error>> FromRow<E> for Option<T> {
    fn from_row(row: &Row<'_>) -> Result<Self, E> {
        Ok(row.get_at(0)?)
    }
}

macro_rules! several {
    ($($($kind:ident $index:literal)*;)*) => {$(
        impl<Failed: From<Error>, $($kind: Column),*> FromRow<Failed> for ($($kind,)*) {
            fn from_row(row: &Row<'_>) -> Result<Self, Failed> {
                Ok(($(row.get_at::<$kind>($index)?,)*))
            }
        }
    )*};
}

several! {
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
}
