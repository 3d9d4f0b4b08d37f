//! `guestlist admin`.

use super::{Output, secret};
use crate::administrators::rows as administrators;
use crate::administrators::rules::new_me;
use crate::rest::App;
use anyhow::{Context as _, Result, anyhow};
use clap::Subcommand;
use guestlist_api::id::UserId;
use guestlist_api::secret::NewUserPassword;
use guestlist_api::text::Email;
use guestlist_api::user::Me;
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an administrator; the password is asked for, or is the first line of standard
    /// input
    Create {
        /// The address they sign in with
        #[arg(long)]
        email: String,
    },
}

pub(super) async fn run(command: Command, app: Arc<App>, out: Output) -> Result<()> {
    let Command::Create { email } = command;
    let email = Email::parse(&email)
        .with_context(|| format!("--email: {email:?} is not an e-mail address"))?;
    let me = create(&app, email, password()?).await?;
    out.result(&json!({ "userId": me.id, "email": me.email }), || me.id.to_string())
}

/// Makes an administrator.
pub(super) async fn create(app: &App, email: Email, password: NewUserPassword) -> Result<Me> {
    let hash = app.hasher.hash(password.into_password()).await?;
    let now = app.clock.now();
    let me = new_me(UserId(app.ids.next(now)), email, now);
    let made = app.store.write(move |tx| {
        administrators::add(tx, &me, &hash)?;
        Ok(me.clone())
    });
    Ok(made.await?)
}

fn password() -> Result<NewUserPassword> {
    NewUserPassword::new(secret::read("Password", true)?.to_string()).map_err(|_| {
        anyhow!(
            "the password must have 12 to 2048 characters: a capital and a small letter, a digit \
             and one that is none of these among them"
        )
    })
}
