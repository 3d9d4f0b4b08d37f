//! `experience`: all that an application has for its end users, to begin with and to end with.

use super::rules::{example_address, example_group, example_group_name, example_user};
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rows as groups;
use crate::directory::removal::{self, ALIKE};
use crate::directory::users::rows as users;
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::idempotency::Written;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::Okay;
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::tenant::Tenant;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::Success;
use guestlist_api::experience::{ExperienceBootstrap, ExperienceBootstrapResult, ExperienceDelete};
use guestlist_api::experience_user::GroupRef;
use guestlist_api::id::{ExperienceGroupId, ExperienceUserId};
use guestlist_api::scope::Operation;
use guestlist_api::secret::Password;
use guestlist_api::time::DateTime;

pub(crate) fn routes() -> [Routes; 2] {
    [
        Routes::at("/applications/{applicationId}/experience").delete(
            Operation::application("experience.delete"),
            "Delete all users and groups of an application, but for what is kept",
            delete,
        ),
        Routes::at("/applications/{applicationId}/experience/bootstrap").patch(
            Operation::application("experience.bootstrap").cli(),
            "Make a user and a group to begin with",
            bootstrap,
        ),
    ]
}

bodies! {
    ExperienceBootstrap = "options",
}

async fn delete(
    call: Call<Grant>,
    input: In<OneApplication, ExperienceDelete>,
) -> Result<Okay<Success>> {
    let (app, flags) = (call.authorized_app(input.path.application_id)?, input.query);
    let (users_go, groups_go) = (flags.keep_users.is_none(), flags.keep_groups.is_none());
    call.in_parts(move |tx, _| {
        let tenant = app.require_locked(tx)?;
        Ok((users_go && removal::some_users(tx, tenant)?)
            || (groups_go && removal::some_groups(tx, tenant)?))
    })
    .await?;
    call.remove(move |tx| {
        let tenant = app.require_locked(tx)?;
        if users_go {
            users::delete_all(tx, tenant)?;
        }
        if groups_go {
            groups::delete_all(tx, tenant)?;
        }
        Ok(())
    })
    .await
}

async fn bootstrap(
    call: Call<Grant>,
    input: In<OneApplication, (), Option<ExperienceBootstrap>>,
) -> Result<Okay<ExperienceBootstrapResult>> {
    let (app, now) = (call.authorized_app(input.path.application_id)?, call.now);
    let options = input.body.as_ref();
    let replace = options.and_then(|options| options.replace_existing).unwrap_or(false);
    let group = options.and_then(|options| options.create_groups).unwrap_or(true);
    let group = group.then(|| ExperienceGroupId(call.app.ids.next(now)));
    let id = ExperienceUserId(call.app.ids.next(now));
    let user = if options.and_then(|options| options.create_users).unwrap_or(true) {
        let password = call.app.signer.first_password(id)?;
        let password = Password::new(password.to_string())
            .map_err(|rule| Error::internal(format!("the made password {rule}")))?;
        Some((id, call.app.hasher.hash(call.asker(), password).await?))
    } else {
        None
    };
    if replace && group.is_some() {
        call.in_parts(move |tx, _| {
            let tenant = app.require_locked(tx)?;
            removal::some_with_name(tx, tenant, &example_group_name(""))
        })
        .await?;
    }
    let other = format!("-{id}");
    let begin = Begin { user, group, replace, other, now };
    call.do_once(move |tx| {
        let tenant = app.require_locked(tx)?;
        let suffix = begin.suffix(tx, tenant)?;
        begin.make(tx, tenant, suffix)?;
        let mut result = ExperienceBootstrapResult {
            resource_suffix: suffix.to_owned(),
            email: None,
            password: None,
        };
        Ok(match begin.user {
            Some((id, _)) => {
                result.email = Some(example_address(suffix));
                Written::with_password(result, id)
            }
            None => result.into(),
        })
    })
    .await
}

/// What is made to begin with.
struct Begin {
    user: Option<(ExperienceUserId, PasswordHash)>,
    group: Option<ExperienceGroupId>,
    /// Whether it takes the place of what has its names.
    replace: bool,
    /// What its names end in where it does not, and nobody else's do.
    other: String,
    now: DateTime,
}

impl Begin {
    /// What its names end in, when what had them is out of the way.
    fn suffix(&self, tx: &mut Tx<'_>, tenant: Tenant) -> Result<&str> {
        let user = match self.user {
            Some(_) => users::with_address(tx, tenant, &example_address(""))?,
            None => None,
        };
        let alike = match self.group {
            Some(_) => groups::with_name(tx, tenant, &example_group_name(""), ALIKE)?,
            None => Vec::new(),
        };
        if !self.replace {
            return Ok(if user.is_none() && alike.is_empty() { "" } else { &self.other });
        }
        if let Some(id) = user {
            let user = users::lock(tx, tenant, id)?;
            users::delete(tx, tenant, &user)?;
        }
        for id in alike {
            let group = groups::lock(tx, tenant, id)?;
            groups::delete(tx, tenant, &group)?;
        }
        Ok("")
    }

    fn make(&self, tx: &mut Tx<'_>, tenant: Tenant, suffix: &str) -> Result<()> {
        let mut joined = Vec::new();
        if let Some(id) = self.group {
            let group = example_group(id, tenant.id(), suffix, self.now);
            groups::add(tx, tenant, &group)?;
            joined.push(GroupRef { id, name: group.name, parent_id: None });
        }
        match &self.user {
            Some((id, hash)) => users::add(
                tx,
                tenant,
                &example_user(*id, tenant.id(), suffix, joined, self.now),
                hash,
            ),
            None => Ok(()),
        }
    }
}
