//! Writes to the log that fail, the first, the second and so on until a change needs no more of them.

use super::ledger::Outcome;
use super::scene::{Scene, wait_until};
use guestlist_testbed::Calls;

/// More than a change takes.
const MOST: usize = 60;

#[test]
fn what_is_refused_for_a_full_disk_is_not_there_after_a_crash() {
    let mut scene = Scene::new(1);
    let server = scene.start();
    let log = scene.beside("-wal");
    let mut client = scene.client(&server);
    for number in 1..=MOST {
        let inject = format!("write,pwrite64:error=ENOSPC:when={number}");
        let calls = Calls::fail(server.pid(), &[&log], &inject).expect("strace");
        let outcome = scene.ledgers[0].change(&mut client).expect("an answer");
        let failed = calls.end().expect("its log");
        // Before anything else is written: it is not there for those who read now, nor for those who
        // read after a crash.
        let there = [scene.ledgers[0].look(&mut client), scene.after_a_crash()];
        for found in there {
            assert_eq!(scene.ledgers[0].objection(found, None), None, "write {number}");
        }
        let expected = if failed == 0 { Outcome::Done } else { Outcome::NotDone };
        assert_eq!(outcome, expected, "write {number}: {}", server.log());
        if failed == 0 {
            assert!(number > 2, "nothing was written");
            server.kill();
            return;
        }
    }
    panic!("a change takes more than {MOST} writes");
}

#[test]
fn a_disk_without_room_takes_changes_again_when_there_is_some() {
    let mut scene = Scene::new(1);
    let server = scene.start();
    let log = scene.beside("-wal");
    let mut client = scene.client(&server);
    let inject = "write,pwrite64:error=ENOSPC:when=20+";
    let calls = Calls::fail(server.pid(), &[&log], inject).expect("strace");
    let mut change = || scene.ledgers[0].change(&mut client).expect("an answer");
    let outcomes: Vec<_> = (0..30).map(|_| change()).collect();
    let done = outcomes.iter().take_while(|outcome| **outcome == Outcome::Done).count();
    assert!(done < 20 && outcomes[done..].iter().all(|outcome| *outcome == Outcome::NotDone));
    calls.end().expect("its log");
    assert_eq!(change(), Outcome::Done);
    server.kill();
    let server = scene.start();
    let (_, wrong) = scene.judge(&server, None);
    assert_eq!(wrong, [""; 0]);
    server.kill();
}

#[test]
fn a_checkpoint_that_cannot_write_loses_nothing() {
    let mut scene = Scene::new(8);
    let server = scene.start();
    let inject = "write,pwrite64:error=EIO:when=1+";
    let calls = Calls::fail(server.pid(), &[&scene.store], inject).expect("strace");
    // What is not copied stays in the WAL, so that the server may go on.
    scene.work(&server, || {
        wait_until("a checkpoint", || server.log().contains("the WAL could not be checkpointed"));
    });
    assert!(calls.end().expect("its log") > 0);
    let mut client = scene.client(&server);
    assert_eq!(scene.ledgers[0].change(&mut client).expect("an answer"), Outcome::Done);
    server.kill();
    let server = scene.start();
    let (done, wrong) = scene.judge(&server, None);
    assert_eq!(wrong, [""; 0]);
    assert!(done > 100, "{done}");
    server.kill();
}

#[test]
fn a_write_to_the_log_that_fails_in_a_commit_ends_the_process() {
    let mut scene = Scene::new(1);
    let mut told = 0;
    for number in [1, 2, 5] {
        let mut server = scene.start();
        let log = scene.beside("-wal");
        let inject = format!("write,pwrite64:error=EIO:when={number}");
        let calls = Calls::fail(server.pid(), &[&log], &inject).expect("strace");
        let mut client = scene.client(&server);
        // On a busy machine the process may be gone before the answer is.
        if let Ok(outcome) = scene.ledgers[0].change(&mut client) {
            assert_eq!(outcome, Outcome::Unknown, "write {number}: {}", server.log());
            told += 1;
        }
        assert_eq!(server.ended(), Some(74), "{}", server.log());
        assert!(calls.end().expect("its log") > 0);
        let server = scene.start();
        let (_, wrong) = scene.judge(&server, None);
        assert_eq!(wrong, [""; 0], "write {number}");
        server.kill();
    }
    assert!(told > 0, "nobody was told");
}
