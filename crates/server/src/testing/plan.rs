//! A seed as rows, so that it can be put into the store as often as it takes, always the same.

use super::seed::Seed;
use crate::administrators::rows as administrators;
use crate::administrators::rules::new_me;
use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::auth::places::Asker;
use crate::directory::groups::rows as groups;
use crate::directory::groups::rules::new_group;
use crate::directory::users::rows as users;
use crate::directory::users::rules::new_user;
use crate::error::{Error, Result};
use crate::rest::App;
use crate::rows::Tx;
use crate::tokens::rows as tokens;
use crate::tokens::rows::Principal;
use crate::tokens::rules::new_token;
use guestlist_api::api_token::{ApiToken, ApiTokenPost};
use guestlist_api::application::{Application, ApplicationPost};
use guestlist_api::entity::OwnerType;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, UserId};
use guestlist_api::scope::{Scope, Scopes};
use guestlist_api::user::Me;
use guestlist_api::wire;
use serde_json::json;
use std::collections::BTreeMap;

/// What is in the store at first.
pub(super) struct Plan {
    application: Application,
    me: Me,
    hash: PasswordHash,
    groups: Vec<ExperienceGroup>,
    users: Vec<(ExperienceUser, PasswordHash)>,
    tokens: Vec<ApiToken>,
}

/// What a client has to know of it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) application_id: ApplicationId,
    pub(super) token: String,
    pub(super) application_token: String,
    pub(super) email: String,
    /// The tokens of the seed, by name.
    pub(super) tokens: BTreeMap<String, String>,
}

impl Plan {
    /// What `seed` comes to, with its passwords hashed and the ids it leaves open chosen.
    ///
    /// # Errors
    /// When a password cannot be hashed or a token not be signed.
    pub(super) async fn of(seed: Seed, app: &App) -> Result<(Self, Known)> {
        let now = app.clock.now();
        let id = seed.application_id.unwrap_or_else(|| ApplicationId(app.ids.next(now)));
        let application = new_application(&seed.application, id, app.organization, now);
        let hash = app.hasher.hash(Asker::OWN, seed.password.into_password()).await?;
        let me = new_me(UserId(app.ids.next(now)), seed.email, now);

        let mut named: BTreeMap<String, GroupRef> = BTreeMap::new();
        let mut groups = Vec::new();
        for group in seed.groups {
            let group_id = group.id.unwrap_or_else(|| ExperienceGroupId(app.ids.next(now)));
            let parent = group.parent.as_ref().and_then(|name| named.get(name));
            let mut new = new_group(&group.post, group_id, id, Vec::new(), Vec::new(), now);
            new.parent_id = parent.map(|parent| parent.id);
            let parent_id = new.parent_id;
            named.insert(
                new.name.clone(),
                GroupRef { id: group_id, name: new.name.clone(), parent_id },
            );
            groups.push(new);
        }
        let mut users = Vec::new();
        for user in seed.users {
            let user_id = user.id.unwrap_or_else(|| ExperienceUserId(app.ids.next(now)));
            // Each once, whatever the seed says twice.
            let of = |name| named.get(name).map(|group| (group.id, group.clone()));
            let groups: BTreeMap<_, _> = user.groups.iter().filter_map(of).collect();
            let hash = app.hasher.hash(Asker::OWN, user.post.password.clone()).await?;
            let new = new_user(&user.post, user_id, id, groups.into_values().collect(), now);
            users.push((new, hash));
        }

        let token = |owner, post: &ApiTokenPost| {
            let (owner, all) = match owner {
                OwnerType::Application => (Principal::Application(id), Scope::ALL_APPLICATION),
                OwnerType::User => (Principal::User(me.id), Scope::ALL_USER),
            };
            let scopes = post.scope.clone().unwrap_or_else(|| Scopes::from_iter([all]));
            let record = ApiTokenId(app.ids.next(now));
            new_token(post, record, owner.id(), owner.kind(), scopes, now)
        };
        let mut tokens = vec![
            token(OwnerType::User, &called("test")?),
            token(OwnerType::Application, &called("test")?),
        ];
        tokens.extend(seed.tokens.iter().map(|seeded| token(seeded.owner, &seeded.post)));
        let minted = tokens.iter().map(|token| Ok(app.mint(token, false)?.expose().to_owned()));
        let mut minted = minted.collect::<Result<Vec<String>>>()?.into_iter();
        let known = Known {
            application_id: id,
            token: minted.next().unwrap_or_default(),
            application_token: minted.next().unwrap_or_default(),
            email: me.email.clone(),
            tokens: seed
                .tokens
                .iter()
                .map(|token| token.post.name.to_string())
                .zip(minted)
                .collect(),
        };
        Ok((Self { application, me, hash, groups, users, tokens }, known))
    }

    /// Puts it into the store.
    ///
    /// # Errors
    /// When the store fails, or something of it is there already.
    pub(super) fn plant(&self, tx: &mut Tx<'_>) -> Result<()> {
        let tenant = applications::add(tx, &self.application)?;
        administrators::add(tx, &self.me, &self.hash)?;
        for group in &self.groups {
            groups::add(tx, tenant, group)?;
        }
        for (user, hash) in &self.users {
            users::add(tx, tenant, user, hash)?;
        }
        self.tokens.iter().try_for_each(|token| tokens::add(tx, token))
    }
}

fn called(name: &str) -> Result<ApiTokenPost> {
    wire::read("apiToken", json!({ "name": name })).map_err(Error::Invalid)
}

/// Makes one more application, and a token that may do everything in it.
///
/// # Errors
/// When the store fails.
pub(super) async fn tenant(app: &App, post: ApplicationPost) -> Result<(ApplicationId, String)> {
    let now = app.clock.now();
    let application =
        new_application(&post, ApplicationId(app.ids.next(now)), app.organization, now);
    let (id, owner) = (application.id, Principal::Application(application.id));
    let scopes = Scopes::from_iter([Scope::ALL_APPLICATION]);
    let record = ApiTokenId(app.ids.next(now));
    let token = new_token(&called("test")?, record, owner.id(), owner.kind(), scopes, now);
    let minted = app.mint(&token, false)?.expose().to_owned();
    app.store
        .write(move |tx| {
            applications::add(tx, &application)?;
            tokens::add(tx, &token)
        })
        .await?;
    Ok((id, minted))
}
