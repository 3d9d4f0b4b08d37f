//! Work for the thread that writes, beside what it is asked to do.

use crate::tx::Tx;
use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

/// Why upkeep was not done: it is only logged.
pub type UpkeepError = Box<dyn Error + Send + Sync>;

/// What a schema has done by the one thread that writes on SQLite: between groups of writes, and while
/// nobody writes. Each call is a transaction of its own. On PostgreSQL nothing of it is called.
pub trait Upkeep: Send {
    /// Rows that change between two calls of [`Upkeep::after_group`].
    fn every(&self) -> u64;

    /// How long nobody writes before [`Upkeep::while_idle`] is called.
    fn quiet(&self) -> Duration;

    /// Does what must not wait until nobody writes.
    ///
    /// # Errors
    /// When the store fails.
    fn after_group(&mut self, tx: &mut Tx<'_>) -> Result<(), UpkeepError>;

    /// Does a part of what is left to do, and says whether there may be more.
    ///
    /// # Errors
    /// When the store fails.
    fn while_idle(&mut self, tx: &mut Tx<'_>) -> Result<bool, UpkeepError>;

    /// What was done last is committed.
    fn committed(&mut self);

    /// What was done last is undone, because of `error`. It is tried again when somebody has written.
    fn undone(&mut self, error: &dyn Display);
}
