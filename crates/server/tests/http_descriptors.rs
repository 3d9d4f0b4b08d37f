//! The listener without file descriptors. In a process of its own, as the limit is the process's.
#![cfg(unix)]

use guestlist::http::body::Body;
use guestlist::http::listen::{Handler, Limits, serve};
use guestlist::http::reply::{Reply, RequestMeta};
use hyper::{Request, StatusCode};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

struct Yes;

impl Handler for Yes {
    async fn handle(&self, _: Request<Body>, _: &RequestMeta, _: SocketAddr) -> Reply {
        Reply::new(StatusCode::OK, "{}")
    }
}

/// Whether `stream` is answered, and answered 200, before long.
fn is_answered(stream: &mut TcpStream, patience: Duration) -> bool {
    let mut start = [0; 12];
    stream.set_read_timeout(Some(patience)).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && start == *b"HTTP/1.1 200"
}

#[tokio::test(flavor = "multi_thread")]
async fn http_goes_on_when_descriptors_come_back() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    // The kernel completes these before anyone accepts them.
    let mut waiting: Vec<_> = (0..8).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut waiting {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    let free = waiting.first().unwrap().try_clone().unwrap();
    let next = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&free)).unwrap();
    drop(free);
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(next + 2), ..limit }).unwrap();

    tokio::spawn(serve(listener, None, Arc::new(Yes), Limits::default(), std::future::pending()));
    let (soon, in_time) = (Duration::from_millis(300), Duration::from_mins(1));
    // Who came first is accepted first.
    assert!(is_answered(&mut waiting[0], in_time));
    let (_answered, mut waiting): (Vec<_>, Vec<_>) = waiting
        .drain(1..)
        .map(|mut one| (is_answered(&mut one, soon), one))
        .partition(|(answered, _)| *answered);
    assert!(!waiting.is_empty());

    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(waiting.iter_mut().all(|(_, one)| is_answered(one, in_time)));
}
