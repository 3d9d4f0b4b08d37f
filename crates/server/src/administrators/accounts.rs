//! `administrator(s)` and `administratorSession(s)`: who runs this server, for one another. What an
//! administrator does to others needs a word of its own in the scope; a password for one of them needs
//! all that a sign-in opens, and the caller's own.

use super::password::{self, Given, PresentPassword};
use super::rows::{self as administrators, Listing};
use crate::audit::{Action, Entry};
use crate::clock::later;
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::Okay;
use crate::rest::pages::{ListQuery, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::list::Paging;
use crate::tokens::grant::Grant;
use crate::tokens::rows as tokens;
use crate::tokens::sessions;
use guestlist_api::administrator::{
    Administrator, AdministratorList, AdministratorPatch, AdministratorSession,
    AdministratorSessionList, AdministratorSessionSort, AdministratorSort, AdministratorStatus,
    OneAdministrator, OneAdministratorSession,
};
use guestlist_api::entity::{Cursor, Entity, OfServer, Page, Success};
use guestlist_api::id::{ObjectId, UserId};
use guestlist_api::scope::{Operation, Scope};
use guestlist_api::wire::{Problem, Rule};
use std::marker::PhantomData;

pub(crate) fn routes() -> [Routes; 4] {
    [
        Routes::at("/administrators").get(
            Operation::organization("administrators.get").read(),
            "List administrators",
            list,
        ),
        Routes::at("/administrators/{administratorId}")
            .get(Operation::organization("administrator.get").read(), "Show an administrator", get)
            .patch(
                Operation::organization("administrator.patch").credential(),
                "Disable an administrator, let one in again, or give one a new password",
                patch,
            )
            .delete(
                Operation::organization("administrator.delete").credential(),
                "Remove an administrator, with their sessions and API tokens",
                delete,
            ),
        Routes::at("/administrators/{administratorId}/sessions")
            .get(
                Operation::organization("administratorSessions.get").read(),
                "List the sessions of an administrator",
                list_sessions,
            )
            .delete(
                Operation::organization("administratorSessions.delete").credential(),
                "End all sessions of an administrator",
                end_sessions,
            ),
        Routes::at("/administrators/{administratorId}/sessions/{sessionId}").delete(
            Operation::organization("administratorSession.delete").credential(),
            "End a session of an administrator",
            end_session,
        ),
    ]
}

bodies! {
    AdministratorPatch = "administrator",
}

list_query!(AdministratorList sorted by AdministratorSort::Email);

impl ListQuery for AdministratorSessionList {
    type Sort = AdministratorSessionSort;
    fn sort(&self) -> AdministratorSessionSort {
        self.sort_field.unwrap_or(AdministratorSessionSort::CreationDate)
    }
    fn sort_field(&self) -> &'static str {
        self.sort().as_str()
    }
    fn paging(&self) -> Paging {
        Paging::new(self.page, self.per_page, self.sort_direction)
    }
    fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }
    fn filter(&self) -> Option<String> {
        None
    }
    fn filter_field(&self) -> Option<&'static str> {
        None
    }
}

impl Resource for Administrator {
    fn resource(&self) -> &'static str {
        "administrator"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("administratorId", self.id.0)]
    }
}

impl Resource for AdministratorSession {
    fn resource(&self) -> &'static str {
        "administratorSession"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("administratorId", self.administrator_id.0), ("sessionId", self.id.0)]
    }
}

/// Administrators of the server.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "administrators")]
pub(crate) struct OfAdministrators(OfServer);

impl PageOf for OfAdministrators {
    fn collection(&self) -> &'static str {
        "administrators"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        Vec::new()
    }
}

/// Sessions of one administrator.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "administratorSessions")]
pub(crate) struct OfSessions {
    /// The administrator.
    administrator_id: UserId,
}

impl PageOf for OfSessions {
    fn collection(&self) -> &'static str {
        "administratorSessions"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("administratorId", self.administrator_id.0)]
    }
}

type Administrators = Page<Entity<Administrator>, OfAdministrators>;
type Sessions = Page<Entity<AdministratorSession>, OfSessions>;

async fn list(
    call: Call<Grant>,
    input: In<(), AdministratorList>,
) -> Result<Okay<Entity<Administrators>>> {
    call.user()?;
    let list = call.list_request("", &input.query)?;
    let listing = Listing {
        email: list.filter.clone(),
        sort: input.query.sort(),
        paging: list.paging.clone(),
    };
    call.list(list, move |tx| {
        Ok((OfAdministrators(OfServer {}), administrators::list(tx, &listing)?))
    })
    .await
}

async fn get(
    call: Call<Grant>,
    input: In<OneAdministrator>,
) -> Result<Okay<Entity<Administrator>>> {
    call.user()?;
    let id = input.path.administrator_id;
    call.show(move |tx| administrators::account(tx, id)).await
}

/// Whoever keeps themselves out had better be sure that somebody else is in.
fn not_oneself(
    call: &Call<Grant>,
    id: UserId,
    field: &'static str,
    what: &'static str,
) -> Result<()> {
    if call.user()? != id {
        return Ok(());
    }
    Err(Error::Invalid(vec![Problem::new(field, Rule::Other(what.into()))]))
}

async fn patch(
    call: Call<Grant>,
    input: In<OneAdministrator, (), AdministratorPatch>,
) -> Result<Okay<Entity<Administrator>>> {
    let (me, now) = (call.user()?, call.now);
    let (id, mut patch) = (input.path.administrator_id, input.body);
    let disables = patch.status == Some(AdministratorStatus::Inactive);
    if disables {
        let what = "must not be inactive for yourself: ask another administrator";
        not_oneself(&call, id, "administrator.status", what)?;
    }
    // Who sets a password, or lets somebody in, gives all that a sign-in opens.
    let everything = [Scope::ALL_USER].into_iter().collect();
    let lets_in = patch.status == Some(AdministratorStatus::Active);
    let may_let_in = call.may_grant(&everything);
    if patch.password.is_some() && !may_let_in {
        return Err(Error::Forbidden);
    }
    let present = match patch.current_password.take() {
        Some(password) => match password::check(&call, me, password).await? {
            Given::Present(present) => Some(present),
            Given::Before(reply) => return Ok(Okay(reply, PhantomData)),
        },
        None => None,
    };
    let hash = match patch.password.take() {
        Some(password) => {
            if present.is_none() {
                password::require_fresh(&call).await?;
            }
            Some(call.app.hasher.hash(call.asker(), password.into_password()).await?)
        }
        None => None,
    };
    let request = call.clone();
    call.change(move |tx| {
        let before = administrators::lock_account(tx, id)?;
        request.check(&before)?;
        if let Some(present) = &present {
            let email = administrators::get(tx, me)?.email;
            PresentPassword::confirm(present, tx, &email)?;
        }
        let moment = later(before.last_updated, now);
        let was_in = before.status == AdministratorStatus::Active;
        if lets_in && !was_in && !may_let_in {
            return Err(Error::Forbidden);
        }
        if lets_in != was_in && (lets_in || disables) {
            administrators::disable(tx, id, disables.then_some(now), moment)?;
            let action =
                if disables { Action::AdministratorDisabled } else { Action::AdministratorEnabled };
            request.note(Entry::of(action).to_administrator(id));
        }
        if let Some(hash) = &hash {
            administrators::set_password(tx, id, hash, moment)?;
            sessions::end_all(tx, id)?;
            tokens::switch_off(tx, id, now)?;
            for action in [Action::PasswordReset, Action::SessionsEnded, Action::TokensDeactivated]
            {
                request.note(Entry::of(action).to_administrator(id));
            }
        }
        administrators::account(tx, id)
    })
    .await
}

async fn delete(call: Call<Grant>, input: In<OneAdministrator>) -> Result<Okay<Success>> {
    let id = input.path.administrator_id;
    not_oneself(&call, id, "administratorId", "must not be yours: ask another administrator")?;
    let request = call.clone();
    call.remove(move |tx| {
        let before = administrators::lock_account(tx, id)?;
        request.check(&before)?;
        administrators::delete(tx, id)?;
        request.note(Entry::of(Action::AdministratorRemoved).to_administrator(id));
        Ok(())
    })
    .await
}

async fn list_sessions(
    call: Call<Grant>,
    input: In<OneAdministrator, AdministratorSessionList>,
) -> Result<Okay<Entity<Sessions>>> {
    call.user()?;
    let id = input.path.administrator_id;
    let list = call.list_request(id, &input.query)?;
    let listing = sessions::Listing { sort: input.query.sort(), paging: list.paging.clone() };
    call.list(list, move |tx| {
        administrators::account(tx, id)?;
        Ok((OfSessions { administrator_id: id }, sessions::list(tx, id, &listing)?))
    })
    .await
}

async fn end_sessions(call: Call<Grant>, input: In<OneAdministrator>) -> Result<Okay<Success>> {
    call.user()?;
    let (id, request) = (input.path.administrator_id, call.clone());
    call.remove(move |tx| {
        administrators::account(tx, id)?;
        sessions::end_all(tx, id)?;
        request.note(Entry::of(Action::SessionsEnded).to_administrator(id));
        Ok(())
    })
    .await
}

async fn end_session(
    call: Call<Grant>,
    input: In<OneAdministratorSession>,
) -> Result<Okay<Success>> {
    call.user()?;
    let OneAdministratorSession { administrator_id, session_id } = input.path;
    let request = call.clone();
    call.remove(move |tx| {
        administrators::account(tx, administrator_id)?;
        let session = sessions::lock(tx, administrator_id, session_id)?;
        request.check(&session)?;
        sessions::end(tx, session.id)?;
        let ended = Entry::of(Action::SessionEnded).to_administrator(administrator_id);
        request.note(ended.token(session.id));
        Ok(())
    })
    .await
}
