//! `guestlist serve`.

use super::line;
use crate::clock::Clock;
use crate::config::{Config, Given, GivenServer};
use crate::server::Server;
use crate::telemetry;
use anyhow::{Context as _, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves until it is told to stop.
pub(super) async fn run(given: &Given, server: &GivenServer) -> Result<()> {
    let config = Config::read(given, server)?;
    let _log = telemetry::start();
    let signals = Signals::new()?;
    let server = Server::bind(&config, Clock::System).await?;
    listen(server, signals).await
}

/// What tells a server to stop.
pub(super) struct Signals(Signal, Signal);

impl Signals {
    pub(super) fn new() -> Result<Self> {
        let of = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self(of(SignalKind::terminate())?, of(SignalKind::interrupt())?))
    }
}

/// Says where the server is, and serves until it is told to stop.
pub(super) async fn listen(server: Server, mut signals: Signals) -> Result<()> {
    crate::http::listen::raise_file_limit();
    line(&format!("listening on http://{}", server.address()))?;
    let stop = async move {
        tokio::select! {
            _ = signals.0.recv() => {}
            _ = signals.1.recv() => {}
        }
        tracing::info!("stopping");
    };
    server.run(stop).await;
    Ok(())
}
