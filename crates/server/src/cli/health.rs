//! `guestlist health`: asks a server whether it serves, where nothing else is there to ask with, as in a
//! container that has the program and no shell.

use super::Output;
use crate::config::{CliArgs, Config, ServerArgs};
use anyhow::{Context as _, Result};
use guestlist_client::{Client, Config as ClientConfig, Method, Request, Retries};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Longer than a server takes that finds out that its store does not answer.
const PATIENCE: Duration = Duration::from_secs(12);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server [default: the one that the configuration has listen on this machine]
    #[arg(long, env = "GUESTLIST_URL", value_name = "URL")]
    url: Option<String>,
    /// The address that it listens on [default: 127.0.0.1:8080]
    #[arg(long, env = "GUESTLIST_LISTEN", value_name = "ADDR", conflicts_with = "url")]
    listen: Option<String>,
    /// Fail where the store takes no changes, too
    #[arg(long)]
    writes: bool,
    /// Ask only whether the process answers: for whoever restarts it
    #[arg(long, conflicts_with = "writes")]
    live: bool,
}

/// Asks. It fails where the server does not serve, or does not answer.
pub(super) async fn run(args: Args, given: &CliArgs, out: Output) -> Result<()> {
    let (url, config) = if let Some(url) = args.url {
        (url.clone(), ClientConfig::new(url))
    } else {
        let url = here(given, args.listen)?;
        // Nothing secret is said, and no certificate names an address of loopback.
        (url.clone(), ClientConfig::new(url).any_certificate())
    };
    let config = config.timeout(PATIENCE).retries(Retries::none());
    let path = if args.live { "/healthz" } else { "/readyz" };
    let mut request = Request::new(Method::GET, path);
    if args.writes {
        request = request.query("writes", "1");
    }
    let reply = Client::new(config)?.send(&request).await;
    let reply = reply.with_context(|| format!("{url} does not serve"))?;
    let health: Value = reply.json()?;
    out.result(&health, || match &health["why"] {
        Value::String(why) => format!("ok, but takes no changes: {why}"),
        _ => "ok".to_owned(),
    })
}

/// The server that the configuration has listen on this machine.
fn here(given: &CliArgs, listen: Option<String>) -> Result<String> {
    let server = ServerArgs { listen, ..ServerArgs::default() };
    let config = Config::read(given, &server)?;
    let scheme = if config.ingress.tls.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{}", reached(config.listen)))
}

/// Where whoever listens on `address` is reached from this machine.
fn reached(address: SocketAddr) -> SocketAddr {
    let loopback = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(loopback, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_for_everybody_is_reached_at_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            assert_eq!(reached(listens.parse().unwrap()).to_string(), asked);
        }
    }
}
