//! `auth` and `me`: administrators, and how they sign in.

use super::call::{Call, Found, Nothing, Resource, Written};
use super::input::{BodyParam, In, bodies};
use super::route::{Anybody, Routes};
use crate::domain::{changed_me, new_session};
use crate::error::{Error, Result};
use crate::store::api_tokens::{self, Grant};
use crate::store::users;
use guestlist_api::entity::Entity;
use guestlist_api::id::ApiTokenId;
use guestlist_api::scope::{Operation, Scope, Scopes};
use guestlist_api::user::{
    AuthedUser, ChangePassword, Me, MeGet, MePatch, SsoDomain, UserCredentials,
};
use hyper::Method;
use std::marker::PhantomData;

pub(super) fn routes() -> [Routes; 4] {
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
    fn ids(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Wrong address and wrong password are told apart neither by the answer nor by the time it takes.
async fn authenticate(
    call: Call<Anybody>,
    input: In<(), (), UserCredentials>,
) -> Result<Found<AuthedUser>> {
    let credentials = input.body;
    let email = credentials.email.to_string();
    let found = call.app.store.read(move |tx| users::by_email(tx, &email)).await?;
    let (user, hash) = found.map(|found| (found.user, found.hash)).unzip();
    let good = call.app.hasher.verify(credentials.password, hash).await?;
    let user = user.filter(|_| good).ok_or(Error::BadCredentials)?;
    let scopes = credentials
        .requested_scopes
        .unwrap_or_else(|| [Scope::ALL_USER].into_iter().collect::<Scopes>());
    let (id, now) = (ApiTokenId(call.app.ids.next(call.now)), call.now);
    let ends = credentials.token_ttl.and_then(|ttl| ttl.ends(now));
    call.do_once(move |tx| {
        api_tokens::begin(tx, &new_session(id, user, scopes.clone(), ends, now))?;
        Ok(Written::with_token(AuthedUser { user_id: user, token: None }, id))
    })
    .await
}

async fn sso_domain(_: Call<Anybody>, _: In<(), SsoDomain>) -> Result<Nothing> {
    Ok(Nothing)
}

async fn get(call: Call<Grant>, _: In<(), MeGet>) -> Result<Found<Entity<Me>>> {
    let user = call.user()?;
    call.show(move |tx| users::get(tx, user)).await
}

async fn patch(call: Call<Grant>, input: In<(), MeGet, MePatch>) -> Result<Found<Entity<Me>>> {
    let (user, patch, now) = (call.user()?, input.body, call.now);
    let hash = match patch.password.clone() {
        Some(password) => Some(call.app.hasher.hash(password.into_password()).await?),
        None => None,
    };
    let asked = call.clone();
    call.change(move |tx| {
        let before = users::lock(tx, user)?;
        asked.check(&before)?;
        let after = changed_me(&before, &patch, now);
        if hash.is_some() || after != before {
            users::put(tx, &after, hash.as_ref())?;
        }
        Ok(after)
    })
    .await
}

async fn change_password(
    call: Call<Grant>,
    input: In<(), (), ChangePassword>,
) -> Result<Found<AuthedUser>> {
    let (user, data, now) = (call.user()?, input.body, call.now);
    let found = call.app.store.read(move |tx| users::credentials(tx, user)).await?;
    let hash = found.map(|found| found.hash);
    let known = hash.as_ref().map(|hash| hash.as_stored().to_owned());
    if !call.app.hasher.verify(data.password, hash).await? {
        // The same request may have gone through meanwhile, so that its password is the old one.
        let again = call.replay().await?.map(|reply| Found(reply, PhantomData));
        return again.ok_or(Error::BadCredentials);
    }
    let new = call.app.hasher.hash(data.new_password.into_password()).await?;
    let id = ApiTokenId(call.app.ids.next(now));
    let ends = data.token_ttl.and_then(|ttl| ttl.ends(now));
    let end_others = data.invalidate_existing_tokens.unwrap_or(false);
    let scopes = call.caller.scopes.clone();
    call.do_once(move |tx| {
        let before = users::lock(tx, user)?;
        // Somebody may have changed it since it was checked.
        let present = users::credentials(tx, user)?.map(|found| found.hash.as_stored().to_owned());
        if present != known {
            return Err(Error::BadCredentials);
        }
        users::put(tx, &crate::domain::with_new_password(&before, now), Some(&new))?;
        if end_others {
            api_tokens::end_sessions(tx, user)?;
        }
        api_tokens::begin(tx, &new_session(id, user, scopes.clone(), ends, now))?;
        Ok(Written::with_token(AuthedUser { user_id: user, token: None }, id))
    })
    .await
}
