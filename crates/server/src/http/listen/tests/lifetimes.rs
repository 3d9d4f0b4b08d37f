//! How long connections live, and how many.

use super::*;

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let answer = Answer::read(&mut stream).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
        assert_eq!(answer.header("server"), Some("Guestlist"));
        assert_eq!(answer.header("connection"), None);
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}

#[tokio::test]
async fn many_connections_wait_to_be_accepted() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let count = most.trim().parse::<usize>().unwrap().min(2000);
    for number in 0..count {
        // One that is closed waits as well. A SYN that is dropped comes again after 1, 3 and 7 seconds.
        let connected = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5));
        assert!(connected.is_ok(), "{number} of {count}: {connected:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(Limits { head_timeout: millis(500), ..Limits::default() }).await;
    assert_ended(&mut server.connect().await).await;

    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    let idle = Instant::now();
    assert_ended(&mut stream).await;
    assert!(idle.elapsed() > millis(450), "{:?}", idle.elapsed());
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off() {
    let server = Server::start(Limits { head_timeout: millis(300), ..Limits::default() }).await;
    let mut stream = server.connect().await;
    let begun = Instant::now();
    while stream.write_all(b"G").await.is_ok() {
        assert!(begun.elapsed() < PATIENCE);
        sleep(millis(20)).await;
    }
    assert!(begun.elapsed() > millis(250), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let limits = Limits { max_connections: 1, write_stall: millis(1000), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    let begun = Instant::now();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(ask_until_there_is_room(&server).await.status, 200);
    assert!(begun.elapsed() > limits.write_stall, "{:?}", begun.elapsed());
}

/// A connection that has begun to be sent 32 MiB for a client of this flow, and does not read them.
async fn does_not_read(server: &Server, flow: usize) -> TcpStream {
    let mut stream = server.connect().await;
    let ask = format!("GET /big?{flow} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    stream.read_u8().await.unwrap();
    stream
}

#[tokio::test]
async fn whoever_does_not_read_makes_room_for_their_like() {
    let server = Server::start(Limits::default()).await;
    let slow = [does_not_read(&server, 1).await, does_not_read(&server, 1).await];
    let other = does_not_read(&server, 2).await;
    let answer = server.ask("GET /big?1 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.len()), (200, 32 << 20));
    // Those who take nothing from anybody go on.
    let mut whole = 0;
    for mut stream in slow.into_iter().chain([other]) {
        let mut body = vec![0; 32 << 20];
        whole += usize::from(stream.read_exact(&mut body).await.is_ok());
    }
    assert_eq!(whole, 2);
}

#[tokio::test]
async fn whoever_does_not_read_makes_room_for_all_others() {
    let server = Server::start(Limits::default()).await;
    let mut slow = Vec::new();
    for flow in [1, 1, 2, 2, 3, 3, 4, 4] {
        slow.push(does_not_read(&server, flow).await);
    }
    let answer = server.ask("GET /big?5 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_all() {
    let limits = Limits { write_stall: millis(1000), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut total = 0;
    let mut chunk = vec![0; 1 << 20];
    let begun = Instant::now();
    while let length @ 1.. = stream.read(&mut chunk).await.unwrap() {
        total += length;
        if begun.elapsed() < millis(1500) {
            sleep(millis(50)).await;
        }
    }
    assert!(total > 32 << 20);
    assert!(begun.elapsed() > limits.write_stall);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_told_so() {
    let server = Server::start(Limits { max_connections: 2, ..Limits::default() }).await;
    let held = [server.hold().await, server.hold().await];
    let answer = server.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    answer.assert_last(503, "ServiceUnavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    server.paths.permits.add_permits(2);
    drop(held);
    assert_eq!(ask_until_there_is_room(&server).await.status, 200);
}

#[tokio::test]
async fn whoever_is_silent_makes_room_for_whoever_comes() {
    let server = Server::start(Limits { max_connections: 3, ..Limits::default() }).await;
    // It has asked, and may ask again; the others never did.
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut idle).await.status, 200);
    let mut silent = server.connect().await;
    let mut trickling = server.connect().await;
    trickling.write_all(b"GET / HT").await.unwrap();
    let _busy = server.hold().await;
    assert_ended(&mut silent).await;
    let _busy = server.hold().await;
    assert_ended(&mut trickling).await;
    // Whoever is being answered stays.
    let _busy = server.hold().await;
    assert_ended(&mut idle).await;
    server.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.assert_last(503, "ServiceUnavailable");
}

#[tokio::test]
async fn one_client_does_not_take_all_connections() {
    let limits = Limits { max_connections_per_client: 2, ..Limits::default() };
    let server = Server::start(limits).await;
    let _held = [server.hold().await, server.hold().await];
    let answer = server.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    answer.assert_last(503, "ServiceUnavailable");
    assert!(answer.json()["message"].as_str().unwrap().contains("from your network"), "{answer:?}");
    // Another is none of them.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
    let mut other = socket.connect(server.address).await.unwrap();
    other.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut other).await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept_once_it_has_asked_something_good() {
    let limits = Limits { first_request_timeout: millis(1500), ..Limits::default() };
    let server = Server::start(limits).await;
    let begun = Instant::now();
    let mut silent = server.connect().await;
    let mut bad = server.connect().await;
    bad.write_all(b"GET /ignore HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut bad).await.status, 404);
    let mut good = server.connect().await;
    good.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut good).await.status, 200);
    // However long the answer takes, it is not silent meanwhile.
    let mut busy = server.hold().await;
    assert_ended(&mut silent).await;
    assert_ended(&mut bad).await;
    assert!(begun.elapsed() > millis(1400), "{:?}", begun.elapsed());
    sleep(millis(2000)).await;
    server.paths.permits.add_permits(1);
    assert_eq!(Answer::read(&mut busy).await.status, 200);
    good.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut good).await.status, 200);
}

#[tokio::test]
async fn refusals_are_bounded() {
    let server = Server::start(Limits { max_connections: 0, ..Limits::default() }).await;
    let mut streams = Vec::new();
    let begun = Instant::now();
    for _ in 0..MOST_REFUSALS + 20 {
        streams.push(server.connect().await);
    }
    let mut told = 0;
    for stream in &mut streams {
        told += usize::from(timeout(PATIENCE, stream.read_u8()).await.expect("an end").is_ok());
    }
    // A machine that takes its time over it sees some end while others begin.
    let in_time = begun.elapsed() < REFUSAL_TIMEOUT;
    assert!(told >= MOST_REFUSALS && (told == MOST_REFUSALS || !in_time), "{told}");
    // They end also if nobody closes them.
    while server.connect().await.read_u8().await.is_err() {
        assert!(begun.elapsed() < PATIENCE);
        sleep(millis(10)).await;
    }
    drop(streams);
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight_and_closes_what_is_idle() {
    let limits = Limits { drain: PATIENCE * 2, ..Limits::default() };
    let server = Server::start(limits).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut idle).await.status, 200);
    let mut silent = server.connect().await;
    let mut busy = server.hold().await;

    server.stop.send(()).unwrap();
    assert_ended(&mut idle).await;
    assert_ended(&mut silent).await;
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.serving.is_finished(), "one is still in flight");

    server.paths.permits.add_permits(1);
    let answer = Answer::read(&mut busy).await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    timeout(PATIENCE, server.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let server = Server::start(Limits { drain: millis(100), ..Limits::default() }).await;
    // It would be in flight for ever.
    let mut busy = server.hold().await;
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.serving).await.unwrap().unwrap();
    assert_ended(&mut busy).await;
}

#[tokio::test]
async fn a_client_may_close_its_side_once_it_has_asked() {
    let server = Server::start(Limits { abandoned_after: PATIENCE, ..Limits::default() }).await;
    let mut stream = server.hold().await;
    stream.shutdown().await.unwrap();
    // Time enough to notice, if it mattered.
    sleep(millis(100)).await;
    server.paths.permits.add_permits(1);
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    assert_ended(&mut stream).await;
    // Also when both come at once, and several requests do.
    let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    for _ in 0..10 {
        let mut stream = server.connect().await;
        stream.write_all([get, post, get].concat().as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        for _ in 0..3 {
            assert_eq!(Answer::read(&mut stream).await.status, 200);
        }
        assert_ended(&mut stream).await;
    }
}

#[tokio::test]
async fn a_panic_is_answered_and_goes_no_further() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = Answer::read(&mut stream).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body, r#"{"type":"Error","message":"internal error"}"#);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
}

/// Waits until nothing is held any more of the requests for `/held`.
pub(super) async fn assert_let_go(server: &Server) {
    let mut held = server.paths.held.subscribe();
    let none = held.wait_for(|held| *held == 0);
    timeout(PATIENCE, none).await.expect("it is let go").unwrap();
}

#[tokio::test]
async fn what_whoever_is_gone_has_asked_is_let_go() {
    let server = Server::start(Limits { abandoned_after: millis(10), ..Limits::default() }).await;
    drop(server.hold().await);
    assert_let_go(&server).await;
}

#[tokio::test]
async fn a_change_goes_on_without_whoever_closes_their_side_until_they_are_gone() {
    let server = Server::start(Limits { abandoned_after: millis(10), ..Limits::default() }).await;
    let mut stream = server.hold_with("POST").await;
    stream.shutdown().await.unwrap();
    // Time enough to notice, if it mattered.
    sleep(millis(200)).await;
    server.paths.permits.add_permits(1);
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    assert_ended(&mut stream).await;
    let stream = server.hold_with("POST").await;
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_let_go(&server).await;
}

#[tokio::test]
async fn a_long_answer_is_read_to_its_end_by_whoever_has_closed_their_side() {
    let server = Server::start(Limits { abandoned_after: millis(10), ..Limits::default() }).await;
    for request in ["GET /big", "POST /big"] {
        let mut stream = server.connect().await;
        let request = format!("{request} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        sleep(millis(200)).await;
        assert_eq!(Answer::read(&mut stream).await.body.len(), 32 << 20);
        assert_ended(&mut stream).await;
    }
}
