//! A server that speaks TLS.

use super::program::{Place, Serving};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An authority, whose own certificate is in `ca.pem` of a place.
struct Authority<'p> {
    issuer: Issuer<'static, KeyPair>,
    place: &'p Place,
}

impl<'p> Authority<'p> {
    fn of(place: &'p Place) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(place.path("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), place }
    }

    /// Puts a new certificate into `cert.pem`, and its key into `key.pem`.
    fn renew(&self) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.place.path("cert.pem"), certificate.pem()).unwrap();
        fs::write(self.place.path("key.pem"), key.serialize_pem()).unwrap();
    }

    /// What `serving` shows to somebody who trusts the authority.
    fn shown(&self, serving: &Serving) -> Vec<u8> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(self.place.path("ca.pem")).unwrap();
        roots.add(root).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = serving.client.connect().into_inner();
        connection.complete_io(&mut stream).unwrap();
        connection.peer_certificates().unwrap()[0].to_vec()
    }
}

fn hang_up(serving: &Serving) {
    let pid = Pid::from_raw(serving.pid().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
}

#[test]
fn a_certificate_is_replaced_when_the_server_is_told() {
    let place = Place::new();
    let authority = Authority::of(&place);
    authority.renew();
    let settings = "tls-cert = 'cert.pem'\ntls-key = 'key.pem'\npublic-url = 'https://a.example'\n";
    fs::write(place.path("guestlist.toml"), settings).unwrap();
    let create = ["application", "create", "--name", "own", "--store", "a.db", "--json"];
    let own = place.run(&create).json()["applicationId"].as_str().unwrap().to_owned();
    let serving = place.serve();
    let first = authority.shown(&serving);
    authority.renew();
    hang_up(&serving);
    let since = Instant::now();
    while authority.shown(&serving) == first {
        assert!(since.elapsed() < Duration::from_mins(1), "it is replaced");
    }
    let second = authority.shown(&serving);
    // Another that is not good leaves it, however often it is tried.
    fs::write(place.path("key.pem"), "").unwrap();
    for _ in 0..20 {
        hang_up(&serving);
        assert_eq!(authority.shown(&serving), second);
    }
    // And clients find their way.
    let address = serving.client.connect().get_ref().peer_addr().unwrap();
    let url = format!("https://{address}");
    let ask = |trusted: &str| {
        let mut command = place.command(&["application", "get", &own, "--url", &url]);
        command.env("GUESTLIST_TOKEN", "not.a.token").env("SSL_CERT_FILE", place.path(trusted));
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    let said = ask("ca.pem");
    assert!(said.contains(&format!("is not a token that is good at {url}")), "{said}");
    let said = ask("cert.pem");
    assert!(said.contains("SSL_CERT_FILE"), "{said}");

    // Whoever is on the same machine asks whether it is well, whatever the name in the certificate.
    let listen = address.to_string();
    assert_eq!(place.run(&["health", "--listen", &listen, "--writes"]).ok(), "ok\n");
    place.run(&["health", "--url", &url]).failed("does not serve");

    let log = serving.stop();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let with = |message: &str| events.iter().filter(|event| event["message"] == message).count();
    assert_eq!(with("the certificate was replaced"), 1, "{log}");
    assert_eq!(with("the certificate is not for the name in public-url"), 2, "{log}");
    assert!(with("the certificate stays as it was") > 0, "{log}");
    assert!(log.contains("tls-key: key.pem: there is no private key in it"), "{log}");
}

#[test]
fn a_server_without_a_certificate_is_not_ended_by_the_same() {
    let place = Place::new();
    let serving = place.serve();
    for _ in 0..20 {
        hang_up(&serving);
        serving.client.get("", "/healthz").expect(200);
    }
    let log = serving.stop();
    assert!(log.contains("there is no file to read again"), "{log}");
}

#[test]
fn a_server_whose_url_is_https_speaks_tls_or_trusts_whoever_does() {
    for (settings, warns) in [
        ("public-url = 'https://a.example'", true),
        ("public-url = 'http://a.example'", false),
        ("public-url = 'https://a.example'\ntrusted-proxies = ['127.0.0.1']", false),
    ] {
        let place = Place::new();
        fs::write(place.path("guestlist.toml"), settings).unwrap();
        let log = place.serve().stop();
        assert_eq!(log.contains("name the proxy that does in trusted-proxies"), warns, "{log}");
    }
}

#[test]
fn what_is_missing_of_a_certificate_is_named() {
    let place = Place::new();
    Authority::of(&place).renew();
    let serve = |more: &[&str]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--store", "a.db"];
        place.run(&[&serve, more].concat())
    };
    serve(&["--tls-cert", "cert.pem"]).failed("tls-cert: say in tls-key where its private key is");
    serve(&["--tls-key", "key.pem"]).failed("tls-key: say in tls-cert where its certificate is");
    let none = serve(&["--tls-cert", "none.pem", "--tls-key", "key.pem"]);
    none.failed("tls-cert: none.pem: it cannot be read: No such file");
    let other = serve(&["--tls-cert", "ca.pem", "--tls-key", "key.pem"]);
    other.failed("tls-key: key.pem: it is not the key of the first certificate in ca.pem");
    assert!(!place.path("a.db").exists(), "nothing was begun");
}
