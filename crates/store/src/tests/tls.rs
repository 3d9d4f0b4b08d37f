//! The way to PostgreSQL, encrypted and not.

use super::Store;
use super::abandoned::{HOURS, leave_read};
use super::fair::soon;
use super::postgres::with_table;
use crate::{Address, OpenError, Options, StoreUrl};
use guestlist_testbed::{Certificate, Cluster, Settings};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Who signs certificates, and the file that says so.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let directory = TempDir::new().unwrap();
        let text = params.self_signed(&key).unwrap().pem();
        std::fs::write(directory.path().join("root.pem"), text).unwrap();
        Self { issuer: Issuer::new(params, key), directory }
    }

    pub(super) fn root(&self) -> PathBuf {
        self.directory.path().join("root.pem")
    }

    /// A certificate for a server called `name`.
    pub(super) fn sign(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certificate { certificate, key: key.serialize_pem() }
    }
}

/// The store in the database of `address`, reached by way of `host` in the way that `query` says.
fn open(address: &Address, host: &str, query: &str) -> Result<Store, OpenError> {
    let way = Address::parse(&format!("postgres://nobody@h/d?{query}")).unwrap();
    let mut address = Address { encryption: way.encryption, ..address.clone() };
    address.hosts[0].name = host.into();
    let options = Options { readers: 1, writers: 1, read_deadline: HOURS, ..Options::default() };
    Store::open_at(&StoreUrl::Postgres(address), &options)
}

pub(super) fn why(refused: Result<Store, OpenError>) -> String {
    match refused {
        Ok(_) => panic!("it is not refused"),
        Err(why) => why.to_string(),
    }
}

/// Whether those who read and those who write are encrypted, as the server has it.
async fn encrypted(store: &Store) -> [bool; 2] {
    const ASK: &str = "SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let read = store.read(|tx| tx.first::<i64>(ASK, &[])).await;
    let write = store.write(|tx| tx.first::<i64>(ASK, &[])).await;
    [read, write].map(|count| count.unwrap() == Some(1))
}

#[tokio::test]
async fn a_server_with_a_certificate_is_spoken_to_as_the_url_says() {
    let authority = Authority::new("ours");
    let tls = Some(authority.sign("localhost"));
    let cluster = Cluster::start(&Settings { tls, ..Settings::default() }).unwrap();
    let address = Address::parse(&cluster.url()).unwrap();
    for (query, tls) in [
        ("sslmode=disable", false),
        ("", true),
        ("sslmode=prefer", true),
        ("sslmode=require", true),
    ] {
        // Nobody asks for a name: it has none for this address.
        let store = open(&address, "127.0.0.1", query).unwrap();
        assert_eq!(encrypted(&store).await, [tls; 2], "{query}");
    }

    let verify = |root: PathBuf| format!("sslmode=verify-full&sslrootcert={}", root.display());
    let store = open(&address, "localhost", &verify(authority.root())).unwrap();
    assert_eq!(encrypted(&store).await, [true; 2]);

    // The second is one that was made anew.
    for stranger in [Authority::new("theirs"), Authority::new("ours")] {
        let words = why(open(&address, "localhost", &verify(stranger.root())));
        let says = format!("no certificate in {} has signed", stranger.root().display());
        assert!(words.contains(&says) && words.contains("sslrootcert"), "{words}");
    }
    let words = why(open(&address, "localhost", "sslmode=verify-full"));
    assert!(words.contains("no authority that this system trusts"), "{words}");
    let words = why(open(&address, "127.0.0.1", &verify(authority.root())));
    assert!(words.contains("not for 127.0.0.1, but for"), "{words}");
    assert!(words.contains("localhost") && words.contains("call the server in the URL"), "{words}");

    let nowhere = authority.directory.path().join("nowhere.pem");
    let words = why(open(&address, "localhost", &verify(nowhere)));
    assert!(words.contains("nowhere.pem"), "{words}");
    let empty = authority.directory.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let words = why(open(&address, "localhost", &verify(empty)));
    assert!(words.contains("there is no certificate in it"), "{words}");
}

#[tokio::test]
async fn what_nobody_waits_for_is_cancelled_in_the_way_that_the_url_says() {
    let authority = Authority::new("ours");
    let tls = Some(authority.sign("localhost"));
    let cluster = Cluster::start(&Settings { tls, ..Settings::default() }).unwrap();
    let address = Address::parse(&cluster.url()).unwrap();
    let verify = format!("sslmode=verify-full&sslrootcert={}", authority.root().display());
    for (query, tls) in [("sslmode=disable", false), ("sslmode=prefer", true), (&*verify, true)] {
        let store = open(&address, "localhost", query).unwrap();
        leave_read(&store, "SELECT 1::bigint FROM pg_sleep(10000)").await;
        assert_eq!(soon(encrypted(&store)).await, [tls; 2], "{query}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_the_url_asks_for_it() {
    let authority = Authority::new("ours");
    let database = with_table();
    let StoreUrl::Postgres(address) = database.place() else { panic!("another place") };
    let host = address.hosts[0].name.clone();
    for query in ["", "sslmode=prefer", "sslmode=disable"] {
        let store = open(&address, &host, query).unwrap();
        assert_eq!(encrypted(&store).await, [false; 2], "{query}");
    }
    let verify = format!("sslmode=verify-full&sslrootcert={}", authority.root().display());
    for query in ["sslmode=require", &verify] {
        let words = why(open(&address, &host, query));
        assert!(words.contains("the server has no TLS: turn it on there"), "{words}");
    }
}

/// With `require` nobody asks whose certificate it is. The login tells.
#[tokio::test]
async fn a_login_is_not_passed_on_by_whoever_has_another_certificate() {
    let authority = Authority::new("ours");
    let own = authority.sign("localhost");
    let tls = Some(own.clone());
    let cluster = Cluster::start(&Settings { tls, ..Settings::default() }).unwrap();
    let open_through = |certificate: &Certificate| {
        let mut address = Address::parse(&cluster.url()).unwrap();
        address.hosts[0].port = between(cluster.address(), certificate, &authority).port();
        open(&address, "localhost", "sslmode=require")
    };
    assert_eq!(encrypted(&open_through(&own).unwrap()).await, [true; 2]);
    let words = why(open_through(&authority.sign("localhost")));
    assert!(words.contains("channel binding"), "{words}");
}

/// How connections are taken with `certificate`.
pub(super) fn taking(certificate: &Certificate) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap(),
        )
        .unwrap()
}

/// Somebody who takes connections with `certificate`, and passes on what is said to `server`.
fn between(server: SocketAddr, certificate: &Certificate, authority: &Authority) -> SocketAddr {
    let taking = taking(certificate);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.root()).unwrap()).unwrap();
    let asking = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (taking, asking) = (Arc::new(taking), Arc::new(asking));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let name = ServerName::try_from("localhost").unwrap();
            let mut here = ServerConnection::new(Arc::clone(&taking)).unwrap();
            let mut there = ClientConnection::new(Arc::clone(&asking), name).unwrap();
            thread::spawn(move || {
                let mut question = [0; 8];
                client.read_exact(&mut question).unwrap();
                client.write_all(b"S").unwrap();
                let mut server = TcpStream::connect(server).unwrap();
                server.write_all(&question).unwrap();
                server.read_exact(&mut [0]).unwrap();
                while here.is_handshaking() {
                    here.complete_io(&mut client).unwrap();
                }
                while there.is_handshaking() {
                    there.complete_io(&mut server).unwrap();
                }
                for stream in [&client, &server] {
                    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
                }
                let mut client = StreamOwned::new(here, client);
                let mut server = StreamOwned::new(there, server);
                while pass_on(&mut client, &mut server) && pass_on(&mut server, &mut client) {}
            });
        }
    });
    address
}

/// Whether there may be more to come.
fn pass_on(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut chunk = [0; 4096];
    match from.read(&mut chunk) {
        Ok(0) => false,
        Ok(count) => to.write_all(&chunk[..count]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}
