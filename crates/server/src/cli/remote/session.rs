//! Which server is asked, as whom, and what is done with its answer.

use super::super::{Output, line};
use super::failure::{Asked, failed, usage};
use super::profiles::{Profile, Profiles};
use super::{curl, secret};
use crate::config::{self, Given};
use anyhow::Result;
use guestlist_api::id::ApplicationId;
use guestlist_client::{Client, Config, Reply, Request, Token};
use std::io::IsTerminal as _;

/// Where a server listens unless it is told otherwise.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Which server is asked.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Remote {
    /// Ask the server at this URL [env: `GUESTLIST_URL`]; the token is `GUESTLIST_TOKEN`, or is asked
    /// for
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// Ask the server of this profile, made by `guestlist login` [env: `GUESTLIST_PROFILE`]
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "url")]
    profile: Option<String>,
    /// Print the request as a command for curl instead of sending it
    #[arg(long, global = true)]
    curl: bool,
}

/// A variable of the environment, if it says anything.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a flag names the store.
pub(super) fn names_store(given: &Given) -> bool {
    given.store.is_some() && given.store != variable("GUESTLIST_STORE")
}

impl Remote {
    /// Whether a command that has both forms is for the store itself: if the store was named, or
    /// nothing was. A flag beats what the environment and files say.
    pub(crate) fn is_for_store(&self, given: &Given) -> Result<bool> {
        let flagged = self.url.is_some() || self.profile.is_some() || self.curl;
        match (flagged, names_store(given)) {
            (true, true) => Err(usage(
                "--store is for the store itself, --url, --profile and --curl are for a server: \
                 give one of them",
            )),
            (true, false) => Ok(false),
            (false, true) => Ok(true),
            (false, false) if config::names_store(given)? => Ok(true),
            (false, false) => Ok(variable("GUESTLIST_URL").is_none()
                && variable("GUESTLIST_PROFILE").is_none()
                && Profiles::read()?.default.is_none()),
        }
    }

    /// The server that is meant, and who is known there. A token of a profile is for its own
    /// server only.
    fn target(&self) -> Result<Profile> {
        let at =
            |url: String| Profile { url, token: variable("GUESTLIST_TOKEN"), application: None };
        if let Some(name) = &self.profile {
            let mut profile = Profiles::read()?.named(name)?.clone();
            profile.token = profile.token.or_else(|| variable("GUESTLIST_TOKEN"));
            return Ok(profile);
        }
        if let Some(url) = self.url.clone().or_else(|| variable("GUESTLIST_URL")) {
            return Ok(at(url));
        }
        let profiles = Profiles::read()?;
        let Some(name) = variable("GUESTLIST_PROFILE").or_else(|| profiles.default.clone()) else {
            return Ok(at(DEFAULT_URL.into()));
        };
        let mut profile = profiles.named(&name)?.clone();
        profile.token = variable("GUESTLIST_TOKEN").or(profile.token);
        Ok(profile)
    }

    /// Begins to talk to it.
    pub(super) fn session(&self, command: &'static str, out: Output) -> Result<Session> {
        let profile = self.target()?;
        let client = client(&profile.url, None)?;
        Ok(Session { client, profile, command, curl: self.curl, out })
    }
}

/// A client of the server at `url`.
pub(super) fn client(url: &str, token: Option<Token>) -> Result<Client> {
    let mut config = Config::new(url).user_agent(concat!("guestlist/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = token {
        config = config.token(token);
    }
    Client::new(config).map_err(|error| usage(error.to_string()))
}

/// A command that talks to a server.
pub(super) struct Session {
    client: Client,
    profile: Profile,
    command: &'static str,
    pub(super) curl: bool,
    pub(super) out: Output,
}

impl Session {
    /// The application that is meant: `named`, that of the environment, or that of the profile.
    pub(super) fn application(&self, named: Option<ApplicationId>) -> Result<ApplicationId> {
        if let Some(id) = named {
            return Ok(id);
        }
        if let Some(text) = variable("GUESTLIST_APPLICATION") {
            return text.parse().map_err(|error| usage(format!("GUESTLIST_APPLICATION: {error}")));
        }
        self.profile.application.ok_or_else(|| {
            usage("say which application: --application ID, or GUESTLIST_APPLICATION")
        })
    }

    /// Sends `request`, for which the token needs `scope`. `None` if it was only shown.
    pub(super) async fn send(&self, request: &Request, scope: &str) -> Result<Option<Reply>> {
        if self.curl {
            let url = self.client.url(request).map_err(|error| usage(error.to_string()))?;
            line(&curl::command(request, &url, true))?;
            return Ok(None);
        }
        let reply = self.authorized()?.send(request).await;
        reply.map(Some).map_err(|error| self.failed(&error, scope))
    }

    /// The client, with a token.
    pub(super) fn authorized(&self) -> Result<Client> {
        let token = match &self.profile.token {
            Some(token) => Token::new(token.clone()),
            None if std::io::stdin().is_terminal() => {
                Token::new(secret::read("Token", false)?.as_str())
            }
            None => {
                return Err(usage(
                    "there is no token: set GUESTLIST_TOKEN, or sign in with `guestlist login`",
                ));
            }
        };
        self.client.with_token(&token).map_err(|error| usage(error.to_string()))
    }

    pub(super) fn failed(&self, error: &guestlist_client::Error, scope: &str) -> anyhow::Error {
        let asked = Asked { command: self.command, scope: Some(scope), url: &self.profile.url };
        failed(error, asked)
    }
}
