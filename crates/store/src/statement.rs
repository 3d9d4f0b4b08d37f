//! Statements as values: what a read or a change asks is known before it is run. So where the way to the
//! database is long, those that wait at the same time are sent together.

use crate::engine::Each;
use crate::error::{Error, Result};
use crate::row::Row;
use crate::scope::Scope;
use crate::tx::Tx;
use crate::value::Param;

/// A statement and its parameters.
pub struct Statement {
    sql: &'static str,
    params: Vec<Box<dyn Param + Send>>,
}

impl Statement {
    /// `sql` with these `params`.
    #[must_use]
    pub fn new<P: Param + Send + 'static>(
        sql: &'static str,
        params: impl IntoIterator<Item = P>,
    ) -> Self {
        let boxed = |param: P| Box::new(param) as Box<dyn Param + Send>;
        Self { sql, params: params.into_iter().map(boxed).collect() }
    }

    /// Its text.
    #[must_use]
    pub const fn sql(&self) -> &'static str {
        self.sql
    }

    /// Its parameters, as a [`Query`](crate::Query) has them.
    #[must_use]
    pub fn params(&self) -> Vec<&dyn Param> {
        self.params.iter().map(|param| &**param as &dyn Param).collect()
    }
}

/// A read of a few rows by their keys, which is one statement: [`Store::find`](crate::Store::find) runs
/// it, and in a transaction [`Tx::find`].
pub trait Lookup<E = Error>: Send + 'static {
    /// What is looked for.
    type Found: Send + 'static;

    /// The statement.
    fn statement(&self) -> Statement;

    /// Makes what is looked for of the rows of the statement. `None` where they do not say enough: then
    /// [`Lookup::otherwise`] does. It depends on nothing but the rows.
    ///
    /// # Errors
    /// When the rows cannot be read, or are not what is looked for.
    fn read(&self, rows: Rows<'_>) -> Result<Option<Self::Found>, E>;

    /// Finds it with more statements, or says why it is not there. They may see a later moment than
    /// the one before them did.
    ///
    /// # Errors
    /// When it is not there, and when the store fails.
    fn otherwise(&self, tx: &mut Tx<'_, E>) -> Result<Self::Found, E>;
}

/// Gives rows to whoever takes them.
type Give<'r> = dyn FnMut(&mut Each<'_>) -> Result<()> + 'r;

/// The rows that a statement gives, on their way to a [`Lookup`].
pub struct Rows<'r>(&'r mut Give<'r>);

impl<'r> Rows<'r> {
    pub(crate) fn new(give: &'r mut Give<'r>) -> Self {
        Self(give)
    }

    /// Gives them to `each`, one by one.
    ///
    /// # Errors
    /// When the statement fails, or `each` does.
    pub fn each<E: From<Error>>(
        self,
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        visit(|all| (self.0)(all).map(|()| true), |row| each(row).map(|()| true)).map(drop)
    }
}

/// Has rows given to `each`, which fails with an error of its own, until it says `false`. Whether all
/// were given, as far as `give` says.
pub(crate) fn visit<E: From<Error>>(
    give: impl FnOnce(&mut Each<'_>) -> Result<bool>,
    mut each: impl FnMut(&Row<'_>) -> Result<bool, E>,
) -> Result<bool, E> {
    let mut failed = None;
    let whole = give(&mut |row| {
        Ok(each(row).unwrap_or_else(|error| {
            failed = Some(error);
            false
        }))
    })?;
    failed.map_or(Ok(whole), Err)
}

/// What is known of a change of one row before it is run: [`Store::write_row`](crate::Store::write_row)
/// asks for it. Where a commit costs much, changes of different rows that wait at the same time share
/// one; what this says is sent for all of them first.
///
/// It changes no answer. A change that asks or does anything else is run by itself.
pub struct RowChange {
    /// All that it changes.
    pub scope: Scope,
    /// Finds the row and locks it; ends with ` FOR UPDATE`.
    pub lock: Statement,
    /// What else is asked before anything is changed.
    pub ahead: Vec<Statement>,
}
