//! `auth` and `me`: administrators, and how they sign in.

use super::password::{self, Given, PresentPassword};
use super::rows as administrators;
use super::rules::changed_me;
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::caller::Anybody;
use crate::rest::idempotency::Written;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{NoContent, Okay};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::tokens::grant::Grant;
use crate::tokens::rows as tokens;
use crate::tokens::rules::{new_session, session_end};
use crate::tokens::sessions;
use guestlist_api::entity::Entity;
use guestlist_api::id::{ApiTokenId, ObjectId, UserId};
use guestlist_api::scope::{Operation, Scope, Scopes};
use guestlist_api::time::DateTime;
use guestlist_api::user::{
    AuthedUser, ChangePassword, Me, MeGet, MePatch, SsoDomain, UserCredentials,
};
use guestlist_api::wire::{Problem, Rule};
use hyper::Method;
use std::marker::PhantomData;

pub(crate) fn routes() -> [Routes; 5] {
    [
        Routes::at("/auth/user").open(
            Method::POST,
            "auth.authenticateUser",
            "Sign in as an administrator",
            authenticate,
        ),
        Routes::at("/auth/ssoDomain").open(
            Method::GET,
            "auth.ssoDomain",
            "Whether an address signs in elsewhere; none does here",
            sso_domain,
        ),
        Routes::at("/me").get(Operation::user("me.get").read(), "Show me", get).patch(
            Operation::user("me.patch").credential(),
            "Change me",
            patch,
        ),
        Routes::at("/me/changePassword").patch(
            Operation::user("me.changePassword").credential(),
            "Change my password",
            change_password,
        ),
        Routes::at("/me/refreshToken").get(
            Operation::user("me.refreshToken").credential(),
            "Go on with a new token, of the same scopes and for as long again",
            refresh_token,
        ),
    ]
}

bodies! {
    UserCredentials = "credentials",
    MePatch = "user",
    ChangePassword = "data",
}

impl Resource for Me {
    fn resource(&self) -> &'static str {
        "me"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        Vec::new()
    }
}

/// Wrong address and wrong password are told apart neither by the answer nor by the time it takes.
async fn authenticate(
    call: Call<Anybody>,
    input: In<(), (), UserCredentials>,
) -> Result<Okay<AuthedUser>> {
    let credentials = input.body;
    let email = credentials.email.to_string();
    let signed_in = password::sign_in(&call, &email, credentials.password).await?;
    let user = signed_in.user;
    let scopes = credentials
        .requested_scopes
        .unwrap_or_else(|| [Scope::ALL_USER].into_iter().collect::<Scopes>());
    let (id, now) = (ApiTokenId(call.app.ids.next(call.now)), call.now);
    let asked = credentials.token_ttl.and_then(|ttl| ttl.ends(now));
    let ends = session_end(asked, call.app.max_session, now);
    let request = call.clone();
    let begun = call.do_once(move |tx| {
        signed_in.forgive(tx, now)?;
        let session = new_session(id, user, scopes.clone(), ends, now);
        sessions::begin(tx, &session, Some(now))?;
        request.note(Entry::of(Action::SignedIn).to_administrator(user).token(id));
        Ok(Written::with_token(AuthedUser { user_id: user, token: None }, (session, true)))
    });
    let begun = begun.await;
    if matches!(begun, Err(Error::BadCredentials)) {
        call.log(&Entry::of(Action::SignInFailed).to_administrator(user));
    }
    begun
}

async fn sso_domain(_: Call<Anybody>, _: In<(), SsoDomain>) -> Result<NoContent> {
    Ok(NoContent)
}

/// How far the clock of a client may be ahead of ours, in milliseconds.
const CLOCKS_DIFFER: i64 = 60_000;

async fn get(call: Call<Grant>, _: In<(), MeGet>) -> Result<Okay<Entity<Me>>> {
    let user = call.user()?;
    call.show(move |tx| administrators::get(tx, user)).await
}

async fn patch(call: Call<Grant>, input: In<(), MeGet, MePatch>) -> Result<Okay<Entity<Me>>> {
    let (user, mut patch, now) = (call.user()?, input.body, call.now);
    // Whoever sets the address or the password can sign in, and then do everything.
    let signs_in = patch.email.is_some() || patch.password.is_some();
    if signs_in && !call.may_grant(&[Scope::ALL_USER].into_iter().collect()) {
        return Err(Error::Forbidden);
    }
    if patch.token_cutoff.is_some_and(|cutoff| cutoff > now.plus_millis(CLOCKS_DIFFER)) {
        let rule = Rule::Other("must not be in the future: nobody could sign in until then".into());
        return Err(Error::Invalid(vec![Problem::new("user.tokenCutoff", rule)]));
    }
    let mut present = None;
    if let Some(password) = patch.current_password.take() {
        match password::check(&call, user, password).await? {
            Given::Present(password) => present = Some(password),
            Given::Before(reply) => return Ok(Okay(reply, PhantomData)),
        }
    } else if changes_sign_in(&call, user, &patch).await? {
        password::require_fresh(&call).await?;
    }
    let hash = match patch.password.clone() {
        Some(password) => Some(call.app.hasher.hash(call.asker(), password.into_password()).await?),
        None => None,
    };
    let request = call.clone();
    call.change(move |tx| {
        let before = administrators::lock(tx, user)?;
        request.check(&before)?;
        present
            .iter()
            .try_for_each(|present: &PresentPassword| present.confirm(tx, &before.email))?;
        let after = changed_me(&before, &patch, now);
        if hash.is_some() || after != before {
            administrators::put(tx, &after, hash.as_ref())?;
        }
        for (done, action) in [
            (hash.is_some(), Action::PasswordChanged),
            (after.email != before.email, Action::AddressChanged),
            (after.token_cutoff != before.token_cutoff, Action::CutOff),
        ] {
            if done {
                request.note(Entry::of(action).to_administrator(user));
            }
        }
        Ok(after)
    })
    .await
}

/// Whether `patch` changes what the administrator `user` signs in with. To say the address that is
/// there changes nothing.
async fn changes_sign_in(call: &Call<Grant>, user: UserId, patch: &MePatch) -> Result<bool> {
    let Some(email) = &patch.email else { return Ok(patch.password.is_some()) };
    let me = call.store().read(move |tx| administrators::get(tx, user)).await?;
    Ok(patch.password.is_some() || **email != *me.email)
}

async fn change_password(
    call: Call<Grant>,
    input: In<(), (), ChangePassword>,
) -> Result<Okay<AuthedUser>> {
    let (user, data, now) = (call.user()?, input.body, call.now);
    let present = match password::check(&call, user, data.password).await? {
        Given::Present(present) => present,
        Given::Before(reply) => return Ok(Okay(reply, PhantomData)),
    };
    let new = call.app.hasher.hash(call.asker(), data.new_password.into_password()).await?;
    let id = ApiTokenId(call.app.ids.next(now));
    let asked = data.token_ttl.and_then(|ttl| ttl.ends(now));
    let ends = session_end(asked, call.app.max_session, now);
    let end_others = data.invalidate_existing_tokens.unwrap_or(false);
    let (scopes, request) = (call.caller.scopes.clone(), call.clone());
    call.do_once(move |tx| {
        let before = administrators::lock(tx, user)?;
        present.confirm(tx, &before.email)?;
        administrators::put(
            tx,
            &crate::administrators::rules::with_new_password(&before, now),
            Some(&new),
        )?;
        request.note(Entry::of(Action::PasswordChanged).to_administrator(user));
        if end_others {
            sessions::end_all(tx, user)?;
            tokens::switch_off(tx, user, now)?;
            request.note(Entry::of(Action::SessionsEnded).to_administrator(user));
            request.note(Entry::of(Action::TokensDeactivated).to_administrator(user));
        }
        let session = new_session(id, user, scopes.clone(), ends, now);
        sessions::begin(tx, &session, Some(now))?;
        request.note(Entry::of(Action::SessionBegun).to_administrator(user).token(id));
        Ok(Written::with_token(AuthedUser { user_id: user, token: None }, (session, true)))
    })
    .await
}

/// A new session of the same scopes, which lasts as long as the one that asks was made for. That one
/// goes on: it is a GET, which a client sends again when the answer is lost.
///
/// An API token is answered as it is. It lasts for as long as it was made for, and a session would
/// go on after it has been revoked.
async fn refresh_token(call: Call<Grant>, _: In) -> Result<Okay<AuthedUser>> {
    let (user, token, now) = (call.user()?, call.caller.token, call.now);
    let (id, request) = (ApiTokenId(call.app.ids.next(now)), call.clone());
    call.do_once(move |tx| {
        let (asking, is_session) = tokens::find(tx, token)?.ok_or(Error::TokenInvalid)?;
        let answer = AuthedUser { user_id: user, token: None };
        if !is_session {
            return Ok(Written::with_token(answer, (asking, false)));
        }
        let lasts = |end: DateTime| end.millis() - asking.creation_date.millis();
        let asked = asking.expiration_date.map(|end| now.plus_millis(lasts(end)));
        let signed_in = sessions::signed_in(tx, token)?;
        let began = signed_in.unwrap_or(asking.creation_date);
        let ends = session_end(asked, request.app.max_session, began);
        if ends.is_some_and(|end| end <= now) {
            return Err(Error::TokenExpired);
        }
        let session = new_session(id, user, asking.scope.clone(), ends, now);
        sessions::begin(tx, &session, signed_in)?;
        request.note(Entry::of(Action::SessionBegun).to_administrator(user).token(id));
        Ok(Written::with_token(answer, (session, true)))
    })
    .await
}
