//! A server behind proxies, with the settings that the guide to them has (`docs/operate/proxy.md`).

use crate::client::{Answer, Request};
use crate::world::{Options, PASSWORD, World, forwarded};
use guestlist::http::client_address::Proxies;
use guestlist::http::ingress::Ingress;
use guestlist::http::tls::TlsFiles;
use guestlist::tokens::rows::Principal;
use guestlist_testbed::{Front, FrontProgram, connect_from};
use rcgen::{Certificate, CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const NGINX: &str = include_str!("../../../../ops/proxy/nginx.conf");
const HAPROXY: &str = include_str!("../../../../ops/proxy/haproxy.cfg");
const HAPROXY_TCP: &str = include_str!("../../../../ops/proxy/haproxy-tcp.cfg");
const CADDY: &str = include_str!("../../../../ops/proxy/Caddyfile");

/// The name that the settings have for the server.
const NAME: &str = "guests.example.com";
/// Where clients are, who are not who the proxies are.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OTHER_CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A proxy, and a client of it.
struct Proxy {
    front: Front,
    client: Arc<ClientConfig>,
}

/// `settings` with what differs here: each of `changes` has to be in it.
fn changed(settings: &str, changes: &[(&str, String)]) -> String {
    changes.iter().fold(settings.to_owned(), |settings, (from, to)| {
        assert!(settings.contains(from), "{from} is in it");
        settings.replace(from, to)
    })
}

impl Proxy {
    /// `program` in front of the server at `behind`, with the settings of the guide.
    fn start(program: FrontProgram, behind: SocketAddr) -> Self {
        Self::start_with(program, behind, &[])
    }

    /// The same, with some of the settings changed.
    fn start_with(program: FrontProgram, behind: SocketAddr, more: &[(&str, String)]) -> Self {
        let (certificate, key) = own_certificate();
        let (chain, key) = (certificate.pem(), key.serialize_pem());
        let both = format!("{chain}{key}");
        let files = [("fullchain.pem", &*chain), ("privkey.pem", &*key), ("haproxy.pem", &*both)];
        let behind = ("127.0.0.1:8080", behind.to_string());
        let place = ("/etc/ssl/guests.example.com/", String::new());
        let settings = |port: u16| {
            let (settings, mut changes) = match program {
                FrontProgram::Nginx => {
                    let listen = ("listen 443 ", format!("listen 127.0.0.1:{port} "));
                    (NGINX, vec![listen, behind.clone(), place.clone()])
                }
                FrontProgram::HaProxy => {
                    let listen = ("bind :443 ", format!("bind 127.0.0.1:{port} "));
                    (HAPROXY, vec![listen, behind.clone(), place.clone()])
                }
                FrontProgram::Caddy => {
                    // There is nobody here to get a certificate from.
                    let site = format!(
                        "{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n\
                         https://{NAME}:{port} {{\n\ttls fullchain.pem privkey.pem"
                    );
                    (CADDY, vec![("guests.example.com {", site), behind.clone()])
                }
            };
            changes.extend(more.iter().cloned());
            changed(settings, &changes)
        };
        let front = Front::start(program, settings, &files).unwrap();
        Self { front, client: trusting(certificate.der()) }
    }

    /// `HAProxy` in front of the server at `behind`, which ends TLS itself with such a certificate.
    fn passing(behind: SocketAddr, certificate: &CertificateDer<'static>) -> Self {
        let settings = |port: u16| {
            let listen = ("bind :443", format!("bind 127.0.0.1:{port}"));
            changed(HAPROXY_TCP, &[listen, ("127.0.0.1:8443", behind.to_string())])
        };
        let front = Front::start(FrontProgram::HaProxy, settings, &[]).unwrap();
        Self { front, client: trusting(certificate) }
    }

    fn connect(&self, from: Ipv4Addr) -> Stream {
        let stream = connect_from(from, self.front.address(), None).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let client = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        BufReader::new(StreamOwned::new(client, stream))
    }

    fn send(&self, request: &Request<'_>) -> Answer {
        send(&mut self.connect(CLIENT), request)
    }
}

/// A certificate that nobody else has signed, and its key.
fn own_certificate() -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    (certificate.self_signed(&key).unwrap(), key)
}

fn trusting(certificate: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn send(stream: &mut Stream, request: &Request<'_>) -> Answer {
    stream.get_mut().write_all(&request.clone().header("Host", NAME).bytes()).unwrap();
    Answer::read(stream, request.method()).unwrap()
}

fn address(world: &World) -> SocketAddr {
    world.connect().get_ref().peer_addr().unwrap()
}

/// A server that has one user, with a tag that is long enough to be packed.
struct Scene {
    world: World,
    token: String,
    user: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::with(&Options { ingress: forwarded(), ..Options::default() });
        let application = world.application("one");
        let token = world.token(Principal::Application(application), "all.Application");
        let tags = json!({ "long": "v".repeat(200) });
        let long = "n".repeat(900);
        let user = json!({ "email": "a@example.com", "userTags": tags, "lastName": long });
        let user = world.user(application, user, &[]);
        let user = format!("/applications/{application}/experience/users/{}", user.id);
        Self { world, token, user }
    }

    fn ask<'a>(&'a self, method: &'a str) -> Request<'a> {
        self.world.request(method, &self.user).token(&self.token)
    }
}

#[test]
fn what_the_server_packs_and_tags_comes_through_as_it_is() {
    for program in FrontProgram::ALL {
        let scene = Scene::new();
        let proxy = Proxy::start(program, address(&scene.world));
        let direct = scene.ask("GET").send().expect(200);
        let through = proxy.send(&scene.ask("GET")).expect(200);
        assert_eq!((through.etag(), &through.body), (direct.etag(), &direct.body), "{program:?}");
        let packed = scene.ask("GET").header("Accept-Encoding", "gzip");
        let (direct, through) = (packed.send().expect(200), proxy.send(&packed).expect(200));
        assert_eq!(through.header("content-encoding"), Some("gzip"), "{program:?}");
        assert_eq!((through.etag(), &through.body), (direct.etag(), &direct.body), "{program:?}");
        // Both tags are good for conditions.
        let known = packed.header("If-None-Match", through.etag());
        assert_eq!(proxy.send(&known).expect(304).etag(), through.etag(), "{program:?}");
        let change = |tag: &str| {
            scene.ask("PATCH").header("If-Match", tag).json(&json!({ "firstName": "new" }))
        };
        let changed = proxy.send(&change(through.etag())).expect(200);
        proxy
            .send(&change(through.etag()))
            .refused(412, "The resource has changed since it was read: get it again and retry");
        assert_eq!(scene.ask("GET").send().etag(), changed.etag(), "{program:?}");
    }
}

/// As far as the body.
fn head(proxy: &Proxy, request: &Request<'_>) -> String {
    let mut stream = proxy.connect(CLIENT);
    let request = request.clone().header("Host", NAME).header("Connection", "close");
    stream.get_mut().write_all(&request.bytes()).unwrap();
    let mut answer = Vec::new();
    // Not every proxy ends TLS in order.
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
    let answer = String::from_utf8_lossy(&answer);
    answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase()
}

#[test]
fn a_tag_that_a_proxy_weakens_is_good_for_reading_only() {
    let packs = "gzip on; gzip_types application/json; gzip_proxied any; gzip_min_length 1;";
    let scene = Scene::new();
    let server = address(&scene.world);
    // Whatever is said for all sites, ours does not pack what is packed already.
    let around = ("server {", format!("{packs}\nserver {{"));
    let ask = |tag: &str, name: &'static str| {
        scene.ask("GET").header("Accept-Encoding", "gzip;q=0.5, x").header(name, tag)
    };
    let plain = scene.ask("GET").header("Accept-Encoding", "gzip");
    // What the server sends to nginx is not packed then, and nginx packs it.
    let identity =
        "proxy_set_header Host $host; proxy_set_header Accept-Encoding identity;".to_owned();
    let packing = [("    gzip off;", String::new()), ("proxy_set_header Host $host;", identity)];
    for (changes, weak) in
        [(vec![around.clone()], false), ([vec![around], packing.to_vec()].concat(), true)]
    {
        let proxy = Proxy::start_with(FrontProgram::Nginx, server, &changes);
        let head = head(&proxy, &plain);
        assert!(head.contains("content-encoding: gzip"), "{head}");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
        assert_eq!(tag.starts_with("w/"), weak, "{head}");
        let tag = tag.replace("w/", "W/");
        proxy.send(&ask(&tag, "If-None-Match")).expect(304);
        let change = scene.ask("PATCH").header("If-Match", &tag).json(&json!({}));
        assert_eq!(change.send().status, if weak { 412 } else { 200 });
    }
}

#[test]
fn what_is_large_is_taken_or_refused_by_the_server() {
    for program in FrontProgram::ALL {
        let scene = Scene::new();
        let proxy = Proxy::start(program, address(&scene.world));
        let target = |length: usize| {
            let target = format!("{}?x=", scene.user);
            let target = format!("{target}{}", "a".repeat(length - target.len()));
            scene.world.request("GET", &target).token(&scene.token)
        };
        proxy.send(&target(16 << 10)).expect(200);
        let long = proxy.send(&target((16 << 10) + 1));
        long.refused(414, "The URL is longer than 16384 bytes");
        let with = |length: usize| scene.ask("GET").header("X-Cookies", &"c".repeat(length));
        // The token, and what a proxy adds.
        proxy.send(&with(15_000)).expect(200);
        let large = proxy.send(&with(16_384));
        large.refused(431, "The request headers are larger than 16384 bytes");
        let body = |length: usize| {
            let name = json!({ "firstName": "x" }).to_string();
            let body = " ".repeat(length - name.len()) + &name;
            scene.ask("PATCH").header("Content-Type", "application/json").body(body)
        };
        proxy.send(&body(1 << 20)).expect(200);
        let large = proxy.send(&body((1 << 20) + 1));
        large.refused(413, "The request body is larger than 1048576 bytes");
    }
}

/// Listens in front of a server, and counts the connections with it.
fn counting(server: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            let behind = TcpStream::connect(server).unwrap();
            for (mut from, mut to) in
                [(stream.try_clone().unwrap(), behind.try_clone().unwrap()), (behind, stream)]
            {
                thread::spawn(move || {
                    // It is over either way.
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    (address, count)
}

#[test]
fn connections_with_the_server_are_kept() {
    for program in FrontProgram::ALL {
        let scene = Scene::new();
        let (between, count) = counting(address(&scene.world));
        let proxy = Proxy::start(program, between);
        for _ in 0..10 {
            let mut kept = proxy.connect(CLIENT);
            for _ in 0..10 {
                send(&mut kept, &scene.ask("GET")).expect(200);
            }
        }
        // Some look whether the server is well.
        let count = count.load(Ordering::SeqCst);
        assert!(count < 20, "{program:?}: {count} for 100 requests");
    }
}

/// An administrator, and clients of a proxy who try to be let in as them.
struct SignIns {
    world: World,
}

impl SignIns {
    fn new(ingress: Ingress) -> Self {
        let options = Options { ingress, manual_clock: true, ..Options::default() };
        let world = World::with(&options);
        world.administrator("ada@example.com");
        Self { world }
    }

    fn sign_in(
        &self,
        proxy: &Proxy,
        from: Ipv4Addr,
        password: &str,
        forged: &[(&str, &str)],
    ) -> Answer {
        let body = json!({ "email": "ada@example.com", "password": password });
        let request = self.world.request("POST", "/auth/user").json(&body);
        let request = forged.iter().fold(request, |it, (name, value)| it.header(name, value));
        send(&mut proxy.connect(from), &request)
    }

    /// One who fails waits, whatever they say of themselves, and no other does.
    fn assert_alone(&self, proxy: &Proxy) {
        for _ in 0..20 {
            self.sign_in(proxy, CLIENT, "Wrong-passw0rd", &[]).expect(401);
        }
        self.sign_in(proxy, CLIENT, PASSWORD, &[]).expect(429);
        for forged in [
            &[("X-Forwarded-For", "192.0.2.9")][..],
            &[("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-For", "192.0.2.8, 127.0.0.1")],
            &[("Forwarded", "for=192.0.2.9"), ("X-Real-IP", "192.0.2.9")],
        ] {
            self.sign_in(proxy, CLIENT, PASSWORD, forged).expect(429);
        }
        self.sign_in(proxy, OTHER_CLIENT, PASSWORD, &[]).expect(200);
    }
}

/// Believes what the proxies here say in such a way.
fn believing(client_from: &str) -> Ingress {
    let trusted = vec!["127.0.0.1".parse().unwrap()];
    let proxies = Proxies { trusted, client_from: client_from.parse().unwrap() };
    Ingress { proxies, ..Ingress::default() }
}

#[test]
fn failures_of_one_client_slow_no_other_behind_the_same_proxy() {
    for program in FrontProgram::ALL {
        let sign_ins = SignIns::new(believing("x-forwarded-for"));
        sign_ins.assert_alone(&Proxy::start(program, address(&sign_ins.world)));
    }
}

#[test]
fn a_proxy_that_passes_on_tls_says_whom_it_is_from() {
    let (certificate, key) = own_certificate();
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, chain) = (certificate.der().clone(), certificate.pem());
    let files = TlsFiles {
        certificate: file("cert.pem", chain),
        key: file("key.pem", key.serialize_pem()),
    };
    let ingress = Ingress { tls: Some(files), ..believing("proxy-protocol") };
    let sign_ins = SignIns::new(ingress);
    sign_ins.assert_alone(&Proxy::passing(address(&sign_ins.world), &certificate));
}
