//! The command line.

mod admin;
mod application;
mod moving;
mod progress;
mod quickstart;
mod remote;
mod seed;
mod serve;
mod token;

pub use remote::exit_code;

use crate::clock::Clock;
use crate::config::{Config, Given, GivenServer};
use crate::http::App;
use crate::http::listen::Limits;
use crate::server;
use crate::store::{Options, Place};
use anyhow::{Result, bail};
use clap::{CommandFactory as _, Parser, Subcommand};
use serde::Serialize;
use std::io::Write as _;
use std::sync::Arc;

/// A directory and sign-in service for the end users of applications.
#[derive(Debug, Parser)]
#[command(name = "guestlist", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    given: Given,
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a demo application, made if there is none, and print how to call it
    Quickstart(GivenServer),
    /// Serve
    Serve(serve::Args),
    /// Applications; on the store itself with --store, or of a server with --url or --profile
    Application(remote::Applications),
    /// Tokens; on the store itself with --store, or of a server with --url or --profile
    Token(remote::Tokens),
    /// Users of an application, of a server; `seed` fills the store itself
    #[command(visible_alias = "users")]
    User(remote::Users),
    #[command(flatten)]
    Remote(remote::Command),
    /// Administrators
    #[command(subcommand)]
    Admin(admin::Command),
    /// Copy a store into another, of the other engine or the same, and hold one against the other
    Move(moving::Args),
    /// Print the checksum of what a store holds, which is that of every copy of it
    Checksum,
    /// Print the OpenAPI document
    Openapi,
    /// Print a script that completes commands in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// When it cannot be done; the message says why.
    pub async fn run(self) -> Result<()> {
        let out = Output { json: self.json };
        match self.command {
            Command::Quickstart(server) => quickstart::run(&self.given, &server, out).await,
            Command::Serve(server) => serve::run(&self.given, server, out).await,
            Command::Application(asked) => {
                let Some(command) = asked.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, command.makes_a_store(), |app| {
                    application::run(command, app, out)
                })
                .await
            }
            // A token is of something that a store has already.
            Command::Token(asked) => {
                let Some(command) = asked.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, false, |app| token::run(command, app, out)).await
            }
            Command::User(asked) => {
                let Some(seed) = asked.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, seed.makes_a_store(), |app| seed::run(seed, app, out)).await
            }
            Command::Admin(command) => {
                with_app(&self.given, true, |app| admin::run(command, app, out)).await
            }
            Command::Move(args) => moving::run(args, out).await,
            Command::Checksum => moving::checksum(&self.given, out).await,
            Command::Remote(command) => remote::run(command, &self.given, out).await,
            Command::Openapi => line(&format!("{:#}", crate::http::openapi())),
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "guestlist", &mut script);
                print(&String::from_utf8_lossy(&script))
            }
        }
    }
}

/// Runs `work` on the store itself, beside a server if one is running. A store that is not there
/// is only made by what begins one: a mistyped path should not look like an empty store.
async fn with_app<F: Future<Output = Result<()>>>(
    given: &Given,
    make: bool,
    work: impl FnOnce(Arc<App>) -> F,
) -> Result<()> {
    let config = Config::read(given, &GivenServer::default())?;
    if !make {
        must_exist(&config.store, "--store")?;
    }
    let options = Options { readers: 1, writers: 1, replica: None, ..config.options.clone() };
    let store = server::open(&config, &options).await?;
    let issuer = server::issuer(&config, &store).await?;
    let app = server::app(&config, store, Clock::System, Limits::default(), issuer).await?;
    let done = work(Arc::clone(&app)).await;
    app.store.clone().close().await;
    done
}

/// Refuses a path at which there is no file: `flag` would have named another.
fn must_exist(place: &Place, flag: &str) -> Result<()> {
    match place {
        Place::Sqlite(path) if !path.exists() => bail!(
            "there is no store at {}: name one with {flag}, or begin one with `guestlist \
             application create`, `admin create`, `serve` or `quickstart`",
            path.display()
        ),
        _ => Ok(()),
    }
}

/// Where results go: standard output, as text or as JSON.
#[derive(Debug, Clone, Copy)]
struct Output {
    json: bool,
}

impl Output {
    /// One result: an object on one line for programs, `text` for people.
    fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        if self.json { line(&serde_json::to_string(value)?) } else { line(&text()) }
    }
}

/// `text` on standard output, at once.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// `text` on a line of its own.
fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// `rows` under `titles`, in columns.
fn table<const N: usize>(titles: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([titles[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(titles)];
    lines.extend(rows.iter().map(|row| line(row.each_ref().map(String::as_str))));
    lines.join("\n")
}
