//! A store is moved as a whole or not at all.

use super::super::ephemeral::Database;
use crate::error::{Error, Result};
use crate::moving::{self, Copied, MoveError, Moving, Sums, abandon};
use crate::rows::Tx;
use crate::rows::table::{Column, Holds, Table};
use crate::store::tables::TABLES;
use crate::store::{Options, Store, StoreUrl};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, mpsc};
use tempfile::TempDir;
mod home;

use home::{Home, MANY};

async fn copied(moving: &Moving) -> Result<Copied, MoveError> {
    moving.copy(&AtomicU64::new(0)).await?;
    moving.compare(Arc::new(AtomicU64::new(0))).await
}

async fn bring(from: &Home, to: &Home) -> Result<Copied, MoveError> {
    let moving = Moving::begin(&from.place(), &to.place()).await?;
    let copied = copied(&moving).await?;
    moving.end(&copied, false).await?;
    Ok(copied)
}

/// The columns of every table: what they hold, and their place in the key.
type Schema = BTreeMap<String, Vec<(String, Holds, usize)>>;

fn declared() -> Schema {
    let columns = |table: &'static Table| {
        let columns = table.columns.iter().enumerate();
        let of = move |(place, column): (usize, &Column)| {
            let key = if place < table.key { place + 1 } else { 0 };
            (column.name.to_owned(), column.holds, key)
        };
        (table.name.to_owned(), columns.map(of).collect())
    };
    TABLES.iter().map(columns).collect()
}

/// What the database says of its tables, but for the one that does not move.
async fn there(home: &Home) -> Schema {
    let sql = match home {
        Home::File(_) => {
            "SELECT s.name, c.name, lower(c.type), c.pk FROM sqlite_schema s, pragma_table_info(s.name) c
             WHERE s.type = 'table' AND s.name <> 'moves' AND s.name NOT LIKE 'sqlite!_%' ESCAPE '!'
                -- What users are searched by is kept by the engine, and numbers are for that.
                AND s.name NOT LIKE 'user!_search%' ESCAPE '!' AND c.name <> 'number'
             ORDER BY s.name, c.cid"
        }
        Home::Database(_) => {
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text,
                coalesce(k.ordinal_position, 0)::bigint
             FROM information_schema.columns c
             LEFT JOIN information_schema.table_constraints p
                ON p.table_schema = c.table_schema AND p.table_name = c.table_name
                AND p.constraint_type = 'PRIMARY KEY'
             LEFT JOIN information_schema.key_column_usage k
                ON k.constraint_name = p.constraint_name AND k.table_name = c.table_name
                AND k.column_name = c.column_name
             WHERE c.table_schema = current_schema()
                AND c.table_name NOT IN ('moves', 'guestlist_store')
                AND c.is_generated = 'NEVER'
             ORDER BY c.table_name, c.ordinal_position"
        }
    };
    let store = home.open();
    let rows = store.read(move |tx| tx.all::<(String, String, String, i64)>(sql, &[])).await;
    let mut schema = Schema::new();
    for (table, column, holds, key) in rows.unwrap() {
        let holds = match holds.as_str() {
            "text" => Holds::Text,
            "integer" | "bigint" => Holds::Whole,
            "blob" | "bytea" => Holds::Bytes,
            other => panic!("{table}.{column} is of type {other}"),
        };
        schema.entry(table).or_default().push((column, holds, usize::try_from(key).unwrap()));
    }
    schema
}

#[tokio::test]
async fn every_table_is_moved_with_all_its_columns() {
    for home in Home::each() {
        assert_eq!(there(&home).await, declared());
    }
}

#[tokio::test]
async fn a_store_goes_there_and_back() {
    let [file, database] = Home::each();
    let (file, back) = (file.filled().await, Home::sqlite());
    let before = file.sums().await;
    for sum in &before.0 {
        assert_ne!(sum.rows, 0, "{}", sum.table);
    }
    let there = bring(&file, &database).await.unwrap();
    assert_eq!(there.sums, before);
    assert_eq!(bring(&database, &back).await.unwrap().sums, before);
    assert_eq!((file.sums().await, back.sums().await), (before.clone(), before));
    // And both are taken back into use: a copy takes changes, and so does one that is given up.
    back.run("UPDATE users SET email = 'y@b.c' WHERE id = 'u2'").await;
    assert_ne!(back.sums().await.checksum(), there.sums.checksum());
    abandon(Some(&database.place()), None).await.unwrap();
    database.run("UPDATE users SET email = 'y@b.c' WHERE id = 'u2'").await;
    assert_eq!(back.sums().await, database.sums().await);
}

#[tokio::test]
async fn a_large_row_is_copied_and_pages_are_of_a_size() {
    let from = Home::sqlite();
    let store = from.open();
    let large = |tx: &mut Tx<'_>| {
        (0..12_u8).try_for_each(|row| {
            let sql =
                "INSERT INTO answers VALUES ('t', $1, NULL, $1, 1, 200, NULL, $2, NULL, 1, NULL)";
            tx.run(sql, &[&vec![row], &vec![row; 1 << 20]]).map(drop)
        })
    };
    store.write(large).await.unwrap();
    let page = |tx: &mut Tx<'_>| {
        let answers = TABLES.iter().find(|table| table.name == "answers").unwrap();
        let first = answers.page(tx, None, 100, 4 << 20)?;
        let after = first.last().map(|line| answers.key_of(line));
        Ok((first.len(), answers.page(tx, after.as_deref(), 5, 100 << 20)?.len()))
    };
    assert_eq!(store.read(page).await.unwrap(), (4, 5));
    store.close().await;
    let to = Home::postgres();
    let sums = bring(&from, &to).await.unwrap().sums;
    assert_eq!((sums.rows(), to.sums().await), (13, sums));
}

#[tokio::test]
async fn a_store_that_is_being_moved_serves_reads_and_takes_no_changes() {
    for home in Home::each() {
        let home = home.filled().await;
        // A node that has been running for a while, with all its statements prepared.
        let node = home.open();
        let change = |tx: &mut Tx<'_>| tx.run("UPDATE users SET updated = updated + 1", &[]);
        assert_eq!(node.write(change).await.unwrap(), 2);
        let to = Home::sqlite();
        let moving = Moving::begin(&home.place(), &to.place()).await.unwrap();
        let refused = |result: Result<u64>| match result {
            Err(Error::Busy { what, retry_after }) => (what, retry_after),
            other => panic!("{other:?}"),
        };
        let moved = "The store is being moved and takes no changes until that is done";
        assert_eq!(refused(node.write(change).await), (moved, 10));
        for table in TABLES {
            let column = table.columns.last().unwrap().name;
            let all: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            let all = all.join(", ");
            for sql in [
                format!("UPDATE {} SET {column} = {column}", table.name),
                format!("DELETE FROM {}", table.name),
                format!("INSERT INTO {0} ({all}) SELECT {all} FROM {0}", table.name),
            ] {
                let result = node.write(move |tx| tx.run(&sql, &[])).await;
                assert_eq!(refused(result), (moved, 10), "{}", table.name);
            }
        }
        let count = |tx: &mut Tx<'_>| tx.first::<i64>("SELECT count(*) FROM users", &[]);
        assert_eq!(node.read(count).await.unwrap(), Some(2));
        node.ready().await.unwrap();

        let done = copied(&moving).await.unwrap();
        moving.end(&done, false).await.unwrap();
        let moved = "The store was moved and takes no changes here any more";
        assert_eq!(refused(node.write(change).await), (moved, 60));
        assert_eq!(node.read(count).await.unwrap(), Some(2));
        abandon(Some(&home.place()), None).await.unwrap();
        assert_eq!(node.write(change).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_source_that_is_kept_takes_changes_in_the_end() {
    let (from, to) = (Home::postgres().filled().await, Home::sqlite());
    let moving = Moving::begin(&from.place(), &to.place()).await.unwrap();
    let done = copied(&moving).await.unwrap();
    moving.end(&done, true).await.unwrap();
    from.run("UPDATE users SET updated = 7").await;
    to.run("UPDATE users SET updated = 7").await;
    assert_eq!(from.sums().await, to.sums().await);
}

#[tokio::test]
async fn a_copy_that_is_not_the_same_is_found_out() {
    for (from, to) in [(Home::sqlite(), Home::postgres()), (Home::postgres(), Home::sqlite())] {
        let from = from.filled().await;
        let moving = Moving::begin(&from.place(), &to.place()).await.unwrap();
        copied(&moving).await.unwrap();
        let search = (
            "DELETE FROM user_search
             WHERE rowid = (SELECT number FROM experience_users WHERE id = 'e2')",
            "INSERT INTO user_search (rowid, email, first_name, last_name)
             SELECT number, email_key, first_name_key, last_name_key FROM experience_users
             WHERE id = 'e2'",
            "user_search",
        );
        let search = matches!(to, Home::File(_)).then_some(search);
        let all = [
            (
                "UPDATE experience_users SET last_name = NULL WHERE last_name = ''",
                "UPDATE experience_users SET last_name = '' WHERE last_name_key = ''",
                "experience_users",
            ),
            (
                "UPDATE experience_groups SET parent_id = 'g3' WHERE id = 'g1' AND parent_id = 'g2'",
                "UPDATE experience_groups SET parent_id = 'g2' WHERE id = 'g1' AND parent_id = 'g3'",
                "experience_groups",
            ),
            (
                "DELETE FROM memberships WHERE user_id = 'e1' AND group_id = 'g1'",
                "INSERT INTO memberships VALUES ('a1', 'e1', 'g1')",
                "memberships",
            ),
            (
                "INSERT INTO counts VALUES ('', 'nonsense', 0, 0)",
                "DELETE FROM counts WHERE counted = 'nonsense'",
                "counts",
            ),
        ];
        for (broken, mended, table) in all.into_iter().chain(search) {
            to.run(broken).await;
            let error = moving.compare(Arc::new(AtomicU64::new(0))).await.unwrap_err();
            assert!(error.to_string().starts_with(&format!("{table} is not the same")), "{error}");
            to.run(mended).await;
        }
        let done = copied(&moving).await.unwrap();
        moving.end(&done, false).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_given_up_takes_changes_and_leaves_nothing_behind() {
    for (from, to) in [(Home::sqlite(), Home::postgres()), (Home::postgres(), Home::sqlite())] {
        let from = from.filled().await;
        let before = from.sums().await;
        let moving = Moving::begin(&from.place(), &to.place()).await.unwrap();
        copied(&moving).await.unwrap();
        abandon(Some(&from.place()), Some(&to.place())).await.unwrap();
        from.run("UPDATE users SET updated = 7").await;
        assert_eq!(to.sums().await.rows(), 0);
        // Whoever was still at it finds out.
        let done = moving.compare(Arc::new(AtomicU64::new(0))).await;
        assert!(matches!(done, Err(MoveError::Differs { .. })));
        let copied = Copied { sums: before.clone(), from: String::new(), to: String::new() };
        let ended = moving.end(&copied, false).await.unwrap_err();
        assert!(
            matches!(ended, MoveError::Store { source: Error::AlreadyExists(_), .. }),
            "{ended}"
        );
        from.run("UPDATE users SET updated = 8").await;

        assert_ne!(from.sums().await, before);
        bring(&from, &to).await.unwrap();
        assert_eq!(from.sums().await, to.sums().await);
        let nothing = abandon(None, Some(&to.place())).await.unwrap_err();
        assert!(matches!(nothing, MoveError::NoCopy(_)), "{nothing}");
        let nothing = abandon(Some(&to.place()), None).await.unwrap_err();
        assert!(matches!(nothing, MoveError::NoMove(_)), "{nothing}");
    }
}

#[tokio::test]
async fn a_move_goes_on_only_to_its_own_copy() {
    let (from, to) = (Home::sqlite().filled().await, Home::postgres());
    let begin =
        async |from: &Home, to: &Home| Moving::begin(&from.place(), &to.place()).await.err();
    assert!(Moving::begin(&from.place(), &to.place()).await.is_ok_and(|moving| !moving.resumed()));
    assert!(Moving::begin(&from.place(), &to.place()).await.is_ok_and(|moving| moving.resumed()));

    let other = Home::sqlite();
    assert!(matches!(begin(&from, &other).await, Some(MoveError::Elsewhere { .. })));
    assert!(matches!(begin(&other, &to).await, Some(MoveError::OtherCopy { .. })));
    assert!(matches!(begin(&to, &other).await, Some(MoveError::Unfinished { .. })));
    assert!(matches!(begin(&other, &from).await, Some(MoveError::NotEmpty(_))));
    assert!(matches!(begin(&from, &from).await, Some(MoveError::Itself(_))));
    // What has changed since is not what was copied, and the source goes on as it was.
    abandon(Some(&from.place()), None).await.unwrap();
    assert!(matches!(begin(&from, &to).await, Some(MoveError::OtherCopy { .. })));
    from.run("UPDATE users SET updated = 8").await;

    let used = Home::postgres();
    used.run("INSERT INTO settings (name, value) VALUES ('organization', '')").await;
    assert!(matches!(begin(&from, &used).await, Some(MoveError::NotEmpty(_))));
    from.run("UPDATE users SET updated = 9").await;
    abandon(None, Some(&to.place())).await.unwrap();
    bring(&from, &to).await.unwrap();
    assert!(matches!(begin(&from, &other).await, Some(MoveError::Moved { .. })));
}

#[tokio::test]
async fn a_write_that_is_under_way_is_waited_for_and_copied() {
    for from in Home::each() {
        let (from, to) = (from.filled().await, Home::sqlite());
        let node = from.open();
        let ((here, arrived), (release, go)) = (mpsc::channel(), mpsc::channel());
        let go = Mutex::new(go);
        let writing = tokio::spawn(async move {
            node.write(move |tx| {
                tx.run("INSERT INTO sign_in_attempts VALUES ('under way', 1, 0)", &[])?;
                let _ = here.send(()); // nobody listens when the job runs again
                go.lock().unwrap().recv().unwrap();
                Ok(())
            })
            .await
        });
        tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
        let (from_, to_) = (from.place(), to.place());
        let moving = tokio::spawn(async move { Moving::begin(&from_, &to_).await });
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(!moving.is_finished());
        release.send(()).unwrap();
        writing.await.unwrap().unwrap();
        let moving = moving.await.unwrap().unwrap();
        let sums = copied(&moving).await.unwrap().sums;
        let attempts = sums.0.iter().find(|sum| sum.table == "sign_in_attempts").unwrap();
        assert_eq!(attempts.rows, u64::try_from(MANY).unwrap() + 1);
    }
}

/// Whoever comes between the freezing and the copying is not overlooked.
#[tokio::test]
async fn of_two_who_move_the_same_store_at_once_one_does() {
    for (from, to) in [(Home::sqlite(), Home::postgres()), (Home::postgres(), Home::sqlite())] {
        let from = from.filled().await;
        let (from_, to_) = (from.place(), to.place());
        let (one, two) = tokio::join!(Moving::begin(&from_, &to_), Moving::begin(&from_, &to_));
        let begun: Vec<Moving> = [one, two].into_iter().flatten().collect();
        let moving = begun.first().expect("one of them");
        let done = copied(moving).await.unwrap();
        assert_eq!(done.sums, to.sums().await);
        begun.into_iter().next().unwrap().end(&done, false).await.unwrap();
    }
}
