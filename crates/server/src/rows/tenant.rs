//! Tenancy: the proof that an application exists and that the caller may act in it, and the ways to
//! lock one.

use super::Tx;
use crate::error::{Error, Result};
use guestlist_api::application::Application;
use guestlist_api::id::ApplicationId;

/// An application that the caller may act in and that exists in this transaction. What reads, adds,
/// changes or deletes in an application asks for one, and its statements name no other application.
/// [`AuthorizedApp`] gives it.
///
/// ```compile_fail
/// let id = guestlist_api::id::ObjectId::from_bytes([0; 12]);
/// guestlist::rows::tenant::Tenant(guestlist_api::id::ApplicationId(id));
/// ```
///
/// It is there, and only cannot be made:
///
/// ```
/// # use guestlist::rows::tenant::Tenant;
/// let id = guestlist_api::id::ObjectId::from_bytes([0; 12]);
/// let same = |tenant: Tenant| tenant.id() == guestlist_api::id::ApplicationId(id);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Tenant(ApplicationId);

impl Tenant {
    /// Which application it is.
    #[must_use]
    pub const fn id(self) -> ApplicationId {
        self.0
    }

    /// The application that this transaction has just added.
    pub(crate) const fn added(new: &Application) -> Self {
        Self(new.id)
    }
}

/// An application that the caller may act in, if it exists.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizedApp(ApplicationId);

impl AuthorizedApp {
    /// The word of whoever checked that the caller may act in `application`.
    #[must_use]
    pub const fn allowed(application: ApplicationId) -> Self {
        Self(application)
    }

    /// Which application it is, if there is one.
    #[must_use]
    pub const fn id(self) -> ApplicationId {
        self.0
    }

    /// The proof that it exists.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not.
    pub fn require(self, tx: &mut Tx<'_>) -> Result<Tenant> {
        let found: Option<i64> =
            tx.first("SELECT 1 AS found FROM applications WHERE id = $1", &[&self.0.to_string()])?;
        found.map(|_| Tenant(self.0)).ok_or(NOT_FOUND)
    }

    /// The same for whoever only looks at rows that refer to it, of which there are none if it does
    /// not exist.
    pub(crate) const fn assume_exists(self) -> Tenant {
        Tenant(self.0)
    }

    /// As [`AuthorizedApp::require`], with a row lock: nobody else who comes in this way does so
    /// before this transaction ends. For what looks at more than one row before it writes.
    ///
    /// # Errors
    /// As [`AuthorizedApp::require`].
    pub fn require_locked(self, tx: &mut Tx<'_>) -> Result<Tenant> {
        let found: Option<i64> = tx.first(
            "SELECT 1 AS found FROM applications WHERE id = $1 FOR NO KEY UPDATE",
            &[&self.0.to_string()],
        )?;
        found.map(|_| Tenant(self.0)).ok_or(NOT_FOUND)
    }
}

/// Nobody may remove the application before this transaction ends.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) fn lock_against_removal(tx: &mut Tx<'_>, application: &str) -> Result<()> {
    let found: Option<i64> = tx.first(
        "SELECT 1 AS found FROM applications WHERE id = $1 FOR KEY SHARE",
        &[&application],
    )?;
    found.map(drop).ok_or(NOT_FOUND)
}

/// What it means that there is none.
pub(crate) const NOT_FOUND: Error = Error::NotFound("Application");
