//! A database that goes back to a moment by pgBackRest, with the settings that the guide gives.

use super::moving::{People, serve};
use super::program::Place;
use guestlist_testbed::{Cluster, Settings};
use serde_json::Value;
use std::thread::sleep;
use std::time::{Duration, Instant};

const GUIDE: &str = include_str!("../../../../../docs/operate/postgres-backup.md");

/// The block of the guide that is of this `kind`.
fn block(kind: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("```{kind}\n")).expect("a block of the guide");
    rest.split_once("```").unwrap().0
}

/// The settings of the guide, for what is in the directory of `cluster`.
fn settings(cluster: &Cluster) -> String {
    let directory = cluster.directory().display().to_string();
    let here = |line: &str| match line.split_once('=') {
        Some(("repo1-path", _)) => format!("repo1-path={directory}/repository"),
        Some(("repo1-cipher-pass", _)) => "repo1-cipher-pass=a-secret-of-this-test".to_owned(),
        Some(("pg1-path", _)) => format!(
            "pg1-path={directory}/data\npg1-socket-path={directory}\npg1-port={}\npg1-user=postgres",
            cluster.address().port()
        ),
        _ if line == "[global]" => {
            format!("[global]\nlog-path={directory}/logs\nlock-path={directory}/locks")
        }
        _ => line.to_owned(),
    };
    block("ini").lines().map(here).map(|line| line + "\n").collect()
}

#[test]
fn a_database_goes_back_to_a_moment() {
    let more = [("archive_mode", "on"), ("archive_timeout", "60"), ("wal_level", "replica")];
    let more = more.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let cluster = Cluster::start(&Settings { more, ..Settings::default() }).unwrap();
    let config = format!("--config={}/pgbackrest.conf", cluster.directory().display());
    cluster.write("pgbackrest.conf", &settings(&cluster)).unwrap();
    cluster.run(&["mkdir", "repository", "logs", "locks"]).unwrap();
    let pgbackrest = |words: &[&str]| {
        let program = ["pgbackrest", &config, "--stanza=guestlist", "--log-level-console=warn"];
        cluster.run(&[&program[..], words].concat()).expect("pgbackrest, of its Debian package");
    };
    let (_, push) = GUIDE.split_once("archive_command = 'pgbackrest ").unwrap();
    let push = format!("pgbackrest {config} {}", push.split_once('\'').unwrap().0);
    cluster.sql(&format!("ALTER SYSTEM SET archive_command = '{push}'")).unwrap();
    cluster.sql("SELECT pg_reload_conf()").unwrap();
    pgbackrest(&["stanza-create"]);
    pgbackrest(&["check"]);

    let (place, store) = (Place::new(), cluster.url());
    let people = People::new(&place, &store, "100");
    let serving = serve(&place, &store);
    pgbackrest(&["--type=full", "backup"]);
    // Of after the backup, so that the log has to be replayed.
    people.patch(&serving.client, "Before").expect(200);
    cluster.sql("SELECT pg_create_restore_point('before-import')").unwrap();
    people.patch(&serving.client, "Later").expect(200);
    let path = format!("/applications/{}", people.application());
    serving.client.call(&people.token, "DELETE", &path, &serde_json::json!({})).expect(200);
    people.ask(&serving.client).expect(401);
    // All of it is in the repository, the bad part too.
    pgbackrest(&["check"]);
    serving.stop();

    cluster.stop().unwrap();
    cluster.run(&["mv", "data", "moved-away"]).unwrap();
    cluster.run(&["mkdir", "-m", "700", "data"]).unwrap();
    pgbackrest(&["--type=name", "--target=before-import", "--target-action=promote", "restore"]);
    cluster.begin().unwrap();
    let since = Instant::now();
    while cluster.sql("SELECT pg_is_in_recovery()").unwrap() != "f" {
        assert!(since.elapsed() < Duration::from_mins(1), "{}", cluster.log());
        sleep(Duration::from_millis(50));
    }
    let doctor = place.run(&["doctor", "--json", "--store", &store]);
    let report: Value = serde_json::from_str(&doctor.stdout).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        // The cluster of a test is not synced, and its machine is as it is.
        let known = ["postgres", "disk", "file system", "limits"];
        assert!(known.contains(&finding["check"].as_str().unwrap()), "{report}");
    }
    let serving = serve(&place, &store);
    assert_eq!(people.ask(&serving.client).expect(200).json()["lastName"], "Before");
    people.all_is_well(&serving.client, "Again");
    serving.stop();
    // It goes on from here.
    pgbackrest(&["--type=full", "backup"]);
}
