//! What the program says of the files of a store that it cannot use, or that others can.

use super::program::{Done, Place};
use guestlist_testbed::unprivileged;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The program, where somebody without privileges can run it.
struct Somebody {
    place: Place,
    program: PathBuf,
}

impl Somebody {
    fn new() -> Self {
        let place = Place::new();
        let program = place.path("guestlist");
        fs::copy(env!("CARGO_BIN_EXE_guestlist"), &program).unwrap();
        Self { place, program }
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let command = unprivileged(&self.program, &self.place.path(".")).unwrap();
        Place::end(self.place.command_of(command, arguments), "")
    }
}

/// It says which file, whose it is, what its mode is and what to do, and nothing twice.
#[track_caller]
fn refused(done: &Done, path: &Path, mode: u32, remedy: &str) {
    done.failed(remedy);
    let said = &done.stderr;
    let owner = fs::metadata(path).unwrap().uid();
    let whose = format!("{}, which is of user {owner} with mode {mode:04o}: ", path.display());
    assert!(said.contains(&whose), "{said}");
    assert!(!said.contains("try again") && !said.contains("Error code"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_may_not_be_used_is_named_with_its_owner_and_mode() {
    let somebody = Somebody::new();
    let directory = fs::canonicalize(somebody.place.path(".")).unwrap();
    let at = |name: &str| directory.join(name);
    let make = ["--store", "a.db", "application", "create", "--name", "x"];
    let list = ["--store", "a.db", "application", "list"];
    somebody.run(&make).ok();
    let store = at("a.db");
    for mode in [0o444, 0o200, 0o000] {
        set_mode(&store, mode);
        for command in [&make[..], &list, &["--store", "a.db", "serve", "--listen", "127.0.0.1:0"]]
        {
            let remedy = format!("chmod u+rw {}", store.display());
            refused(&somebody.run(command), &store, mode, &remedy);
        }
    }
    set_mode(&store, 0o600);
    for name in ["a.db-wal", "a.db-shm"] {
        fs::write(at(name), "").unwrap();
        let theirs = fs::metadata(&store).unwrap();
        // As another user leaves it behind, where this can be done.
        let root = fs::metadata(at(name)).unwrap().uid() == 0;
        let remedy = if root {
            set_mode(&at(name), 0o600);
            format!("run it as user 0, or chown {} {}", theirs.uid(), at(name).display())
        } else {
            set_mode(&at(name), 0o400);
            format!("chmod u+rw {}", at(name).display())
        };
        refused(&somebody.run(&list), &at(name), if root { 0o600 } else { 0o400 }, &remedy);
        fs::remove_file(at(name)).unwrap();
    }
    // A directory in which nothing can be made, be it the store or what is beside it.
    for name in ["inner", "closed"] {
        fs::create_dir(at(name)).unwrap();
    }
    let owner = fs::metadata(&store).unwrap();
    fs::copy(&store, at("inner/a.db")).unwrap();
    for name in ["inner", "inner/a.db", "closed"] {
        chown(at(name), Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    set_mode(&at("inner"), 0o500);
    set_mode(&at("closed"), 0o000);
    for (name, mode, of) in [
        ("inner/a.db", 0o500, "inner"),
        ("inner/b.db", 0o500, "inner"),
        ("closed/x/b.db", 0, "closed"),
    ] {
        let remedy = format!("chmod u+rwx {}", at(of).display());
        let command = ["--store", name, "application", "create", "--name", "x"];
        refused(&somebody.run(&command), &at(of), mode, &remedy);
    }
    set_mode(&at("inner"), 0o700);
    set_mode(&at("closed"), 0o700);
    somebody.run(&list).ok();
}

#[test]
fn a_store_that_others_can_use_is_told_of_with_what_to_do() {
    let place = Place::new();
    let told = |log: &str| {
        let lines: Vec<_> = log.lines().filter(|line| line.contains("chmod")).collect();
        assert!(lines.len() <= 1, "{log}");
        lines.first().map(|line| (*line).to_owned())
    };
    let path = fs::canonicalize(place.path(".")).unwrap().join("a.db");
    let log = place.serve().stop();
    assert_eq!(told(&log), None, "it is its owner's alone by itself");
    for mode in [0o666, 0o644, 0o640, 0o602] {
        set_mode(&path, mode);
        let log = place.serve().stop();
        let line = told(&log).expect("a warning");
        let file = path.display();
        assert!(line.contains(&format!("chmod go= {file} {file}-wal {file}-shm")), "{line}");
        assert!(line.contains("\"WARN\"") && line.contains(&format!("{mode:04o}")), "{line}");
    }
    set_mode(&path, 0o600);
    assert_eq!(told(&place.serve().stop()), None);
}

#[test]
fn a_store_of_an_unknown_kind_is_refused_wherever_one_is_named() {
    let place = Place::new();
    let refused = |arguments: &[&str], flag: &str| {
        place.run(arguments).failed(&format!("{flag}: there are no stores of the kind \"mysql\""));
    };
    let url = "mysql://a@h/d";
    refused(&["--store", url, "application", "create", "--name", "x"], "store");
    refused(&["--store", url, "serve", "--listen", "127.0.0.1:0"], "store");
    refused(&["--store", url, "quickstart", "--listen", "127.0.0.1:0"], "store");
    refused(&["move", "--from", url, "--to", "a.db"], "--from");
    refused(&["move", "--from", "a.db", "--to", url], "--to");
    let replica = ["--store", "postgres://a@h/d", "serve", "--store-replica", url];
    place.run(&replica).failed("store-replica: give postgres://");
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), 0, "nothing was made");
}
