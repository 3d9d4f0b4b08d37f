use super::watch::Watch;
use super::*;
use crate::clock::Settable;
use guestlist_api::time::DateTime;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client};

/// A client's end of a connection.
pub(in crate::http) type ClientStream = client::TlsStream<TcpStream>;

/// The name that all certificates here are for.
const NAME: &str = "guests.example.com";

/// Who signs certificates, and files with one of them.
pub(in crate::http) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    directory: TempDir,
}

impl Authority {
    pub(in crate::http) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let authority = Self { issuer, root, directory: tempfile::tempdir().unwrap() };
        authority.renew();
        authority
    }

    pub(in crate::http) fn files(&self) -> TlsFiles {
        let file = |name| self.directory.path().join(name);
        TlsFiles { certificate: file("cert.pem"), key: file("key.pem") }
    }

    /// Puts another good pair into the files.
    pub(in crate::http) fn renew(&self) {
        let (certificate, key) = self.pair(2000, 2100);
        self.write(&certificate, &key);
    }

    /// A certificate that is good from the beginning of one year to that of another, and its key.
    fn pair(&self, begins: i32, ends: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.not_before = date_time_ymd(begins, 1, 1);
        params.not_after = date_time_ymd(ends, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn write(&self, certificate: &str, key: &str) {
        let files = self.files();
        std::fs::write(files.certificate, certificate).unwrap();
        std::fs::write(files.key, key).unwrap();
    }

    pub(in crate::http) fn open(&self) -> Tls {
        Tls::open(self.files(), None, Clock::System).unwrap()
    }

    /// A handshake of a client of such versions, which says that it speaks `protocols`.
    pub(in crate::http) async fn greet(
        &self,
        stream: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> io::Result<ClientStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(NAME).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

/// What `tls` shows now.
fn shown(tls: &Tls) -> Vec<u8> {
    tls.shown.now().key.cert[0].to_vec()
}

#[test]
fn what_is_wrong_with_the_files_is_told_with_the_file_and_the_rule() {
    let authority = Authority::new();
    let (certificate, key) = authority.pair(2000, 2100);
    let (other, other_key) = authority.pair(2000, 2100);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----";
    let torn = "-----BEGIN CERTIFICATE-----\nAAAA";
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    for (certificate, key, file, why) in [
        ("", &*key, "tls-cert", "there is no certificate in it"),
        (&*key, &*key, "tls-cert", "there is no certificate in it"),
        (torn, &*key, "tls-cert", "it is not PEM"),
        (empty, &*key, "tls-cert", "its first certificate cannot be read"),
        (&*certificate, "", "tls-key", "there is no private key in it"),
        (&*certificate, &*certificate, "tls-key", "there is no private key in it"),
        (&*certificate, encrypted, "tls-key", "the key is encrypted"),
        (&*certificate, &*other_key, "tls-key", "it is not the key of the first certificate in"),
        (&*format!("{other}{certificate}"), &*key, "tls-key", "it is not the key of the first"),
    ] {
        authority.write(certificate, key);
        let words = Tls::open(authority.files(), None, Clock::System).unwrap_err();
        let files = authority.files();
        let path = if file == "tls-cert" { files.certificate } else { files.key };
        assert!(words.starts_with(&format!("{file}: {}: {why}", path.display())), "{words}");
    }
    authority.write(&format!("{certificate}{other}"), &key);
    authority.open();
    std::fs::remove_file(authority.files().key).unwrap();
    let words = Tls::open(authority.files(), None, Clock::System).unwrap_err();
    assert!(words.contains("key.pem: it cannot be read: No such file"), "{words}");
}

#[test]
fn it_is_known_from_when_to_when_a_certificate_is_good() {
    let authority = Authority::new();
    let (certificate, _) = authority.pair(2020, 2051);
    let read = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let validity = Validity::of(&read).unwrap();
    assert_eq!(validity.begins.to_string(), "2020-01-01T00:00:00.000Z");
    assert_eq!(validity.ends.to_string(), "2051-01-01T00:00:00.000Z");
    let at = |text: &str| validity.check(text.parse().unwrap());
    assert_eq!(
        at("2019-12-31T23:59:59.000Z").unwrap_err(),
        "is good only from 2020-01-01T00:00:00.000Z on"
    );
    at("2020-01-01T00:00:00.000Z").unwrap();
    at("2051-01-01T00:00:00.000Z").unwrap();
    assert_eq!(
        at("2051-01-01T00:00:00.001Z").unwrap_err(),
        "has ended on 2051-01-01T00:00:00.000Z"
    );
    // An authority's own, which is no server's.
    assert!(Validity::of(&authority.root).is_ok());
}

#[test]
fn a_pair_that_is_not_good_leaves_the_one_that_is_there() {
    let authority = Authority::new();
    let tls = authority.open();
    let first = shown(&tls);
    let (certificate, key) = authority.pair(2000, 2100);
    let (ended, its_key) = authority.pair(2000, 2001);
    let (future, future_key) = authority.pair(2090, 2100);
    for (certificate, key, why) in [
        ("", "", "there is no certificate"),
        (&*certificate, &*its_key, "it is not the key of"),
        (&*ended, &*its_key, "it has ended on 2001-01-01"),
        (&*future, &*future_key, "it is good only from 2090-01-01"),
    ] {
        authority.write(certificate, key);
        let words = tls.reload().unwrap_err();
        assert!(words.contains(why), "{words}");
        assert_eq!(shown(&tls), first);
    }
    authority.write(&certificate, &key);
    tls.reload().unwrap();
    assert_ne!(shown(&tls), first);
    // A server starts with one all the same.
    authority.write(&ended, &its_key);
    assert_ne!(shown(&authority.open()), first);
}

#[test]
fn files_are_read_when_they_have_changed_and_whoever_writes_them_is_done() {
    let authority = Authority::new();
    let tls = authority.open();
    let mut watch = Watch::of(&tls.files);
    let first = shown(&tls);
    watch.look(&tls, false);
    let (certificate, key) = authority.pair(2000, 2100);
    let files = authority.files();
    // Other files in their places, so that it does not matter how finely the disk tells the time.
    let put = |path: &Path, text: &str| {
        let new = path.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, path).unwrap();
    };
    put(&files.certificate, &certificate);
    watch.look(&tls, false);
    put(&files.key, &key);
    watch.look(&tls, false);
    assert_eq!(shown(&tls), first, "they have just been changed");
    watch.look(&tls, false);
    let second = shown(&tls);
    assert_ne!(second, first);
    // What is not good is looked at once, and what follows is taken.
    put(&files.key, "");
    for _ in 0..3 {
        watch.look(&tls, false);
    }
    assert_eq!(shown(&tls), second);
    let (certificate, key) = authority.pair(2000, 2100);
    put(&files.certificate, &certificate);
    put(&files.key, &key);
    // Who is told does not wait.
    watch.look(&tls, true);
    assert_ne!(shown(&tls), second);
}

#[test]
fn a_link_to_other_files_is_another_file() {
    let authority = Authority::new();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for place in [&one, &two] {
        authority.renew();
        let files = authority.files();
        std::fs::copy(files.certificate, place.path().join("cert.pem")).unwrap();
        std::fs::copy(files.key, place.path().join("key.pem")).unwrap();
    }
    // As certificates are put into a container: the files are links through a link that is swapped.
    let data = authority.directory.path().join("data");
    std::os::unix::fs::symlink(one.path(), &data).unwrap();
    let files = TlsFiles { certificate: data.join("cert.pem"), key: data.join("key.pem") };
    let tls = Tls::open(files, None, Clock::System).unwrap();
    let mut watch = Watch::of(&tls.files);
    let first = shown(&tls);
    std::fs::remove_file(&data).unwrap();
    std::os::unix::fs::symlink(two.path(), &data).unwrap();
    watch.look(&tls, false);
    watch.look(&tls, false);
    assert_ne!(shown(&tls), first);
}

#[test]
fn the_end_of_a_certificate_is_warned_of_once_a_day() {
    let authority = Authority::new();
    let clock = Arc::new(Settable::running());
    let tls = Tls::open(authority.files(), None, Clock::Settable(Arc::clone(&clock))).unwrap();
    let mut watch = Watch::of(&tls.files);
    let mut warns = |at: &str| {
        clock.set(at.parse::<DateTime>().unwrap());
        watch.look(&tls, false)
    };
    assert!(!warns("2099-12-17T23:00:00.000Z"));
    assert!(warns("2099-12-18T01:00:00.000Z"));
    assert!(!warns("2099-12-19T00:00:00.000Z"));
    assert!(warns("2099-12-19T02:00:00.000Z"));
    assert!(warns("2100-06-01T00:00:00.000Z"));
}
