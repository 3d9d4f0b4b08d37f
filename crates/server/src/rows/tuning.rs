//! Where the store changes from one way of doing something to another: thresholds that were measured
//! and are the same for every store. They are no settings of an operator's; the quotas beside them are.
//! Tests open a store with small ones, so that a handful of rows shows both ways.

use super::Tx;
use super::quotas::Quotas;
use std::time::Duration;

/// The thresholds of a store. [`Tuning::DEFAULT`] is what ships.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// As many rows as are rather found first and sorted then. To read rows in their order until a
    /// page is full takes longer than that when fewer than these are wanted of a million.
    pub sort_limit: u64,
    /// Users that may be on the index backlog: to compare them all takes some milliseconds.
    pub search_backlog: u64,
    /// So many of them are applied at once: writers wait for some milliseconds meanwhile.
    pub search_batch: u64,
    /// An application with fewer users is read as a whole, in some milliseconds, and not searched
    /// by the index.
    pub search_min_users: u64,
    /// So many users are removed without what the index says of them.
    pub search_abandon: u64,
    /// What part of an application candidates may be, one in so many, so that it is better to look
    /// at each of them than at everybody, where what is compared is in an index: in the order of
    /// that for everybody, and beside the number of each.
    pub search_share_in_index: u64,
    /// The same where it is in the users themselves, for either.
    pub search_share_in_users: u64,
    /// Rows that are held in memory until all that a search names were read, at most: a page that ends
    /// further from the first is come by otherwise.
    pub search_most_in_memory: u64,
    /// How long nobody writes before the last of the index backlog is applied.
    pub search_quiet: Duration,
    /// Rows that change between two looks at how long the backlog is: what some 250 users who take another
    /// name change.
    pub search_check_every: u64,
    /// What an application may hold that has no quotas of its own.
    pub quotas: Quotas,
}

impl Tuning {
    /// What ships.
    pub const DEFAULT: Self = Self {
        sort_limit: 10_000,
        search_backlog: 8_192,
        search_batch: 256,
        search_min_users: 20_000,
        search_abandon: 1_000,
        search_share_in_index: 16,
        search_share_in_users: 4,
        search_most_in_memory: 10_000,
        search_quiet: Duration::from_secs(1),
        search_check_every: 512,
        quotas: Quotas::DEFAULT,
    };
}

/// The thresholds that the store was opened with.
pub(crate) fn of(tx: &Tx<'_>) -> &'static Tuning {
    tx.extension().unwrap_or(&Tuning::DEFAULT)
}
