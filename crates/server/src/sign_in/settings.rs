//! `experienceSignIn`: what an application offers to the people who sign in to it.

use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::Okay;
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::convert::{json, to_json};
use crate::rows::table::{Table, table, text};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::Entity;
use guestlist_api::experience_sign_in::{ExperienceSignIn, ExperienceSignInPatch, SignInSettings};
use guestlist_api::id::ObjectId;
use guestlist_api::scope::Operation;
use guestlist_api::wire::{Problems, Rule};

/// The settings of applications. One that never changed any has no row.
pub(crate) const TABLE: Table =
    table("experience_sign_in", 1, &[text("application_id"), text("settings")]);

pub(crate) fn routes() -> [Routes; 1] {
    [Routes::at("/applications/{applicationId}/experience/signIn")
        .get(
            Operation::application("experienceSignIn.get").read(),
            "Show what an application offers to the people who sign in to it",
            get_settings,
        )
        .patch(
            Operation::application("experienceSignIn.patch").credential(),
            "Change what an application offers to the people who sign in to it",
            patch_settings,
        )]
}

bodies! {
    ExperienceSignInPatch = "experienceSignIn",
}

impl Resource for ExperienceSignIn {
    fn resource(&self) -> &'static str {
        "experienceSignIn"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0)]
    }
}

struct Stored(SignInSettings);

impl FromRow<Error> for Stored {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        json(row, "settings").map(Self)
    }
}

/// The settings of the application.
///
/// # Errors
/// When the store fails.
pub fn get(tx: &mut Tx<'_>, tenant: Tenant) -> Result<SignInSettings> {
    let found: Option<Stored> = tx.first(
        "SELECT settings FROM experience_sign_in WHERE application_id = $1",
        &[&tenant.id().to_string()],
    )?;
    Ok(found.map(|Stored(settings)| settings).unwrap_or_default())
}

/// Has the application have `settings`.
///
/// # Errors
/// When the store fails.
pub fn put(tx: &mut Tx<'_>, tenant: Tenant, settings: &SignInSettings) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO experience_sign_in (application_id, settings) VALUES ($1, $2)
         ON CONFLICT (application_id) DO UPDATE SET settings = excluded.settings",
        &[&tenant.id().to_string(), &to_json(settings)?],
    )?;
    Ok(())
}

/// Refuses what becomes of the settings `before` where it does nothing, being `not_yet` there, or sends people to where
/// nobody knows what is. What was on before may have been copied here from another server.
fn check(
    (before, after): (&SignInSettings, &SignInSettings),
    not_yet: &[&str],
    is_for_people: bool,
) -> Result<()> {
    let on = before.on();
    let is_new = |name: &&str| !on.contains(name);
    let mut at = Problems::default();
    at.nested(<ExperienceSignInPatch as BodyParam>::NAME, |at| {
        for name in after.on().into_iter().filter(is_new).filter(|name| not_yet.contains(name)) {
            let why = "cannot be on yet: this version of the server has nothing behind it";
            at.nested(name, |at| at.push(Rule::Other(why.into())));
        }
        if at.count() > 0 {
            return;
        }
        after.check(at);
        if !is_for_people {
            for door in after.doors().into_iter().filter(is_new) {
                let why =
                    "cannot be on before the server has a public-url, of https or of this machine";
                at.nested(door, |at| at.push(Rule::Other(why.into())));
            }
        }
    });
    if at.count() == 0 { Ok(()) } else { Err(Error::Invalid(at.into_found())) }
}

fn shown(app: AuthorizedApp, settings: SignInSettings) -> ExperienceSignIn {
    ExperienceSignIn { application_id: app.id(), settings }
}

async fn get_settings(
    call: Call<Grant>,
    input: In<OneApplication>,
) -> Result<Okay<Entity<ExperienceSignIn>>> {
    let app = call.authorized_app(input.path.application_id)?;
    call.show(move |tx| {
        let tenant = app.require(tx)?;
        Ok(shown(app, get(tx, tenant)?))
    })
    .await
}

async fn patch_settings(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceSignInPatch>,
) -> Result<Okay<Entity<ExperienceSignIn>>> {
    let (app, patch) = (call.authorized_app(input.path.application_id)?, input.body);
    let request = call.clone();
    call.change(move |tx| {
        let tenant = app.require_locked(tx)?;
        let before = get(tx, tenant)?;
        request.check(&shown(app, before.clone()))?;
        let after = before.changed(&patch);
        if after != before {
            let is_for_people = request.app.public_url_is_for_people;
            check((&before, &after), SignInSettings::NOT_YET, is_for_people)?;
            put(tx, tenant, &after)?;
            request.note(Entry::of(Action::SignInChanged).to_user(app.id(), None));
        }
        Ok(shown(app, after))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_switched_on_now_is_refused() {
        let off = SignInSettings::default();
        let pages = SignInSettings { pages: true, ..off.clone() };
        let named = SignInSettings { display_name: Some("a".into()), ..pages.clone() };
        let refused =
            |before: &SignInSettings, after: &SignInSettings, not_yet: &[&str], url| match check(
                (before, after),
                not_yet,
                url,
            ) {
                Err(Error::Invalid(problems)) => Some(problems[0].to_string()),
                done => done.map(|()| None).unwrap(),
            };
        let no_url = "experienceSignIn.pages cannot be on before the server has a public-url, of \
                      https or of this machine";
        let nothing = "experienceSignIn.pages cannot be on yet: this version of the server has \
                       nothing behind it";
        assert_eq!(refused(&off, &pages, &[], true), None);
        assert_eq!(refused(&off, &pages, &[], false).as_deref(), Some(no_url));
        assert_eq!(refused(&off, &pages, &["pages"], true).as_deref(), Some(nothing));
        // What a server elsewhere has switched on.
        assert_eq!(refused(&pages, &named, &[], false), None);
        assert_eq!(refused(&pages, &named, &["pages"], true), None);
        assert_eq!(refused(&pages, &off, &["pages"], false), None);
        let forgot = SignInSettings { forgot: true, ..off.clone() };
        let why = "experienceSignIn.forgot cannot be on where neither publicJson nor pages is: \
                   nobody would reach it";
        assert_eq!(refused(&off, &forgot, &[], true).as_deref(), Some(why));
        let both = SignInSettings { forgot: true, ..pages.clone() };
        assert_eq!(refused(&both, &forgot, &[], true).as_deref(), Some(why));
    }
}
