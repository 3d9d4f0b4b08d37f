//! Backups: made of a store that is served, verified, restored, and refused where they are not whole.

use super::moving::{People, Postgres, serve};
use super::program::Place;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

/// Makes a backup of `store`, and answers what was said of it.
fn back_up(place: &Place, store: &str) -> Value {
    place.run(&["backup", "backups", "--store", store, "--json"]).json()
}

fn checksum(place: &Place, store: &str) -> Value {
    place.run(&["checksum", "--json", "--store", store]).json()["checksum"].clone()
}

fn restore(place: &Place, to: &str, tokens: &str) -> Value {
    place.run(&["restore", "backups", "--to", to, tokens, "--json"]).json()
}

/// The files of the one backup that there is: the manifest, and the packed store.
fn files(place: &Place) -> (PathBuf, PathBuf) {
    let all = fs::read_dir(place.path("backups")).unwrap().map(|entry| entry.unwrap().path());
    let all: Vec<_> = all.filter(|path| !path.ends_with(".guestlist-backup.lock")).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    let of = |ending: &str| {
        all.iter().find(|path| path.to_str().unwrap().ends_with(ending)).unwrap().clone()
    };
    (of(".json"), of(".sqlite.zst"))
}

#[test]
fn a_store_is_backed_up_while_it_is_served_and_restored() {
    let place = Place::new();
    let people = People::new(&place, "a.db", "2500");
    let serving = serve(&place, "a.db");
    let done = AtomicBool::new(false);
    let (backup, patched) = scope(|threads| {
        let patching = threads.spawn(|| {
            let mut patched = 0;
            while !done.load(Ordering::SeqCst) {
                people.patch(&serving.client, &format!("Name {patched}")).expect(200);
                patched += 1;
            }
            patched
        });
        let backup = back_up(&place, "a.db");
        done.store(true, Ordering::SeqCst);
        (backup, patching.join().unwrap())
    });
    assert!(patched > 0 && backup["rows"].as_u64().unwrap() > 8_000, "{backup}");
    // What is changed later is not in it.
    people.patch(&serving.client, "Later").expect(200);
    serving.stop();
    let (manifest, store) = files(&place);
    for path in [&manifest, &store] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    assert_eq!(
        backup["backup"],
        json!(format!("backups/{}", manifest.file_name().unwrap().to_str().unwrap()))
    );
    let listed = place.run(&["backup", "list", "backups", "--json"]).json();
    assert_eq!(listed[0]["checksum"], backup["checksum"]);
    let verified = place.run(&["backup", "verify", "backups", "--json"]).json();
    assert_eq!(verified["checksum"], backup["checksum"]);
    let restored = restore(&place, "b.db", "--keep-tokens");
    assert_eq!(restored["rows"], backup["rows"]);
    assert_eq!(checksum(&place, "b.db"), backup["checksum"]);
    let serving = serve(&place, "b.db");
    let name = people.ask(&serving.client).expect(200).json()["lastName"].clone();
    assert!(name != "Later", "{name}");
    people.all_is_well(&serving.client, "Again");
    serving.stop();
}

#[test]
fn tokens_end_with_a_restore_that_is_told_so() {
    let place = Place::new();
    let people = People::new(&place, "a.db", "10");
    back_up(&place, "a.db");
    let undecided = place.run(&["restore", "backups", "--to", "b.db"]);
    assert_eq!(undecided.code, Some(2));
    assert!(undecided.stderr.contains("--keep-tokens"), "{}", undecided.stderr);
    restore(&place, "b.db", "--end-tokens");
    let serving = serve(&place, "b.db");
    people.ask(&serving.client).expect(401);
    serving.stop();
    // The other store has not changed.
    let serving = serve(&place, "a.db");
    people.ask(&serving.client).expect(200);
    serving.stop();
}

#[test]
fn what_is_not_whole_is_refused_with_the_reason() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    back_up(&place, "a.db");
    let (manifest, store) = files(&place);
    let (said, packed) = (fs::read(&manifest).unwrap(), fs::read(&store).unwrap());
    let refused = |why: &str| {
        place.run(&["backup", "verify", "backups"]).failed(why);
        let to = ["restore", "backups", "--to", "b.db", "--keep-tokens"];
        place.run(&to).failed(why);
        assert!(!place.path("b.db").exists());
        // Nothing is left of what was unpacked.
        files(&place);
    };
    let mut flipped = packed.clone();
    flipped[packed.len() / 2] ^= 1;
    fs::write(&store, &flipped).unwrap();
    refused("is not what its manifest says");
    fs::write(&store, &packed[..packed.len() - 1]).unwrap();
    refused("are said");
    fs::write(&store, &packed).unwrap();
    for (field, value, why) in [
        ("format", json!(2), "it is of format 2"),
        ("file", json!("../a.db"), "file is to be a name without a directory"),
        ("sha256", json!("0"), "its SHA-256 is another"),
        ("storeSha256", json!("0"), "the store in it is another"),
        ("schemaVersion", json!(999), "the backup is of version 999"),
    ] {
        let mut other: Value = serde_json::from_slice(&said).unwrap();
        other[field] = value;
        fs::write(&manifest, other.to_string()).unwrap();
        refused(why);
    }
    let mut other: Value = serde_json::from_slice(&said).unwrap();
    other["tables"][2]["rows"] = json!(7);
    fs::write(&manifest, other.to_string()).unwrap();
    refused("and 7 with");
    fs::write(&manifest, &said).unwrap();
    place.run(&["backup", "verify", "backups"]).ok();
    place.run(&["backup", "verify", "a.db"]).failed("is not the manifest of a backup");
    fs::create_dir(place.path("none")).unwrap();
    place.run(&["backup", "verify", "none"]).failed("there is no backup in none");
}

#[test]
fn nothing_is_restored_over_what_is_there() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    back_up(&place, "a.db");
    let to = |name: &str| place.run(&["restore", "backups", "--to", name, "--keep-tokens"]);
    let before = fs::read(place.path("a.db")).unwrap();
    to("a.db").failed("there is something at");
    assert_eq!(fs::read(place.path("a.db")).unwrap(), before);
    for ending in ["-wal", "-shm", "-journal"] {
        let left = place.path(&format!("b.db{ending}"));
        fs::write(&left, "left").unwrap();
        to("b.db").failed(&format!("b.db{ending}"));
        fs::remove_file(left).unwrap();
    }
    to("b.db").ok();
}

#[test]
fn a_store_of_either_engine_is_restored_to_either() {
    let (place, one, other) = (Place::new(), Postgres::new(), Postgres::new());
    let people = People::new(&place, &one.url, "300");
    let backup = back_up(&place, &one.url);
    assert_eq!(checksum(&place, &one.url), backup["checksum"]);
    for to in ["b.db", &other.url] {
        let restored = restore(&place, to, "--keep-tokens");
        assert_eq!(restored["rows"], backup["rows"]);
        assert_eq!(checksum(&place, to), backup["checksum"]);
        let serving = serve(&place, to);
        people.all_is_well(&serving.client, "Again");
        serving.stop();
    }
    let again = ["restore", "backups", "--to", &other.url, "--keep-tokens"];
    place.run(&again).failed("is not empty");
}

#[test]
fn a_backup_that_is_killed_is_none_and_is_in_nobodys_way() {
    let place = Place::new();
    People::new(&place, "a.db", "3000");
    let (mut killed, mut whole) = (0, 0);
    for round in 0..12_u64 {
        let mut command = place.command(&["backup", "backups", "--store", "a.db"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(40 * round));
        drop(child.kill());
        if child.wait().unwrap().success() {
            whole += 1;
        } else {
            killed += 1;
        }
    }
    assert!(killed > 0, "none was killed");
    let listed = || {
        if !place.path("backups").exists() {
            return 0;
        }
        place.run(&["backup", "list", "backups", "--json"]).json().as_array().unwrap().len()
    };
    // One may have been killed after its manifest was there.
    let found = listed();
    assert!(found >= whole && found <= whole + killed);
    back_up(&place, "a.db");
    assert_eq!(listed(), found + 1);
    for entry in fs::read_dir(place.path("backups")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.starts_with(".guestlist-unfinished"), "{name}");
    }
    let all = place.run(&["backup", "list", "backups", "--json"]).json();
    for backup in all.as_array().unwrap() {
        place.run(&["backup", "verify", backup["backup"].as_str().unwrap()]).ok();
    }
}

#[test]
fn two_backups_in_one_directory_are_one_too_many() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    fs::create_dir(place.path("backups")).unwrap();
    let lock = fs::File::create(place.path("backups/.guestlist-backup.lock")).unwrap();
    lock.lock().unwrap();
    let again = ["backup", "backups", "--store", "a.db"];
    place.run(&again).failed("another backup is being made");
    drop(lock);
    place.run(&again).ok();
}
