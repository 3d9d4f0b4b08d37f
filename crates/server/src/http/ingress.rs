//! What a server is told of those who reach it.

use super::client_address::Proxies;
use super::origins::AllowedOrigins;
use super::tls::TlsFiles;

/// Who may reach a server, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingress {
    /// The proxies in front of it.
    pub proxies: Proxies,
    /// The pages that may call it from a browser.
    pub origins: AllowedOrigins,
    /// Where its certificate is, if it speaks TLS.
    pub tls: Option<TlsFiles>,
}
