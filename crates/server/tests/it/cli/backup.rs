//! Backups: made of a store that is served, verified, restored, and refused where they are not whole.

use super::moving::{People, Postgres, serve};
use super::program::Place;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

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
        ("format", json!(3), "it is of format 3"),
        ("format", json!(2), "its format and its encryption do not fit one another"),
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

/// Waits until `is` is so.
fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is() {
        assert!(since.elapsed() < Duration::from_mins(1), "{what}");
        sleep(Duration::from_millis(50));
    }
}

fn listed(place: &Place) -> Vec<Value> {
    let listed = place.run(&["backup", "list", "backups", "--json"]).json();
    listed.as_array().unwrap().clone()
}

#[test]
fn a_server_makes_backups_by_itself_and_the_newest_stay() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    let settings = "backup-directory = 'backups'\nbackup-every = 1\nbackup-keep = 2\n";
    fs::write(place.path("guestlist.toml"), settings).unwrap();
    let serving = serve(&place, "a.db");
    wait_until("a backup is made", || place.path("backups").exists() && !listed(&place).is_empty());
    let first = listed(&place)[0]["backup"].clone();
    wait_until("the first one goes", || !listed(&place).iter().any(|of| of["backup"] == first));
    let log = serving.stop();
    assert!(log.contains("a backup was made"), "{log}");
    let left = listed(&place);
    assert!((1..=3).contains(&left.len()), "{left:?}");
    place.run(&["backup", "verify", "backups"]).ok();
}

#[test]
fn a_backup_that_fails_is_in_the_log_and_the_doctor_knows() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    fs::write(place.path("guestlist.toml"), "backup-directory = 'backups'\nbackup-every = 1\n")
        .unwrap();
    fs::create_dir(place.path("backups")).unwrap();
    // Somebody else makes one, and this is not in their way.
    let lock = fs::File::create(place.path("backups/.guestlist-backup.lock")).unwrap();
    lock.lock().unwrap();
    let serving = serve(&place, "a.db");
    sleep(Duration::from_secs(1));
    let log = serving.stop();
    assert!(log.contains("another is being made") && !log.contains("failed"), "{log}");
    assert_eq!(listed(&place), [] as [Value; 0]);
    drop(lock);
    // What is no directory has no room for one.
    fs::create_dir(place.path("backups/.guestlist-unfinished-in-the-way")).unwrap();
    let serving = serve(&place, "a.db");
    let failure = place.path("backups/.guestlist-backup-failure");
    wait_until("it fails", || failure.exists());
    let log = serving.stop();
    assert!(log.contains("the backup has failed"), "{log}");
    let doctor = place.run(&["doctor", "--quick", "--store", "a.db"]);
    assert!(doctor.code == Some(1) && doctor.stdout.contains("has failed: "), "{}", doctor.stdout);
    fs::remove_dir(place.path("backups/.guestlist-unfinished-in-the-way")).unwrap();
    let serving = serve(&place, "a.db");
    wait_until("it goes well", || !failure.exists());
    serving.stop();
}

/// Two keys that `age-keygen` has made.
const RECIPIENTS: [(&str, &str); 2] = [
    (
        "age1x9d78v9zl32qzth9wmvxht6vj4hhnj6lddk9lxh6t6nex8j0dy4q00lkn3",
        "AGE-SECRET-KEY-1H0M4ZH65J74GVKCWC46XJ4V6TPXSPSV259PERAU7D5VGH00KVYCQ6MMK7N",
    ),
    (
        "age1h5uqd5crwn7fgfq240fm3hawtguq3ptjukmw3xwqs0pd3umsz4xqxls38x",
        "AGE-SECRET-KEY-1Q9Y3F5W7JJPMSZYCVWYX7RKQJD2VCCSDW4HEU9KMVNMKR5Y0Z8ZQPJX9QP",
    ),
];

#[test]
fn an_encrypted_backup_is_read_by_its_recipients_and_nobody_else() {
    let place = Place::new();
    People::new(&place, "a.db", "300");
    for ((_, secret), name) in RECIPIENTS.iter().zip(["one.txt", "other.txt"]) {
        fs::write(place.path(name), format!("# a comment\n{secret}\n")).unwrap();
    }
    let settings = format!("backup-recipients = ['{}']\n", RECIPIENTS[0].0);
    fs::write(place.path("guestlist.toml"), settings).unwrap();
    let backup = back_up(&place, "a.db");
    assert_eq!(backup["encryptedTo"], json!([RECIPIENTS[0].0]));
    let mut all = fs::read_dir(place.path("backups")).unwrap().map(|entry| entry.unwrap().path());
    let store = all.find(|path| path.to_str().unwrap().ends_with(".sqlite.zst.age"));
    let store = store.unwrap();
    let verify = |more: &[&str]| place.run(&[&["backup", "verify", "backups"], more].concat());
    verify(&[]).failed("give --identity");
    verify(&["--identity", "other.txt"]).failed("no key that was given is of one of them");
    verify(&["--identity", "other.txt", "--identity", "one.txt"]).ok();
    verify(&["--identity", "a.db"]).failed("a.db");
    let to = ["restore", "backups", "--to", "b.db", "--keep-tokens", "--identity", "one.txt"];
    place.run(&to).ok();
    assert_eq!(checksum(&place, "b.db"), backup["checksum"]);
    let packed = fs::read(&store).unwrap();
    assert!(
        !packed.windows(4).any(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]),
        "zstd is to be seen"
    );
    let mut flipped = packed.clone();
    flipped[packed.len() / 2] ^= 1;
    fs::write(&store, &flipped).unwrap();
    verify(&["--identity", "one.txt"]).failed("is not as it was written");
    let wrong = ["backup", "more", "--store", "a.db", "--recipient", "age1nobody"];
    assert_eq!(place.run(&wrong).code, Some(2));
}

#[test]
fn age_reads_what_is_encrypted_here_and_is_read() {
    let place = Place::new();
    People::new(&place, "a.db", "10");
    let (recipient, secret) = RECIPIENTS[0];
    fs::write(place.path("one.txt"), secret).unwrap();
    let encrypt = ["backup", "backups", "--store", "a.db", "--recipient", recipient];
    let encrypt = [&encrypt[..], &["--recipient", RECIPIENTS[1].0]].concat();
    place.run(&encrypt).ok();
    let age = |arguments: &[&str]| {
        let mut command = std::process::Command::new("age");
        let done = command.args(arguments).current_dir(place.path("")).output();
        let done =
            done.expect("`age`, of the Debian package of that name: cargo xtask installs it");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let all = fs::read_dir(place.path("backups")).unwrap().map(|entry| entry.unwrap().path());
    let (stores, rest): (Vec<_>, Vec<_>) =
        all.partition(|path| path.extension().is_some_and(|ending| ending == "age"));
    let store = stores[0].to_str().unwrap();
    age(&["--decrypt", "--identity", "one.txt", "--output", "plain.zst", store]);
    // What it encrypts anew is another file with the same in it.
    fs::remove_file(store).unwrap();
    age(&["--encrypt", "--recipient", recipient, "--output", store, "plain.zst"]);
    let is_manifest = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "json");
    let manifest = rest.iter().find(is_manifest).unwrap();
    let mut said: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let bytes = fs::read(store).unwrap();
    said["bytes"] = json!(bytes.len());
    said["sha256"] = json!(sha256(&bytes));
    fs::write(manifest, said.to_string()).unwrap();
    place.run(&["backup", "verify", "backups", "--identity", "one.txt"]).ok();
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
