//! Which server is asked, as whom, and what is done with its answer.

use super::super::{Output, line, secret};
use super::curl;
use super::failure::{FailedRequest, TokenFrom, failed, usage};
use super::profiles::{Profile, Profiles};
use crate::config::{self, CliArgs};
use anyhow::Result;
use guestlist_api::id::ApplicationId;
use guestlist_client::{Client, Config, Reply, Request, Token};
use std::io::IsTerminal as _;

/// Where a server listens unless it is told otherwise.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Over what they stand in the help.
const HEADING: &str = "The server";

/// Which server is asked.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Remote {
    /// Ask the server at this URL [env: `GUESTLIST_URL`]; the token is `GUESTLIST_TOKEN`, or is asked
    /// for
    #[arg(long, value_name = "URL", global = true, help_heading = HEADING)]
    url: Option<String>,
    /// Ask the server of this profile, made by `guestlist login` [env: `GUESTLIST_PROFILE`]
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        conflicts_with = "url",
        help_heading = HEADING
    )]
    profile: Option<String>,
    /// Print the request as a command for curl instead of sending it
    #[arg(long, global = true, help_heading = HEADING)]
    curl: bool,
}

/// A variable of the environment, if it says anything.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a flag names the store.
pub(super) fn names_store(given: &CliArgs) -> bool {
    given.store.is_some() && given.store != variable("GUESTLIST_STORE")
}

impl Remote {
    /// Whether a flag names it.
    pub(super) const fn is_named(&self) -> bool {
        self.url.is_some() || self.profile.is_some() || self.curl
    }

    /// Whether a command that has both forms is for the store itself: if the store was named, or
    /// nothing was. A flag beats what the environment and files say.
    pub(crate) fn is_for_store(&self, given: &CliArgs) -> Result<bool> {
        match (self.is_named(), names_store(given)) {
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
    fn target(&self) -> Result<Target> {
        let token = variable("GUESTLIST_TOKEN");
        let at = |url: String| Target {
            of_environment: token.is_some(),
            profile: Profile { url, token: token.clone(), application: None },
            name: None,
        };
        if let Some(name) = &self.profile {
            let mut profile = Profiles::read()?.named(name)?.clone();
            let of_environment = profile.token.is_none() && token.is_some();
            profile.token = profile.token.or(token);
            return Ok(Target { profile, name: Some(name.clone()), of_environment });
        }
        if let Some(url) = self.url.clone().or_else(|| variable("GUESTLIST_URL")) {
            return Ok(at(url));
        }
        let profiles = Profiles::read()?;
        let Some(name) = variable("GUESTLIST_PROFILE").or_else(|| profiles.default.clone()) else {
            return Ok(at(DEFAULT_URL.into()));
        };
        let mut profile = profiles.named(&name)?.clone();
        let of_environment = token.is_some();
        profile.token = token.or(profile.token);
        Ok(Target { profile, name: Some(name), of_environment })
    }

    /// Begins to talk to it.
    pub(super) fn session(&self, command: &'static str, out: Output) -> Result<Session> {
        let target = self.target()?;
        let client = client(&target.profile.url, None)?;
        Ok(Session { client, target, command, curl: self.curl, out })
    }
}

/// A server, and who is known there.
struct Target {
    profile: Profile,
    /// The name of the profile, if it is one.
    name: Option<String>,
    /// Whether the token is that of the environment.
    of_environment: bool,
}

impl Target {
    fn token_from(&self) -> TokenFrom<'_> {
        match (&self.name, &self.profile.token) {
            _ if self.of_environment => TokenFrom::Environment,
            (Some(name), Some(_)) => TokenFrom::Profile(name),
            _ => TokenFrom::Typed,
        }
    }

    /// Why nobody is known there, and what helps: a profile is not used where a URL was named.
    fn without_token(&self) -> anyhow::Error {
        let Self { profile: Profile { url, .. }, name, .. } = self;
        usage(match name {
            Some(name) => format!(
                "there is no token in the profile {name:?}: sign in with `guestlist login --profile \
                 {name}`, or set GUESTLIST_TOKEN"
            ),
            None => format!(
                "there is no token for {url}: set GUESTLIST_TOKEN, or sign in with `guestlist login \
                 --url {url}` and then leave --url and GUESTLIST_URL out"
            ),
        })
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
    target: Target,
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
        self.target.profile.application.ok_or_else(|| {
            usage(
                "say which application: --application ID, or GUESTLIST_APPLICATION; `guestlist \
                 application list` lists them",
            )
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
        let token = match &self.target.profile.token {
            Some(token) => Token::new(token.clone()),
            None if std::io::stdin().is_terminal() => {
                Token::new(secret::read("Token", false)?.as_str())
            }
            None => return Err(self.target.without_token()),
        };
        self.client.with_token(&token).map_err(|error| usage(error.to_string()))
    }

    pub(super) fn failed(&self, error: &guestlist_client::Error, scope: &str) -> anyhow::Error {
        let request = FailedRequest {
            command: self.command,
            scope: Some(scope),
            url: &self.target.profile.url,
            proxy: self.client.proxy(),
            token: self.target.token_from(),
        };
        failed(error, request)
    }
}
