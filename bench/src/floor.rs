//! The floor of reads: an axum handler that answers with the bytes of a real answer, and does
//! nothing for them.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The answer to a GET of one user, head and body
    user: PathBuf,
    /// The answer to a GET of many
    users: PathBuf,
}

/// Serves until it is killed. Its first line says where.
#[tokio::main]
pub(crate) async fn run(args: &Args) -> Result<()> {
    let (user, users) = (read(&args.user)?, read(&args.users)?);
    let app = Router::new()
        .route(
            "/applications/{application}/experience/users/{user}",
            get(async move || user.clone()),
        )
        .route("/applications/{application}/experience/users", get(async move || users.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// The headers and the body of a recorded answer, without what every server adds by itself.
fn read(path: &PathBuf) -> Result<(HeaderMap, Bytes)> {
    let answer = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let end =
        answer.windows(4).position(|four| four == b"\r\n\r\n").context("no end of the head")?;
    let head = std::str::from_utf8(&answer[..end])?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").context("a header without a value")?;
        if !["date", "content-length"].contains(&name.to_lowercase().as_str()) {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
    }
    Ok((headers, Bytes::copy_from_slice(&answer[end + 4..])))
}
