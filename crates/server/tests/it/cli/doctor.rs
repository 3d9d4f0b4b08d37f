//! The doctor: a store that is well has no finding, each invariant that is broken by hand is found, and what
//! can be mended is.

use super::faults::{Fault, LOST, MENDABLE, OF_A_FILE};
use super::moving::{People, Postgres, serve};
use super::program::Place;
use guestlist::clock::Clock;
use guestlist::config::{CliArgs, Config, ServerArgs};
use guestlist::doctor::{Examination, Finding, Report};
use guestlist::rows::Tx;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::AtomicU64;

/// What the machine of a test may be like, which no store can help.
const OF_THE_MACHINE: [&str; 3] = ["disk", "file system", "limits"];

/// A store that is broken on purpose.
enum Broken {
    Sqlite(String),
    Postgres(Box<Postgres>),
}

impl Broken {
    fn url(&self) -> &str {
        match self {
            Self::Sqlite(path) => path,
            Self::Postgres(database) => &database.url,
        }
    }

    /// Does what nobody does.
    fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => {
                let connection = Connection::open(path).unwrap();
                connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Self::Postgres(database) => {
                let store = database.open();
                let sql = sql.to_owned();
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let work = move |tx: &mut Tx<'_>| tx.run(&sql, &[]);
                    store.write(work).await.unwrap();
                    store.close().await;
                });
            }
        }
    }

    /// Lets rows refer to nothing.
    fn unbind(&self) {
        if let Self::Postgres(_) = self {
            self.run(
                "DO $$ DECLARE r record; BEGIN
                    FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                        WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
                    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname); END LOOP;
                 END $$",
            );
        }
    }

    fn examine(&self, quick: bool) -> Report {
        let given = CliArgs { store: Some(self.url().to_owned()), ..CliArgs::default() };
        let config = Config::read(&given, &ServerArgs::default()).unwrap();
        let now = Clock::System.now();
        let mut report =
            Examination { config, backups: None, quick, now }.run(&AtomicU64::new(0)).unwrap();
        // A cluster that lives as long as the tests is not synced.
        report.findings.retain(|finding| {
            !OF_THE_MACHINE.contains(&finding.check) && !finding.what.ends_with("is off")
        });
        report
    }

    fn findings(&self) -> Vec<Finding> {
        self.examine(false).findings
    }

    /// Breaks the store by each of `faults`, and sees that it is found and was not before.
    fn break_by(&self, faults: &[Fault]) {
        for (sql, check, what) in faults {
            let is = |finding: &Finding| finding.check == *check && finding.what.contains(what);
            let before = self.findings();
            assert!(!before.iter().any(is), "{check} {what}, before: {before:#?}");
            self.run(sql);
            let after = self.findings();
            assert!(after.iter().any(is), "{check} {what} after {sql}: {after:#?}");
            for Finding { what, why, command, .. } in &after {
                assert!(!what.is_empty() && !why.is_empty() && !command.is_empty(), "{after:#?}");
            }
        }
    }
}

fn both() -> [(Place, Option<Postgres>); 2] {
    [(Place::new(), None), (Place::new(), Some(Postgres::new()))]
}

/// A store with people in it, of either engine.
fn peopled(place: &Place, database: Option<Postgres>) -> Broken {
    let broken = match database {
        None => Broken::Sqlite(place.path("a.db").display().to_string()),
        Some(database) => Broken::Postgres(Box::new(database)),
    };
    People::new(place, broken.url(), "300");
    assert_eq!(broken.findings(), []);
    broken
}

#[test]
fn what_is_broken_and_can_be_made_anew_is_found_and_mended() {
    for (place, database) in both() {
        let broken = peopled(&place, database);
        broken.unbind();
        broken.break_by(MENDABLE);
        if let Broken::Sqlite(_) = broken {
            broken.break_by(&OF_A_FILE[..2]);
        }
        let before = place.run(&["checksum", "--json", "--store", broken.url()]).json();
        let mended = place.run(&["mend", "--json", "--store", broken.url()]).json();
        assert!(mended["removed"].as_u64().unwrap() > 3, "{mended}");
        assert!(mended["counts"].as_u64().unwrap() > 5, "{mended}");
        assert_eq!(broken.findings(), [], "{}", broken.url());
        let after = place.run(&["checksum", "--json", "--store", broken.url()]).json();
        let people = |sums: &Value| {
            let tables = sums["tables"].as_array().unwrap();
            tables.iter().find(|table| table["table"] == "experience_users").unwrap().clone()
        };
        assert_eq!(people(&before), people(&after));
    }
}

#[test]
fn what_is_broken_and_lost_is_found() {
    for (place, database) in both() {
        let broken = peopled(&place, database);
        broken.unbind();
        broken.break_by(LOST);
    }
}

#[test]
fn what_only_a_file_can_have_is_found() {
    let place = Place::new();
    let broken = peopled(&place, None);
    broken.break_by(OF_A_FILE);
    // A page of an index that is not as it was written.
    let connection = Connection::open(broken.url()).unwrap();
    let page: u32 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'experience_users_by_updated'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    drop(connection);
    let mut bytes = fs::read(broken.url()).unwrap();
    let at = usize::try_from(page * 4096 - 40).unwrap();
    bytes[at..at + 40].fill(0x77);
    fs::write(broken.url(), bytes).unwrap();
    let findings = broken.findings();
    assert!(findings.iter().any(|finding| finding.check == "pages"), "{findings:#?}");
}

#[test]
fn a_store_is_examined_beside_its_server_and_stays_as_it_is() {
    let place = Place::new();
    let people = People::new(&place, "a.db", "300");
    let before = fs::read(place.path("a.db")).unwrap();
    let names = || {
        let entries = fs::read_dir(place.path("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        // Whoever looks at a WAL has one, be there nothing in it.
        let mut names: Vec<_> =
            names.filter(|name| !["a.db-wal", "a.db-shm"].contains(&name.as_str())).collect();
        names.sort();
        names
    };
    let there = names();
    let look = |more: &[&str]| {
        let done = place.run(&[&["doctor", "--store", "a.db", "--json"], more].concat());
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        let all = report["findings"].as_array().unwrap();
        let of_it =
            |finding: &&Value| !OF_THE_MACHINE.contains(&finding["check"].as_str().unwrap());
        assert_eq!(all.iter().filter(of_it).count(), 0, "{report}");
        assert_eq!(done.code, Some(i32::from(!all.is_empty())), "{}", done.stderr);
        report
    };
    let report = look(&[]);
    assert!(report["leftOut"][0].as_str().unwrap().starts_with("backups"), "{report}");
    assert_eq!(fs::read(place.path("a.db")).unwrap(), before);
    assert_eq!(names(), there);
    assert_eq!(fs::metadata(place.path("a.db-wal")).unwrap().len(), 0);
    let serving = serve(&place, "a.db");
    people.patch(&serving.client, "Changed").expect(200);
    look(&[]);
    let quick = look(&["--quick"]);
    assert!(quick["leftOut"].as_array().unwrap().contains(&json!("counts")), "{quick}");
    people.all_is_well(&serving.client, "Again");
    serving.stop();
    let missing = place.run(&["doctor", "--store", "none.db"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (Some(2), ""));
    assert!(missing.stderr.contains("there is no store at none.db"), "{}", missing.stderr);
}

#[test]
fn a_store_of_an_older_version_is_told_and_not_looked_at() {
    for (place, database) in both() {
        let broken = peopled(&place, database);
        broken.run(match broken {
            Broken::Sqlite(_) => "PRAGMA user_version = 3",
            Broken::Postgres(_) => "UPDATE guestlist_store SET version = 3",
        });
        let findings = broken.findings();
        assert!(findings[0].what.contains("has version 3"), "{findings:#?}");
        assert_eq!((findings.len(), findings[0].check), (1, "version"));
    }
}

#[test]
fn settings_files_and_backups_that_are_not_as_they_should_be_are_found() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    let found = |settings: &str, check: &str, what: &str| {
        fs::write(place.path("guestlist.toml"), settings).unwrap();
        let done = place.run(&["doctor", "--store", "a.db", "--json", "--quick"]);
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        let is = |finding: &&Value| {
            finding["check"] == check && finding["what"].as_str().unwrap().contains(what)
        };
        let count = report["findings"].as_array().unwrap().iter().filter(is).count();
        assert!(done.code == Some(1) && count > 0, "{what}: {report}");
    };
    let mode = |name: &str, mode| {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (settings, check, what) in [
        ("public-url = 'http://guests.example.com'", "tls", "which is not https"),
        ("listen = '0.0.0.0:8080'", "tls", "it listens on 0.0.0.0:8080"),
        ("public-url = 'https://guests.example.com'", "proxies", "no proxy is trusted"),
        ("hash-workers = 250", "settings", "hash-workers is 250"),
        (
            "max-connections = 100\nmax-connections-per-client = 200",
            "settings",
            "max-connections-per-client is more",
        ),
        ("backup-directory = 'backups'", "backup", "there is no backup in"),
    ] {
        found(settings, check, what);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    fs::write(place.path("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let tls = "tls-cert = 'cert.pem'\ntls-key = 'key.pem'";
    found(tls, "tls", "key.pem: it cannot be read");
    fs::write(place.path("key.pem"), key.serialize_pem()).unwrap();
    found(tls, "tls", "ends on 2026-01-01");
    mode("a.db", 0o644);
    found("", "files", "of mode 0644");
    mode("a.db", 0o600);
    mode("", 0o777);
    found("", "files", "can replace what is in");
    mode("", 0o700);
    let backup = place.run(&["backup", "backups", "--store", "a.db", "--json"]).json();
    found("backup-directory = 'backups'", "backup", "on the disk of the store");
    let manifest = place.path(backup["backup"].as_str().unwrap());
    let said = fs::read_to_string(&manifest).unwrap();
    let at = backup["createdAt"].as_str().unwrap();
    fs::write(&manifest, said.replace(at, "2026-01-05T00:00:00.000Z")).unwrap();
    found("backup-directory = 'backups'", "backup", "the last backup is of 2026-01-05");
    let failure = json!({ "at": at, "why": "no room" }).to_string();
    fs::write(place.path("backups/.guestlist-backup-failure"), failure).unwrap();
    found("backup-directory = 'backups'", "backup", "has failed: no room");
}
