//! What goes wrong.

use super::site::{Home, Site};
use guestlist_testbed::http::{Client, Request};
use guestlist_testbed::process::Server;
use guestlist_testbed::{Calls, Fate, Random};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long it may take until a server takes changes again once nothing is wrong any more, on a machine that has
/// much else to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// `EX_IOERR`, with which a server ends whose disk has failed.
const DISK_FAILED: i32 = 74;
/// Fewer handles than a server has open.
const FEW_HANDLES: u32 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// The server is killed.
    Kill,
    /// The disk loses its power.
    Power,
    /// A call of the system on the store ends in an error, once or from then on.
    Calls,
    /// Syncs and writes take long.
    Slow,
    /// The disk is full, and has room again.
    Full,
    /// The server may open nothing more, and then it may.
    Handles,
    /// PostgreSQL is killed, and starts again.
    Database,
    /// The wire to PostgreSQL is cut, half closed or stalled, or a commit on it is.
    Wire,
}

fn pause(random: &mut Random, least: u64, more: u64) {
    thread::sleep(Duration::from_millis(least + random.below(more)));
}

/// Waits until `server` takes changes, or has ended because its disk has failed.
fn recovers(server: &mut Server) {
    let start = Instant::now();
    let ready = Request::new("GET", "/readyz?writes=1".to_owned(), None);
    loop {
        if server.has_ended() {
            assert_eq!(server.ended(), Some(DISK_FAILED), "{}", server.log());
            return;
        }
        let asked = Client::connect(&server.address, "").and_then(|mut client| client.send(&ready));
        if asked.is_ok_and(|answer| answer.status == 200) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "it takes no changes: {}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
}

impl Layer {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Power => "power",
            Self::Calls => "calls",
            Self::Slow => "slow",
            Self::Full => "full",
            Self::Handles => "handles",
            Self::Database => "database",
            Self::Wire => "wire",
        }
    }

    /// Has it go wrong and, unless that is the end of `server`, be well again. When the power was cut, if it was.
    pub(super) fn disturb(
        self,
        site: &Site,
        server: &mut Server,
        random: &mut Random,
    ) -> Option<Instant> {
        match self {
            Self::Kill => pause(random, 100, 700),
            Self::Power => return Some(power(site, random)),
            Self::Calls => calls(site, server, random),
            Self::Slow => slow(site, server, random),
            Self::Full => full(site, random),
            Self::Handles => handles(server, random),
            Self::Database => database(site, random),
            Self::Wire => wire(site, random),
        }
        if self != Self::Kill {
            recovers(server);
        }
        None
    }
}

fn power(site: &Site, random: &mut Random) -> Instant {
    let disk = site.disk.as_ref().expect("a disk");
    let cutter = disk.cutter().expect("a cutter");
    pause(random, 30, 250);
    let cut = cutter.cut().expect("the power is cut");
    if let Home::Database(database) = &site.home {
        database.cluster.kill().expect("it is killed");
    }
    cut
}

fn inject(site: &Site, server: &Server, words: &str) -> Calls {
    let files = site.files();
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    Calls::fail(server.pid(), &files, words).expect("strace")
}

fn calls(site: &Site, server: &mut Server, random: &mut Random) {
    let all = [
        "write,pwrite64",
        "fsync,fdatasync",
        "ftruncate",
        "write,pwrite64,fsync,fdatasync,ftruncate",
    ];
    let calls = random.one_of(all).expect("there are some");
    let error = random.one_of(["EIO", "ENOSPC", "EDQUOT"]).expect("there are some");
    let number = 1 + random.below(40);
    let again = if random.once_in(2) { "+" } else { "" };
    pause(random, 0, 100);
    let injected = inject(site, server, &format!("{calls}:error={error}:when={number}{again}"));
    pause(random, 100, 300);
    injected.end().expect("its log");
}

fn slow(site: &Site, server: &mut Server, random: &mut Random) {
    let micros = 50_000 + random.below(400_000);
    let words = format!("fsync,fdatasync,write,pwrite64:delay_enter={micros}:when=1+7");
    let injected = inject(site, server, &words);
    pause(random, 300, 700);
    // Letting go waits for the calls that are held up.
    drop(injected);
}

fn full(site: &Site, random: &mut Random) {
    let filler = site.disk.as_ref().expect("a disk").path().join("filler");
    let mut file = File::create(&filler).expect("a file");
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
    pause(random, 200, 400);
    drop(file);
    std::fs::remove_file(filler).expect("it goes");
}

/// What a process may have open now.
fn most_handles(pid: u32) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()).expect("a limit").to_owned()
}

fn handles(server: &Server, random: &mut Random) {
    let pid = server.pid();
    let limit = |most: &str| {
        let mut command = Command::new("prlimit");
        command.arg(format!("--pid={pid}")).arg(format!("--nofile={most}:"));
        let status = command.status().expect("`prlimit` of util-linux starts");
        assert!(status.success(), "{status}");
    };
    let before = most_handles(pid);
    limit(&FEW_HANDLES.to_string());
    pause(random, 50, 100);
    // Those that come now wait, or are sent away.
    let come = (0..40).filter_map(|_| TcpStream::connect(&server.address).ok());
    let mut come: Vec<TcpStream> = come.collect();
    for stream in &mut come {
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    pause(random, 100, 200);
    for mut stream in come {
        let _ = stream.set_read_timeout(Some(Duration::from_millis(1)));
        let mut said = [0; 12];
        if stream.read_exact(&mut said).is_ok() {
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(["HTTP/1.1 200", "HTTP/1.1 503"].contains(&&*said), "{said}");
        }
    }
    limit(&before);
}

fn database(site: &Site, random: &mut Random) {
    let Home::Database(database) = &site.home else { return };
    pause(random, 100, 500);
    database.cluster.kill().expect("it is killed");
    pause(random, 0, 500);
    database.cluster.begin().expect("it starts");
}

fn wire(site: &Site, random: &mut Random) {
    let Home::Database(database) = &site.home else { return };
    let wire = &database.wire;
    for _ in 0..6 {
        match random.below(8) {
            0 => wire.cut(),
            1 => wire.half_close(),
            2 => {
                wire.close();
                pause(random, 20, 100);
                wire.open();
            }
            3 => {
                wire.stall();
                pause(random, 20, 300);
                wire.open();
            }
            _ => {
                let fates = [Fate::Unsent, Fate::Raced, Fate::Unanswered];
                wire.doom(random.one_of(fates).expect("there are some"), 1);
            }
        }
        pause(random, 20, 100);
    }
}
