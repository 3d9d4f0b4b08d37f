//! A disk that is full.

use super::ledger::Outcome;
use super::scene::{Scene, ready, wait_until};
use guestlist_testbed::Disk;
use guestlist_testbed::http::Request;
use std::fs::{self, File};
use std::io::Write as _;

const SIZE: u64 = 24 << 20;

#[test]
fn a_full_disk_refuses_changes_and_says_so_and_takes_them_again() {
    let Some(disk) = Disk::new(SIZE).expect("a disk") else {
        let _ = writeln!(std::io::stderr(), "a full disk: left out, because only root mounts one");
        return;
    };
    let mut scene = Scene::within(&disk.path(), 2);
    let server = scene.start();
    let mut client = scene.client(&server);
    let ready_for_writes = || ready(&server, "?writes=1").status;
    assert_eq!((ready(&server, "").status, ready_for_writes()), (200, 200));
    assert_eq!(ready(&server, "").body, serde_json::json!({ "status": "ok" }));

    let filler = disk.path().join("filler");
    let mut full = File::create(&filler).expect("a file");
    for size in [1 << 20, 1 << 12, 1] {
        while full.write_all(&vec![b'x'; size]).is_ok() {}
    }
    // What the log has room for already is written still.
    let refused = (0..10_000)
        .map(|_| scene.ledgers[0].change(&mut client).expect("an answer"))
        .find(|outcome| *outcome != Outcome::Done);
    assert_eq!(refused, Some(Outcome::NotDone));

    let answer = ready(&server, "");
    assert_eq!((answer.status, &answer.body["status"]), (200, &"ok".into()));
    assert_eq!(answer.body["writes"], "refused");
    let why = answer.body["why"].as_str().expect("words").to_owned();
    assert!(why.contains("full"), "{why}");
    assert_eq!(ready_for_writes(), 503);
    let found = scene.ledgers[0].look(&mut client);
    assert_eq!(scene.ledgers[0].objection(found, None), None);
    let root = client.send(&Request::new("GET", "/".into(), None)).expect("an answer");
    assert_eq!(root.status, 200);

    // It is noticed by those who ask whether it is ready, without anybody who writes.
    fs::remove_file(&filler).expect("it goes");
    drop(full);
    wait_until("room", || ready_for_writes() == 200);
    assert_eq!(ready(&server, "").body, serde_json::json!({ "status": "ok" }));
    assert_eq!(scene.ledgers[0].change(&mut client).expect("an answer"), Outcome::Done);
    drop(client);
    server.kill();
    let server = scene.start();
    let (_, wrong) = scene.judge(&server, None);
    assert_eq!(wrong, [""; 0]);
    server.kill();
}
