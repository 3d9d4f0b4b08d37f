//! The command line.

mod admin;
mod application;
mod backup;
mod doctor;
mod health;
mod help;
mod key;
mod moving;
mod output;
mod progress;
mod quickstart;
mod remote;
mod secret;
mod seed;
mod serve;
mod supervisor;
mod token;

use output::{Output, ReaderGone, line, print, table};

use crate::clock::Clock;
use crate::config::{CliArgs, Config, ServerArgs};
use crate::http::limits::Limits;
use crate::rest::App;
use crate::server;
use crate::store::{Options, StoreUrl};
use crate::telemetry;
use anyhow::{Context as _, Result, bail};
use clap::{FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// A directory and sign-in service for the end users of applications.
#[derive(Debug, Parser)]
#[command(
    name = "guestlist",
    version,
    arg_required_else_help = true,
    after_help = "`guestlist help COMMAND` says what a command takes."
)]
pub struct Cli {
    #[command(flatten)]
    given: CliArgs,
    /// Print JSON for programs
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a demo application, made if there is none, and print how to call it
    Quickstart(ServerArgs),
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
    /// Administrators; on the store itself with --store, or of a server with --url or --profile
    Admin(remote::Administrators),
    /// The keys that tokens are signed with
    #[command(subcommand)]
    Key(key::Command),
    /// Copy a store into another, of the other engine or the same, and hold one against the other
    Move(moving::Args),
    /// Make a backup of a store while it is served, list those that there are, or verify one
    Backup(backup::Args),
    /// Make a store of a backup
    Restore(backup::RestoreArgs),
    /// Say what is wrong with a store, with the machine and with the settings, and what mends it. It only
    /// looks, also beside a server; the status is 0 where all is well, 1 where something was found, and 2
    /// where nobody could look
    Doctor(doctor::Args),
    /// Make anew what only says again what other rows of a store say: counts, the tag index, the search
    /// index; and remove rows that belong to nobody
    Mend,
    /// Print the checksum of what a store holds, which is that of every copy of it
    Checksum,
    /// Ask a server whether it serves, as a health check of a container does
    Health(health::Args),
    /// Print the OpenAPI document
    Openapi,
    /// Print a script that completes commands in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the pages of the manual, one for each command, for whoever makes a package
    Manual {
        /// The directory that they go to
        directory: PathBuf,
    },
}

/// Says on standard error why it failed, unless it only lost whom it was telling, and answers the
/// exit code.
fn report(error: &anyhow::Error) -> u8 {
    if error.is::<ReaderGone>() {
        return 0;
    }
    let unwell = error.downcast_ref::<doctor::Unwell>();
    if let Some(found @ doctor::Unwell::Found) = unwell {
        return found.code();
    }
    // Nothing is left to tell if standard error is gone.
    let _ = writeln!(std::io::stderr(), "guestlist: {error:#}");
    unwell.map_or_else(|| remote::failure::exit_code(error), doctor::Unwell::code)
}

/// Does what the `arguments` say, of which the first is what the program is called, and answers the exit
/// code. Ends the process with help, or with what is wrong with them.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nothing is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "guestlist: cannot start: {error}");
            return 1;
        }
    };
    let done = runtime.block_on(Cli::read(arguments).run());
    // A thread that makes a backup is not waited for: what it leaves is none, and the next removes it.
    runtime.shutdown_background();
    done.map_or_else(|error| report(&error), |()| 0)
}

impl Cli {
    fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let matches = help::command().get_matches_from(arguments);
        let read = help::check(&matches).and_then(|()| Self::from_arg_matches(&matches));
        read.unwrap_or_else(|error| error.exit())
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// When it cannot be done; the message says why.
    async fn run(self) -> Result<()> {
        let out = Output { json: self.json };
        match self.command {
            Command::Quickstart(server) => quickstart::run(&self.given, &server, out).await,
            Command::Serve(server) => serve::run(&self.given, server, out).await,
            Command::Application(commands) => {
                let Some(command) = commands.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, command.makes_a_store(), |app| {
                    application::run(command, app, out)
                })
                .await
            }
            // A token is of something that a store has already.
            Command::Token(commands) => {
                let Some(command) = commands.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, false, |app| token::run(command, app, out)).await
            }
            Command::User(commands) => {
                let Some(seed) = commands.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, seed.makes_a_store(), |app| seed::run(seed, app, out)).await
            }
            Command::Admin(commands) => {
                let Some(command) = commands.on_store(&self.given, out).await? else {
                    return Ok(());
                };
                with_app(&self.given, command.makes_a_store(), |app| admin::run(command, app, out))
                    .await
            }
            Command::Key(command) => {
                with_app(&self.given, false, |app| key::run(command, app, out)).await
            }
            Command::Move(args) => moving::run(args, out).await,
            Command::Backup(args) => backup::run(args, &self.given, out).await,
            Command::Restore(args) => backup::restore(args, out).await,
            Command::Doctor(args) => doctor::run(args, &self.given, out).await,
            Command::Mend => doctor::mend(&self.given, out).await,
            Command::Checksum => moving::checksum(&self.given, out).await,
            Command::Remote(command) => remote::run(command, &self.given, out).await,
            Command::Health(args) => health::run(args, &self.given, out).await,
            Command::Openapi => line(&format!("{:#}", crate::rest::openapi())),
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut help::command(), "guestlist", &mut script);
                print(&String::from_utf8_lossy(&script))
            }
            Command::Manual { directory } => clap_mangen::generate_to(help::command(), &directory)
                .with_context(|| format!("cannot write pages to {}", directory.display())),
        }
    }
}

/// Runs `work` on the store itself, beside a server if one is running. A store that is not there
/// is only made by what begins one: a mistyped path should not look like an empty store.
async fn with_app<F: Future<Output = Result<()>>>(
    given: &CliArgs,
    make: bool,
    work: impl FnOnce(Arc<App>) -> F,
) -> Result<()> {
    let config = Config::read(given, &ServerArgs::default())?;
    // What a command prints on standard error is why it failed, unless somebody asks for the log.
    let _log = std::env::var_os("GUESTLIST_LOG").map(|_| telemetry::start());
    if !make {
        must_exist(&config.store, "--store")?;
    }
    let done = with_config(&config, work).await;
    done.map_err(|error| server::explained(error, &config.store))
}

async fn with_config<F: Future<Output = Result<()>>>(
    config: &Config,
    work: impl FnOnce(Arc<App>) -> F,
) -> Result<()> {
    let options = Options {
        readers: 1,
        writers: 1,
        replica: None,
        // Said of what serves.
        must_exist: false,
        ..config.options.clone()
    };
    let store = server::open(config, &options).await?;
    let issuer = server::issuer(config, &store).await?;
    let limits = Limits::default();
    // Nobody chooses a password here by themselves, and the folder may be the server's alone.
    let config = &Config { breached: None, ..config.clone() };
    let service = server::service(config, store, Clock::System, limits, issuer, None).await?;
    let app = Arc::clone(service.app());
    let done = work(Arc::clone(&app)).await;
    app.store.clone().close().await;
    done
}

/// Refuses a path at which there is no file: `flag` would have named another.
fn must_exist(place: &StoreUrl, flag: &str) -> Result<()> {
    match place {
        // Where that cannot be told, whoever opens it says why.
        StoreUrl::Sqlite(path) if matches!(path.try_exists(), Ok(false)) => bail!(
            "there is no store at {}: name one with {flag}, or begin one with `guestlist \
             application create`, `admin create`, `serve` or `quickstart`",
            path.display()
        ),
        _ => Ok(()),
    }
}
