//! What is asked of the database within one transaction.

use crate::engine::{Change, Dialect, Engine, Query};
use crate::error::{Error, Result};
use crate::freeze::Frozen;
use crate::row::{FromRow, Row};
use crate::scope::Scope;
use crate::statement::{Lookup, Rows, visit};
use crate::value::Param;
use crate::{postgres, sqlite};
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

/// A transaction, whose functions fail with an `E`.
pub struct Tx<'a, E = Error> {
    engine: &'a mut (dyn Engine + 'a),
    error: PhantomData<fn() -> E>,
}

impl<E> fmt::Debug for Tx<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl<'a, E: From<Error>> Tx<'a, E> {
    /// One on `engine`.
    pub fn new(engine: &'a mut (dyn Engine + 'a)) -> Self {
        Self { engine, error: PhantomData }
    }

    /// The engine beneath.
    pub fn engine(&mut self) -> &mut (dyn Engine + 'a) {
        self.engine
    }

    /// The same, whose functions fail with another error.
    pub fn with_error<F: From<Error>>(&mut self) -> Tx<'_, F> {
        Tx::new(self.engine)
    }

    /// Which SQL the engine speaks, for the few statements that are not the same for both.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.engine.environment().dialect
    }

    /// What the store was opened with for the functions of its schema, if that is a `T`.
    #[must_use]
    pub fn extension<T: Any>(&self) -> Option<&'static T> {
        self.engine.environment().extension.downcast_ref()
    }

    /// Says that `sql` is going to be asked with these `params`, before anything is changed: where
    /// the database is far, it is sent with what is asked before it. It is a hint, and changes no
    /// answer.
    ///
    /// # Errors
    /// When the transaction has failed already.
    pub fn prefetch(&mut self, sql: &str, params: &[&dyn Param]) -> Result<(), E> {
        Ok(self.engine.prefetch(sql, params, false)?)
    }

    /// As [`Tx::prefetch`], of what is going to be asked once anything was changed, too. Where it is
    /// sent ahead, the answer is then of the moment before the change.
    ///
    /// # Errors
    /// As [`Tx::prefetch`].
    pub fn prefetch_for_later(&mut self, sql: &str, params: &[&dyn Param]) -> Result<(), E> {
        Ok(self.engine.prefetch(sql, params, true)?)
    }

    /// Every row of `sql`, as `T`.
    ///
    /// # Errors
    /// [`Error::Taken`] when a unique constraint is violated, [`Error::Busy`] when time runs out
    /// or the store cannot serve, [`Error::Internal`] when the statement is wrong, breaks another
    /// constraint, or a row is not a `T`.
    pub fn all<T: FromRow<E>>(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Vec<T>, E> {
        self.collect(&Query::new(sql, params))
    }

    /// As [`Tx::all`], for a statement that gives the rows it changes, which are at most `what`.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub fn change_all<T: FromRow<E>>(
        &mut self,
        what: impl Into<Scope>,
        sql: &str,
        params: &[&dyn Param],
    ) -> Result<Vec<T>, E> {
        self.collect(&Query { scope: what.into(), ..Query::new(sql, params) })
    }

    fn collect<T: FromRow<E>>(&mut self, query: &Query<'_>) -> Result<Vec<T>, E> {
        let mut found = Vec::new();
        self.visit(query, |row| {
            found.push(T::from_row(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row of `sql`, if there is one. The others are not read.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub fn first<T: FromRow<E>>(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
    ) -> Result<Option<T>, E> {
        let mut found = None;
        self.visit(&Query::new(sql, params), |row| {
            found = Some(T::from_row(row)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// Gives the rows of `sql` to `each` until it says `false`.
    ///
    /// # Errors
    /// As [`Tx::all`], and when `each` fails.
    pub fn each(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: impl FnMut(&Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.visit(&Query::new(sql, params), each).map(drop)
    }

    /// As [`Tx::each`], given up after so many `steps` of the engine's machine: `false` when it was,
    /// and what it gave is not all. An engine that counts no steps does not begin.
    ///
    /// # Errors
    /// As [`Tx::each`].
    pub fn try_each(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        steps: u64,
        each: impl FnMut(&Row<'_>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        self.visit(&Query { steps: Some(steps), ..Query::new(sql, params) }, each)
    }

    /// What `lookup` looks for. If it is the first of a read its statement is, where that is cheaper,
    /// a transaction of its own, and what is asked after it sees a later moment.
    ///
    /// # Errors
    /// As [`Tx::all`], and what the lookup says.
    pub fn find<L: Lookup<E>>(&mut self, lookup: &L) -> Result<L::Found, E> {
        let statement = lookup.statement();
        let params = statement.params();
        let query = Query { single: true, ..Query::new(statement.sql(), &params) };
        let found =
            lookup.read(Rows::new(&mut |each| self.engine.query(&query, each).map(drop)))?;
        found.map_or_else(|| lookup.otherwise(self), Ok)
    }

    fn visit(
        &mut self,
        query: &Query<'_>,
        each: impl FnMut(&Row<'_>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        visit(|each| self.engine.query(query, each), each)
    }

    /// Runs `sql`, which gives no rows, and counts those it touched: not the ones that went by
    /// cascade.
    ///
    /// # Errors
    /// As [`Tx::all`], and when the statement does give rows.
    pub fn run(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64, E> {
        self.change(Scope::Everything, sql, params)
    }

    /// As [`Tx::run`], for a statement of which it is known what it changes at most: answers that
    /// are kept ready and have nothing to do with that stay so.
    ///
    /// # Errors
    /// As [`Tx::run`].
    pub fn change(
        &mut self,
        what: impl Into<Scope>,
        sql: &str,
        params: &[&dyn Param],
    ) -> Result<u64, E> {
        let scope = what.into();
        Ok(self.engine.run(&Change { sql, params, scope, deferred: false, conflict: None })?)
    }

    /// As [`Tx::change`], where nobody waits for the answer: it may only be there at the end of the
    /// transaction, which fails with [`Error::Conflict`] and the words of `conflict` when a
    /// unique constraint is violated. Without it, `sql` must not be able to violate one, or to wait
    /// for a lock.
    ///
    /// # Errors
    /// As [`Tx::run`].
    pub fn change_deferred(
        &mut self,
        what: impl Into<Scope>,
        sql: &str,
        params: &[&dyn Param],
        conflict: Option<&str>,
    ) -> Result<(), E> {
        let scope = what.into();
        self.engine.run(&Change { sql, params, scope, deferred: true, conflict })?;
        Ok(())
    }

    /// Has `tables` take no changes for the reason given, or take them again.
    ///
    /// # Errors
    /// As [`Tx::run`].
    pub fn freeze(&mut self, tables: &[&str], why: Option<Frozen>) -> Result<(), E> {
        let statements = match self.dialect() {
            Dialect::Sqlite => sqlite::freeze::statements(tables, why),
            Dialect::Postgres => postgres::freeze::statements(tables, why),
        };
        statements.iter().try_for_each(|sql| self.run(sql, &[]).map(drop))
    }
}
