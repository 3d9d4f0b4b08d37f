//! Whoever comes to an application without a token of this server: at a door that the application has opened.

use super::caller::Caller;
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::tenant::{AuthorizedApp, NOT_FOUND, Tenant};
use crate::sign_in::settings;
use crate::tokens::grant::Grant;
use guestlist_api::experience_sign_in::SignInSettings;
use guestlist_api::id::ApplicationId;
use guestlist_api::scope::Operation;

/// A visitor. What tokens of this server came along nobody looks at.
pub(crate) struct Visitor(());

impl Caller for Visitor {
    fn admit(_: &Operation, _: Option<Grant>) -> Result<Self> {
        Ok(Self(()))
    }
    fn grant(&self) -> Option<&Grant> {
        None
    }
}

/// A door of applications: whether one with these settings has opened it.
pub(crate) type Door = fn(&SignInSettings) -> bool;

/// The application, and what it offers, if it has opened `door`. One that has not looks as if it were not there.
///
/// # Errors
/// [`Error::NotFound`](crate::error::Error::NotFound).
pub(crate) fn enter(
    tx: &mut Tx<'_>,
    application: ApplicationId,
    door: Door,
    lock: bool,
) -> Result<(Tenant, SignInSettings)> {
    let app = AuthorizedApp::allowed(application);
    let tenant = if lock { app.require_locked(tx) } else { app.require(tx) }?;
    let settings = settings::get(tx, tenant)?;
    if door(&settings) { Ok((tenant, settings)) } else { Err(NOT_FOUND) }
}
