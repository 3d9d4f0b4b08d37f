//! `application` and `applications`.

use super::rows::{self as applications, Listing};
use super::rules::{changed_application, new_application};
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Created, Okay};
use crate::rest::pages::{ListQuery as _, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::list::Listed;
use crate::tokens::grant::Grant;
use crate::tokens::rows::Principal;
use guestlist_api::application::{
    Application, ApplicationList, ApplicationPatch, ApplicationPost, ApplicationSort,
    OneApplication, SummaryFields,
};
use guestlist_api::entity::{Entity, OfServer, Page, Success};
use guestlist_api::id::{ApplicationId, ObjectId, OrgId};
use guestlist_api::scope::Operation;
use guestlist_api::wire::{Problem, Rule};

pub(crate) fn routes() -> [Routes; 2] {
    [
        Routes::at("/applications")
            .get(
                Operation::organization("applications.get").read().cli(),
                "List applications",
                list,
            )
            .post(Operation::organization("applications.post"), "Make an application", post),
        Routes::at("/applications/{applicationId}")
            .get(Operation::application("application.get").read().cli(), "Show an application", get)
            .patch(
                Operation::application("application.patch").cli(),
                "Change an application",
                patch,
            )
            .delete(
                Operation::application("application.delete"),
                "Delete an application and everything in it",
                delete,
            ),
    ]
}

bodies! {
    ApplicationPost = "application",
    ApplicationPatch = "application",
}

list_query!(ApplicationList sorted by ApplicationSort::Name);

impl Resource for Application {
    fn resource(&self) -> &'static str {
        "application"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.id.0)]
    }
}

/// Applications of the server.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "applications")]
pub(crate) struct OfApplications(OfServer);

impl PageOf for OfApplications {
    fn collection(&self) -> &'static str {
        "applications"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        Vec::new()
    }
}

type Applications = Page<Entity<Application>, OfApplications>;

/// `application` with only those parts of its summary that were asked for.
fn summarized(mut application: Application, fields: &SummaryFields) -> Application {
    let lists = |text: &Option<guestlist_api::text::Text<0, 4096>>, name: &str| {
        text.as_ref().map(|text| text.split(',').any(|field| field.trim() == name))
    };
    let summary = &mut application.summary;
    for (name, count) in [
        ("apiTokenCount", &mut summary.api_token_count),
        ("experienceGroupCount", &mut summary.experience_group_count),
        ("experienceUserCount", &mut summary.experience_user_count),
    ] {
        let included = lists(&fields.summary_include, name).unwrap_or(true);
        let excluded = lists(&fields.summary_exclude, name).unwrap_or(false);
        if !included || excluded {
            *count = None;
        }
    }
    application
}

/// `application` in each form that it can be read in.
fn forms(application: &Application) -> impl Iterator<Item = Application> {
    (0..8_u8).map(|form| {
        let mut application = application.clone();
        let summary = &mut application.summary;
        for (bit, count) in [
            (1, &mut summary.api_token_count),
            (2, &mut summary.experience_group_count),
            (4, &mut summary.experience_user_count),
        ] {
            *count = count.filter(|_| form & bit == 0);
        }
        application
    })
}

async fn get(
    call: Call<Grant>,
    input: In<OneApplication, SummaryFields>,
) -> Result<Okay<Entity<Application>>> {
    let (app, fields) = (call.authorized_app(input.path.application_id)?, input.query);
    call.show(move |tx| {
        let tenant = app.require(tx)?;
        Ok(summarized(applications::get(tx, tenant)?, &fields))
    })
    .await
}

async fn list(
    call: Call<Grant>,
    input: In<(), ApplicationList>,
) -> Result<Okay<Entity<Applications>>> {
    let query = input.query;
    let own_organization = call.app.organization;
    let foreign = query.org_id.is_some_and(|id| id != own_organization);
    let (only, owner) = match call.caller.owner {
        Principal::Application(own) => (Some(own), own.to_string()),
        Principal::User(_) => (None, own_organization.to_string()),
    };
    let list = call.list_request(owner, &query)?;
    let name = query.filter_field.and(list.filter.clone());
    let listing = Listing { only, name, sort: query.sort(), paging: list.paging.clone() };
    let fields = SummaryFields {
        summary_exclude: query.summary_exclude,
        summary_include: query.summary_include,
    };
    call.list(list, move |tx| {
        let found = if foreign { Listed::empty() } else { applications::list(tx, &listing)? };
        let found = found.map(|application| summarized(application, &fields));
        Ok((OfApplications(OfServer {}), found))
    })
    .await
}

async fn post(
    call: Call<Grant>,
    input: In<(), SummaryFields, ApplicationPost>,
) -> Result<Created<Entity<Application>>> {
    let (post, fields, now) = (input.body, input.query, call.now);
    own_organization(post.org_id, call.app.organization)?;
    // What an application's token makes would be beyond its reach, and that is beyond its right.
    call.user().map_err(|_| Error::Forbidden)?;
    let (id, owner) = (ApplicationId(call.app.ids.next(now)), call.app.organization);
    call.create(move |tx| {
        let application = new_application(&post, id, owner, now);
        applications::add(tx, &application)?;
        Ok(summarized(application, &fields))
    })
    .await
}

fn own_organization(wanted: Option<OrgId>, own: OrgId) -> Result<()> {
    match wanted {
        Some(id) if id != own => {
            let rule = Rule::Other(format!("{id} is not the organization of this server").into());
            Err(Error::Invalid(vec![Problem::new("application.orgId", rule)]))
        }
        _ => Ok(()),
    }
}

async fn patch(
    call: Call<Grant>,
    input: In<OneApplication, SummaryFields, ApplicationPatch>,
) -> Result<Okay<Entity<Application>>> {
    let (app, patch, fields) =
        (call.authorized_app(input.path.application_id)?, input.body, input.query);
    let (now, request) = (call.now, call.clone());
    call.change(move |tx| {
        let tenant = app.require(tx)?;
        let before = applications::lock(tx, tenant)?;
        request.check_any(|| Ok(forms(&before)))?;
        let after = changed_application(&before, &patch, now);
        if after != before {
            applications::put(tx, &after)?;
        }
        Ok(summarized(after, &fields))
    })
    .await
}

async fn delete(call: Call<Grant>, input: In<OneApplication>) -> Result<Okay<Success>> {
    let app = call.authorized_app(input.path.application_id)?;
    let request = call.clone();
    let checked = move |tx: &mut Tx<'_>, first: bool| {
        let tenant = app.require(tx)?;
        let application = applications::lock(tx, tenant)?;
        if first {
            request.check_any(|| Ok(forms(&application)))?;
        }
        Ok::<_, Error>(tenant)
    };
    let (check, own) = (checked.clone(), call.caller.token);
    // Where it has begun, its conditions held.
    let begun = call
        .in_parts(move |tx, first| {
            let tenant = check(tx, first)?;
            applications::delete_some(tx, tenant, own)
        })
        .await?;
    call.remove(move |tx| {
        let tenant = checked(tx, !begun)?;
        applications::delete(tx, tenant)
    })
    .await
}
