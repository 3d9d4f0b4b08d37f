//! What the process of a server is to the system that it runs on.

use super::program::{Place, Serving};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The soft and the hard limit that the kernel has for core dumps of the process `pid`.
fn core_limits(pid: u32) -> [String; 2] {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    [words.next().unwrap(), words.next().unwrap()]
}

#[test]
fn a_server_leaves_no_picture_of_its_memory() {
    let place = Place::new();
    for command in ["serve", "quickstart"] {
        // With all that the system allows, whatever the tests run under.
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"]);
        shell.arg(env!("CARGO_BIN_EXE_guestlist"));
        let arguments = [command, "--listen", "127.0.0.1:0", "--store", "a.db"];
        let serving = Serving::start(place.command_of(shell, &arguments));
        assert_eq!(core_limits(serving.pid()), ["0", "0"], "{command}");
        serving.stop();
    }
}

#[test]
fn whoever_started_a_server_is_told_when_it_serves_and_when_it_ends() {
    let place = Place::new();
    let told = UnixDatagram::bind(place.path("told")).unwrap();
    told.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let next = || {
        let mut said = [0; 100];
        let length = told.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    };
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--store", "a.db"]);
    command.env("NOTIFY_SOCKET", place.path("told"));
    let serving = Serving::start(command);
    assert_eq!(next(), "READY=1");
    serving.stop();
    assert_eq!(next(), "STOPPING=1");
}

#[test]
fn a_server_that_waits_while_it_starts_ends_when_it_is_told_to() {
    let place = Place::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("postgres://a:b@{}/d", silent.local_addr().unwrap());
    for command in ["serve", "quickstart"] {
        let mut command = place.command(&[command, "--listen", "127.0.0.1:0", "--store", &store]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // It asks, and is never answered: by itself it would give up, and say that it failed.
        let _asking = silent.accept().unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

#[test]
fn the_log_says_where_a_request_comes_from() {
    let place = Place::new();
    let file = "trusted-proxies = ['127.0.0.0/8']\nclient-from = 'x-forwarded-for'\n";
    fs::write(place.path("guestlist.toml"), file).unwrap();
    let serving = place.serve();
    serving.client.request("GET", "/").header("X-Forwarded-For", "6.6.6.6, 192.0.2.7").send();
    serving.client.get("", "/");
    // What is refused before it is looked at comes from somewhere as well.
    let path = format!("/{}", "a".repeat(20_000));
    let request = serving.client.request("GET", &path).header("X-Forwarded-For", "192.0.2.8");
    request.send().expect(414);
    let log = serving.stop();
    let peers: Vec<String> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|event| Some(event["peer"].as_str()?.to_owned()))
        .collect();
    assert_eq!((peers[0].as_str(), peers[2].as_str()), ("192.0.2.7", "192.0.2.8"), "{log}");
    assert!(peers[1].starts_with("127.0.0.1:"), "{log}");
}

#[test]
fn a_client_has_as_many_connections_as_the_file_says() {
    let place = Place::new();
    let file = "max-connections-per-client = 1\ntrusted-proxies = ['::1']\n";
    fs::write(place.path("guestlist.toml"), file).unwrap();
    let serving = place.serve();
    let mut busy = serving.client.connect();
    let head = "POST /auth/user HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n";
    write!(busy.get_mut(), "{head}Expect: 100-continue\r\n\r\n").unwrap();
    // A request is under way once the server asks for its body.
    busy.read_exact(&mut [0; 9]).unwrap();
    let words = "There are too many connections from your network: try again in 1 s";
    serving.client.get("", "/").refused(503, words);
    drop(busy);
    let since = Instant::now();
    while serving.client.get("", "/").status == 503 {
        assert!(since.elapsed() < Duration::from_mins(1), "there is room again");
    }
    serving.stop();
}
