//! The commands that ask a server, over its API.

mod admin;
mod application;
mod body;
pub(super) mod columns;
mod curl;
mod experience;
pub(super) mod failure;
mod group;
mod link;
mod login;
mod me;
mod profiles;
mod resource;
mod session;
pub(super) mod show;
mod sign_in;
mod token;
mod tree;
mod user;

use super::Output;
use crate::config::CliArgs;
use anyhow::Result;
use clap::{Args, Subcommand};

/// What only a server does.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Groups of an application's users
    Group(Over<group::Group>),
    /// All users and groups of an application together
    Experience(Over<experience::Experience>),
    /// What an application offers to the people who sign in to it
    SignIn(Over<sign_in::SignIn>),
    /// The administrator whose token it is
    Me(OverCommands<me::Command>),
    /// Sign in to a server, and remember it with its token
    Login(login::Login),
}

/// Commands, and the server that they are for.
#[derive(Debug, Args)]
pub(super) struct Over<T: Args> {
    #[command(flatten)]
    remote: session::Remote,
    #[command(flatten)]
    what: T,
}

/// The same, of commands that have nothing in common.
#[derive(Debug, Args)]
pub(super) struct OverCommands<T: Subcommand> {
    #[command(flatten)]
    remote: session::Remote,
    #[command(subcommand)]
    what: T,
}

/// Administrators, of a store or of a server.
pub(super) type Administrators = OverCommands<admin::Command>;
/// Applications, of a store or of a server.
pub(super) type Applications = OverCommands<application::Command>;
/// Tokens, of a store or of a server.
pub(super) type Tokens = Over<token::Token>;
/// Users of a server, and those that a store is filled with.
pub(super) type Users = Over<user::User>;

/// Does what only a server does.
pub(super) async fn run(command: Command, given: &CliArgs, out: Output) -> Result<()> {
    only_a_server(given)?;
    match command {
        Command::Group(Over { remote, what }) => {
            group::run(what, &remote.session("group", out)?).await
        }
        Command::Experience(Over { remote, what }) => {
            experience::run(what, &remote.session("experience", out)?).await
        }
        Command::SignIn(Over { remote, what }) => {
            sign_in::run(what, &remote.session("sign-in", out)?).await
        }
        Command::Me(OverCommands { remote, what }) => {
            me::run(what, &remote.session("me", out)?).await
        }
        Command::Login(login) => login::run(login, out).await,
    }
}

fn only_a_server(given: &CliArgs) -> Result<()> {
    if session::names_store(given) {
        return Err(failure::usage("this is asked of a server: give --url rather than --store"));
    }
    Ok(())
}

impl Administrators {
    /// What to do on the store, if it is meant; else it is done on the server.
    pub(super) async fn on_store(
        self,
        given: &CliArgs,
        out: Output,
    ) -> Result<Option<super::admin::Command>> {
        // The first one is made before there is anybody to ask.
        let makes = matches!(self.what, admin::Command::Create { .. });
        if makes && self.remote.is_named() {
            let why = "an administrator is made on the store itself: name it with --store";
            return Err(failure::usage(why));
        }
        if makes || self.remote.is_for_store(given)? {
            return self.what.on_store().map(Some);
        }
        admin::run(self.what, &self.remote.session("admin", out)?).await?;
        Ok(None)
    }
}

impl Applications {
    /// What to do on the store, if it is meant; else it is done on the server.
    pub(super) async fn on_store(
        self,
        given: &CliArgs,
        out: Output,
    ) -> Result<Option<super::application::Command>> {
        if self.remote.is_for_store(given)? {
            return self.what.on_store().map(Some);
        }
        application::run(self.what, &self.remote.session("application", out)?).await?;
        Ok(None)
    }
}

impl Tokens {
    /// What to do on the store, if it is meant; else it is done on the server.
    pub(super) async fn on_store(
        self,
        given: &CliArgs,
        out: Output,
    ) -> Result<Option<super::token::Command>> {
        if self.remote.is_for_store(given)? {
            return self.what.on_store().map(Some);
        }
        let command = if self.what.is_mine() { failure::MY_TOKENS } else { "token" };
        token::run(self.what, &self.remote.session(command, out)?).await?;
        Ok(None)
    }
}

impl Users {
    /// What to fill the store with, if that is asked; all else is done on the server.
    pub(super) async fn on_store(
        self,
        given: &CliArgs,
        out: Output,
    ) -> Result<Option<super::seed::Args>> {
        let Over { remote, what } = self;
        if let Some(seed) = what.seed() {
            if remote.is_for_store(given)? {
                return Ok(Some(seed));
            }
            return Err(failure::usage(user::FOR_A_STORE));
        }
        only_a_server(given)?;
        user::run(what, &remote.session("user", out)?).await?;
        Ok(None)
    }
}
