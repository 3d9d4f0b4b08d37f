//! Proxies that say whom a connection is from, in the PROXY protocol.

use super::*;
use crate::http::client_address::{ClientFrom, Proxies};
use crate::http::tls::tests::Authority;
use rustls::version::TLS13;

const PEER: &[u8] = b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server that believes those at 127.0.0.1.
async fn start(limits: Limits, tls: Option<Arc<Tls>>) -> Server {
    let trusted = vec!["127.0.0.1".parse().unwrap()];
    let proxies = Proxies { trusted, client_from: ClientFrom::ProxyProtocol };
    Server::start_over(tls, limits, Ingress { proxies, ..Ingress::default() }).await
}

/// What a proxy says of a connection from port 4660 of this address.
fn from(client: [u8; 4]) -> Vec<u8> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    [&signature[..], &[0x21, 0x11, 0, 12], &client, &[127, 0, 0, 1, 0x12, 0x34, 0, 80]].concat()
}

const CLIENT: [u8; 4] = [192, 0, 2, 7];
const OTHER: [u8; 4] = [192, 0, 2, 8];

impl Server {
    /// A connection on which a proxy has said that it is from `client`.
    async fn connect_for(&self, client: [u8; 4]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(&from(client)).await.unwrap();
        stream
    }

    /// A connection with somebody who is no proxy.
    async fn connect_stranger(&self) -> TcpStream {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }
}

async fn ask_peer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Answer {
    stream.write_all(PEER).await.unwrap();
    Answer::read(stream).await
}

#[tokio::test]
async fn a_connection_is_from_whom_a_trusted_proxy_says() {
    // One place is enough for both.
    let server = start(Limits { max_connections: 1, ..Limits::default() }, None).await;
    let mut stream = server.connect_for(CLIENT).await;
    for _ in 0..2 {
        assert_eq!(ask_peer(&mut stream).await.body, "192.0.2.7:4660");
    }
    drop(stream);
    // Slowly, and with all that follows at once.
    let mut stream = server.connect().await;
    for byte in from(OTHER) {
        stream.write_all(&[byte]).await.unwrap();
        sleep(millis(1)).await;
    }
    assert_eq!(ask_peer(&mut stream).await.body, "192.0.2.8:4660");
    drop(stream);
    let mut stream = server.connect().await;
    stream.write_all(&[from(CLIENT), PEER.to_vec(), PEER.to_vec()].concat()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(Answer::read(&mut stream).await.body, "192.0.2.7:4660");
    }
    drop(stream);
    // For itself.
    let mut stream = server.connect().await;
    let own = stream.local_addr().unwrap();
    stream.write_all(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").await.unwrap();
    assert_eq!(ask_peer(&mut stream).await.body, own.to_string());
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let server = start(Limits::default(), None).await;
    let mut stream = server.connect_stranger().await;
    let own = stream.local_addr().unwrap();
    assert_eq!(ask_peer(&mut stream).await.body, own.to_string());
    let mut stream = server.connect_stranger().await;
    stream.write_all(&[from(CLIENT), PEER.to_vec()].concat()).await.unwrap();
    Answer::read(&mut stream).await.assert_last(400, "Validation");
    // And a server that was not told to listen to proxies takes it for no HTTP.
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect_for(CLIENT).await;
    Answer::read(&mut stream).await.assert_last(400, "Validation");
}

#[tokio::test]
async fn a_proxy_that_does_not_say_it_is_not_served() {
    let server = start(Limits { handshake_timeout: millis(500), ..Limits::default() }, None).await;
    for said in [
        PEER,
        b"PROXY TCP4 192.0.2.7 127.0.0.1 4660 80\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[&from(CLIENT)[..14], &[0xff, 0xff], PEER].concat(),
    ] {
        let mut stream = server.connect().await;
        stream.write_all(said).await.unwrap();
        // What it had sent is not read, which may reset it.
        assert!(timeout(PATIENCE, stream.read_u8()).await.expect("an end").is_err());
    }
    for begun in [&b""[..], &from(CLIENT)[..20]] {
        let mut stream = server.connect().await;
        let since = Instant::now();
        stream.write_all(begun).await.unwrap();
        assert_ended(&mut stream).await;
        assert!(since.elapsed() > millis(450), "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn each_client_of_a_proxy_has_its_own_share() {
    let limits = Limits { max_connections_per_client: 2, ..Limits::default() };
    let server = start(limits, None).await;
    let mut held = Vec::new();
    for client in [CLIENT, CLIENT, OTHER, OTHER] {
        let stream = server.connect_for(client).await;
        held.push(server.hold_over(stream, "GET").await);
    }
    let answer = Answer::read(&mut server.connect_for(CLIENT).await).await;
    answer.assert_last(503, "ServiceUnavailable");
    assert!(answer.json()["message"].as_str().unwrap().contains("from your network"), "{answer:?}");
    assert_eq!(ask_peer(&mut server.connect_for([192, 0, 2, 9]).await).await.status, 200);
}

#[tokio::test]
async fn tls_begins_behind_what_the_proxy_says() {
    let authority = Authority::new();
    let server = start(Limits::default(), Some(Arc::new(authority.open()))).await;
    let stream = server.connect_for(CLIENT).await;
    let mut stream = authority.greet(stream, &[&TLS13], &[]).await.unwrap();
    assert_eq!(ask_peer(&mut stream).await.body, "192.0.2.7:4660");
}
