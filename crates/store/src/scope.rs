//! What a statement changes, as the engine knows it: rows that have a kind and two ids, and what they
//! mean is the schema's affair.

/// A row, or what stands for several, that answers depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// Of which kind it is.
    pub kind: u8,
    /// Which of them it is.
    pub ids: [[u8; 12]; 2],
}

/// What a statement changes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing that a cached answer depends on.
    Nothing,
    /// A row.
    Row {
        /// Which.
        key: RowKey,
        /// What changes with it.
        with: Option<RowKey>,
    },
    /// Anything.
    Everything,
}
