//! `guestlist admin`.

use super::application::resource;
use super::remote::columns::{ADMINISTRATOR, SESSION};
use super::remote::show::Rows;
use super::{Output, secret};
use crate::administrators::rows::{self as administrators, Listing};
use crate::administrators::rules::new_me;
use crate::audit::{Action, By, Entry};
use crate::auth::hasher::PasswordHash;
use crate::auth::places::Asker;
use crate::clock::later;
use crate::error::Error;
use crate::rest::App;
use crate::rows::Tx;
use crate::rows::list::{Listed, Paging};
use crate::tokens::rows as tokens;
use crate::tokens::sessions;
use anyhow::{Context as _, Result, anyhow};
use guestlist_api::administrator::{AdministratorSessionSort, AdministratorSort};
use guestlist_api::id::{ApiTokenId, UserId};
use guestlist_api::secret::NewUserPassword;
use guestlist_api::text::{Email, Whole};
use guestlist_api::user::Me;
use serde_json::json;
use std::sync::Arc;

/// What is done on the store itself.
#[derive(Debug)]
pub(super) enum Command {
    /// Make an administrator.
    Create {
        /// The address they sign in with.
        email: String,
    },
    /// List the administrators.
    List,
    /// Keep one out.
    Disable {
        /// Who.
        id: UserId,
    },
    /// Let one in again.
    Enable {
        /// Who.
        id: UserId,
    },
    /// Remove one.
    Remove {
        /// Who.
        id: UserId,
    },
    /// Give one a new password.
    ResetPassword {
        /// Who.
        id: UserId,
    },
    /// List the sessions of one.
    Sessions {
        /// Whose.
        id: UserId,
    },
    /// End sessions of one.
    EndSessions {
        /// Whose.
        id: UserId,
        /// Which; all, if none is named.
        session: Option<ApiTokenId>,
    },
}

impl Command {
    /// Whether it may be the first thing that is done with a store.
    pub(super) const fn makes_a_store(&self) -> bool {
        matches!(self, Self::Create { .. })
    }
}

pub(super) async fn run(command: Command, app: Arc<App>, out: Output) -> Result<()> {
    match command {
        Command::Create { email } => {
            let email = Email::parse(&email)
                .with_context(|| format!("--email: {email:?} is not an e-mail address"))?;
            let me = create(&app, email, password("Password")?).await?;
            log(Action::AdministratorMade, me.id);
            out.result(&json!({ "userId": me.id, "email": me.email }), || me.id.to_string())
        }
        Command::List => {
            let (mut rows, mut paging) = (Rows::new(ADMINISTRATOR, out), whole());
            loop {
                let sort = AdministratorSort::Email;
                let listing = Listing { email: None, sort, paging: paging.clone() };
                let work = move |tx: &mut Tx<'_>| administrators::list(tx, &listing);
                let Listed { items, next, .. } = app.store.read(work).await?;
                items.iter().try_for_each(|one| rows.push(&resource("administrator", one)?))?;
                let Some(next) = next else { return rows.end() };
                paging.start = next;
            }
        }
        Command::Disable { id } => {
            let now = app.clock.now();
            change(&app, id, move |tx, at| administrators::disable(tx, id, Some(now), at)).await?;
            log(Action::AdministratorDisabled, id);
            out.result(&json!({ "administratorId": id, "status": "inactive" }), || {
                format!("disabled {id}")
            })
        }
        Command::Enable { id } => {
            change(&app, id, move |tx, at| administrators::disable(tx, id, None, at)).await?;
            log(Action::AdministratorEnabled, id);
            out.result(&json!({ "administratorId": id, "status": "active" }), || {
                format!("enabled {id}")
            })
        }
        Command::Remove { id } => {
            change(&app, id, move |tx, _| administrators::delete(tx, id)).await?;
            log(Action::AdministratorRemoved, id);
            out.result(&json!({ "administratorId": id, "removed": true }), || {
                format!("removed {id}")
            })
        }
        Command::ResetPassword { id } => {
            let new = password("New password")?;
            let hash: PasswordHash = app.hasher.hash(Asker::OWN, new.into_password()).await?;
            change(&app, id, move |tx, at| {
                administrators::set_password(tx, id, &hash, at)?;
                sessions::end_all(tx, id)?;
                tokens::switch_off(tx, id, at)
            })
            .await?;
            for action in [Action::PasswordReset, Action::SessionsEnded, Action::TokensDeactivated]
            {
                log(action, id);
            }
            out.result(&json!({ "administratorId": id, "passwordChanged": true }), || {
                format!("the password of {id} is new, and their sessions have ended")
            })
        }
        Command::Sessions { id } => {
            let (mut rows, mut paging) = (Rows::new(SESSION, out), whole());
            loop {
                let sort = AdministratorSessionSort::CreationDate;
                let listing = sessions::Listing { sort, paging: paging.clone() };
                let work = move |tx: &mut Tx<'_>| {
                    administrators::account(tx, id)?;
                    sessions::list(tx, id, &listing)
                };
                let Listed { items, next, .. } = app.store.read(work).await?;
                let kind = "administratorSession";
                items.iter().try_for_each(|one| rows.push(&resource(kind, one)?))?;
                let Some(next) = next else { return rows.end() };
                paging.start = next;
            }
        }
        Command::EndSessions { id, session } => {
            change(&app, id, move |tx, _| match session {
                Some(session) => {
                    let session = sessions::lock(tx, id, session)?;
                    sessions::end(tx, session.id)
                }
                None => sessions::end_all(tx, id),
            })
            .await?;
            match session {
                Some(session) => Entry::of(Action::SessionEnded)
                    .to_administrator(id)
                    .token(session)
                    .log(&By::OPERATOR),
                None => log(Action::SessionsEnded, id),
            }
            out.result(&json!({ "administratorId": id, "ended": true }), || match session {
                Some(session) => format!("ended {session}"),
                None => format!("ended all sessions of {id}"),
            })
        }
    }
}

/// Logs what was done to the administrator `id`.
fn log(action: Action, id: UserId) {
    Entry::of(action).to_administrator(id).log(&By::OPERATOR);
}

/// All of a list, so many at a time.
fn whole() -> Paging {
    Paging::new(None, Some(Whole(1000)), None)
}

/// Does `work` to the administrator `id`, who is there, with the moment that it is their last change
/// from then on.
async fn change(
    app: &App,
    id: UserId,
    work: impl Fn(&mut Tx<'_>, guestlist_api::time::DateTime) -> Result<(), Error> + Send + 'static,
) -> Result<()> {
    let now = app.clock.now();
    let done = app.store.write(move |tx| {
        let before = administrators::lock_account(tx, id)?;
        work(tx, later(before.last_updated, now))
    });
    Ok(done.await?)
}

/// Makes an administrator.
pub(super) async fn create(app: &App, email: Email, password: NewUserPassword) -> Result<Me> {
    let hash = app.hasher.hash(Asker::OWN, password.into_password()).await?;
    let now = app.clock.now();
    let me = new_me(UserId(app.ids.next(now)), email, now);
    let made = app.store.write(move |tx| {
        administrators::add(tx, &me, &hash)?;
        Ok(me.clone())
    });
    Ok(made.await?)
}

fn password(what: &str) -> Result<NewUserPassword> {
    NewUserPassword::new(secret::read(what, true)?.to_string()).map_err(|_| {
        anyhow!(
            "the password must have 12 to 2048 characters: a capital and a small letter, a digit \
             and one that is none of these among them"
        )
    })
}
