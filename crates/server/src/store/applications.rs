//! Applications, and the proof that one exists.

use super::convert::{id, json, key, maybe_moment, moment, to_json};
use super::counts::{self, Counted};
use super::list::{Folded, Key, Listed, Order, Paging, Select};
use super::{ChangeScope, FromRow, Row, Tx, experience_groups, experience_users};
use crate::domain::{ORGANIZATION, OWNER_TYPE};
use crate::error::{Error, Result};
use guestlist_api::application::{Application, ApplicationSort, ApplicationSummary};
use guestlist_api::id::{ApplicationId, OrgId};
use guestlist_api::time::DateTime;

/// An application that the caller may act in and that exists in this transaction. What reads in an
/// application asks for one. [`AuthorizedApp`] gives it.
#[derive(Debug, Clone, Copy)]
pub struct Tenant(ApplicationId);

impl Tenant {
    /// Which application it is.
    #[must_use]
    pub const fn id(self) -> ApplicationId {
        self.0
    }
}

/// An application that the caller may act in, if it exists.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizedApp(ApplicationId);

impl AuthorizedApp {
    /// The word of whoever checked that the caller may act in `application`.
    pub(crate) const fn allowed(application: ApplicationId) -> Self {
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
    pub(super) const fn assume_exists(self) -> Tenant {
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
pub(super) fn lock_against_removal(tx: &mut Tx<'_>, application: &str) -> Result<()> {
    let found: Option<i64> = tx.first(
        "SELECT 1 AS found FROM applications WHERE id = $1 FOR KEY SHARE",
        &[&application],
    )?;
    found.map(drop).ok_or(NOT_FOUND)
}

/// What it means that there is none.
const NOT_FOUND: Error = Error::NotFound("Application");

const COLUMNS: &str = "id, name, description, created, updated, token_cutoff, kept,
    (SELECT value FROM settings WHERE name = 'organization') AS organization,
    (SELECT total FROM counts WHERE application_id = a.id AND counted = 'tokens') AS tokens,
    (SELECT total FROM counts WHERE application_id = a.id AND counted = 'groups') AS groups,
    (SELECT total FROM counts WHERE application_id = a.id AND counted = 'users') AS users";

impl FromRow for Application {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let application = id(row, "id")?;
        let organization = String::from_utf8(row.get("organization")?).map_err(Error::internal)?;
        let count = |column| {
            let total: Option<i64> = row.get(column)?;
            Ok::<_, Error>(u64::try_from(total.unwrap_or_default()).ok())
        };
        Ok(Self {
            id: application,
            application_id: application,
            creation_date: moment(row, "created")?,
            last_updated: moment(row, "updated")?,
            owner_id: organization.parse::<OrgId>().map_err(Error::internal)?,
            owner_type: OWNER_TYPE.into(),
            organization_name: ORGANIZATION.into(),
            name: row.get("name")?,
            description: row.get("description")?,
            exp_user_token_cutoff: maybe_moment(row, "token_cutoff")?,
            summary: ApplicationSummary {
                api_token_count: count("tokens")?,
                experience_group_count: count("groups")?,
                experience_user_count: count("users")?,
            },
            opaque: json(row, "kept")?,
        })
    }
}

/// The application.
///
/// # Errors
/// When the store fails.
pub fn get(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Application> {
    one(tx, tenant, "")
}

/// As [`get`], and nobody else may change the application before this transaction ends.
///
/// # Errors
/// As [`get`].
pub fn lock(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Application> {
    one(tx, tenant, " FOR UPDATE")
}

fn one(tx: &mut Tx<'_>, tenant: Tenant, lock: &str) -> Result<Application> {
    tx.first(
        &format!("SELECT {COLUMNS} FROM applications a WHERE id = $1{lock}"),
        &[&tenant.0.to_string()],
    )?
    .ok_or(NOT_FOUND)
}

/// Which applications are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only this one: the caller knows of no other.
    pub only: Option<ApplicationId>,
    /// Only those whose name matches.
    pub name: Option<String>,
    /// What they are sorted by.
    pub sort: ApplicationSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the applications, and how many there are.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &mut Tx<'_>, listing: &Listing) -> Result<Listed<Application>> {
    let mut select = Select::from("applications a");
    if let Some(only) = listing.only {
        let only = select.bind(only.to_string());
        select.only(format!("a.id = {only}"));
    }
    if let Some(glob) = &listing.name {
        select.matching(Folded::short("a.name_key"), glob);
    }
    if listing.only.is_none() && listing.name.is_none() {
        select.known(counts::of(tx, Counted::Applications)?);
    }
    let key = match listing.sort {
        ApplicationSort::Name => Some(Key::text(Folded::short("a.name_key"))),
        ApplicationSort::CreationDate => Some(Key::moment("a.created")),
        ApplicationSort::LastUpdated => Some(Key::moment("a.updated")),
        // All have the same owner.
        ApplicationSort::Id | ApplicationSort::OwnerId => None,
    };
    Ok(select.page(tx, COLUMNS, Order { key, id: "a.id" }, &listing.paging)?.page)
}

/// Keeps a new application.
///
/// # Errors
/// When the store fails.
pub fn add(tx: &mut Tx<'_>, new: &Application) -> Result<()> {
    tx.change(
        ChangeScope::Application(new.id),
        "INSERT INTO applications
            (id, name, name_key, description, created, updated, token_cutoff, kept)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            &new.id.to_string(),
            &new.name,
            &key(&new.name),
            &new.description,
            &new.creation_date.millis(),
            &new.last_updated.millis(),
            &new.exp_user_token_cutoff.map(DateTime::millis),
            &to_json(&new.opaque)?,
        ],
    )?;
    counts::change(tx, Counted::Applications, 1)
}

/// Keeps `after` in the place of what the application was.
///
/// # Errors
/// When the store fails.
pub fn put(tx: &mut Tx<'_>, after: &Application) -> Result<()> {
    tx.change(
        ChangeScope::Application(after.id),
        "UPDATE applications SET name = $2, name_key = $3, description = $4, updated = $5,
            token_cutoff = $6, kept = $7 WHERE id = $1",
        &[
            &after.id.to_string(),
            &after.name,
            &key(&after.name),
            &after.description,
            &after.last_updated.millis(),
            &after.exp_user_token_cutoff.map(DateTime::millis),
            &to_json(&after.opaque)?,
        ],
    )?;
    Ok(())
}

/// Removes the application and everything in it.
///
/// # Errors
/// When the store fails.
pub fn delete(tx: &mut Tx<'_>, tenant: Tenant) -> Result<()> {
    experience_users::delete_all(tx, tenant)?;
    experience_groups::delete_all(tx, tenant)?;
    let application = tenant.0.to_string();
    for sql in [
        "DELETE FROM answers WHERE application_id = $1",
        "DELETE FROM api_tokens WHERE owner_id = $1 AND kind = 'application'",
        "DELETE FROM counts WHERE application_id = $1",
    ] {
        tx.run(sql, &[&application])?;
    }
    let gone = tx.run("DELETE FROM applications WHERE id = $1", &[&application])?;
    counts::fewer(tx, Counted::Applications, gone)
}
