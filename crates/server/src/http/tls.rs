//! TLS at the listener: a certificate and its key, which may be replaced while the server runs.
//!
//! Both are read again when a file is another than it was, and at SIGHUP. A pair that is not good leaves the
//! one that is there.

use super::transport::Timed;
use crate::clock::Clock;
use guestlist_api::time::DateTime;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use webpki::EndEntityCert;
use zeroize::Zeroizing;

mod validity;
mod watch;

use validity::Validity;
pub(crate) use watch::Hangups;

/// Where the certificate of a server is, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the server's own certificate, and behind it those that have signed it.
    pub certificate: PathBuf,
    /// PEM: the private key of the first.
    pub key: PathBuf,
}

/// What a server shows who it is with, and how it speaks TLS.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    /// By which clients come.
    name: Option<ServerName<'static>>,
    clock: Clock,
    shown: Arc<Shown>,
    acceptor: Acceptor,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
struct Pair {
    key: Arc<CertifiedKey>,
    validity: Validity,
}

/// The pair that new connections are shown.
#[derive(Debug)]
struct Shown(RwLock<Pair>);

impl Shown {
    fn now(&self) -> Pair {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now().key)
    }
}

/// A [`TlsAcceptor`], which says nothing of itself.
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl TlsFiles {
    /// When the certificate ends that is in them.
    ///
    /// # Errors
    /// As [`Tls::open`].
    pub(crate) fn end(&self) -> Result<DateTime, String> {
        read(self).map(|pair| pair.validity.ends)
    }
}

impl Tls {
    /// Reads the files, for a server that clients call by `name`. A certificate that has ended, or has not begun, is taken all the same: a server that
    /// does not start helps nobody. The log says so.
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together; the words name the file and what it should be.
    pub fn open(files: TlsFiles, name: Option<&str>, clock: Clock) -> Result<Self, String> {
        let pair = read(&files)?;
        let name = name.and_then(|name| ServerName::try_from(name.to_owned()).ok());
        let now = clock.now();
        if let Err(why) = pair.validity.check(now) {
            tracing::error!(file = %files.certificate.display(), "the certificate {why}");
        }
        warn_of_name(&files, name.as_ref(), &pair);
        let shown = Arc::new(Shown(RwLock::new(pair)));
        let config = config(Arc::clone(&shown)).map_err(|why| format!("TLS: {why}"))?;
        Ok(Self { files, name, clock, shown, acceptor: Acceptor(Arc::new(config).into()) })
    }

    /// When the certificate ends that is shown now.
    pub(crate) fn ends(&self) -> DateTime {
        self.shown.now().validity.ends
    }

    /// A handshake.
    pub(super) async fn accept(&self, stream: Timed) -> io::Result<TlsStream<Timed>> {
        self.acceptor.0.accept(stream).await
    }

    /// Shows the pair that is in the files now to whoever connects from now on.
    ///
    /// # Errors
    /// When it is not good; then nothing changes.
    pub(super) fn reload(&self) -> Result<(), String> {
        let pair = read(&self.files)?;
        let named = |why| format!("tls-cert: {}: it {why}", self.files.certificate.display());
        pair.validity.check(self.clock.now()).map_err(named)?;
        warn_of_name(&self.files, self.name.as_ref(), &pair);
        let ends = pair.validity.ends;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
        tracing::info!(
            file = %self.files.certificate.display(),
            %ends,
            "the certificate was replaced"
        );
        Ok(())
    }
}

fn config(shown: Arc<Shown>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        // 1.2 and 1.3.
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = ["http/1.1", "http/1.0"].map(|name| name.as_bytes().to_vec()).to_vec();
    // So that nothing is held for a client that may come again. Its keys are replaced every six hours.
    config.ticketer = Ticketer::new()?;
    Ok(config)
}

/// The pair in the files.
fn read(files: &TlsFiles) -> Result<Pair, String> {
    let TlsFiles { certificate, key } = files;
    let of_certificate = |why: String| format!("tls-cert: {}: {why}", certificate.display());
    let of_key = |why: String| format!("tls-key: {}: {why}", key.display());
    let text = contents(certificate).map_err(of_certificate)?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|why| of_certificate(format!("it is not PEM: {why}")))?;
    let Some(own) = chain.first() else {
        return Err(of_certificate(
            "there is no certificate in it, which begins with -----BEGIN CERTIFICATE-----".into(),
        ));
    };
    let validity = Validity::of(own)
        .map_err(|why| of_certificate(format!("its first certificate cannot be read: {why}")))?;
    let text = contents(key).map_err(of_key)?;
    let private = PrivateKeyDer::from_pem_slice(&text).map_err(|why| match why {
        pem::Error::NoItemsFound if is_encrypted(&text) => of_key(format!(
            "the key is encrypted, and nobody is there to say its passphrase when a server starts: run \
             `openssl pkey -in {0} -out {0}.plain`, and see that nobody else reads that",
            key.display()
        )),
        pem::Error::NoItemsFound => of_key(
            "there is no private key in it, which begins with -----BEGIN PRIVATE KEY-----".into(),
        ),
        why => of_key(format!("it is not PEM: {why}")),
    })?;
    let pair = CertifiedKey::from_der(chain, private, &default_provider());
    let pair = pair.map_err(|why| match why {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => of_key(format!(
            "it is not the key of the first certificate in {}, which has to be the server's own, before those \
             that have signed it",
            certificate.display()
        )),
        why => of_key(format!("the key cannot be used: {why}")),
    })?;
    if is_open_to_others(key) {
        tracing::warn!("others on this machine can read the key: chmod o= {}", key.display());
    }
    Ok(Pair { key: Arc::new(pair), validity })
}

/// Warns where clients who come by `name` will not take the certificate for that.
fn warn_of_name(files: &TlsFiles, name: Option<&ServerName<'_>>, pair: &Pair) {
    let Some((name, own)) = name.zip(pair.key.cert.first()) else { return };
    let own = EndEntityCert::try_from(own);
    if own.is_ok_and(|own| own.verify_is_valid_for_subject_name(name).is_err()) {
        let file = files.certificate.display();
        tracing::warn!(%file, name = %name.to_str(), "the certificate is not for the name in public-url");
    }
}

fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    std::fs::read(path).map(Zeroizing::new).map_err(|why| format!("it cannot be read: {why}"))
}

fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // Whoever shares the group was given it.
    std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o007 != 0)
}

#[cfg(test)]
pub(in crate::http) mod tests;
