//! Uses a link.

use super::make::tell;
use super::rows::{self, Link};
use super::secret::digest;
use crate::audit::{Action, Entry};
use crate::auth::hasher::PasswordHash;
use crate::clock::later;
use crate::directory::users::rows as users;
use crate::directory::users::rules::{avatar_url, blank_user};
use crate::error::{Error, Result};
use crate::rest::App;
use crate::rest::call::Call;
use crate::rest::caller::Caller;
use crate::rows::Tx;
use crate::rows::tenant::Tenant;
use crate::sign_in::{new_password, rows as sign_in};
use guestlist_api::experience_link::{LinkPurpose, LinkUse};
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::experience_sign_in::SignInSettings;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use guestlist_api::text::PersonName;
use guestlist_api::time::DateTime;
use guestlist_api::wire::{Problem, Rule};

/// How a user is found, locked or not.
type Look = fn(&mut Tx<'_>, Tenant, ExperienceUserId) -> Result<ExperienceUser>;

/// Whether what `body` says is what is asked of whoever uses a link for `purpose`.
fn complete(purpose: LinkPurpose, body: &LinkUse) -> Result<()> {
    let mut problems = Vec::new();
    let mut wrong = |name: &str, rule| problems.push(Problem::new(format!("link.{name}"), rule));
    let unasked = || Rule::Other("is not looked at for such a link: leave it out".into());
    match (purpose.takes_password(), body.password.is_some()) {
        (true, false) => wrong("password", Rule::Required),
        (false, true) => wrong("password", unasked()),
        _ => {}
    }
    if !matches!(purpose, LinkPurpose::Register | LinkPurpose::Invite) {
        for (name, given) in
            [("firstName", body.first_name.is_some()), ("lastName", body.last_name.is_some())]
        {
            if given {
                wrong(name, unasked());
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// The link with this `digest`, if it is good for `purpose`, and its user as `look` finds one; whatever is wrong
/// with it is not told.
fn good(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    (purpose, digest): (LinkPurpose, &[u8]),
    (now, look): (DateTime, Look),
) -> Result<(Link, Option<ExperienceUser>)> {
    let Some(link) = rows::find(tx, tenant, digest)? else { return Err(Error::LinkExpired) };
    let user = match link.user {
        Some(id) => Some(id),
        None => users::with_address(tx, tenant, &link.email)?,
    };
    let user = match user.map(|id| look(tx, tenant, id)) {
        Some(Err(Error::NotFound(_))) => None,
        user => user.transpose()?,
    };
    let owner = user.as_ref().map(rows::owner);
    let good = link.standing.is_good(purpose, now, owner.as_ref());
    if good { Ok((link, user)) } else { Err(Error::LinkExpired) }
}

/// What somebody who uses a link has chosen.
struct Chosen {
    hash: Option<PasswordHash>,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// Uses the link for a purpose of an application that `enter` lets one into, whose secret is in the body, and gives its
/// user as they are then.
///
/// # Errors
/// [`Error::LinkExpired`] when it is not good, whatever the reason.
pub(super) async fn spend<C: Caller>(
    call: &Call<C>,
    application: ApplicationId,
    enter: impl Fn(&mut Tx<'_>) -> Result<(Tenant, SignInSettings)> + Clone + Send + 'static,
    (purpose, body): (LinkPurpose, LinkUse),
) -> Result<ExperienceUser> {
    complete(purpose, &body)?;
    let (now, shown) = (call.now, digest(&body.token));
    let (of_reading, entering) = (shown.clone(), enter.clone());
    // Nobody has a password hashed who has no link.
    let found = call.read(move |tx| {
        let (tenant, settings) = entering(tx)?;
        if purpose == LinkPurpose::Register && !settings.register {
            return Err(Error::LinkExpired);
        }
        good(tx, tenant, (purpose, &of_reading), (now, users::get))?;
        Ok(settings)
    });
    let found = found.await;
    let refused = || call.log(&Entry::of(Action::UserLinkRefused).to_user(application, None));
    if matches!(found, Err(Error::LinkExpired)) {
        refused();
    }
    let settings = found?;
    if let Some(password) = &body.password {
        let breached = call.app.breached.as_ref();
        new_password::check(breached, &settings, ("link.password", password)).await?;
    }
    let hash = match body.password {
        Some(password) => Some(call.app.hasher.hash(call.asker(), password).await?),
        None => None,
    };
    let name = |name: Option<PersonName>| name.map(PersonName::into_inner);
    let (first_name, last_name) = (name(body.first_name), name(body.last_name));
    let chosen = Chosen { hash, first_name, last_name };
    let id = ExperienceUserId(call.app.ids.next(now));
    let request = call.clone();
    let used = call.write_unkept(move |tx| {
        let (tenant, settings) = enter(tx)?;
        let door_is_open = purpose != LinkPurpose::Register || settings.register;
        let (link, before) = good(tx, tenant, (purpose, &shown), (now, users::lock))?;
        // Not when it was asked for: the password was hashed meanwhile, and whoever has signed in with the old one
        // since is signed out as well.
        let now = request.app.clock.now();
        let owner = before.as_ref().map(rows::owner);
        if !(door_is_open && link.standing.is_good(purpose, now, owner.as_ref())) {
            return Err(Error::LinkExpired);
        }
        if !rows::take(tx, tenant, &shown)? {
            return Err(Error::LinkExpired);
        }
        let after = apply((&request.app, now), (tx, tenant), (&link, before, id), &chosen)?;
        // Its mail was read.
        sign_in::verified(tx, tenant, after.id, now)?;
        request.note(Entry::of(Action::UserLinkUsed).to_user(application, Some(after.id)));
        Ok(after)
    });
    let used = match used.await {
        // Somebody has the address by now.
        Err(Error::AlreadyExists(_)) => Err(Error::LinkExpired),
        used => used,
    };
    if matches!(used, Err(Error::LinkExpired)) {
        refused();
    }
    used
}

/// Does what `link` is for, to the user `before` or to a new one, `id`.
fn apply(
    (app, now): (&App, DateTime),
    (tx, tenant): (&mut Tx<'_>, Tenant),
    (link, before, id): (&Link, Option<ExperienceUser>, ExperienceUserId),
    chosen: &Chosen,
) -> Result<ExperienceUser> {
    let purpose = link.standing.purpose;
    let before = match (purpose, before) {
        (LinkPurpose::Register | LinkPurpose::Invite, _) => {
            return join(tx, tenant, (link, id, now), chosen);
        }
        (_, Some(before)) => before,
        (_, None) => return Err(Error::LinkExpired),
    };
    let mut after = before.clone();
    match purpose {
        LinkPurpose::Reset => {
            let hash = chosen.hash.as_ref();
            let cutoffs = sign_in::cutoffs(tx, tenant, &before)?;
            after.last_updated = later(before.last_updated, now);
            after.password_last_updated = Some(after.last_updated);
            // Whoever knew the old one is signed out.
            after.token_cutoff = Some(cutoffs.cut(now));
            users::put(tx, tenant, &before, &after, hash)?;
            rows::delete_of_user(tx, tenant, after.id)?;
            let told = (after.id, after.email.as_str());
            tell(app, (tx, tenant, now), MailPurpose::PasswordChanged, told, None)?;
        }
        LinkPurpose::ChangeAddress => {
            after.email.clone_from(&link.email);
            after.avatar_url = avatar_url(&after.email);
            after.last_updated = later(before.last_updated, now);
            users::put(tx, tenant, &before, &after, None)?;
            rows::delete_of_user(tx, tenant, after.id)?;
            let (told, new) = ((after.id, before.email.as_str()), Some(after.email.clone()));
            tell(app, (tx, tenant, now), MailPurpose::AddressChanged, told, new)?;
        }
        LinkPurpose::Verify | LinkPurpose::Register | LinkPurpose::Invite => {}
    }
    Ok(after)
}

/// A new user, as `link` and whoever has followed it say.
fn join(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    (link, id, now): (&Link, ExperienceUserId, DateTime),
    chosen: &Chosen,
) -> Result<ExperienceUser> {
    let hash = chosen.hash.as_ref().ok_or_else(|| Error::internal("no password was hashed"))?;
    let details = &link.details;
    let mut groups: Vec<GroupRef> = Vec::new();
    for id in &details.experience_group_ids {
        match users::groups(tx, tenant, std::slice::from_ref(id), "link") {
            Ok(found) => groups.extend(found),
            // It is gone.
            Err(Error::Invalid(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let user = ExperienceUser {
        first_name: chosen.first_name.clone().or_else(|| details.first_name.clone()),
        last_name: chosen.last_name.clone().or_else(|| details.last_name.clone()),
        user_tags: details.user_tags.clone(),
        experience_groups: groups,
        ..blank_user(id, tenant.id(), link.email.clone(), now)
    };
    users::add(tx, tenant, &user, hash)?;
    Ok(user)
}
