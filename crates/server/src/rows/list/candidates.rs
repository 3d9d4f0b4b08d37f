//! Rows that a search index has found.

use crate::rows::Param;

/// Rows among which all are that are wanted, as an index of parts of texts has found them: each is
/// there once. They are rows of `experience_users u`, told apart by their `number`.
pub(crate) struct Candidates {
    /// How many they are.
    pub(super) count: u64,
    values: Vec<Box<dyn Param>>,
    from: fn(usize) -> String,
}

impl Candidates {
    /// The `count` rows that `from` reads, and no others, when its first parameter has the number
    /// that it is given. `values` are its parameters.
    pub(crate) fn new(count: u64, values: Vec<Box<dyn Param>>, from: fn(usize) -> String) -> Self {
        Self { count, values, from }
    }

    /// What stands after `FROM` to read them and no others; what is in it goes to `values`.
    pub(super) fn from<'p>(&'p self, values: &mut Vec<&'p dyn Param>) -> String {
        let first = values.len() + 1;
        values.extend(self.values.iter().map(|value| &**value));
        (self.from)(first)
    }
}
