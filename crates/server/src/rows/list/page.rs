//! Which page of a list is read, what it holds, and how heavy it may be.

use super::order::Position;
use crate::error::{Error, Result};
use guestlist_api::entity::{DEFAULT_PER_PAGE, PageNumber, PerPage, SortDirection};
use guestlist_api::wire::{Problem, Rule};

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// After as many full pages.
    Page(u64),
    /// After this position.
    After(Position),
    /// It ends before this position.
    Before(Position),
    /// It ends where the list does.
    End,
}

/// Which page of a list, and how it is sorted.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Where it starts.
    pub start: Start,
    /// How many rows a page.
    pub per_page: u64,
    /// In which direction.
    pub direction: SortDirection,
}

impl Paging {
    /// What was asked for, or what is usual.
    #[must_use]
    pub fn new(
        page: Option<PageNumber>,
        per_page: Option<PerPage>,
        direction: Option<SortDirection>,
    ) -> Self {
        Self {
            start: Start::Page(page.map_or(0, |page| page.0)),
            per_page: per_page.unwrap_or(DEFAULT_PER_PAGE).0,
            direction: direction.unwrap_or(SortDirection::Asc),
        }
    }

    /// Whether rows are read from the end of the page to its start.
    pub(super) const fn backwards(&self) -> bool {
        matches!(self.start, Start::Before(_) | Start::End)
    }

    /// The direction in which rows are read.
    pub(super) const fn reading(&self) -> SortDirection {
        match (self.direction, self.backwards()) {
            (SortDirection::Asc, false) | (SortDirection::Desc, true) => SortDirection::Asc,
            (SortDirection::Asc, true) | (SortDirection::Desc, false) => SortDirection::Desc,
        }
    }

    /// The position beyond which rows are read.
    pub(super) const fn beyond(&self) -> Option<&Position> {
        match &self.start {
            Start::After(position) | Start::Before(position) => Some(position),
            Start::Page(_) | Start::End => None,
        }
    }

    /// How many rows are passed over.
    pub(super) const fn skip(&self) -> u64 {
        match self.start {
            Start::Page(page) => page.saturating_mul(self.per_page),
            Start::After(_) | Start::Before(_) | Start::End => 0,
        }
    }

    /// Where the next page is and the one before, of a page which has rows from `first` to `last`,
    /// as they were read, of `total`. Both pages are beyond a row of this one, so that nothing
    /// between them can be passed over; where this one has none, it is at an end of the list.
    pub(super) fn around(
        &self,
        first: Option<Position>,
        last: Option<Position>,
        total: u64,
    ) -> (Option<Start>, Option<Start>) {
        let or = |end: Start| (total > 0).then_some(end);
        match self.start {
            Start::Page(0) => (last.map(Start::After), None),
            Start::Page(_) | Start::After(_) => {
                (last.map(Start::After), first.map(Start::Before).or(or(Start::End)))
            }
            Start::Before(_) => {
                (first.map(Start::After).or(or(Start::Page(0))), last.map(Start::Before))
            }
            Start::End => (None, last.map(Start::Before)),
        }
    }
}

/// The most that the rows of one page may hold, in bytes: what bounds the memory of a list. A
/// thousand users of a thousand bytes are an eighth of it.
pub const HEAVIEST_PAGE: usize = 8 << 20;

/// What an id takes of it.
pub(crate) const ID: usize = 24;

/// What is left of [`HEAVIEST_PAGE`].
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    /// All of it.
    pub(super) const fn full() -> Self {
        Self(HEAVIEST_PAGE)
    }

    /// Takes `bytes` from what is left.
    ///
    /// # Errors
    /// [`Error::Invalid`] when that is too little: a page is answered whole or not at all.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<()> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            let rule = format!("asks for a page over {HEAVIEST_PAGE} bytes: ask for fewer items");
            Error::Invalid(vec![Problem::new("perPage", Rule::Other(rule.into()))])
        })?;
        Ok(())
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Listed<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
    /// Where the next page is, if there is more.
    pub next: Option<Start>,
    /// Where the page before is, if this is not the first.
    pub previous: Option<Start>,
    /// What is left for what other tables say of its items.
    pub(crate) budget: Budget,
}

impl<T> Listed<T> {
    /// How many bytes its items hold.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        HEAVIEST_PAGE - self.budget.0
    }

    /// The only page of a list of nothing.
    #[must_use]
    pub const fn empty() -> Self {
        let budget = Budget::full();
        Self { items: Vec::new(), total: 0, next: None, previous: None, budget }
    }

    /// The same page of what `f` makes of its items.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listed<U> {
        let Self { items, total, next, previous, budget } = self;
        Listed { items: items.into_iter().map(f).collect(), total, next, previous, budget }
    }
}
