//! A store that nobody keeps, as tests have it: emptying one.

pub use guestlist_store::Database;

use super::Ephemeral;
use super::tables::TABLES;
use crate::error::Result;
use crate::rows::Tx;

/// Forgets everything but what the store as a whole is.
///
/// # Errors
/// When the store fails.
pub fn clear(tx: &mut Tx<'_>, _: &Ephemeral) -> Result<()> {
    // What refers to others comes after them, and goes before them.
    for table in TABLES.iter().rev().filter(|table| table.name != "settings") {
        table.clear(tx)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    #[tokio::test]
    async fn clearing_leaves_no_table_out() {
        let (store, proof) =
            Store::ephemeral(&Options { readers: 1, ..Options::default() }).unwrap();
        // What users are searched by is kept with them; the one is the store's for ever, and the other
        // of stores that are kept.
        let tables = "SELECT name FROM sqlite_schema
            WHERE type = 'table' AND name NOT IN ('settings', 'moves')
                AND name NOT LIKE 'user_search%'";
        let tables = store.read(move |tx| tx.all::<String>(tables, &[])).await.unwrap();
        assert!(tables.len() > 5, "{tables:?}");
        let mut checked = tables.clone();
        checked.push("user_search_docsize".into());
        // A row in each, whatever it is: what has to be there is 'x', and nothing is looked up.
        let path = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let path = store.read(move |tx| tx.first::<String>(path, &[])).await.unwrap().unwrap();
        let beside = rusqlite::Connection::open(path).unwrap();
        beside.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        for table in &tables {
            let columns: Vec<(String, String)> = beside
                .prepare(&format!(
                    "SELECT name, type FROM pragma_table_info('{table}') WHERE \"notnull\""
                ))
                .unwrap()
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .collect::<std::result::Result<_, _>>()
                .unwrap();
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let values = columns.iter().map(|(_, kind)| match kind.as_str() {
                "INTEGER" => "1",
                "BLOB" => "x'00'",
                _ => "'x'",
            });
            let values = values.collect::<Vec<_>>().join(", ");
            let sql = format!("INSERT INTO {table} ({}) VALUES ({values})", names.join(", "));
            beside.execute(&sql, []).unwrap();
        }
        store.write(move |tx| clear(tx, &proof)).await.unwrap();
        for table in checked {
            let count = format!("SELECT count(*) FROM {table}");
            let left = store.read(move |tx| tx.first::<i64>(&count, &[])).await.unwrap();
            assert_eq!(left, Some(0), "{table}");
        }
    }
}
