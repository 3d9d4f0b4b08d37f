//! `experienceInvitation(s)`, `experiencePasswordResets`, `experienceAddressChanges` and `experienceLinks`.

use super::make::{How, make, noted};
use super::rows::{self, Details, Listing};
use super::spend::spend;
use crate::audit::{Action, Entry};
use crate::directory::users::rows as users;
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Accepted, Created, Okay};
use crate::rest::pages::{ListQuery as _, PageOf, list_query};
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::convert::{email_exists, key};
use crate::sign_in::settings;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::{Entity, Page, Success};
use guestlist_api::experience_link::{
    AddressChangePost, ExperienceInvitation, ExperienceInvitationList, ExperienceInvitationPost,
    ExperienceInvitationSort, LinkPurpose, LinkTtl, LinkUse, LinksOfPurpose, MadeInvitation,
    MadeLink, OneExperienceInvitation, PasswordResetPost, UsedLink,
};
use guestlist_api::experience_user::OneExperienceUser;
use guestlist_api::id::{ApplicationId, ObjectId};
use guestlist_api::scope::Operation;

pub(crate) fn routes() -> [Routes; 5] {
    [
        Routes::at("/applications/{applicationId}/experience/invitations")
            .get(
                Operation::application("experienceInvitations.get").read(),
                "List invitations that nobody has accepted",
                list,
            )
            .post(
                Operation::application("experienceInvitations.post").credential(),
                "Ask somebody to become a user",
                invite,
            ),
        Routes::at("/applications/{applicationId}/experience/invitations/{experienceInvitationId}")
            .delete(
                Operation::application("experienceInvitation.delete").credential(),
                "Take an invitation back",
                delete,
            ),
        Routes::at(
            "/applications/{applicationId}/experience/users/{experienceUserId}/passwordReset",
        )
        .post(
            Operation::application("experiencePasswordResets.post").credential(),
            "Let a user choose a new password",
            reset,
        ),
        Routes::at(
            "/applications/{applicationId}/experience/users/{experienceUserId}/addressChange",
        )
        .post(
            Operation::application("experienceAddressChanges.post").credential(),
            "Let a user show that an address is theirs, and have it",
            change_address,
        ),
        Routes::at("/applications/{applicationId}/experience/links/{purpose}").post(
            Operation::application("experienceLinks.post").credential(),
            "Use a link that was mailed to somebody",
            use_link,
        ),
    ]
}

bodies! {
    ExperienceInvitationPost = "experienceInvitation",
    PasswordResetPost = "passwordReset",
    AddressChangePost = "addressChange",
    LinkUse = "link",
}

list_query!(ExperienceInvitationList sorted by ExperienceInvitationSort::CreationDate);

impl Resource for ExperienceInvitation {
    fn resource(&self) -> &'static str {
        "experienceInvitation"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0), ("experienceInvitationId", self.id.0)]
    }
}

/// Invitations of one application.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceInvitations")]
pub(crate) struct OfInvitations {
    /// The application.
    application_id: ApplicationId,
}

impl PageOf for OfInvitations {
    fn collection(&self) -> &'static str {
        "experienceInvitations"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0)]
    }
}

type Invitations = Page<Entity<ExperienceInvitation>, OfInvitations>;

async fn list(
    call: Call<Grant>,
    input: In<OneApplication, ExperienceInvitationList>,
) -> Result<Okay<Entity<Invitations>>> {
    let (app, query) = (call.authorized_app(input.path.application_id)?, input.query);
    let list = call.list_request(app.id(), &query)?;
    let (email, sort, paging) = (list.filter.clone(), query.sort(), list.paging.clone());
    let listing = Listing { email, sort, paging };
    call.list(list, move |tx| {
        let tenant = app.require(tx)?;
        let of = OfInvitations { application_id: tenant.id() };
        Ok((of, rows::invitations(tx, tenant, &listing)?))
    })
    .await
}

/// A minute, in milliseconds.
const MINUTE: u64 = 60 * 1000;

fn ttl(said: Option<LinkTtl>, usual: u64) -> u64 {
    said.map_or(usual, |ttl| ttl.0)
}

async fn invite(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceInvitationPost>,
) -> Result<Created<MadeInvitation>> {
    let (app, body, now) = (call.authorized_app(input.path.application_id)?, input.body, call.now);
    let ttl = ttl(body.ttl, 7 * 24 * 60 * MINUTE);
    let how = How::new(&call.app, "experienceInvitation", (ttl, body.send_mail, body.link_url))?;
    let email = body.email.into_inner();
    let ids = body.experience_group_ids.map(|ids| ids.0).unwrap_or_default();
    let (first, last) = (body.first_name, body.last_name);
    let details = Details {
        first_name: first.map(guestlist_api::text::Text::into_inner),
        last_name: last.map(guestlist_api::text::Text::into_inner),
        user_tags: body.user_tags.unwrap_or_default(),
        experience_group_ids: ids,
    };
    let request = call.clone();
    let made = call.write_unkept(move |tx| {
        let tenant = app.require_locked(tx)?;
        users::groups(tx, tenant, &details.experience_group_ids, GROUP_IDS)?;
        if users::with_address(tx, tenant, &email)?.is_some() {
            return Err(Error::AlreadyExists(email_exists(&email)));
        }
        let wanted = (LinkPurpose::Invite, email.as_str());
        let made = make(&request.app, (tx, tenant, now), wanted, (None, details.clone()), &how)?;
        request.note(noted(tenant, None));
        Ok((rows::invitation((tenant.id(), made.link)), made.url))
    });
    let (invitation, link) = made.await?;
    call.app.worker.wake();
    Created::plain(&MadeInvitation { invitation, link })
}

const GROUP_IDS: &str = "experienceInvitation.experienceGroupIds";

async fn delete(call: Call<Grant>, input: In<OneExperienceInvitation>) -> Result<Okay<Success>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_invitation_id);
    let request = call.clone();
    call.remove(move |tx| {
        let tenant = app.require(tx)?;
        let invitation = rows::lock_invitation(tx, tenant, id)?;
        request.check(&invitation)?;
        request.note(Entry::of(Action::UserLinkRevoked).to_user(app.id(), None));
        rows::delete_invitation(tx, tenant, id)
    })
    .await
}

/// Makes a link for a user that is there: to the address that is named, or to the one that they have.
async fn for_user(
    call: Call<Grant>,
    path: OneExperienceUser,
    (purpose, email): (LinkPurpose, Option<String>),
    how: How,
) -> Result<Accepted<MadeLink>> {
    let (app, id, now) =
        (call.authorized_app(path.application_id)?, path.experience_user_id, call.now);
    let request = call.clone();
    let made = call.write_unkept(move |tx| {
        let tenant = app.require_locked(tx)?;
        let user = users::lock(tx, tenant, id)?;
        let (purpose, email) = match &email {
            // To say once more that it is theirs.
            Some(email) if key(email) == key(&user.email) => (LinkPurpose::Verify, &user.email),
            Some(email) if users::with_address(tx, tenant, email)?.is_some() => {
                return Err(Error::AlreadyExists(email_exists(email)));
            }
            Some(email) => (purpose, email),
            None => (purpose, &user.email),
        };
        let (of, details) = ((purpose, email.as_str()), Details::default());
        let made = make(&request.app, (tx, tenant, now), of, (Some(&user), details), &how)?;
        request.note(noted(tenant, Some(id)));
        Ok(made)
    });
    let made = made.await?;
    call.app.worker.wake();
    let (expiration_date, link) = (made.link.standing.expires, made.url);
    Accepted::plain(&MadeLink { expiration_date, link })
}

async fn reset(
    call: Call<Grant>,
    input: In<OneExperienceUser, (), PasswordResetPost>,
) -> Result<Accepted<MadeLink>> {
    call.authorized_app(input.path.application_id)?;
    let body = input.body;
    let said = (ttl(body.ttl, 60 * MINUTE), body.send_mail, body.link_url);
    let how = How::new(&call.app, "passwordReset", said)?;
    for_user(call, input.path, (LinkPurpose::Reset, None), how).await
}

async fn change_address(
    call: Call<Grant>,
    input: In<OneExperienceUser, (), AddressChangePost>,
) -> Result<Accepted<MadeLink>> {
    call.authorized_app(input.path.application_id)?;
    let body = input.body;
    let said = (ttl(body.ttl, 24 * 60 * MINUTE), body.send_mail, body.link_url);
    let how = How::new(&call.app, "addressChange", said)?;
    let email = Some(body.email.into_inner());
    for_user(call, input.path, (LinkPurpose::ChangeAddress, email), how).await
}

async fn use_link(
    call: Call<Grant>,
    input: In<LinksOfPurpose, (), LinkUse>,
) -> Result<Okay<UsedLink>> {
    let LinksOfPurpose { application_id, purpose } = input.path;
    let app = call.authorized_app(application_id)?;
    let enter = move |tx: &mut Tx<'_>| {
        let tenant = app.require(tx)?;
        Ok((tenant, settings::get(tx, tenant)?))
    };
    let asked = (purpose, input.body);
    let experience_user = spend(&call, application_id, enter, asked).await?;
    call.app.worker.wake();
    Okay::plain(&UsedLink { experience_user })
}
