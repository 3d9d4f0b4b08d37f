//! `guestlist admin`.

use super::Output;
use crate::domain::new_me;
use crate::http::App;
use crate::store::users;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::Subcommand;
use guestlist_api::id::UserId;
use guestlist_api::secret::NewUserPassword;
use guestlist_api::text::Email;
use guestlist_api::user::Me;
use serde_json::json;
use std::io::{IsTerminal as _, Read as _};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an administrator; the password is asked for, or read from standard input
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
        users::add(tx, &me, &hash)?;
        Ok(me.clone())
    });
    Ok(made.await?)
}

/// More than any password, so that a wrong pipe is not read to its end.
const MOST_INPUT: u64 = 16 * 1024;

fn password() -> Result<NewUserPassword> {
    let text = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Again: ")? != first {
            bail!("the two passwords are not the same");
        }
        first
    } else {
        let mut text = String::new();
        std::io::stdin().take(MOST_INPUT).read_to_string(&mut text)?;
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        text
    };
    NewUserPassword::new(text).map_err(|_| {
        anyhow!(
            "the password must have 12 to 2048 characters: a capital and a small letter, a digit \
             and one that is none of these among them"
        )
    })
}
