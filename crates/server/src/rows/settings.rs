//! What belongs to the store as a whole.

use super::table::{Table, bytes, table, text};
use super::{ChangeScope, FromRow, Row, Tx};
use crate::error::{Error, Result};

/// Named values of the whole store.
pub(crate) const TABLE: Table = table("settings", 1, &[text("name"), bytes("value")]);

struct Setting(Vec<u8>);

impl FromRow<Error> for Setting {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self(row.get("value")?))
    }
}

/// The value called `name`, if there is one.
///
/// # Errors
/// When the store fails.
pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    let found = tx.first("SELECT value FROM settings WHERE name = $1", &[&name])?;
    Ok(found.map(|Setting(value)| value))
}

/// Writes `value` under `name`, over what was there.
///
/// # Errors
/// When the store fails.
pub fn put(tx: &mut Tx<'_>, name: &str, value: &[u8]) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&name, &value],
    )?;
    Ok(())
}

/// The value called `name`, stored for ever from the first time on; `make` is asked when there is
/// none yet.
///
/// # Errors
/// When the store or `make` fails.
pub fn get_or_make(
    tx: &mut Tx<'_>,
    name: &str,
    make: impl FnOnce() -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    if let Some(value) = get(tx, name)? {
        return Ok(value);
    }
    // Another may do the same, and one of the two is first.
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[&name, &make()?],
    )?;
    get(tx, name)?.ok_or_else(|| Error::internal(format!("the setting {name} has gone")))
}
