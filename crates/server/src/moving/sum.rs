//! What a store holds, in a number that two stores have in common when they hold the same.

use crate::error::Result;
use crate::rows::Tx;
use crate::rows::table::Table;
use crate::store::tables::TABLES;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// Of its name, its columns and its rows in the order of their keys.
    pub checksum: Checksum,
}

/// What a store holds, but for what it says of its own moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums(pub Vec<Sum>);

impl Sums {
    /// The rows of all tables together.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.iter().map(|sum| sum.rows).sum()
    }

    /// The checksum of all tables together.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        let each = self.0.iter().fold(Sha256::new(), |all, sum| {
            all.chain_update(sum.rows.to_be_bytes()).chain_update(sum.checksum.0)
        });
        Checksum(each.finalize().into())
    }
}

/// Reads everything there is, and counts the rows in `seen` meanwhile. All of it is of one moment.
///
/// # Errors
/// When the store fails.
pub fn sums(tx: &mut Tx<'_>, seen: &AtomicU64) -> Result<Sums> {
    TABLES.iter().map(|table| sum(table, tx, seen)).collect::<Result<_>>().map(Sums)
}

/// How many rows a store has.
///
/// # Errors
/// When the store fails.
pub fn rows(tx: &mut Tx<'_>) -> Result<u64> {
    TABLES.iter().map(|table| table.count(tx)).sum()
}

fn sum(table: &Table, tx: &mut Tx<'_>, seen: &AtomicU64) -> Result<Sum> {
    let mut digest = Sha256::new_with_prefix(table.name);
    for column in table.columns {
        digest.update(b" ");
        digest.update(column.name);
    }
    let mut rows = 0;
    table.walk(tx, |line| {
        for value in line {
            value.digest(&mut digest);
        }
        rows += 1;
        seen.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })?;
    Ok(Sum { table: table.name, rows, checksum: Checksum(digest.finalize().into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::Value;

    fn digest(line: &[Value]) -> Vec<u8> {
        let mut digest = Sha256::new();
        for value in line {
            value.digest(&mut digest);
        }
        digest.finalize().to_vec()
    }

    #[test]
    fn what_is_not_the_same_has_not_the_same_checksum() {
        let text = |text: &str| Value::Text(Some(text.into()));
        let lines = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("abc")],
            vec![text("abc"), Value::Text(None)],
            vec![text("abc"), text("")],
            vec![Value::Bytes(Some(b"abc".into()))],
            vec![Value::Whole(Some(0))],
            vec![Value::Whole(None)],
            vec![Value::Text(Some("\0\0\0\0\0\0\0\0".into()))],
        ];
        for (one, line) in lines.iter().enumerate() {
            for (two, other) in lines.iter().enumerate() {
                assert_eq!(digest(line) == digest(other), one == two, "{one} and {two}");
            }
        }
    }
}
