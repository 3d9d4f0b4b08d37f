//! What an engine does for a transaction.

use crate::error::Result;
use crate::row::Row;
use crate::scope::Scope;
use crate::value::Param;
use std::any::Any;

/// What takes the rows of a query, one by one, until it says `false`.
pub type Each<'e> = dyn FnMut(&Row<'_>) -> Result<bool> + 'e;

/// A statement that gives rows.
#[derive(Clone, Copy)]
pub struct Query<'q> {
    /// Its text.
    pub sql: &'q str,
    /// Its parameters.
    pub params: &'q [&'q dyn Param],
    /// What it changes at most, if it changes anything.
    pub scope: Scope,
    /// Whether it is that of a [`Lookup`](crate::Lookup): what is asked after it need not see the
    /// same moment.
    pub single: bool,
    /// After how many steps of the engine's machine it is given up. It only reads then.
    pub steps: Option<u64>,
}

impl<'q> Query<'q> {
    /// One of which no more is known than what it says.
    #[must_use]
    pub const fn new(sql: &'q str, params: &'q [&'q dyn Param]) -> Self {
        Self { sql, params, scope: Scope::Everything, single: false, steps: None }
    }
}

/// A statement that gives no rows, and changes some.
#[derive(Clone, Copy)]
pub struct Change<'q> {
    /// Its text.
    pub sql: &'q str,
    /// Its parameters.
    pub params: &'q [&'q dyn Param],
    /// What it changes at most.
    pub scope: Scope,
    /// Whether the count of rows matters to nobody, and an error may be told at the end of the
    /// transaction.
    pub deferred: bool,
    /// What is said in the place of [`Error::Taken`](crate::Error::Taken), where it is deferred.
    /// Without it, a deferred statement must not be able to violate a unique constraint or to wait
    /// for a lock.
    pub conflict: Option<&'q str>,
}

/// Which SQL an engine speaks, where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// That of SQLite.
    Sqlite,
    /// That of PostgreSQL.
    Postgres,
}

/// What a transaction runs in.
#[derive(Clone, Copy)]
pub struct Environment {
    /// Which SQL the engine speaks.
    pub dialect: Dialect,
    /// What the store was opened with for the functions of its schema.
    pub extension: &'static (dyn Any + Send + Sync),
}

/// What an engine must do for a [`Tx`](crate::Tx).
pub trait Engine {
    /// Gives the rows of `query` to `each`. `false` when it was given up after the steps that it may
    /// take, and what it gave is not all. An engine that counts no steps does not begin such a
    /// query, because it has other ways to choose how to run a statement.
    ///
    /// # Errors
    /// When the statement fails, or `each` does.
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool>;

    /// Runs `change` and counts the rows it touched.
    ///
    /// # Errors
    /// When the statement fails, or one that was deferred before it.
    fn run(&mut self, change: &Change<'_>) -> Result<u64>;

    /// Is told that `sql` is going to be queried, and may send it at once. An answer that `lasts` is
    /// that of the moment before anything was changed, also when it is taken after that.
    ///
    /// # Errors
    /// When the transaction has failed already.
    fn prefetch(&mut self, _sql: &str, _params: &[&dyn Param], _lasts: bool) -> Result<()> {
        Ok(())
    }

    /// What the transaction runs in.
    fn environment(&self) -> Environment;
}
