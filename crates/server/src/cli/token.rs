//! `guestlist token`.

use super::Output;
use super::application::{parse, resource};
use super::remote::columns::TOKEN;
use super::remote::show::Rows;
use crate::audit::{Action, By, Entry};
use crate::error::Error;
use crate::rest::App;
use crate::rows::Tx;
use crate::rows::list::Paging;
use crate::rows::tenant::AuthorizedApp;
use crate::tokens::rows::{self as tokens, Listing, Owner, Principal};
use crate::tokens::rules::new_token;
use anyhow::{Context as _, Result, bail};
use guestlist_api::api_token::{ApiToken, ApiTokenPost, ApiTokenSort};
use guestlist_api::id::{ApiTokenId, ApplicationId};
use guestlist_api::scope::{Scope, Scopes};
use guestlist_api::text::Whole;
use guestlist_api::time::DateTime;
use serde_json::json;
use std::sync::Arc;

/// What is done on the store itself.
#[derive(Debug)]
pub(super) enum Command {
    /// Make a token of an application.
    Create {
        /// The application.
        application: ApplicationId,
        /// Its name.
        name: String,
        /// What it may do.
        scope: Vec<String>,
        /// When it ends, such as `30d`; never unless said.
        expires: Option<String>,
    },
    /// List the tokens of an application.
    List {
        /// The application.
        application: ApplicationId,
    },
    /// Revoke a token.
    Revoke {
        /// The token.
        id: ApiTokenId,
        /// Whether what it has made goes with it.
        with_children: bool,
    },
}

pub(super) async fn run(command: Command, app: Arc<App>, out: Output) -> Result<()> {
    match command {
        Command::Create { application, name, scope, expires } => {
            let now = app.clock.now();
            let mut body = json!({ "name": name, "scope": scope });
            if let Some(expires) = expires {
                body["expirationDate"] = now.plus_millis(millis(&expires)?).to_string().into();
            }
            let post = parse("apiToken", body)?;
            let (record, token) =
                create(&app, Principal::Application(application), post, now).await?;
            let made = Entry::of(Action::TokenMade).to(Principal::Application(application));
            made.token(record.id).log(&By::OPERATOR);
            let object = json!({ "apiTokenId": record.id, "token": token });
            out.result(&object, || token.clone())
        }
        Command::List { application } => {
            let all = all(&app, application).await?;
            let mut rows = Rows::new(TOKEN, out);
            all.iter().try_for_each(|one| rows.push(&resource("applicationApiToken", one)?))?;
            rows.end()
        }
        Command::Revoke { id, with_children } => {
            let revoked = app.store.write(move |tx| {
                let found = tokens::find(tx, id)?;
                let (token, _) = found.ok_or(Error::NotFound("API token"))?;
                if with_children {
                    return tokens::delete_with_children(tx, &token);
                }
                tokens::delete(tx, &token)
            });
            revoked.await?;
            let action =
                if with_children { Action::TokenRevokedWithChildren } else { Action::TokenRevoked };
            Entry::of(action).token(id).log(&By::OPERATOR);
            out.result(&json!({ "apiTokenId": id, "revoked": true }), || format!("revoked {id}"))
        }
    }
}

/// The owner, who exists.
fn require(tx: &mut Tx<'_>, owner: Principal) -> crate::error::Result<Owner> {
    match owner {
        Principal::Application(id) => AuthorizedApp::allowed(id).require(tx).map(Owner::of),
        Principal::User(id) => Owner::administrator(tx, id),
    }
}

/// Makes the token that `post` asks for, and the token itself.
pub(super) async fn create(
    app: &App,
    owner: Principal,
    post: ApiTokenPost,
    now: DateTime,
) -> Result<(ApiToken, String)> {
    let id = ApiTokenId(app.ids.next(now));
    let record = app
        .store
        .write(move |tx| {
            let owner = require(tx, owner)?;
            let scopes = post
                .scope
                .clone()
                .unwrap_or_else(|| [Scope::ALL_APPLICATION].into_iter().collect::<Scopes>());
            let token = new_token(&post, id, owner.id(), owner.kind(), scopes, now);
            tokens::add(tx, &token)?;
            Ok(token)
        })
        .await?;
    let token = app.mint(&record, false)?.expose().to_owned();
    Ok((record, token))
}

async fn all(app: &App, application: ApplicationId) -> Result<Vec<ApiToken>> {
    let mut all = Vec::new();
    let mut paging = Paging::new(None, Some(Whole(1000)), None);
    loop {
        let listing = Listing { filter: None, sort: ApiTokenSort::Id, paging: paging.clone() };
        let found = app.store.read(move |tx| {
            let owner = Owner::of(AuthorizedApp::allowed(application).require(tx)?);
            tokens::list(tx, owner, &listing)
        });
        let found = found.await?;
        all.extend(found.items);
        let Some(next) = found.next else { return Ok(all) };
        paging.start = next;
    }
}

/// How long a session lasts, in milliseconds; `never` has no end.
pub(super) fn ttl(text: &str) -> Result<Option<i64>> {
    if text == "never" { Ok(None) } else { millis(text).map(Some) }
}

/// A length of time such as `30d`, in milliseconds.
pub(super) fn millis(text: &str) -> Result<i64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(split);
    let seconds: i64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => bail!("--expires: {text:?} is not a number with s, m, h, d or w, such as 30d"),
    };
    let count: i64 = count
        .parse()
        .with_context(|| format!("--expires: {text:?} does not begin with a whole number"))?;
    // As far as a year of four digits reaches.
    let most = 1000 * 365 * 24 * 3600;
    match count.checked_mul(seconds).filter(|seconds| (1..=most).contains(seconds)) {
        Some(seconds) => Ok(seconds * 1000),
        None => bail!("--expires: {text:?} is not between 1 second and 1,000 years"),
    }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(millis("30d").unwrap(), 30 * 24 * 3600 * 1000);
        assert_eq!(millis("90m").unwrap(), 90 * 60 * 1000);
        for bad in
            ["", "30", "d", "-1d", "0s", "1y", "1.5h", "99999999999999999999d", "9999999999w"]
        {
            assert!(millis(bad).is_err(), "{bad}");
        }
    }
}
