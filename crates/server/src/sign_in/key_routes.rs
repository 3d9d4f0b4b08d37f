//! `experienceKey` and `experienceKeys`.

use super::keys::{self, StoredKey};
use crate::audit::{Action, Entry};
use crate::error::Result;
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Created, Okay};
use crate::rest::route::Routes;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::Success;
use guestlist_api::experience_key::{
    ExperienceKey, ExperienceKeyPost, ExperienceKeys, KeyState, OneExperienceKey,
};
use guestlist_api::scope::Operation;
use guestlist_api::time::DateTime;

pub(crate) fn routes() -> [Routes; 2] {
    [
        Routes::at("/applications/{applicationId}/experience/keys")
            .get(
                Operation::application("experienceKeys.get").read(),
                "List the keys that sign the tokens of users",
                list,
            )
            .post(
                Operation::application("experienceKeys.post").credential(),
                "Make a key that signs the tokens of users after the present one",
                rotate,
            ),
        Routes::at("/applications/{applicationId}/experience/keys/{kid}").delete(
            Operation::application("experienceKey.delete").credential(),
            "Withdraw a key, none of whose tokens is good any more",
            withdraw,
        ),
    ]
}

bodies! {
    ExperienceKeyPost = "experienceKey",
}

fn shown(key: &StoredKey, state: KeyState) -> ExperienceKey {
    ExperienceKey {
        kid: key.kid.clone(),
        alg: "EdDSA".into(),
        state,
        creation_date: key.created,
        // The first signs whatever is said to be before it, too.
        signs_from: key.signs_from.max(key.created),
    }
}

/// `all`, the newest first, as they are at `now`.
fn all_shown(all: &[StoredKey], now: DateTime) -> Vec<ExperienceKey> {
    let states = keys::states(all, now);
    all.iter().zip(states).map(|(key, state)| shown(key, state)).collect()
}

async fn list(call: Call<Grant>, input: In<OneApplication>) -> Result<Okay<ExperienceKeys>> {
    let app = call.authorized_app(input.path.application_id)?;
    let found = call.read(move |tx| {
        let tenant = app.require(tx)?;
        keys::all(tx, tenant)
    });
    let items = all_shown(&found.await?, call.now);
    Okay::plain(&ExperienceKeys { application_id: app.id(), count: items.len() as u64, items })
}

async fn rotate(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceKeyPost>,
) -> Result<Created<ExperienceKey>> {
    let app = call.authorized_app(input.path.application_id)?;
    let immediately = input.body.immediately.unwrap_or(false);
    let request = call.clone();
    call.make_once(move |tx| {
        let (tenant, now) = (app.require_locked(tx)?, request.now);
        let seal = &request.app.experience_seal;
        let (new, is_changed) = keys::rotate(tx, tenant, seal, now, immediately)?;
        if is_changed {
            let entry = Entry::of(Action::UserKeyMade).to_user(app.id(), None);
            request.note(entry.key(new.kid.clone()));
        }
        let state = if new.signs_from <= now { KeyState::Current } else { KeyState::Next };
        Ok(shown(&new, state).into())
    })
    .await
}

async fn withdraw(call: Call<Grant>, input: In<OneExperienceKey>) -> Result<Okay<Success>> {
    let app = call.authorized_app(input.path.application_id)?;
    let kid = input.path.kid.0;
    let request = call.clone();
    call.remove(move |tx| {
        let tenant = app.require_locked(tx)?;
        keys::withdraw(tx, tenant, &kid, request.now)?;
        let entry = Entry::of(Action::UserKeyWithdrawn).to_user(app.id(), None);
        request.note(entry.key(kid.clone()));
        Ok(())
    })
    .await
}
