//! Syncs that fail. After the first nothing is answered as done, the process ends, and the next start
//! has all that was answered.

use super::ledger::{Ledger, Outcome};
use super::scene::Scene;
use guestlist_testbed::Calls;
use guestlist_testbed::http::Client;
use std::io;

/// `EX_IOERR`.
const EXIT_CODE: i32 = 74;

/// Has changes made until the server is gone: how many ended how, in order.
fn until_gone(ledger: &mut Ledger, mut client: Client) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    loop {
        let outcome: io::Result<Outcome> = ledger.change(&mut client);
        match outcome {
            Ok(outcome) => outcomes.push(outcome),
            Err(_) => return outcomes,
        }
        assert!(outcomes.len() < 5_000, "it goes on");
    }
}

#[test]
fn a_sync_of_the_log_that_fails_ends_the_process_and_leaves_one_change_in_doubt() {
    let mut scene = Scene::new(1);
    let mut told = 0;
    // The first sync that fails, and one in the midst of others.
    for when in ["EIO:when=1+", "EIO:when=7", "ENOSPC:when=3+"] {
        let mut server = scene.start();
        let inject = format!("fsync,fdatasync:error={when}");
        let log = scene.beside("-wal");
        let calls = Calls::fail(server.pid(), &[&log], &inject).expect("strace");
        let client = scene.client(&server);
        let outcomes = until_gone(&mut scene.ledgers[0], client);
        assert_eq!(server.ended(), Some(EXIT_CODE), "{}", server.log());
        assert!(calls.end().expect("its log") > 0);
        let after: Vec<_> =
            outcomes.iter().copied().skip_while(|outcome| *outcome == Outcome::Done).collect();
        // On a busy machine the process may be gone before the answer is.
        told += after.len();
        assert_ne!(after.first(), Some(&Outcome::NotDone), "{when}: {outcomes:?}");
        assert!(!after.contains(&Outcome::Done), "{when}: {outcomes:?}");
        let log = server.log();
        let line = log.lines().find(|line| line.contains("the disk of the store has failed"));
        let line = line.unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains(r#""level":"ERROR""#) && line.contains("the WAL"), "{line}");
        let server = scene.start();
        let (_, wrong) = scene.judge(&server, None);
        assert_eq!(wrong, [""; 0]);
        server.kill();
    }
    assert!(told > 0, "nobody was told");
}

#[test]
fn a_sync_of_the_database_that_fails_ends_the_process_and_loses_nothing() {
    let mut scene = Scene::new(1);
    let mut server = scene.start();
    let inject = "fsync,fdatasync:error=EIO:when=1";
    let calls = Calls::fail(server.pid(), &[&scene.store], inject).expect("strace");
    // The database is synced when what is in the log is copied into it.
    let client = scene.client(&server);
    let outcomes = until_gone(&mut scene.ledgers[0], client);
    assert_eq!(server.ended(), Some(EXIT_CODE), "{}", server.log());
    assert!(calls.end().expect("its log") > 0);
    let after = outcomes.iter().skip_while(|outcome| **outcome == Outcome::Done);
    assert!(!after.clone().any(|outcome| *outcome == Outcome::Done), "{outcomes:?}");
    assert!(server.log().contains("the disk of the store has failed"), "{}", server.log());
    // Nothing was copied in closing, and the log has everything still.
    let log = std::fs::metadata(scene.beside("-wal")).expect("a log").len();
    assert!(log > 1000 * 4096, "{log}");
    let server = scene.start();
    let (done, wrong) = scene.judge(&server, None);
    assert_eq!(wrong, [""; 0]);
    assert!(done > 10, "{done}");
    server.kill();
}

#[test]
fn a_process_that_is_killed_needs_no_sync() {
    let mut scene = Scene::new(4);
    let server = scene.start();
    let files = [scene.store.clone(), scene.beside("-wal")];
    let files = files.each_ref().map(std::path::PathBuf::as_path);
    let lies = Calls::fail(server.pid(), &files, "fsync,fdatasync:retval=0").expect("strace");
    scene.work(&server, || std::thread::sleep(std::time::Duration::from_millis(500)));
    server.kill();
    assert!(lies.end().expect("its log") > 0);
    let server = scene.start();
    let (done, wrong) = scene.judge(&server, None);
    // The kernel has it all: only the loss of power tells a sync from none.
    assert_eq!(wrong, [""; 0]);
    assert!(done > 10, "{done}");
    server.kill();
}
