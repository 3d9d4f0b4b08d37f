//! `experienceMails`.

use super::rows::{self, Listing};
use crate::error::Result;
use crate::rest::call::Call;
use crate::rest::input::In;
use crate::rest::outcome::Okay;
use crate::rest::pages::{ListQuery as _, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::{Entity, Page};
use guestlist_api::experience_mail::{ExperienceMail, ExperienceMailList, ExperienceMailSort};
use guestlist_api::id::{ApplicationId, ObjectId};
use guestlist_api::scope::Operation;

pub(crate) fn routes() -> [Routes; 1] {
    [Routes::at("/applications/{applicationId}/experience/mails").get(
        Operation::application("experienceMails.get").read(),
        "List what was mailed to users within a month",
        list,
    )]
}

list_query!(ExperienceMailList sorted by ExperienceMailSort::CreationDate);

impl Resource for ExperienceMail {
    fn resource(&self) -> &'static str {
        "experienceMail"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0), ("experienceMailId", self.id.0)]
    }
}

/// Mails of one application.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceMails")]
pub(crate) struct OfMails {
    /// The application.
    application_id: ApplicationId,
}

impl PageOf for OfMails {
    fn collection(&self) -> &'static str {
        "experienceMails"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0)]
    }
}

type Mails = Page<Entity<ExperienceMail>, OfMails>;

async fn list(
    call: Call<Grant>,
    input: In<OneApplication, ExperienceMailList>,
) -> Result<Okay<Entity<Mails>>> {
    let (app, query) = (call.authorized_app(input.path.application_id)?, input.query);
    let list = call.list_request(app.id(), &query)?;
    let (recipient, sort, paging) = (list.filter.clone(), query.sort(), list.paging.clone());
    let listing = Listing { recipient, sort, paging };
    call.list(list, move |tx| {
        let tenant = app.require(tx)?;
        let of = OfMails { application_id: tenant.id() };
        Ok((of, rows::list(tx, tenant, &listing)?))
    })
    .await
}
