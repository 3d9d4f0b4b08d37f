//! `guestlist login`.

use super::super::token::ttl;
use super::super::{Output, secret};
use super::failure::{FailedRequest, TokenFrom, failed, usage};
use super::profiles::{Profile, Profiles};
use super::session::{DEFAULT_URL, client, variable};
use crate::clock::Clock;
use anyhow::Result;
use guestlist_api::id::ApplicationId;
use guestlist_api::scope::Scope;
use guestlist_client::Token;
use serde_json::json;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    /// The server [env: `GUESTLIST_URL`] [default: that of the profile, or `http://127.0.0.1:8080`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The profile to keep it in; it becomes the one that is meant when none is named
    #[arg(long, value_name = "NAME", default_value = "default")]
    profile: String,
    /// The address of an administrator, whose password is asked for, or read from standard input
    #[arg(long, required_unless_present = "with_token")]
    email: Option<String>,
    /// Keep a token instead, which is asked for, or read from standard input
    #[arg(long, conflicts_with_all = ["email", "scope", "expires"])]
    with_token: bool,
    /// What the session may do; everything unless said
    #[arg(long, value_name = "SCOPE", num_args = 1.., value_delimiter = ',')]
    scope: Vec<Scope>,
    /// When the session ends, such as 12h or 30d, or never
    #[arg(long, value_name = "TIME", default_value = "30d")]
    expires: String,
    /// The application that is meant when none is named
    #[arg(long, value_name = "ID")]
    application: Option<ApplicationId>,
}

pub(super) async fn run(login: Login, out: Output) -> Result<()> {
    let mut profiles = Profiles::read()?;
    let known = profiles.profiles.get(&login.profile);
    let url = login
        .url
        .clone()
        .or_else(|| variable("GUESTLIST_URL"))
        .or_else(|| known.map(|known| known.url.clone()))
        .unwrap_or_else(|| DEFAULT_URL.to_owned());
    // Of another server, it would be another application.
    let application = known.filter(|known| known.url == url).and_then(|known| known.application);
    // A URL that is none is refused before anything is asked for.
    client(&url, None)?;
    let ttl = ttl(&login.expires)?;
    let ends = login.email.as_ref().and(ttl).map(|ttl| Clock::System.now().plus_millis(ttl));
    let token = match &login.email {
        Some(email) => sign_in(&url, email, &login, ttl).await?,
        None => Token::new(secret::read("Token", false)?.as_str()),
    };
    client(&url, Some(token.clone()))?;
    let profile = Profile {
        url: url.clone(),
        token: Some(token.expose().to_owned()),
        application: login.application.or(application),
    };
    profiles.profiles.insert(login.profile.clone(), profile);
    profiles.default = Some(login.profile.clone());
    let path = profiles.write()?;
    let told = json!({
        "profile": login.profile, "url": url, "file": path,
        "expires": ends.map(|end| end.to_string()),
    });
    out.result(&told, || {
        let (name, path) = (&login.profile, path.display());
        match (ends, &login.email) {
            (Some(end), _) => format!("signed in to {url} until {end}: kept as {name:?} in {path}"),
            (None, Some(_)) => format!("signed in to {url} for good: kept as {name:?} in {path}"),
            (None, None) => format!("a token for {url} is kept as {name:?} in {path}"),
        }
    })
}

async fn sign_in(url: &str, email: &str, login: &Login, ttl: Option<i64>) -> Result<Token> {
    let password = secret::read("Password", false)?;
    let client = client(url, None)?;
    let mut call = client.sign_in(email, password.as_str());
    if !login.scope.is_empty() {
        call = call.scopes(login.scope.iter().copied());
    }
    let ttl = ttl.and_then(|ttl| u64::try_from(ttl).ok());
    let call = call.token_ttl(ttl.map(Duration::from_millis));
    let session = call.await.map_err(|error| {
        let (proxy, token) = (client.proxy(), TokenFrom::Typed);
        failed(&error, FailedRequest { command: "login", scope: None, url, proxy, token })
    })?;
    session.token.map(Token::new).ok_or_else(|| usage("the server gave no token"))
}
