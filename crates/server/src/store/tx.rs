//! What is asked of the database within one transaction, and what an engine does for that.

use super::moving::Frozen;
use super::row::{FromRow, Row};
use super::tuning::Tuning;
use super::value::Param;
use super::versions::ChangeScope;
use crate::error::{Error, Result};
use std::fmt;

/// A transaction.
pub struct Tx<'a>(pub(super) &'a mut (dyn Engine + 'a));

/// What an error means to whoever made the statement.
pub(super) type Explain = Box<dyn Fn(Error) -> Error>;

/// `error` as `explain` says it, if it says anything.
pub(super) fn explained(error: Error, explain: Option<Explain>) -> Error {
    match explain {
        Some(explain) => explain(error),
        None => error,
    }
}

/// What an engine must do for a [`Tx`].
pub(super) trait Engine {
    /// Gives the rows of `sql` to `each` until it says `false`.
    fn query(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()>;
    /// As [`Engine::query`], where what is asked after it need not see the same moment.
    fn query_single_statement(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        self.query(sql, params, each)
    }
    /// As [`Engine::query`], which only reads, given up after so many `steps` of the engine's
    /// machine: `false` when it was, and what it gave is not all. An engine that counts no steps
    /// does not begin, because it has other ways to choose how to run a statement.
    fn try_query(
        &mut self,
        _sql: &str,
        _params: &[&dyn Param],
        _steps: u64,
        _each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<bool> {
        Ok(false)
    }
    /// Runs `sql` and counts the rows it touched.
    fn run(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64>;
    /// As [`Engine::run`], where the count matters to nobody and an error may be told at the end of
    /// the transaction. Either way it is told as `explain` says it. Where it says nothing, others
    /// have nothing that could be in the way of `sql`.
    fn run_deferred(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        explain: Option<Explain>,
    ) -> Result<u64> {
        self.run(sql, params).map_err(|error| explained(error, explain))
    }
    /// Is told that the transaction changes nothing but `what`, and locks it ahead.
    fn scoped_to(&mut self, _what: ChangeScope) {}
    /// Is told that `sql` is going to be queried.
    fn prefetch(&mut self, sql: &str, params: &[&dyn Param]) -> Result<()>;
    /// Takes note of what a statement has changed, where answers are kept ready.
    fn record_change(&mut self, what: ChangeScope);
    /// Says that the next query changes `what`, and no more.
    fn expect_change(&mut self, what: ChangeScope);
    /// Whether it keeps the table `user_search`, rather than an index that `LIKE` uses by itself.
    fn has_user_search(&self) -> bool;
    /// The thresholds that the store was opened with.
    fn tuning(&self) -> &'static Tuning;
    /// The statements after which `tables` take no changes for the reason given, or take them
    /// again.
    fn freeze(&self, tables: &[&str], why: Option<Frozen>) -> Vec<String>;
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx<'_> {
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
    pub(super) fn scoped_to(&mut self, what: ChangeScope) {
        self.0.scoped_to(what);
    }

    /// Every row of `sql`, as `T`.
    ///
    /// # Errors
    /// [`Error::Taken`] when a unique constraint is violated, [`Error::Busy`] when time runs out
    /// or the store cannot serve, [`Error::Internal`] when the statement is wrong, breaks another
    /// constraint, or a row is not a `T`.
    pub fn all<T: FromRow>(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.0.query(sql, params, &mut |row| {
            found.push(T::from_row(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Gives every row of `sql` to `each`. It is for the only statement of a read: where that is
    /// cheaper it is a transaction of its own, and what is asked after it sees a later moment. If
    /// anything was asked or sent ahead before it, it belongs to that.
    pub(super) fn each_single_statement(
        &mut self,
        sql: &str,
        params: &[&dyn Param],
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.0.query_single_statement(sql, params, &mut |row| each(row).map(|()| true))
    }

    /// As [`Tx::all`], for a statement that gives the rows it changes, which are at most `what`.
    pub(super) fn change_all<T: FromRow>(
        &mut self,
        what: ChangeScope,
        sql: &str,
        params: &[&dyn Param],
    ) -> Result<Vec<T>> {
        self.0.expect_change(what);
        self.all(sql, params)
    }

    /// The first row of `sql`, if there is one. The others are not read.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub fn first<T: FromRow>(&mut self, sql: &str, params: &[&dyn Param]) -> Result<Option<T>> {
        let mut found = None;
        self.0.query(sql, params, &mut |row| {
            found = Some(T::from_row(row)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// Runs `sql`, which gives no rows, and counts those it touched: not the ones that went by
    /// cascade.
    ///
    /// # Errors
    /// As [`Tx::all`], and when the statement does give rows.
    pub fn run(&mut self, sql: &str, params: &[&dyn Param]) -> Result<u64> {
        self.change(ChangeScope::Everything, sql, params)
    }

    /// As [`Tx::run`], for a statement of which it is known what it changes at most: answers that
    /// are kept ready and have nothing to do with that stay so.
    ///
    /// # Errors
    /// As [`Tx::run`].
    pub fn change(&mut self, what: ChangeScope, sql: &str, params: &[&dyn Param]) -> Result<u64> {
        let touched = self.0.run(sql, params)?;
        if touched > 0 {
            self.0.record_change(what);
        }
        Ok(touched)
    }

    /// As [`Tx::change`], where nobody waits for the answer: it may only be there at the end of the
    /// transaction, which fails with what `explain` makes of an error. Without it, `sql` must
    /// not be able to violate a unique constraint or to wait for a lock.
    pub(super) fn change_deferred(
        &mut self,
        what: ChangeScope,
        sql: &str,
        params: &[&dyn Param],
        explain: Option<Explain>,
    ) -> Result<()> {
        if self.0.run_deferred(sql, params, explain)? > 0 {
            self.0.record_change(what);
        }
        Ok(())
    }
}
