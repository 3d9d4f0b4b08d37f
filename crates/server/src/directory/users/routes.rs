//! `experienceUser` and `experienceUsers`.

use super::by_id::ById;
use super::listing::{self, Listing};
use super::rows as users;
use super::rules::{changed_user, new_user};
use crate::error::Result;
use crate::rest::cached::DependsOn;
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Created, Okay};
use crate::rest::pages::{ListQuery as _, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::tenant::AuthorizedApp;
use crate::sign_in::marks;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::{Entity, OfApplication, Page, Success};
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserList, ExperienceUserPatch, ExperienceUserPost,
    ExperienceUserSort, Membership, OneExperienceUser,
};
use guestlist_api::id::{ExperienceUserId, ObjectId};
use guestlist_api::scope::Operation;

pub(crate) fn routes() -> [Routes; 2] {
    [
        Routes::at("/applications/{applicationId}/experience/users")
            .get(Operation::application("experienceUsers.get").read(), "List users", list)
            .cached(DependsOn::Lists)
            .post(Operation::application("experienceUsers.post"), "Make a user", post),
        Routes::at("/applications/{applicationId}/experience/users/{experienceUserId}")
            .get(Operation::application("experienceUser.get").read(), "Show a user", get)
            .cached(DependsOn::User)
            .patch(Operation::application("experienceUser.patch"), "Change a user", patch)
            .delete(Operation::application("experienceUser.delete"), "Delete a user", delete),
    ]
}

bodies! {
    ExperienceUserPost = "experienceUser",
    ExperienceUserPatch = "experienceUser",
}

list_query!(ExperienceUserList sorted by ExperienceUserSort::Email);

impl Resource for ExperienceUser {
    fn resource(&self) -> &'static str {
        "experienceUser"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0), ("experienceUserId", self.id.0)]
    }
    fn read_again(tx: &mut Tx<'_>, of: AuthorizedApp, id: ObjectId) -> Result<Option<Self>> {
        users::get_within(tx, of, ExperienceUserId(id)).map(Some)
    }
}

/// Users of one application.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "experienceUsers")]
pub(crate) struct OfUsers {
    #[serde(flatten)]
    of: OfApplication,
    /// The words that were searched for, if there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<String>,
}

impl PageOf for OfUsers {
    fn collection(&self) -> &'static str {
        "experienceUsers"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.of.application_id.0)]
    }
}

type Users = Page<Entity<ExperienceUser>, OfUsers>;

async fn get(
    call: Call<Grant>,
    input: In<OneExperienceUser>,
) -> Result<Okay<Entity<ExperienceUser>>> {
    let within = call.authorized_app(input.path.application_id)?;
    call.find(ById { within, id: input.path.experience_user_id }).await
}

async fn list(
    call: Call<Grant>,
    input: In<OneApplication, ExperienceUserList>,
) -> Result<Okay<Entity<Users>>> {
    let (app, query) = (call.authorized_app(input.path.application_id)?, input.query);
    let list = call.list_request(app.id(), &query)?;
    let listing = Listing {
        sort: query.sort(),
        paging: list.paging.clone(),
        filter: query.filter_field.zip(list.filter.clone()),
        query: query.query.map(|json| json.0),
        search: query.search,
        membership: query.experience_group_id,
        ancestors: query.include_ancestor_groups.is_some_and(|flag| flag.0),
    };
    call.list(list, move |tx| {
        let tenant = app.require(tx)?;
        let group = match listing.membership {
            Some(Membership::Of(group)) => Some(group),
            _ => None,
        };
        let of = OfApplication { application_id: tenant.id(), experience_group_id: group };
        let search = listing.search.as_ref().map(|search| search.as_str().to_owned());
        Ok((OfUsers { of, search }, listing::list(tx, tenant, &listing)?))
    })
    .await
}

async fn post(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceUserPost>,
) -> Result<Created<Entity<ExperienceUser>>> {
    let (app, post, now) = (call.authorized_app(input.path.application_id)?, input.body, call.now);
    let hash = call.app.hasher.hash(call.asker(), post.password.clone()).await?;
    let id = ExperienceUserId(call.app.ids.next(now));
    call.create(move |tx| {
        let tenant = app.require(tx)?;
        let ids = post.experience_group_ids.as_ref().map(|ids| ids.0.as_slice());
        let groups = users::groups(tx, tenant, ids.unwrap_or_default(), GROUP_IDS)?;
        let user = new_user(&post, id, tenant.id(), groups, now);
        users::add(tx, tenant, &user, &hash)?;
        Ok(user)
    })
    .await
}

const GROUP_IDS: &str = "experienceUser.experienceGroupIds";

/// How many tags a change may set that shares a transaction with changes of other users. Each is a row.
const FEW_TAGS: usize = 20;

async fn patch(
    call: Call<Grant>,
    input: In<OneExperienceUser, (), ExperienceUserPatch>,
) -> Result<Okay<Entity<ExperienceUser>>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_user_id);
    let (patch, now) = (input.body, call.now);
    let hash = match patch.password.clone() {
        Some(password) => Some(call.app.hasher.hash(call.asker(), password).await?),
        None => None,
    };
    let request = call.clone();
    // With groups more than the row of the user is changed, and many tags keep others waiting.
    let tags = patch.user_tags.as_ref().map_or(0, |tags| tags.0.len());
    let only = patch.experience_group_ids.is_none() && tags <= FEW_TAGS;
    let row = move || only.then(|| users::row_change(app, id));
    call.change_row(row, move |tx| {
        let (tenant, before) = users::lock_within(tx, app, id)?;
        request.check(&before)?;
        let groups = match &patch.experience_group_ids {
            Some(ids) => Some(users::groups(tx, tenant, &ids.0, GROUP_IDS)?),
            None => None,
        };
        let after = changed_user(&before, &patch, groups, now);
        if hash.is_some() || after != before {
            users::put(tx, tenant, &before, &after, hash.as_ref())?;
            // Whoever could sign in until now may be somebody else.
            if hash.is_some()
                || after.email != before.email
                || after.token_cutoff != before.token_cutoff
            {
                marks::forget(tx, tenant, &before.email)?;
            }
        }
        Ok(after)
    })
    .await
}

async fn delete(call: Call<Grant>, input: In<OneExperienceUser>) -> Result<Okay<Success>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_user_id);
    let request = call.clone();
    call.remove(move |tx| {
        let (tenant, user) = users::lock_within(tx, app, id)?;
        request.check(&user)?;
        users::delete(tx, tenant, &user)?;
        marks::forget(tx, tenant, &user.email)
    })
    .await
}
