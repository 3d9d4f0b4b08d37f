//! TLS on the way to the database.

use super::address::Encryption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::io::{self, Error, ErrorKind};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// An encrypted connection over `stream`, whose certificate may have to be that of `host`.
pub(super) fn wrap(
    stream: TcpStream,
    host: &str,
    encryption: &Encryption,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(Error::other)?;
    let mut connection =
        ClientConnection::new(Arc::new(config(encryption)?), name).map_err(Error::other)?;
    let mut stream = stream;
    while connection.is_handshaking() {
        let done = connection.complete_io(&mut stream);
        done.map_err(|error| explain(error, host, encryption))?;
    }
    Ok(StreamOwned::new(connection, stream))
}

fn config(encryption: &Encryption) -> io::Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?;
    let builder = match encryption {
        Encryption::VerifyFull(Some(roots)) => builder.with_root_certificates(read(roots)?),
        Encryption::VerifyFull(None) => builder.with_platform_verifier().map_err(Error::other)?,
        _ => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    Ok(builder.with_no_client_auth())
}

/// What to do about a certificate that is not taken.
fn explain(error: Error, host: &str, encryption: &Encryption) -> Error {
    let why = error.get_ref().and_then(|why| why.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(why)) = why else { return error };
    let words = match (why, encryption) {
        // It may have another key, and the name of one that is known.
        (
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
            Encryption::VerifyFull(Some(roots)),
        ) => format!(
            "no certificate in {} has signed that of the server: name the file of the authority \
             that has as sslrootcert",
            roots.display()
        ),
        (CertificateError::UnknownIssuer, _) => "no authority that this system trusts has signed \
             the certificate of the server: name the file of the one that has as sslrootcert"
            .into(),
        (CertificateError::NotValidForNameContext { presented, .. }, _) => format!(
            "the certificate of the server is not for {host}, but for {}: call the server in the \
             URL what its certificate calls it",
            if presented.is_empty() { "no name".into() } else { presented.join(" and ") }
        ),
        (why, _) => format!("the certificate of the server is not taken: {why}"),
    };
    Error::new(ErrorKind::InvalidData, words)
}

/// The certificates in the file at `path`.
fn read(path: &Path) -> io::Result<RootCertStore> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::new(ErrorKind::InvalidInput, format!("{}: {why}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|why| wrong(&why))? {
        roots.add(certificate.map_err(|why| wrong(&why))?).map_err(|why| wrong(&why))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"there is no certificate in it"));
    }
    Ok(roots)
}

/// Takes any certificate: what `sslmode=require` promises is that nobody listens who only listens.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
