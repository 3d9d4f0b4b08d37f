//! What a client is told once.

use crate::retry::Retries;
use crate::token::Token;
use std::time::Duration;

/// How a client reaches its server.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) url: String,
    pub(crate) token: Option<Token>,
    pub(crate) timeout: Duration,
    pub(crate) retries: Retries,
    pub(crate) user_agent: String,
    pub(crate) any_certificate: bool,
}

impl Config {
    /// A client of the server at `url`, such as `https://guests.example.com`. A path in it is put
    /// before the path of every request.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            timeout: Duration::from_secs(30),
            retries: Retries::default(),
            user_agent: concat!("guestlist-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            any_certificate: false,
        }
    }

    /// Without a look at whose certificate the server shows: for whoever asks the server of their own
    /// machine, by an address that no certificate names, whether it is well. Such a client has no token.
    #[must_use]
    pub const fn any_certificate(mut self) -> Self {
        self.any_certificate = true;
        self
    }

    /// With the token that is sent along.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// How long one attempt may take, from connecting to the last byte; 30 s unless said.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What is tried again and how often; [`Retries::default`] unless said.
    #[must_use]
    pub const fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// What the client calls itself; `guestlist-client/VERSION` unless said.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }
}
