//! The same over TLS, and what TLS has of its own.

use super::lifetimes::assert_let_go;
use super::*;
use crate::http::tls::tests::{Authority, ClientStream};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server that speaks TLS.
struct Secure {
    authority: Authority,
    tls: Arc<Tls>,
    server: Server,
    /// What clients speak.
    version: &'static SupportedProtocolVersion,
}

impl Secure {
    async fn start(limits: Limits) -> Self {
        let authority = Authority::new();
        let tls = Arc::new(authority.open());
        let server = Server::start_over(Some(Arc::clone(&tls)), limits, Ingress::default()).await;
        Self { authority, tls, server, version: &TLS13 }
    }

    async fn connect(&self) -> ClientStream {
        self.try_connect(&["http/1.1"]).await.unwrap()
    }

    async fn try_connect(&self, protocols: &[&str]) -> io::Result<ClientStream> {
        let stream = self.server.connect().await;
        self.authority.greet(stream, &[self.version], protocols).await
    }

    async fn hold(&self, method: &str) -> ClientStream {
        self.server.hold_over(self.connect().await, method).await
    }

    /// Asks once, on a connection of its own.
    async fn ask(&self) -> io::Result<Answer> {
        let mut stream = self.try_connect(&[]).await?;
        stream.write_all(GET.as_bytes()).await?;
        Ok(Answer::read(&mut stream).await)
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let mut secure = Secure::start(Limits::default()).await;
    for version in [&TLS13, &TLS12] {
        secure.version = version;
        let mut stream = secure.connect().await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        for _ in 0..3 {
            stream.write_all(GET.as_bytes()).await.unwrap();
            let answer = Answer::read(&mut stream).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
            assert_eq!(answer.header("connection"), None);
            assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
        }
        // Whoever names no protocol speaks this one.
        assert_eq!(secure.ask().await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn who_speaks_something_else_is_told_so() {
    let secure = Secure::start(Limits::default()).await;
    assert!(secure.try_connect(&["http/1.1", "h2"]).await.is_ok());
    let refused = secure.try_connect(&["h2"]).await.unwrap_err().to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    let plain = secure.server.ask(GET).await;
    plain.assert_last(400, "Validation");
    assert_eq!(plain.json()["message"], "This port speaks TLS: use https");
    assert_ended(&mut {
        let mut garbage = secure.server.connect().await;
        garbage.write_all(&[0; 64]).await.unwrap();
        // Behind the alert.
        let mut alert = [0; 7];
        garbage.read_exact(&mut alert).await.unwrap();
        garbage
    })
    .await;
}

/// Ends what the client sends, by saying so or without.
async fn close_side(stream: &mut ClientStream, says_so: bool) {
    if says_so {
        stream.shutdown().await.unwrap();
    } else {
        stream.get_mut().0.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_client_may_close_its_side_once_it_has_asked() {
    let limits = Limits { abandoned_after: PATIENCE, ..Limits::default() };
    let mut secure = Secure::start(limits).await;
    for (version, says_so) in [(&TLS13, true), (&TLS13, false), (&TLS12, true), (&TLS12, false)] {
        secure.version = version;
        let mut stream = secure.hold("GET").await;
        close_side(&mut stream, says_so).await;
        // Time enough to notice, if it mattered.
        sleep(millis(100)).await;
        secure.server.paths.permits.add_permits(1);
        assert_eq!(Answer::read(&mut stream).await.status, 200);
        assert_ended(&mut stream).await;
        let post = "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
        let mut stream = secure.connect().await;
        stream.write_all([GET, post, GET].concat().as_bytes()).await.unwrap();
        close_side(&mut stream, says_so).await;
        for _ in 0..3 {
            assert_eq!(Answer::read(&mut stream).await.status, 200);
        }
        assert_ended(&mut stream).await;
    }
}

#[tokio::test]
async fn what_whoever_is_gone_has_asked_is_let_go() {
    let limits = Limits { abandoned_after: millis(10), ..Limits::default() };
    let secure = Secure::start(limits).await;
    for says_so in [true, false] {
        let mut stream = secure.hold("GET").await;
        close_side(&mut stream, says_so).await;
        drop(stream);
        assert_let_go(&secure.server).await;
        // A change goes on until they are known to be gone.
        let mut stream = secure.hold("POST").await;
        if says_so {
            stream.get_mut().1.send_close_notify();
            stream.flush().await.unwrap();
        }
        sleep(millis(200)).await;
        assert_eq!(*secure.server.paths.held.borrow(), 1);
        stream.get_ref().0.set_zero_linger().unwrap();
        drop(stream);
        assert_let_go(&secure.server).await;
    }
}

#[tokio::test]
async fn a_long_answer_is_read_to_its_end_by_whoever_has_closed_their_side() {
    let limits = Limits { abandoned_after: millis(10), ..Limits::default() };
    let secure = Secure::start(limits).await;
    for says_so in [true, false] {
        let mut stream = secure.connect().await;
        stream
            .write_all(b"POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        close_side(&mut stream, says_so).await;
        sleep(millis(200)).await;
        assert_eq!(Answer::read(&mut stream).await.body.len(), 32 << 20);
        assert_ended(&mut stream).await;
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let limits = Limits { write_stall: millis(1000), ..Limits::default() };
    let secure = Secure::start(limits).await;
    let mut stream = secure.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.read_u8().await.unwrap();
    sleep(limits.write_stall * 3).await;
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("an end");
    assert!(read.is_err(), "it was cut off: {read:?}");
    assert!(rest.len() < 32 << 20);
}

#[tokio::test]
async fn an_answer_is_read_by_whoever_was_still_sending() {
    let secure = Secure::start(Limits::default()).await;
    let mut stream = secure.connect().await;
    let head = "POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 4000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; 4_000_000]).await.unwrap();
    Answer::read(&mut stream).await.assert_last(413, "PayloadTooLarge");
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap(), 0, "TLS ends in order");
}

#[tokio::test]
async fn a_handshake_that_is_not_done_is_given_up() {
    let limits = Limits {
        handshake_timeout: millis(500),
        first_request_timeout: PATIENCE * 2,
        ..Limits::default()
    };
    let secure = Secure::start(limits).await;
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01"] {
        let mut stream = secure.server.connect().await;
        let since = Instant::now();
        stream.write_all(begun).await.unwrap();
        assert_ended(&mut stream).await;
        assert!(since.elapsed() > millis(450), "{:?}", since.elapsed());
    }
    // One that is done has its time.
    let mut stream = secure.connect().await;
    sleep(millis(1000)).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
}

#[tokio::test]
async fn whoever_shakes_no_hand_makes_room_for_whoever_comes() {
    let secure = Secure::start(Limits { max_connections: 3, ..Limits::default() }).await;
    let mut silent = secure.server.connect().await;
    let mut begun = secure.server.connect().await;
    begun.write_all(b"\x16\x03\x01").await.unwrap();
    let mut shaken = secure.connect().await;
    let _busy = secure.hold("GET").await;
    assert_ended(&mut silent).await;
    let _busy = secure.hold("GET").await;
    assert_ended(&mut begun).await;
    let _busy = secure.hold("GET").await;
    assert_ended(&mut shaken).await;
    // And who finds no room is told so.
    let answer = secure.ask().await.unwrap();
    answer.assert_last(503, "ServiceUnavailable");
}

#[tokio::test]
async fn shutdown_closes_what_is_idle_or_not_done_shaking_hands() {
    let limits = Limits { drain: PATIENCE * 2, ..Limits::default() };
    let secure = Secure::start(limits).await;
    let mut silent = secure.server.connect().await;
    let mut idle = secure.connect().await;
    let mut busy = secure.hold("GET").await;
    secure.server.stop.send(()).unwrap();
    assert_ended(&mut silent).await;
    assert_ended(&mut idle).await;
    secure.server.paths.permits.add_permits(1);
    assert_eq!(Answer::read(&mut busy).await.header("connection"), Some("close"));
    assert_ended(&mut busy).await;
    timeout(PATIENCE, secure.server.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn another_certificate_breaks_nothing_off() {
    let secure = Secure::start(Limits::default()).await;
    let shown = |stream: &ClientStream| stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut kept = Vec::new();
    for _ in 0..100 {
        kept.push(secure.connect().await);
    }
    let mut held = secure.hold("GET").await;
    for _ in 0..3 {
        secure.authority.renew();
        secure.tls.reload().unwrap();
        let mut new = secure.connect().await;
        assert_ne!(shown(&new), shown(&kept[0]));
        for stream in kept.iter_mut().chain([&mut new]) {
            stream.write_all(GET.as_bytes()).await.unwrap();
            assert_eq!(Answer::read(stream).await.status, 200);
        }
    }
    std::fs::write(secure.authority.files().key, "").unwrap();
    secure.tls.reload().unwrap_err();
    assert_eq!(secure.ask().await.unwrap().status, 200);
    secure.server.paths.permits.add_permits(1);
    assert_eq!(Answer::read(&mut held).await.status, 200);
}
