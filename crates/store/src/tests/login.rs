//! Who is told the password of the database, and who is warned.

use super::Store;
use super::postgres::{cluster, few, with_table};
use super::tls::{Authority, taking, why};
use crate::{Address, StoreUrl};
use guestlist_testbed::Certificate;
use rustls::{ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{
    IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket,
};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "S3cretPw";
const PATIENCE: Duration = Duration::from_mins(1);

/// An address of this machine that others could have, if it is on a network at all. Where it is
/// not, what belongs to others is told by the tests of `require_auth.rs` alone.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Nothing is sent to it: it is only looked from where that would be.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// What somebody asks for who pretends to be the server.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Nothing,
    Password,
    Md5,
}

impl Ask {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Nothing => b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I",
            Self::Password => b"R\0\0\0\x08\0\0\0\x03",
            Self::Md5 => b"R\0\0\0\x0c\0\0\0\x05salt",
        }
    }
}

/// A message that begins with its length.
fn message(from: &mut impl Read) -> Vec<u8> {
    let mut length = [0; 4];
    from.read_exact(&mut length).unwrap();
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    from.read_exact(&mut body).unwrap();
    body
}

/// Asks whoever is there, and hears what they say to it: nothing, or one message.
fn hear(mut client: impl Read + Write, has_begun: bool, ask: Ask) -> Vec<u8> {
    if !has_begun {
        message(&mut client);
    }
    client.write_all(ask.bytes()).and_then(|()| client.flush()).unwrap();
    let mut kind = [0];
    match client.read(&mut kind) {
        Ok(1) => [&kind[..], &message(&mut client)].concat(),
        _ => Vec::new(),
    }
}

/// Pretends to be the server, once, to whoever comes to `ip`: where, and what is said to it then.
fn pretend(ip: IpAddr, own: Option<&Certificate>, ask: Ask) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    let taking = own.map(|own| Arc::new(taking(own)));
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let first = message(&mut client);
        let heard = match taking {
            // What is asked for first is TLS, unless the address says otherwise.
            _ if first.len() != 4 => hear(client, true, ask),
            None => {
                client.write_all(b"N").unwrap();
                hear(client, false, ask)
            }
            Some(taking) => {
                client.write_all(b"S").unwrap();
                let here = ServerConnection::new(taking).unwrap();
                hear(StreamOwned::new(here, client), false, ask)
            }
        };
        tell.send(heard).unwrap();
    });
    (address, told)
}

/// What is said to somebody at `ip` who asks so, where the address ends so; and why not more.
fn told(ip: IpAddr, own: Option<&Certificate>, ask: Ask, query: &str) -> (Vec<u8>, String) {
    let (at, heard) = pretend(ip, own, ask);
    let address = Address::parse(&format!("postgres://ada:{PASSWORD}@{at}/d?{query}")).unwrap();
    let words = why(Store::open_at(&StoreUrl::Postgres(address), &few()));
    (heard.recv_timeout(PATIENCE).unwrap(), words)
}

/// Whether a message has the password in it, in clear or so that it can be guessed.
fn gives_away(said: &[u8]) -> bool {
    said.first() == Some(&b'p')
}

#[test]
fn the_address_says_how_a_server_may_ask() {
    for (query, ask, gives) in [
        ("", Ask::Password, true),
        ("", Ask::Md5, true),
        ("sslmode=disable", Ask::Password, true),
        ("require_auth=scram-sha-256", Ask::Password, false),
        ("require_auth=scram-sha-256", Ask::Md5, false),
        ("require_auth=!password", Ask::Password, false),
        ("require_auth=!password", Ask::Md5, true),
        ("require_auth=md5,scram-sha-256", Ask::Md5, true),
        ("require_auth=none", Ask::Md5, false),
    ] {
        let (said, words) = told(LOOPBACK, None, ask, query);
        assert_eq!(gives_away(&said), gives, "{query} {ask:?}: {words}");
        assert_eq!(words.contains("require_auth in the address does not allow"), !gives, "{words}");
        assert!(!words.contains(PASSWORD), "{words}");
    }
    for (query, goes_on) in [("", true), ("require_auth=none", true), ("require_auth=!none", false)]
    {
        let (said, words) = told(LOOPBACK, None, Ask::Nothing, query);
        assert_eq!(said.first() == Some(&b'Q'), goes_on, "{query}: {words}");
        assert_eq!(words.contains("no password (none), which require_auth"), !goes_on, "{words}");
    }
}

#[test]
fn no_stranger_elsewhere_is_told_the_password() {
    let Some(ip) = own_address() else { return };
    let authority = Authority::new("ours");
    let own = authority.sign(&ip.to_string());
    let verify = format!("sslmode=verify-full&sslrootcert={}", authority.root().display());
    for ask in [Ask::Password, Ask::Md5] {
        for (query, certificate, gives) in [
            ("", None, false),
            ("sslmode=disable", None, false),
            ("require_auth=!scram-sha-256", None, false),
            ("", Some(&own), false),
            ("sslmode=require", Some(&own), false),
            (verify.as_str(), Some(&own), true),
            ("require_auth=password,md5", None, true),
        ] {
            let (said, words) = told(ip, certificate, ask, query);
            assert_eq!(gives_away(&said), gives, "{query} {ask:?}: {words}");
            assert_eq!(words.contains("sslmode=verify-full"), !gives, "{query}: {words}");
        }
    }
}

/// A way from `ip` to `server`.
fn lead(ip: IpAddr, server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(server).unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                thread::spawn(move || {
                    // It ends when either end does.
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    address
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is logged while the store at `address` is opened.
fn logged(address: &Address) -> String {
    let written = Written::default();
    let to = written.clone();
    let log = tracing_subscriber::fmt().with_writer(move || to.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(log, || {
        drop(Store::open_at(&StoreUrl::Postgres(address.clone()), &few()).unwrap());
    });
    let written = written.0.lock().unwrap().clone();
    String::from_utf8(written).unwrap()
}

#[test]
fn whoever_is_on_the_way_is_warned_of_by_postgresql_without_tls() {
    const WARNING: &str = "the way to the database is not encrypted";
    let database = with_table();
    let StoreUrl::Postgres(here) = database.place() else { panic!("another place") };
    assert!(!logged(&here).contains(WARNING), "it is on this machine");
    let Some(ip) = own_address() else { return };
    let server = Address::parse(&cluster()).unwrap().hosts.remove(0);
    let mut places = (server.name.as_str(), server.port).to_socket_addrs().unwrap();
    let way = lead(ip, places.find(SocketAddr::is_ipv4).unwrap());
    let mut there = here;
    there.hosts[0].name = way.ip().to_string();
    there.hosts[0].port = way.port();
    let log = logged(&there);
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    let disable = Address::parse("postgres://nobody@h/d?sslmode=disable").unwrap().encryption;
    assert!(!logged(&Address { encryption: disable, ..there }).contains(WARNING), "it was said");
}
