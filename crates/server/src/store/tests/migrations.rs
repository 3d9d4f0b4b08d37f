//! What the migrations make of what was there before.

use super::super::StoreUrl;
use super::super::migrations::MIGRATIONS;
use super::engines::{Own, database};
use guestlist_store::migrate;
use rusqlite::Connection;
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
