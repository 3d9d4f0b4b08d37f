//! `applicationApiToken(s)` and `userApiToken(s)`.

use super::grant::Grant;
use super::rows::{self as tokens, Listing, Owner, Principal};
use super::rules::{changed_token, end, new_token};
use crate::administrators::rows as administrators;
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::idempotency::Written;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Created, Okay};
use crate::rest::pages::{ListQuery as _, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::tenant::AuthorizedApp;
use guestlist_api::api_token::{
    ApiToken, ApiTokenDelete, ApiTokenList, ApiTokenPatch, ApiTokenPost, ApiTokenSort, CreatorType,
    OneApplicationApiToken, OneUserApiToken, TokenStatus,
};
use guestlist_api::application::OneApplication;
use guestlist_api::entity::{Entity, OfOwner, OwnerType, Page, Success};
use guestlist_api::id::{ApiTokenId, ForeignId, ObjectId, UserId};
use guestlist_api::scope::{Operation, Scope, Scopes};

pub(crate) fn routes() -> [Routes; 4] {
    [
        Routes::at("/applications/{applicationId}/tokens")
            .get(
                Operation::application("applicationApiTokens.get").read(),
                "List an application's tokens",
                list_of_application,
            )
            .post(
                Operation::application("applicationApiTokens.post").credential(),
                "Make a token of an application",
                post_of_application,
            ),
        Routes::at("/applications/{applicationId}/tokens/{apiTokenId}")
            .get(
                Operation::application("applicationApiToken.get").read(),
                "Show a token of an application",
                get_of_application,
            )
            .patch(
                Operation::application("applicationApiToken.patch").credential(),
                "Change a token of an application",
                patch_of_application,
            )
            .delete(
                Operation::application("applicationApiToken.delete").credential(),
                "Revoke a token of an application",
                delete_of_application,
            ),
        Routes::at("/me/tokens")
            .get(Operation::user("userApiTokens.get").read(), "List my tokens", list_of_user)
            .post(
                Operation::user("userApiTokens.post").credential(),
                "Make a token of mine",
                post_of_user,
            ),
        Routes::at("/me/tokens/{apiTokenId}")
            .get(Operation::user("userApiToken.get").read(), "Show a token of mine", get_of_user)
            .patch(
                Operation::user("userApiToken.patch").credential(),
                "Change a token of mine",
                patch_of_user,
            )
            .delete(
                Operation::user("userApiToken.delete").credential(),
                "Revoke a token of mine",
                delete_of_user,
            ),
    ]
}

bodies! {
    ApiTokenPost = "apiToken",
    ApiTokenPatch = "apiToken",
}

list_query!(ApiTokenList sorted by ApiTokenSort::Name);

impl Resource for ApiToken {
    fn resource(&self) -> &'static str {
        match self.owner_type {
            OwnerType::Application => "applicationApiToken",
            OwnerType::User => "userApiToken",
        }
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.owner_id.0), ("apiTokenId", self.id.0)]
    }
}

/// Tokens of one owner.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "apiTokens")]
pub(crate) struct OfTokens(OfOwner);

impl PageOf for OfTokens {
    fn collection(&self) -> &'static str {
        match self.0.owner_type {
            OwnerType::Application => "applicationApiTokens",
            OwnerType::User => "userApiTokens",
        }
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.0.owner_id.0)]
    }
}

type Tokens = Page<Entity<ApiToken>, OfTokens>;

/// Whose tokens a call is about: those of an application, or those of the caller.
#[derive(Clone, Copy)]
enum TokenOwner {
    Application(AuthorizedApp),
    User(UserId),
}

impl TokenOwner {
    /// Which one it is.
    const fn id(self) -> ObjectId {
        match self {
            Self::Application(app) => app.id().0,
            Self::User(user) => user.0,
        }
    }

    /// Whom the tokens speak for.
    const fn principal(self) -> Principal {
        match self {
            Self::Application(app) => Principal::Application(app.id()),
            Self::User(user) => Principal::User(user),
        }
    }

    /// The owner, who exists.
    fn require(self, tx: &mut Tx<'_>) -> Result<Owner> {
        match self {
            Self::Application(app) => Ok(Owner::of(app.require(tx)?)),
            Self::User(user) => Owner::administrator(tx, user),
        }
    }
}

async fn list_of_application(
    call: Call<Grant>,
    input: In<OneApplication, ApiTokenList>,
) -> Result<Okay<Entity<Tokens>>> {
    let whose = TokenOwner::Application(call.authorized_app(input.path.application_id)?);
    list(call, whose, input.query).await
}

async fn list_of_user(
    call: Call<Grant>,
    input: In<(), ApiTokenList>,
) -> Result<Okay<Entity<Tokens>>> {
    let whose = TokenOwner::User(call.user()?);
    list(call, whose, input.query).await
}

async fn list(
    call: Call<Grant>,
    whose: TokenOwner,
    query: ApiTokenList,
) -> Result<Okay<Entity<Tokens>>> {
    let list = call.list_request(whose.id(), &query)?;
    let filter = query.filter_field.zip(list.filter.clone());
    let listing = Listing { filter, sort: query.sort(), paging: list.paging.clone() };
    call.list(list, move |tx| {
        let owner = whose.require(tx)?;
        let of = OfOwner { owner_id: owner.id(), owner_type: owner.kind() };
        Ok((OfTokens(of), tokens::list(tx, owner, &listing)?))
    })
    .await
}

async fn get_of_application(
    call: Call<Grant>,
    input: In<OneApplicationApiToken>,
) -> Result<Okay<Entity<ApiToken>>> {
    let whose = TokenOwner::Application(call.authorized_app(input.path.application_id)?);
    get(call, whose, input.path.api_token_id).await
}

async fn get_of_user(
    call: Call<Grant>,
    input: In<OneUserApiToken>,
) -> Result<Okay<Entity<ApiToken>>> {
    let whose = TokenOwner::User(call.user()?);
    get(call, whose, input.path.api_token_id).await
}

async fn get(
    call: Call<Grant>,
    whose: TokenOwner,
    id: ApiTokenId,
) -> Result<Okay<Entity<ApiToken>>> {
    call.show(move |tx| {
        let owner = whose.require(tx)?;
        tokens::get(tx, owner, id)
    })
    .await
}

/// Who is recorded as the maker of a token.
fn creator(grant: &Grant) -> (ForeignId, CreatorType) {
    match grant.owner {
        Principal::User(UserId(id)) if grant.session => (ForeignId(id), CreatorType::User),
        _ => (ForeignId(grant.token.0), CreatorType::ApiToken),
    }
}

async fn post_of_application(
    call: Call<Grant>,
    input: In<OneApplication, (), ApiTokenPost>,
) -> Result<Created<Entity<ApiToken>>> {
    let whose = TokenOwner::Application(call.authorized_app(input.path.application_id)?);
    post(call, whose, input.body).await
}

async fn post_of_user(
    call: Call<Grant>,
    input: In<(), (), ApiTokenPost>,
) -> Result<Created<Entity<ApiToken>>> {
    let whose = TokenOwner::User(call.user()?);
    post(call, whose, input.body).await
}

async fn post(
    call: Call<Grant>,
    whose: TokenOwner,
    post: ApiTokenPost,
) -> Result<Created<Entity<ApiToken>>> {
    let scopes = post.scope.clone().unwrap_or_else(|| {
        let all = match whose {
            TokenOwner::Application(_) => Scope::ALL_APPLICATION,
            TokenOwner::User(_) => Scope::ALL_USER,
        };
        [all].into_iter().collect::<Scopes>()
    });
    if !call.may_grant(&scopes) {
        return Err(Error::Forbidden);
    }
    let (id, now, grant) = (ApiTokenId(call.app.ids.next(call.now)), call.now, call.caller.clone());
    let request = call.clone();
    call.create(move |tx| {
        // In here, because what is repeated is answered as it was, also after its token has ended.
        let ends = end(&post, grant.bound(), now)?;
        let owner = whose.require(tx)?;
        tokens::lock_against_removal(tx, grant.token)?;
        let (creator_id, creator_type) = creator(&grant);
        let creator_name = match (creator_type, grant.owner) {
            (CreatorType::User, Principal::User(user)) => administrators::get(tx, user)?.full_name,
            _ => grant.name.clone(),
        };
        let mut token = new_token(&post, id, owner.id(), owner.kind(), scopes.clone(), now);
        token.expiration_date = ends;
        token.creator_id = Some(creator_id);
        token.creator_type = Some(creator_type);
        token.creator_name = Some(creator_name);
        tokens::add(tx, &token)?;
        request.note(Entry::of(Action::TokenMade).to(whose.principal()).token(id));
        Ok(Written::with_token(token.clone(), (token, false)))
    })
    .await
}

async fn patch_of_application(
    call: Call<Grant>,
    input: In<OneApplicationApiToken, (), ApiTokenPatch>,
) -> Result<Okay<Entity<ApiToken>>> {
    let whose = TokenOwner::Application(call.authorized_app(input.path.application_id)?);
    patch(call, whose, input.path.api_token_id, input.body).await
}

async fn patch_of_user(
    call: Call<Grant>,
    input: In<OneUserApiToken, (), ApiTokenPatch>,
) -> Result<Okay<Entity<ApiToken>>> {
    let whose = TokenOwner::User(call.user()?);
    patch(call, whose, input.path.api_token_id, input.body).await
}

async fn patch(
    call: Call<Grant>,
    whose: TokenOwner,
    id: ApiTokenId,
    patch: ApiTokenPatch,
) -> Result<Okay<Entity<ApiToken>>> {
    let (now, request) = (call.now, call.clone());
    call.change(move |tx| {
        let owner = whose.require(tx)?;
        let before = tokens::lock(tx, owner, id)?;
        request.check(&before)?;
        let after = changed_token(&before, &patch, now);
        // To switch a token on is to grant what it may do, for as long as it lasts.
        if after.status != before.status
            && after.status == TokenStatus::Active
            && !(request.may_grant(&before.scope) && outlives(&request.caller, &before))
        {
            return Err(Error::Forbidden);
        }
        if after != before {
            tokens::put(tx, &before, &after)?;
        }
        if after.status != before.status {
            let action = match after.status {
                TokenStatus::Active => Action::TokenActivated,
                TokenStatus::Inactive => Action::TokenDeactivated,
            };
            request.note(Entry::of(action).to(whose.principal()).token(id));
        }
        Ok(after)
    })
    .await
}

/// Whether the token that `grant` is of ends no earlier than `token`.
fn outlives(grant: &Grant, token: &ApiToken) -> bool {
    grant.bound().is_none_or(|bound| token.expiration_date.is_some_and(|end| end <= bound))
}

async fn delete_of_application(
    call: Call<Grant>,
    input: In<OneApplicationApiToken, ApiTokenDelete>,
) -> Result<Okay<Success>> {
    let whose = TokenOwner::Application(call.authorized_app(input.path.application_id)?);
    delete(call, whose, input.path.api_token_id, &input.query).await
}

async fn delete_of_user(
    call: Call<Grant>,
    input: In<OneUserApiToken, ApiTokenDelete>,
) -> Result<Okay<Success>> {
    let whose = TokenOwner::User(call.user()?);
    delete(call, whose, input.path.api_token_id, &input.query).await
}

async fn delete(
    call: Call<Grant>,
    whose: TokenOwner,
    id: ApiTokenId,
    query: &ApiTokenDelete,
) -> Result<Okay<Success>> {
    let with_children = query.with_children.is_some_and(|yes| yes.0);
    let request = call.clone();
    call.remove(move |tx| {
        let owner = whose.require(tx)?;
        let token = tokens::lock(tx, owner, id)?;
        request.check(&token)?;
        let action = if with_children {
            tokens::delete_with_children(tx, &token)?;
            Action::TokenRevokedWithChildren
        } else {
            tokens::delete(tx, &token)?;
            Action::TokenRevoked
        };
        request.note(Entry::of(action).to(whose.principal()).token(id));
        Ok(())
    })
    .await
}
