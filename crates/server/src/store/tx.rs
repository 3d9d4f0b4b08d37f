//! What is asked of the database within one transaction.

use super::engine::{Change, Dialect, Each, Engine, Query};
use super::freeze::{self, Frozen};
use super::row::{FromRow, Row};
use super::scope::Scope;
use super::value::Param;
use crate::error::Result;
use std::any::Any;
use std::fmt;

/// A transaction.
pub struct Tx<'a>(&'a mut (dyn Engine + 'a));

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl<'a> Tx<'a> {
    /// One on `engine`.
    pub fn new(engine: &'a mut (dyn Engine + 'a)) -> Self {
        Self(engine)
    }

    /// The engine beneath.
    pub fn engine(&mut self) -> &mut (dyn Engine + 'a) {
        self.0
    }

    /// Which SQL the engine speaks, for the few statements that are not the same for both.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    /// What the store was opened with for the functions of its schema, if that is a `T`.
    #[must_use]
    pub fn extension<T: Any>(&self) -> Option<&'static T> {
        self.0.extension().downcast_ref()
    }

    /// Says that `sql` is going to be asked with these `params`, before anything is changed: where
    /// the database is far, it is sent with what is asked before it. It is a hint, and changes no
    /// answer.
    ///
    /// # Errors
    /// When the transaction has failed already.
    pub fn prefetch(&mut self, sql: &str, params: &[&dyn Param]) -> Result<()> {
        self.0.prefetch(sql, params)
    }

    /// Says that nothing but `what` is changed from here on, and that the next statement that is
    /// told ahead locks it, and ends with `FOR UPDATE`. It is a hint: where a commit costs much,
    /// transactions that lock different things share one.
    pub fn scoped_to(&mut self, what: impl Into<Scope>) {
        self.0.scoped_to(what.into());
    }

    /// Every row of `sql`, as `T`.
    ///
    /// # Errors
    /// [`Error::Taken`] when a unique constraint is violated, [`Error::Busy`] when time runs out
    /// or the store cannot serve, [`Error::Internal`] when the statement is wrong, breaks another
    /// constraint, or a row is not a `T`.
    ///
    /// [`Error::Taken`]: crate::error::Error::Taken
    /// [`Error::Busy`]: crate::error::Error::Busy
    /// [`Error::Internal`]: crate::error::Error::Internal
    pub fn all<T: FromRow>(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Vec<T>> {
        self.collect(&Query::new(sql, params))
    }

    /// As [`Tx::all`], for a statement that gives the rows it changes, which are at most `what`.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub fn change_all<T: FromRow>(
        &mut self,
        what: impl Into<Scope>,
        sql: &str,
        params: &[&dyn Param],
    ) -> Result<Vec<T>> {
        self.collect(&Query { scope: what.into(), ..Query::new(sql, params) })
    }

    fn collect<T: FromRow>(&mut self, query: &Query<'_>) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.0.query(query, &mut |row| {
            found.push(T::from_row(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row of `sql`, if there is one. The others are not read.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub fn first<T: FromRow>(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Option<T>> {
        let mut found = None;
        self.0.query(&Query::new(sql, params), &mut |row| {
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
        mut each: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        self.visit(&Query::new(sql, params), &mut each).map(drop)
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
        mut each: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<bool> {
        self.visit(&Query { steps: Some(steps), ..Query::new(sql, params) }, &mut each)
    }

    /// Gives every row of `sql` to `each`. It is for the only statement of a read: where that is
    /// cheaper it is a transaction of its own, and what is asked after it sees a later moment. If
    /// anything was asked or sent ahead before it, it belongs to that.
    ///
    /// # Errors
    /// As [`Tx::each`].
    pub fn each_single_statement(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let query = Query { single: true, ..Query::new(sql, params) };
        self.visit(&query, &mut |row| each(row).map(|()| true)).map(drop)
    }

    fn visit(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool> {
        self.0.query(query, each)
    }

    /// Runs `sql`, which gives no rows, and counts those it touched: not the ones that went by
    /// cascade.
    ///
    /// # Errors
    /// As [`Tx::all`], and when the statement does give rows.
    pub fn run(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64> {
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
    ) -> Result<u64> {
        let scope = what.into();
        self.0.run(&Change { sql, params, scope, deferred: false, conflict: None })
    }

    /// As [`Tx::change`], where nobody waits for the answer: it may only be there at the end of the
    /// transaction, which fails with [`Error::AlreadyExists`] and the words of `conflict` when a
    /// unique constraint is violated. Without it, `sql` must not be able to violate one, or to wait
    /// for a lock.
    ///
    /// # Errors
    /// As [`Tx::run`].
    ///
    /// [`Error::AlreadyExists`]: crate::error::Error::AlreadyExists
    pub fn change_deferred(
        &mut self,
        what: impl Into<Scope>,
        sql: &str,
        params: &[&dyn Param],
        conflict: Option<&str>,
    ) -> Result<()> {
        let scope = what.into();
        self.0.run(&Change { sql, params, scope, deferred: true, conflict }).map(drop)
    }

    /// Has `tables` take no changes for the reason given, or take them again.
    ///
    /// # Errors
    /// As [`Tx::run`].
    pub fn freeze(&mut self, tables: &[&str], why: Option<Frozen>) -> Result<()> {
        for sql in freeze::statements(self.dialect(), tables, why) {
            self.run(&sql, &[])?;
        }
        Ok(())
    }
}
