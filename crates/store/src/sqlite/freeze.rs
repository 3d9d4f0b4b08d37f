//! Tables that take no changes.

use crate::freeze::Frozen;

/// What SQLite is told so that `tables` take no changes, or take them again.
pub(crate) fn statements(tables: &[&str], why: Option<Frozen>) -> Vec<String> {
    let mut statements = Vec::new();
    for table in tables {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            let name = format!("closed_{table}_{}", change.to_lowercase());
            statements.push(format!("DROP TRIGGER IF EXISTS {name}"));
            if let Some(why) = why {
                statements.push(format!(
                    "CREATE TRIGGER {name} BEFORE {change} ON {table}
                     BEGIN SELECT RAISE(ABORT, '{}'); END",
                    why.mark()
                ));
            }
        }
    }
    statements
}
