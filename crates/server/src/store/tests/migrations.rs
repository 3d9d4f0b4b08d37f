//! What the migrations make of what was there before.

use super::super::StoreUrl;
use super::super::migrations::MIGRATIONS;
use super::engines::{Own, database};
use guestlist_store::{Migration, migrate};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

#[test]
fn tags_and_endpoints_of_before_are_found_after() {
    const BEFORE: &str = r#"INSERT INTO applications VALUES ('a', 'n', 'n', NULL, 0, 0, NULL, '{}');
        INSERT INTO experience_users (application_id, id, email, email_key, password_hash, created,
            updated, tags)
        VALUES ('a', 'u', 'e', 'e', 'h', 0, 0, '{"k":"it''s \"é\"","l-1":"0"}'),
            ('a', 'v', 'f', 'f', 'h', 0, 0, '{}');
        INSERT INTO experience_groups VALUES ('a', 'g', 'n', 'n', NULL, NULL, 0, 0, '{"k":"x"}',
            '["e1","e2","e1"]', '[]', '[]', NULL);"#;
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("g.db");
    let url = StoreUrl::Sqlite(path.clone());
    migrate(&url, &MIGRATIONS[..1]).unwrap();
    Connection::open(&path).unwrap().execute_batch(BEFORE).unwrap();
    migrate(&url, MIGRATIONS).unwrap();
    let all = "SELECT group_concat(application_id || user_id || tag || '=' || value, ' ') FROM
        (SELECT * FROM user_tags ORDER BY tag)";
    let read = |sql: &str| -> String {
        Connection::open(&path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(read(all), r#"auk=it's "é" aul-1=0"#);
    assert_eq!(read("SELECT application_id || group_id || tag || value FROM group_tags"), "agkx");
    let endpoints = "SELECT count(*) || '' FROM group_endpoints WHERE group_id = 'g'";
    assert_eq!(read(endpoints), "2");
}

#[test]
fn the_server_of_the_database_lists_our_connections_by_name() {
    let name = "SELECT current_setting('application_name')";
    let listed = Own::on_postgres().kept(move |tx| tx.first::<String>(name, &[]));
    assert_eq!(listed.unwrap().unwrap(), "guestlist");
}

#[test]
fn what_was_there_before_is_found_by_what_looks_for_it() {
    const BEFORE: &str = r#"INSERT INTO applications VALUES ('a', 'n', 'n', NULL, 0, 0, NULL, '{}');
        INSERT INTO experience_users (application_id, id, email, email_key, password_hash, created,
            updated, tags)
        VALUES ('a', 'u', 'e', 'e', 'h', 0, 0, '{"k":"it''s \"é\"","l-1":"0"}'),
            ('a', 'v', 'f', 'f', 'h', 0, 0, '{}');
        INSERT INTO experience_groups VALUES ('a', 'g', 'n', 'n', NULL, NULL, 0, 0, '{"k":"x"}',
            '["e1","e2","e1"]', '[]', '[]', NULL);"#;
    const AFTER: &str = r#"DO $$ BEGIN
        ASSERT (SELECT string_agg(application_id || user_id || tag || '=' || value, ' ' ORDER BY tag)
            FROM user_tags) = 'auk=it''s "é" aul-1=0';
        ASSERT (SELECT application_id || group_id || tag || value FROM group_tags) = 'agkx';
        ASSERT (SELECT count(*) FROM group_endpoints WHERE group_id = 'g') = 2;
        END $$"#;
    let database = database();
    migrate(&database.place(), &MIGRATIONS[..1]).unwrap();
    database.run(BEFORE).unwrap();
    migrate(&database.place(), MIGRATIONS).unwrap();
    database.run(AFTER).unwrap();
}

/// The steps that SQLite takes, in thousands, to bring a store of the first version with so many `users`, each
/// with tags and in a group, up to date.
fn steps_of_migrations(users: usize) -> u64 {
    let mut database = Connection::open_in_memory().unwrap();
    let run = |database: &Connection, migration: &Migration<'_>| {
        let both = migration.both.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB");
        database.execute_batch(&both.replace(" NULLS FIRST", "")).unwrap();
        database.execute_batch(migration.sqlite).unwrap();
    };
    let (first, later) = MIGRATIONS.split_first().unwrap();
    run(&database, first);
    let filled = format!(
        r#"INSERT INTO applications VALUES ('a', 'n', 'n', NULL, 0, 0, NULL, '{{}}');
        WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {users})
        INSERT INTO experience_users (application_id, id, email, email_key, password_hash, created,
            updated, tags)
        SELECT 'a', 'u' || n, 'e' || n, 'e' || n, 'h', 0, 0, '{{"k":"v","l":"w","m":"x"}}' FROM n;
        INSERT INTO experience_groups
        SELECT 'a', 'g' || id, 'n', 'n', NULL, NULL, 0, 0, '{{"k":"x"}}', '["e1","e2"]', '[]', '[]', NULL
        FROM experience_users;
        INSERT INTO memberships (application_id, group_id, user_id)
        SELECT 'a', 'g' || id, id FROM experience_users;"#
    );
    database.execute_batch(&filled).unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&steps);
    let count = move || {
        counting.fetch_add(1, Ordering::Relaxed);
        false
    };
    database.progress_handler(1000, Some(count)).unwrap();
    for migration in later {
        run(&database, migration);
    }
    steps.load(Ordering::Relaxed)
}

#[test]
fn a_migration_takes_as_much_longer_as_there_are_more_users() {
    let (few, many) = (steps_of_migrations(500), steps_of_migrations(2000));
    // Four times as many. A statement that reads all of them for each would take sixteen times as long.
    assert!(many < few * 6, "{few} and {many} thousand steps");
}
