//! Stores that are moved, and what is in them.

use super::*;

/// Where a store is, until the end of the test.
pub(super) enum Home {
    File(TempDir),
    Database(Box<Database>),
}

impl Home {
    pub(super) fn sqlite() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    pub(super) fn postgres() -> Self {
        let url = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
            "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
        );
        Self::Database(Box::new(Database::new(&url).unwrap()))
    }

    pub(super) fn each() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    pub(super) fn place(&self) -> StoreUrl {
        match self {
            Self::File(directory) => StoreUrl::Sqlite(directory.path().join("guestlist.db")),
            Self::Database(database) => database.place(),
        }
    }

    /// The store as somebody uses it, whatever is in it.
    pub(super) fn open(&self) -> Store {
        let options = Options { readers: 1, writers: 1, ..Options::default() };
        Store::open_at(&self.place(), &options).unwrap()
    }

    pub(super) async fn run(&self, sql: &'static str) {
        let store = self.open();
        assert_ne!(store.write(move |tx| tx.run(sql, &[])).await.unwrap(), 0, "{sql}");
        store.close().await;
    }

    pub(super) async fn sums(&self) -> Sums {
        let store = self.open();
        let sums = store.read(|tx| moving::sums(tx, &AtomicU64::new(0))).await.unwrap();
        store.close().await;
        sums
    }

    pub(super) async fn filled(self) -> Self {
        let store = self.open();
        store.write(fill).await.unwrap();
        store.close().await;
        self
    }
}

/// Rows that are more than go into one transaction.
pub(super) const MANY: i64 = 4321;

/// Something in every table: nothing and the empty, the smallest and the largest, every plane of
/// letters; parents that come after their children.
pub(super) fn fill(tx: &mut Tx<'_>) -> Result<()> {
    let all: Vec<u8> = (0..=255).collect();
    let put = "INSERT INTO settings (name, value) VALUES ($1, $2), ($3, $4)";
    tx.run(put, &[&"signing_key", &all, &"organization", &Vec::<u8>::new()])?;
    for sql in [
        "INSERT INTO users VALUES ('u1', 'Ä@b.c', 'ä@b.c', '$h$', '{}', 1, 2, 3, NULL, NULL),
            ('u2', 'x@b.c', 'x@b.c', '', '{\"a\":\"\u{10FFFF}\"}', -1, 0, 9223372036854775807, 0, 7)",
        "INSERT INTO applications (id, name, name_key, description, created, updated, token_cutoff, kept)
            VALUES ('a1', 'Ünï', 'ünï', NULL, 1, 2, NULL, '{}'),
            ('a2', '', '', '', 1, 2, -9223372036854775807, '{\"x\": 1}')",
        "INSERT INTO experience_users (application_id, id, email, email_key, first_name,
            first_name_key, last_name, last_name_key, password_hash, created, updated,
            password_updated, last_login, token_cutoff, tags) VALUES
            ('a1', 'e1', 'a@b.c', 'a@b.c', NULL, NULL, '', '', 'h', 1, 2, NULL, NULL, NULL, '{}'),
            ('a1', 'e2', 'b@b.c', 'b@b.c', '💡', '💡', 'Ω', 'ω', 'h', 1, 2, 3, 4, 5, '{\"Z\":\"1\"}'),
            ('a2', 'e1', 'a@b.c', 'a@b.c', 'ﬀ', 'ﬀ', NULL, NULL, 'h', 1, 2, 3, 4, 5, '{}')",
        "INSERT INTO experience_groups VALUES
            ('a1', 'g3', 'c', 'c', NULL, NULL, 1, 2, '{}', '[]', '[]', '[]', NULL),
            ('a2', 'g1', 'o', 'o', NULL, NULL, 1, 2, '{}', '[]', '[]', '[]', '{}')",
        "INSERT INTO experience_groups VALUES
            ('a1', 'g2', 'b', 'b', '', 'g3', 1, 2, '{\"t\":\"\"}', '[\"p\"]', '[]', '[]', NULL)",
        "INSERT INTO experience_groups VALUES
            ('a1', 'g1', 'a', 'a', 'd', 'g2', 1, 2, '{}', '[]', '[]', '[]', NULL)",
        "INSERT INTO memberships VALUES ('a1', 'e1', 'g1'), ('a1', 'e1', 'g2'), ('a1', 'e2', 'g1')",
        "INSERT INTO api_tokens VALUES
            ('t1', 'k', 'a1', NULL, NULL, NULL, 'n', 'n', NULL, 1, 2, NULL, 's', 'active', NULL, NULL,
                NULL),
            ('t2', 'k', 'u1', 'u1', 'user', '名', 'n', 'n', '', 1, 2, 3, '', 'x', 'r', '[]', 5)",
        "INSERT INTO user_tags VALUES ('a1', 'e1', 'Z', ''), ('a1', 'e1', 'a', ' '),
            ('a1', 'e1', 'ä', '\u{FFFD}'), ('a1', 'e1', '\u{FFFF}', '1'),
            ('a1', 'e1', '\u{10000}', '2'), ('a1', 'e1', '_', '3'), ('a1', 'e2', 'Z', '1')",
        "INSERT INTO group_tags VALUES ('a1', 'g2', 't', '')",
        "INSERT INTO group_endpoints VALUES ('a1', 'g2', 'p')",
        "INSERT INTO experience_sign_in VALUES ('a2', '{\"pages\":true}')",
        "INSERT INTO user_sign_in_attempts VALUES
            ('a1', 'w', 1, 0, -5, 9223372036854775807, 'a'), ('a1', 'x', 0, 1, 2, 3, NULL)",
        "UPDATE counts SET total = 2 WHERE counted = 'applications'",
        "INSERT INTO counts VALUES ('a1', 'users', 2, 2048), ('a2', 'users', 0, 0)",
    ] {
        tx.run(sql, &[])?;
    }
    for number in 0..MANY {
        let sql = "INSERT INTO sign_in_attempts VALUES ($1, $2, 0)";
        tx.run(sql, &[&format!("{number}@b.c"), &number])?;
    }
    let sql = "INSERT INTO experience_keys VALUES ('a1', 'k', $1, 1, 0)";
    tx.run(sql, &[&all])?;
    let sql = "INSERT INTO links VALUES ('a1', 'reset', 'e1', 'l1', 'a@b.c', 'e1', $1, 1, 2, 'a@b.c', NULL, '{}'),
        ('a1', 'invite', 'c@b.c', 'l2', 'C@b.c', NULL, $2, 1, 2, NULL, NULL, '{\"firstName\":\"Ω\"}')";
    tx.run(sql, &[&all, &&all[..9]])?;
    let sql = "INSERT INTO mails VALUES
        ('a1', 'm1', 'reset', 'a@b.c', 'a@b.c', 'e1', 1, 2, 'queued', 3, 1, 'no', $1, '{}'),
        ('a1', 'm2', 'nobody', 'c@b.c', 'c@b.c', NULL, 1, NULL, 'sent', 3, 1, NULL, NULL, '{}')";
    tx.run(sql, &[&all])?;
    tx.run("INSERT INTO work VALUES ('m1', 'mail', 'a1', 4, 1)", &[])?;
    let sql = "INSERT INTO answers VALUES ($1, $2, $3, $4, 1, 201, $5, $6, $7, 640, $8)";
    let none = None::<String>;
    let mint = Some("t1".to_owned());
    tx.run(sql, &[&"t1", &all, &none, &all, &none, &all, &none, &none])?;
    tx.run(sql, &[&"t1", &&all[..1], &"a1", &&all[255..], &"\"e\"", &&all[..0], &mint, &"e1"])?;
    Ok(())
}
