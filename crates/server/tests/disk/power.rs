//! Power that is cut while syncs are left out. That nothing is lost where none are is for `torture` to see.

use super::scene::Scene;
use guestlist_testbed::process::Server;
use guestlist_testbed::{Calls, Disk};
use std::io::Write as _;
use std::thread;
use std::time::Duration;

const WRITERS: usize = 8;
const SIZE: u64 = 96 << 20;

/// The disk, or nothing where only root could mount one.
fn disk(test: &str) -> Option<Disk> {
    let disk = Disk::new(SIZE).expect("a disk");
    if disk.is_none() {
        let _ = writeln!(std::io::stderr(), "{test}: left out, because only root mounts a disk");
    }
    disk
}

/// Cuts the power of `disk` while `scene` is at work on `server`, and starts it again: how many changes
/// were done, and what is wrong.
fn cut(
    disk: &mut Disk,
    scene: &mut Scene,
    server: Server,
    work: Duration,
) -> (Server, usize, Vec<String>) {
    let cutter = disk.cutter().expect("a cutter");
    let cut = scene.work(&server, || {
        thread::sleep(work);
        cutter.cut().expect("the power is cut")
    });
    server.kill();
    disk.restore_power().expect("the disk is back");
    let server = scene.start();
    let (done, wrong) = scene.judge(&server, Some(cut));
    (server, done, wrong)
}

#[test]
fn syncs_that_are_left_out_are_found_out_by_the_loss_of_power() {
    let Some(mut disk) = disk("the loss of syncs") else { return };
    let mut scene = Scene::within(&disk.path(), WRITERS);
    let mut server = scene.start();
    // What is lost depends on when the system writes what it has, so that it need not be at once.
    for _ in 0..20 {
        let files = [scene.store.clone(), scene.beside("-wal")];
        let files = files.each_ref().map(std::path::PathBuf::as_path);
        let lies = Calls::fail(server.pid(), &files, "fsync,fdatasync:retval=0").expect("strace");
        let work = Duration::from_millis(500);
        let (next, _, wrong) = cut(&mut disk, &mut scene, server, work);
        assert!(lies.end().expect("its log") > 0, "no sync was left out");
        if !wrong.is_empty() {
            return;
        }
        server = next;
    }
    panic!("nothing was lost, so that nothing is proved by what is not lost");
}
