//! Tables that take no changes.

use crate::freeze::Frozen;

/// What PostgreSQL is told so that `tables` take no changes, or take them again. It waits for the
/// writes that are under way.
pub(crate) fn statements(tables: &[&str], why: Option<Frozen>) -> Vec<String> {
    let mut statements = Vec::new();
    if let Some(why) = why {
        let mark = why.mark();
        statements.push(format!(
            "CREATE OR REPLACE FUNCTION guestlist_closed() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE EXCEPTION 'the store is closed' USING ERRCODE = '{mark}'; END$$"
        ));
    }
    for table in tables {
        statements.push(match why {
            Some(_) => format!(
                "CREATE OR REPLACE TRIGGER guestlist_closed BEFORE INSERT OR UPDATE OR DELETE
                 ON {table} FOR EACH ROW EXECUTE FUNCTION guestlist_closed()"
            ),
            None => format!("DROP TRIGGER IF EXISTS guestlist_closed ON {table}"),
        });
    }
    if why.is_none() {
        statements.push("DROP FUNCTION IF EXISTS guestlist_closed()".into());
    }
    statements
}
