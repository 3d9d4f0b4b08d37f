//! `experienceGroup` and `experienceGroups`.

use super::bare as bare_groups;
use super::forest::{self, Height};
use super::listing::{self, Listing};
use super::rows as groups;
use super::rules::{changed_group, new_group};
use crate::directory::removal;
use crate::error::{Error, Result};
use crate::rest::cached::DependsOn;
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Created, Okay};
use crate::rest::pages::{ListQuery as _, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::tenant::AuthorizedApp;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::{Entity, OfApplication, Page, Success};
use guestlist_api::experience_group::{
    ExperienceGroup, ExperienceGroupGet, ExperienceGroupList, ExperienceGroupPatch,
    ExperienceGroupPost, ExperienceGroupSort, OneExperienceGroup, Parent,
};
use guestlist_api::id::{ExperienceGroupId, ObjectId};
use guestlist_api::scope::Operation;
use std::sync::Arc;

pub(crate) fn routes() -> [Routes; 2] {
    [
        Routes::at("/applications/{applicationId}/experience/groups")
            .get(Operation::application("experienceGroups.get").read(), "List groups", list)
            .cached(DependsOn::Lists)
            .post(Operation::application("experienceGroups.post"), "Make a group", post),
        Routes::at("/applications/{applicationId}/experience/groups/{experienceGroupId}")
            .get(Operation::application("experienceGroup.get").read(), "Show a group", get)
            .patch(Operation::application("experienceGroup.patch"), "Change a group", patch)
            .delete(Operation::application("experienceGroup.delete"), "Delete a group", delete),
    ]
}

bodies! {
    ExperienceGroupPost = "experienceGroup",
    ExperienceGroupPatch = "experienceGroup",
}

list_query!(ExperienceGroupList sorted by ExperienceGroupSort::Name);

impl Resource for ExperienceGroup {
    fn resource(&self) -> &'static str {
        "experienceGroup"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0), ("experienceGroupId", self.id.0)]
    }
    fn read_again(tx: &mut Tx<'_>, of: AuthorizedApp, id: ObjectId) -> Result<Option<Self>> {
        let tenant = of.require(tx)?;
        groups::get(tx, tenant, ExperienceGroupId(id)).map(Some)
    }
}

/// `group` in each form that it can be read in with its members. What was read without them may not
/// be changed by its tag: it stays the same when one member takes the place of another.
fn forms(tx: &mut Tx<'_>, group: &ExperienceGroup) -> Result<[ExperienceGroup; 4]> {
    let (direct, total) = forest::device_counts(tx, group)?;
    Ok([(false, false), (true, false), (false, true), (true, true)].map(|(one, all)| {
        ExperienceGroup {
            direct_device_count: one.then_some(direct),
            total_device_count: all.then_some(total),
            ..group.clone()
        }
    }))
}

/// The group for which the conditions of a request held, if it has any.
struct Expected(Option<ExperienceGroup>);

/// Looks whether the conditions of the request hold for the group `id`. That counts the devices of all
/// groups below it, so it is a read of its own: a write would keep all others waiting meanwhile.
///
/// # Errors
/// As [`groups::get`]; [`Error::PreconditionFailed`] when they do not hold.
async fn expected(
    call: &Call<Grant>,
    app: AuthorizedApp,
    id: ExperienceGroupId,
) -> Result<Expected> {
    if call.done || call.context.common.conditions.are_none() {
        return Ok(Expected(None));
    }
    let request = call.clone();
    let found = call.read(move |tx| {
        let tenant = app.require(tx)?;
        let group = groups::get(tx, tenant, id)?;
        request.check_any(|| forms(tx, &group))?;
        Ok(group)
    });
    found.await.map(|group| Expected(Some(group)))
}

impl Expected {
    /// 412 if the group has changed since: whoever sends an old tag is told the same. Of the groups
    /// below it only their devices are in a tag, and nothing that is written here depends on those.
    fn check(&self, before: &ExperienceGroup) -> Result<()> {
        match &self.0 {
            Some(expected) if expected != before => Err(Error::PreconditionFailed),
            _ => Ok(()),
        }
    }
}

/// Groups of one application.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceGroups")]
pub(crate) struct OfGroups {
    #[serde(flatten)]
    of: OfApplication,
    /// The group that the list was narrowed to, if it was one group.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<ExperienceGroupId>,
}

impl PageOf for OfGroups {
    fn collection(&self) -> &'static str {
        "experienceGroups"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.of.application_id.0)]
    }
}

type Groups = Page<Entity<ExperienceGroup>, OfGroups>;

async fn get(
    call: Call<Grant>,
    input: In<OneExperienceGroup, ExperienceGroupGet>,
) -> Result<Okay<Entity<ExperienceGroup>>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_group_id);
    let bare = input.query.exclude_members.is_some_and(|flag| flag.0);
    let direct = input.query.include_direct_device_count.is_some_and(|flag| flag.0);
    let total = input.query.include_total_device_count.is_some_and(|flag| flag.0);
    call.show(move |tx| {
        let tenant = app.require(tx)?;
        let mut group =
            if bare { bare_groups::get(tx, tenant, id)? } else { groups::get(tx, tenant, id)? };
        if direct || total {
            let counts = forest::device_counts(tx, &group)?;
            group.direct_device_count = (direct || bare).then_some(counts.0);
            group.total_device_count = total.then_some(counts.1);
        }
        Ok(group)
    })
    .await
}

async fn list(
    call: Call<Grant>,
    input: In<OneApplication, ExperienceGroupList>,
) -> Result<Okay<Entity<Groups>>> {
    let (app, query) = (call.authorized_app(input.path.application_id)?, input.query);
    let list = call.list_request(app.id(), &query)?;
    let listing = Listing {
        sort: query.sort(),
        paging: list.paging.clone(),
        name: query.filter_field.and(list.filter.clone()),
        query: query.query.map(|json| json.0),
        parent: query.parent_id,
        bare: query.exclude_members.is_some_and(|flag| flag.0),
    };
    call.list(list, move |tx| {
        let tenant = app.require(tx)?;
        let of = OfApplication { application_id: tenant.id(), experience_group_id: None };
        let parent_id = match listing.parent {
            Some(Parent::Of(parent)) => Some(parent),
            Some(Parent::None) | None => None,
        };
        Ok((OfGroups { of, parent_id }, listing::list(tx, tenant, &listing)?))
    })
    .await
}

async fn post(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceGroupPost>,
) -> Result<Created<Entity<ExperienceGroup>>> {
    let (app, post, now) = (call.authorized_app(input.path.application_id)?, input.body, call.now);
    let id = ExperienceGroupId(call.app.ids.next(now));
    call.create(move |tx| {
        // Where a group may be depends on where those above it are.
        let tenant = match post.parent_id {
            Some(_) => app.require_locked(tx)?,
            None => app.require(tx)?,
        };
        let ids = post.experience_user_ids.as_ref().map(|ids| ids.0.as_slice());
        let members = groups::members(tx, tenant, ids.unwrap_or_default())?;
        let parent = post.parent_id.as_ref().and_then(|parent| parent.0);
        let ancestors = forest::place(tx, tenant, None, parent, None)?;
        let group = new_group(&post, id, tenant.id(), members, ancestors, now);
        groups::add(tx, tenant, &group)?;
        Ok(group)
    })
    .await
}

async fn patch(
    call: Call<Grant>,
    input: In<OneExperienceGroup, (), ExperienceGroupPatch>,
) -> Result<Okay<Entity<ExperienceGroup>>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_group_id);
    let (patch, expected) = (input.body, expected(&call, app, id).await?);
    let asked = Arc::new((patch, expected));
    let mut known = None;
    for _ in 0..COUNTED_AGAIN {
        match change(&call, app, id, &asked, known).await {
            Err(Error::Busy { what: forest::NOT_COUNTED, .. }) => {
                let count = move |tx: &mut Tx<'_>| {
                    let tenant = app.require(tx)?;
                    forest::height(tx, tenant, id)
                };
                known = Some(call.read(count).await?);
            }
            done => return done,
        }
    }
    change(&call, app, id, &asked, known).await
}

/// How often the levels below a group are counted anew when others put groups into groups meanwhile.
const COUNTED_AGAIN: usize = 4;

/// Changes the group `id` as was `asked`, with what is `known` of the levels below it.
async fn change(
    call: &Call<Grant>,
    app: AuthorizedApp,
    id: ExperienceGroupId,
    asked: &Arc<(ExperienceGroupPatch, Expected)>,
    known: Option<Height>,
) -> Result<Okay<Entity<ExperienceGroup>>> {
    let (asked, now) = (Arc::clone(asked), call.now);
    call.change(move |tx| {
        let (patch, expected) = &*asked;
        let tenant = match patch.parent_id {
            Some(_) => app.require_locked(tx)?,
            None => app.require(tx)?,
        };
        let before = groups::lock(tx, tenant, id)?;
        expected.check(&before)?;
        let members = match &patch.experience_user_ids {
            Some(ids) => Some(groups::members(tx, tenant, &ids.0)?),
            None => None,
        };
        let ancestors = match &patch.parent_id {
            Some(parent) => Some(forest::place(tx, tenant, Some(id), parent.0, known)?),
            None => None,
        };
        let after = changed_group(&before, patch, members, ancestors, now);
        if after != before {
            groups::put(tx, tenant, &before, &after)?;
        }
        Ok(after)
    })
    .await
}

async fn delete(call: Call<Grant>, input: In<OneExperienceGroup>) -> Result<Okay<Success>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_group_id);
    let expected = Arc::new(expected(&call, app, id).await?);
    let at_first = Arc::clone(&expected);
    // Where it has begun, its conditions held.
    let begun = call
        .in_parts(move |tx, first| {
            let tenant = app.require_locked(tx)?;
            if first && at_first.0.is_some() {
                at_first.check(&groups::lock(tx, tenant, id)?)?;
            }
            removal::some_of_group(tx, tenant, id)
        })
        .await?;
    call.remove(move |tx| {
        let tenant = app.require_locked(tx)?;
        let group = groups::lock(tx, tenant, id)?;
        if !begun {
            expected.check(&group)?;
        }
        groups::delete(tx, tenant, &group)
    })
    .await
}
