//! Files of the store that are taken away under the server.

use super::ledger::Outcome;
use super::scene::{Scene, ready, wait_until};
use std::fs;

#[test]
fn a_store_whose_file_is_taken_away_takes_no_changes() {
    for suffix in ["", "-wal", "-shm"] {
        let mut scene = Scene::new(1);
        let server = scene.start();
        let mut client = scene.client(&server);
        assert_eq!(scene.ledgers[0].change(&mut client).expect("an answer"), Outcome::Done);
        assert_eq!(ready(&server, "").status, 200);
        let (file, aside) = (scene.beside(suffix), scene.beside("-aside"));
        fs::rename(&file, &aside).expect("a move");
        for another in [false, true] {
            if another {
                fs::write(&file, "another").expect("a file");
            }
            let outcome = scene.ledgers[0].change(&mut client).expect("an answer");
            assert_eq!(outcome, Outcome::NotDone, "{suffix:?} {another}");
            assert_eq!(ready(&server, "").status, 503, "{suffix:?} {another}");
        }
        // The line is there although nothing else is logged: it did not wait.
        let log = server.log();
        let lines = log.lines().filter(|line| line.contains("a file of the store is gone"));
        assert_eq!(lines.count(), 1, "{log}");
        fs::rename(&aside, &file).expect("a move");
        assert_eq!(scene.ledgers[0].change(&mut client).expect("an answer"), Outcome::Done);
        assert_eq!(ready(&server, "").status, 200);
        server.kill();
        let server = scene.start();
        let (_, wrong) = scene.judge(&server, None);
        assert_eq!(wrong, [""; 0], "{suffix:?}");
        server.kill();
    }
}

#[test]
fn what_is_logged_of_a_file_that_is_cut_short_is_written_before_that_ends_the_process() {
    let scene = Scene::new(1);
    let mut server = scene.start();
    let file = fs::OpenOptions::new().write(true).open(&scene.store).expect("the file");
    file.set_len(0).expect("a shorter file");
    // Whoever reads what is no longer there is ended by a signal, unless it is told of it by an error.
    let mut asked = 0;
    wait_until("its end, or an error", || {
        asked += 1;
        let request = scene.post(&format!("{asked}@disk.test"));
        let client = guestlist_testbed::http::Client::connect(&server.address, &scene.token);
        let answer = client.and_then(|mut client| client.send(&request));
        match answer {
            // What is in memory still is no matter.
            Ok(answer) if answer.status == 201 => false,
            Ok(answer) => {
                assert!(answer.status >= 500, "{} {}", answer.status, answer.body);
                // It was told of before it was answered.
                assert!(server.log().contains(r#""level":"ERROR""#), "{}", server.log());
                true
            }
            Err(_) => {
                assert_eq!(server.ended(), None, "a signal");
                true
            }
        }
    });
}

#[test]
fn a_store_that_another_process_holds_is_ready_to_be_read() {
    let scene = Scene::new(1);
    let server = scene.start();
    let beside = rusqlite::Connection::open(&scene.store).expect("the database");
    beside.execute_batch("BEGIN IMMEDIATE").expect("its lock");
    let answer = ready(&server, "");
    assert_eq!((answer.status, &answer.body["writes"]), (200, &"refused".into()));
    assert_eq!(answer.body["why"], "The store is busy");
    assert_eq!(ready(&server, "?writes=1").status, 503);
    assert_eq!(ready(&server, "?writes=0").status, 200);
    beside.execute_batch("COMMIT").expect("it lets go");
    wait_until("its turn", || ready(&server, "?writes=1").status == 200);
    assert_eq!(ready(&server, "").body, serde_json::json!({ "status": "ok" }));
    server.kill();
}
