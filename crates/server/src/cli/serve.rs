//! `guestlist serve`.

use super::Output;
use super::output::{announce, line};
use super::supervisor;
use crate::clock::Clock;
use crate::config::{self, CliArgs, Config, DEFAULT_LISTEN, ServerArgs};
use crate::server::Server;
use crate::store::OnDiskFailure;
use crate::telemetry;
use crate::testing::{Engine, Seed, Source};
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Refuse to make a store where there is none: its volume may not be mounted
    #[arg(long, env = "GUESTLIST_MUST_EXIST", value_parser = clap::builder::BoolishValueParser::new())]
    must_exist: bool,
    /// Serve tests on this machine: a new store that is gone in the end, and `/_test/...` to reset
    /// it, set the clock and ask for faults
    #[arg(long)]
    test: bool,
    /// What is in the store of a test at first, as JSON
    #[arg(long, value_name = "FILE", requires = "test")]
    seed: Option<PathBuf>,
}

/// Serves until it is told to stop.
pub(super) async fn run(given: &CliArgs, args: Args, out: Output) -> Result<()> {
    if args.test {
        return test(given, args, out).await;
    }
    let mut config = Config::read(given, &args.server)?;
    config.options.must_exist |= args.must_exist;
    config.options.on_disk_failure = OnDiskFailure::EndProcess;
    let _log = telemetry::start();
    leave_no_core_dump();
    // Each reader has files of its own.
    crate::http::listen::raise_file_limit();
    let (server, signals) = Signals::new()?.end_while(Server::bind(&config, Clock::System)).await?;
    listen(server?, signals, out).await
}

/// Serves tests until it is told to stop.
async fn test(given: &CliArgs, args: Args, out: Output) -> Result<()> {
    for (name, given) in [
        ("store", given.store.is_some()),
        ("config", given.config.is_some()),
        ("public-url", given.public_url.is_some()),
        ("must-exist", args.must_exist),
        ("tls-cert", args.server.tls_cert.is_some()),
        ("tls-key", args.server.tls_key.is_some()),
        ("smtp-url", args.server.smtp_url.is_some()),
        ("mail-from", args.server.mail_from.is_some()),
    ] {
        if given {
            bail!(
                "serve --test has a store and settings of its own: leave out --{name} and GUESTLIST_{}",
                name.replace('-', "_").to_uppercase()
            );
        }
    }
    let listen = config::address(args.server.listen.as_deref().unwrap_or(DEFAULT_LISTEN))?;
    if !listen.ip().is_loopback() {
        bail!("serve --test lets anybody do anything: listen on this machine alone, at 127.0.0.1");
    }
    if args.server.metrics_listen.is_some() {
        bail!(
            "serve --test counts nothing: leave out --metrics-listen and GUESTLIST_METRICS_LISTEN"
        );
    }
    let seed = Seed::load(args.seed.map(Source::File))?;
    let _log = telemetry::start();
    let (engine, signals) = Signals::new()?.end_while(Engine::bind(listen, seed, true)).await?;
    let engine = engine?;
    crate::http::listen::raise_file_limit();
    let known = engine.known();
    if out.json {
        line(&known.to_string())?;
    } else {
        let text = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
        line(&format!("Application id  {}", text("applicationId")))?;
        line(&format!("Token           {}", text("token")))?;
    }
    ready(&format!("http://{}", engine.address()), out)?;
    engine.run(signals.stop()).await;
    Ok(())
}

/// What tells a server to stop.
pub(super) struct Signals(Signal, Signal);

impl Signals {
    pub(super) fn new() -> Result<Self> {
        let of = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self(of(SignalKind::terminate())?, of(SignalKind::interrupt())?))
    }

    /// What `starting` comes to, and these again. Meanwhile they end the process at once: to start
    /// may be to wait for others without looking up, and a store is whole whenever its process ends.
    pub(super) async fn end_while<T>(
        mut self,
        starting: impl Future<Output = T>,
    ) -> Result<(T, Self)> {
        let (done, started) = oneshot::channel::<()>();
        let watching = tokio::spawn(async move {
            tokio::select! {
                _ = started => {}
                () = self.told() => std::process::exit(0),
            }
            self
        });
        let outcome = starting.await;
        drop(done);
        Ok((outcome, watching.await.context("signals are not listened for")?))
    }

    /// Waits until it is told.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
        tracing::info!("stopping");
    }

    /// The same, for as long as there is a server.
    async fn stop(mut self) {
        self.told().await;
    }
}

/// Has no picture of the memory written when the process dies: passwords that are being looked at
/// are in it, and the key that signs tokens.
pub(super) fn leave_no_core_dump() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "a core dump may be written when the process dies");
    }
}

/// Says where the server is, and serves until it is told to stop.
pub(super) async fn listen(server: Server, signals: Signals, out: Output) -> Result<()> {
    crate::http::listen::raise_file_limit();
    ready(&server.url(), out)?;
    supervisor::tell(supervisor::READY);
    let stop = async {
        signals.stop().await;
        supervisor::tell(supervisor::STOPPING);
    };
    server.run(stop).await;
    Ok(())
}

/// Says that the server can be asked, and where.
fn ready(url: &str, out: Output) -> Result<()> {
    if out.json {
        announce(&json!({ "ready": true, "url": url }).to_string())
    } else {
        announce(&format!("listening on {url}"))
    }
}
