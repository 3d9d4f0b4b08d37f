//! A server: the store, what stands on it, and a socket.

use crate::auth::hasher::{Hasher, HasherOptions};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::http::listen::{self, Limits};
use crate::http::{App, Parts, Service};
use crate::store::{Options, Store};
use anyhow::{Context as _, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A server that has its socket and is ready to run.
pub struct Server {
    /// The service.
    pub app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

impl Server {
    /// Opens the store, making it if there is none, and takes the address.
    ///
    /// # Errors
    /// When one of them cannot be had; the message says which and why.
    pub async fn bind(config: &Config, clock: Clock) -> Result<Self> {
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let store = Store::open(&config.store, &Options::default())?;
        let mut limits = Limits::default();
        limits.max_connections = config.max_connections.unwrap_or(limits.max_connections);
        let app = app(config, store, clock, limits, config.issuer_at(address)).await?;
        Ok(Self { app, listener, address, limits })
    }

    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown`, then finishes what is under way and closes the store.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let service = Arc::new(Service(Arc::clone(&self.app)));
        listen::serve(self.listener, service, self.limits, shutdown).await;
        self.app.store.clone().close().await;
    }
}

/// The service over `store`, as a server or a command that needs no socket uses it.
///
/// # Errors
/// When the store fails.
pub async fn app(
    config: &Config,
    store: Store,
    clock: Clock,
    limits: Limits,
    issuer: String,
) -> Result<Arc<App>, Error> {
    let mut options = HasherOptions::default();
    options.workers = config.hash_workers.unwrap_or(options.workers);
    let hasher = Hasher::start(&options)?;
    App::new(Parts { store, hasher, clock, issuer, limits }).await
}
