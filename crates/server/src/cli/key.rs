//! `guestlist key`.

use super::Output;
use super::remote::show::{Column, Rows, text};
use crate::audit::{Action, By, Entry};
use crate::auth::keys;
use crate::auth::token::StoredKey;
use crate::rest::App;
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the keys whose tokens are good, the newest first
    List,
    /// Make a new key: it signs tokens from ten seconds on, and those of the keys before it stay good
    Rotate,
    /// Retire a key: its tokens are refused from then on
    Retire {
        /// The key, as the list calls it
        // One in 64 begins with a hyphen.
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        kid: String,
    },
}

/// Of keys.
const KEY: &[Column] =
    &[("KID", |key| text(key, "kid")), ("SIGNS SINCE", |key| text(key, "since"))];

pub(super) async fn run(command: Command, app: Arc<App>, out: Output) -> Result<()> {
    let now = app.clock.now();
    match command {
        Command::List => {
            let keys = app.store.read(keys::load).await?;
            let mut rows = Rows::new(KEY, out);
            keys.iter().try_for_each(|key| rows.push(&shown(key)?))?;
            rows.end()
        }
        Command::Rotate => {
            let new = keys::generate(now)?;
            let made = shown(&new)?;
            app.store.write(move |tx| keys::rotate(tx, &new)).await?;
            Entry::of(Action::KeyMade).key(text(&made, "kid")).log(&By::OPERATOR);
            out.result(&made, || text(&made, "kid"))
        }
        Command::Retire { kid } => {
            let retired = kid.clone();
            app.store.write(move |tx| keys::retire(tx, &retired, now)).await?;
            Entry::of(Action::KeyRetired).key(kid.clone()).log(&By::OPERATOR);
            out.result(&json!({ "kid": kid, "retired": true }), || format!("retired {kid}"))
        }
    }
}

/// `key`, without what is secret. The first of a store has signed since there were tokens.
fn shown(key: &StoredKey) -> Result<Value> {
    let since = (key.since.millis() > 0).then(|| key.since.to_string());
    Ok(json!({ "kid": keys::kid(key)?, "since": since }))
}
