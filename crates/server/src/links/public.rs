//! What people ask of an application themselves, without an API token: to become a user, to choose a new password,
//! and to use a link that was mailed to them. What is answered, and what is done for it, does not tell who is a user.

use super::rows::{self, Details, Link};
use super::rules::Standing;
use super::secret::{Secret, new_seed};
use super::spend::spend;
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::mail::rows::{self as mails, NewMail};
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Accepted, Okay};
use crate::rest::route::Routes;
use crate::rest::visitor::{Door, Visitor, enter};
use crate::rows::Tx;
use crate::rows::tenant::Tenant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::Success;
use guestlist_api::experience_link::{AddressGiven, LinkPurpose, LinkUse, LinksOfPurpose};
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::experience_sign_in::SignInSettings;
use guestlist_api::id::{ApplicationId, ExperienceMailId};
use hyper::Method;

pub(crate) fn routes() -> [Routes; 3] {
    [
        Routes::at("/a/{applicationId}/auth/register").visited(
            Method::POST,
            "visitor.register",
            "Ask to become a user",
            register,
        ),
        Routes::at("/a/{applicationId}/auth/forgot").visited(
            Method::POST,
            "visitor.forgot",
            "Ask for a new password",
            forgot,
        ),
        Routes::at("/a/{applicationId}/auth/links/{purpose}").visited(
            Method::POST,
            "visitor.useLink",
            "Use a link that was mailed to one",
            use_link,
        ),
    ]
}

bodies! {
    AddressGiven = "address",
}

/// How long a link lasts that registers, in milliseconds, and one for a new password.
const TTL: [i64; 2] = [24 * 60 * 60 * 1000, 60 * 60 * 1000];

async fn register(
    call: Call<Visitor>,
    input: In<OneApplication, (), AddressGiven>,
) -> Result<Accepted<Success>> {
    let door: Door = |settings| settings.public_json && settings.register;
    ask(call, input.path.application_id, door, (LinkPurpose::Register, input.body)).await
}

async fn forgot(
    call: Call<Visitor>,
    input: In<OneApplication, (), AddressGiven>,
) -> Result<Accepted<Success>> {
    let door: Door = |settings| settings.public_json && settings.forgot;
    ask(call, input.path.application_id, door, (LinkPurpose::Reset, input.body)).await
}

/// Has a link for `purpose` be mailed to whoever has the address, if that is right. The same is written in any case,
/// but for somebody who was just sent a mail.
async fn ask(
    call: Call<Visitor>,
    application: ApplicationId,
    door: Door,
    (purpose, given): (LinkPurpose, AddressGiven),
) -> Result<Accepted<Success>> {
    call.app.mail.require()?;
    let (email, now) = (given.email.to_string(), call.now);
    let over = call.app.mail_requests.wait(call.peer, now) > 0;
    call.app.mail_requests.spend(call.peer, now);
    let request = call.clone();
    let asked = call.write_unkept(move |tx| {
        let (tenant, settings) = enter(tx, application, door, true)?;
        if over || mails::wait(tx, tenant, &email, now)? > 0 || mails::are_many(tx, tenant, now)? {
            return Ok(());
        }
        offer(&request, (tx, tenant), &settings, (purpose, &email))
    });
    asked.await?;
    call.app.worker.wake();
    Accepted::plain(&Success { success: true })
}

fn offer(
    call: &Call<Visitor>,
    (tx, tenant): (&mut Tx<'_>, Tenant),
    settings: &SignInSettings,
    (purpose, email): (LinkPurpose, &str),
) -> Result<()> {
    let (app, now) = (&call.app, call.now);
    let page = settings.link_url.clone();
    let page = page.ok_or(Error::SwitchedOff("This application has no page for links: linkUrl"))?;
    let known = rows::with_address(tx, tenant, email)?;
    let registers = purpose == LinkPurpose::Register;
    // A link that nobody is sent is there all the same: its secret is in no mail.
    let of = known.as_ref().filter(|_| !registers);
    let seed = new_seed()?;
    let [of_register, of_reset] = TTL;
    let expires = now.plus_millis(if registers { of_register } else { of_reset });
    let link = Link {
        id: app.ids.next(now),
        email: of.map_or(email, |of| &of.email).to_owned(),
        user: of.map(|of| of.user),
        created: now,
        standing: Standing { purpose, expires, owner: of.map(|of| of.owner.clone()) },
        details: Details::default(),
    };
    rows::put(tx, tenant, &link, &Secret::of(&app.link_seal, &seed).digest())?;
    let (mail, is_sent) = match (registers, known.is_some()) {
        (true, false) => (Some(MailPurpose::Register), true),
        (true, true) => (Some(MailPurpose::AddressInUse), false),
        (false, true) => (Some(MailPurpose::Reset), true),
        (false, false) => (None, false),
    };
    call.note(Entry::of(Action::UserLinkMade).to_user(tenant.id(), link.user));
    let new = NewMail {
        id: ExperienceMailId(app.ids.next(now)),
        purpose: mail,
        recipient: link.email,
        user: known.map(|known| known.user),
        created: now,
        expires: is_sent.then_some(expires),
        seed: is_sent.then_some(seed),
        details: mails::Details { link_url: Some(page), ..mails::Details::default() },
    };
    mails::add(tx, tenant, &new)
}

async fn use_link(
    call: Call<Visitor>,
    input: In<LinksOfPurpose, (), LinkUse>,
) -> Result<Okay<Success>> {
    let LinksOfPurpose { application_id, purpose } = input.path;
    let door: Door = |settings| settings.public_json;
    let enter = move |tx: &mut Tx<'_>| enter(tx, application_id, door, false);
    spend(&call, application_id, enter, (purpose, input.body)).await?;
    call.app.worker.wake();
    Okay::plain(&Success { success: true })
}
