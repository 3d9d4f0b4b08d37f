//! Whether all tables, indexes and triggers are there.

use super::Looking;
use super::finding::{Command, Few, Findings, quoted};
use crate::error::Error;
use crate::store::MIGRATIONS;
use crate::store::tables::TABLES;
use guestlist_store::{Dialect, SCHEMA_OBJECTS, SchemaObject, schema_objects};
use std::collections::BTreeMap;

const SLOW: &str =
    "what an index is for takes as long as there are rows without it, or is not refused";
const GONE: &str = "the server answers with errors where a table is not what it expects";

/// Triggers of a store that is being moved, or was.
const CLOSED: &str = "closed_";

pub(super) fn check(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    match looking.dialect {
        Dialect::Sqlite => sqlite(looking, findings),
        Dialect::Postgres => postgres(looking, findings),
    }
}

/// `sql` as two texts of it are compared.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sqlite(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let expected =
        schema_objects(MIGRATIONS).map_err(|error| Error::internal(error.to_string()))?;
    let mut found = BTreeMap::new();
    looking.read(|tx| {
        tx.each(SCHEMA_OBJECTS, &[], |row| {
            found.insert(
                row.get_at::<String>(1)?,
                (row.get_at::<String>(0)?, row.get_at::<String>(2)?),
            );
            Ok(true)
        })
    })?;
    for SchemaObject { kind, name, sql } in expected {
        let there = found.remove(&name);
        if there.as_ref().is_some_and(|(_, there)| plain(there) == plain(&sql)) {
            continue;
        }
        let what = if there.is_some() {
            format!("the {kind} {name} is not what it was made as")
        } else {
            format!("the {kind} {name} is missing")
        };
        let (why, command) = match kind.as_str() {
            "index" | "trigger" => {
                let drop = there.map_or_else(String::new, |_| format!("DROP {kind} {name}; "));
                let again = format!("sqlite3 {} {}", findings.store(), quoted(&(drop + &sql)));
                (SLOW, Command::Run(again))
            }
            _ => (GONE, Command::Restore),
        };
        findings.add("schema", what, why, command);
    }
    for (name, _) in
        found.iter().filter(|(name, (kind, _))| kind == "trigger" && !name.starts_with(CLOSED))
    {
        let drop = format!("sqlite3 {} 'DROP TRIGGER {name}'", findings.store());
        let why = "a trigger changes what the server does not know of";
        findings.add(
            "schema",
            format!("the trigger {name} is none of the store's"),
            why,
            Command::Run(drop),
        );
    }
    Ok(())
}

/// The indexes that `texts`, run one after the other, leave, each with the statement that makes it.
fn indexes<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<&'t str, String> {
    let mut made = BTreeMap::new();
    for statement in texts.flat_map(|text| text.split(';')) {
        for start in ["CREATE INDEX ", "CREATE UNIQUE INDEX "] {
            let place = statement.find(start).and_then(|at| statement.get(at..));
            if let Some(sql) = place
                && let Some(name) =
                    sql.get(start.len()..).and_then(|rest| rest.split_whitespace().next())
            {
                made.insert(name, plain(sql));
            }
        }
        let dropped = statement.find("DROP INDEX ").and_then(|at| statement.get(at + 11..));
        if let Some(name) = dropped {
            made.remove(name.trim());
        }
    }
    made
}

fn postgres(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let names =
        |looking: &mut Looking<'_>, sql: &str| looking.read(|tx| tx.all::<String>(sql, &[]));
    let tables = names(
        looking,
        "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = current_schema()",
    )?;
    for table in TABLES.iter().filter(|table| !tables.iter().any(|name| name == table.name)) {
        findings.add(
            "schema",
            format!("the table {} is missing", table.name),
            GONE,
            Command::Restore,
        );
    }
    let there = names(
        looking,
        "SELECT c.relname::text FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = current_schema() AND i.indisvalid",
    )?;
    let texts = MIGRATIONS.iter().flat_map(|migration| [migration.both, migration.postgres]);
    let store = findings.store().to_owned();
    for (name, sql) in indexes(texts) {
        if !there.iter().any(|there| *there == name) {
            let again = quoted(&format!("DROP INDEX IF EXISTS {name}; {sql}"));
            let extension = if sql.contains("gin_trgm_ops") {
                " -c 'CREATE EXTENSION IF NOT EXISTS pg_trgm'"
            } else {
                ""
            };
            let command = Command::Run(format!("psql {store}{extension} -c {again}"));
            findings.add("schema", format!("the index {name} is missing"), SLOW, command);
        }
    }
    let mut some = Few::default();
    looking.ask(
        "SELECT 'the constraint ' || c.conname || ' of ' || c.conrelid::regclass::text
            || ' was never held against the rows that there were'
         FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
         WHERE n.nspname = current_schema() AND NOT c.convalidated",
        &mut some,
    )?;
    let validate = "psql and ALTER TABLE ... VALIDATE CONSTRAINT ...";
    findings.add_some("schema", some, GONE, Command::Run(validate.into()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_those_that_are_left() {
        let texts = [
            "CREATE TABLE a (\n    b TEXT\n);\nCREATE INDEX one ON a (b);\nCREATE INDEX two ON a (b);",
            "-- Why.\nDROP INDEX one;\nDO $$\nBEGIN\n    CREATE UNIQUE INDEX three\n        ON a (b);\nEND\n$$;",
        ];
        let left = indexes(texts.into_iter());
        assert_eq!(left.keys().copied().collect::<Vec<_>>(), ["three", "two"]);
        assert_eq!(left["three"], "CREATE UNIQUE INDEX three ON a (b)");
    }
}
