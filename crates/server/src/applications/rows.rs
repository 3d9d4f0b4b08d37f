//! Applications.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::rules::{ORGANIZATION, OWNER_TYPE};
use crate::directory::groups::rows as groups;
use crate::directory::removal::{self, PART};
use crate::directory::users::rows as users;
use crate::error::{Error, Result};
use crate::rows::convert::{id, json, key, maybe_moment, moment, to_json};
use crate::rows::counts::{self, Counted};
use crate::rows::list::{Folded, Key, Listed, Order, Paging, Select};
use crate::rows::quotas::Quotas;
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::{NOT_FOUND, Tenant};
use crate::rows::{self, ChangeScope, FromRow, Row, Tx, idempotency};
use crate::sign_in::attempts;
use crate::tokens::rows as tokens;
use guestlist_api::application::{Application, ApplicationSort, ApplicationSummary};
use guestlist_api::id::{ApiTokenId, ApplicationId, OrgId};
use guestlist_api::quotas::{ApplicationQuotas, Quota};
use guestlist_api::time::DateTime;
use std::sync::LazyLock;

/// Applications.
pub(crate) const TABLE: Table = table(
    "applications",
    1,
    &[
        text("id"),
        text("name"),
        text("name_key").unread(),
        text("description"),
        whole("created"),
        whole("updated"),
        whole("token_cutoff"),
        text("kept"),
        text("quotas").unread(),
    ],
);

/// What is read of one: its row, and what is counted in it.
static COLUMNS: LazyLock<String> = LazyLock::new(|| format!("{}, {COUNTED}", TABLE.selected("a")));

const COUNTED: &str = "
    (SELECT value FROM settings WHERE name = 'organization') AS organization,
    (SELECT total FROM counts WHERE application_id = a.id AND counted = 'tokens') AS tokens,
    (SELECT total FROM counts WHERE application_id = a.id AND counted = 'groups') AS groups,
    (SELECT total FROM counts WHERE application_id = a.id AND counted = 'users') AS users";

impl FromRow<Error> for Application {
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
    let columns = COLUMNS.as_str();
    tx.first(
        &format!("SELECT {columns} FROM applications a WHERE id = $1{lock}"),
        &[&tenant.id().to_string()],
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
    select.page(tx, &COLUMNS, Order { key, id: "a.id" }, &listing.paging)
}

/// Inserts a new application, which is the proof that it exists.
pub fn add(tx: &mut Tx<'_>, new: &Application) -> Result<Tenant> {
    tx.change(
        ChangeScope::Application(new.id),
        &TABLE.insert(),
        &[
            &new.id.to_string(),
            &new.name,
            &key(&new.name),
            &new.description,
            &new.creation_date.millis(),
            &new.last_updated.millis(),
            &new.exp_user_token_cutoff.map(DateTime::millis),
            &to_json(&new.opaque)?,
            &None::<String>,
        ],
    )?;
    counts::change(tx, Counted::Applications, 1)?;
    Ok(Tenant::added(new))
}

/// Updates the application to `after`.
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

/// Removes a part of what is in the application, but not the token `own`, and says so; or nothing where
/// little is left, as in [`removal`].
pub fn delete_some(tx: &mut Tx<'_>, tenant: Tenant, own: ApiTokenId) -> Result<bool> {
    if removal::some_users(tx, tenant)? || removal::some_groups(tx, tenant)? {
        return Ok(true);
    }
    let application = tenant.id().to_string();
    if counts::of(tx, Counted::Tokens(tenant.id()))? > PART.unsigned_abs()
        && tokens::delete_some(tx, tenant, own, PART)?
    {
        return Ok(true);
    }
    if attempts::delete_some(tx, tenant, PART)? {
        return Ok(true);
    }
    let more: Option<i64> = tx.first(
        "SELECT 1 AS found FROM answers WHERE application_id = $1 LIMIT 1 OFFSET $2",
        &[&application, &PART],
    )?;
    if more.is_some() {
        tx.run(
            "DELETE FROM answers WHERE (token_id, key_digest) IN
                (SELECT token_id, key_digest FROM answers WHERE application_id = $1 LIMIT $2)",
            &[&application, &PART],
        )?;
    }
    Ok(more.is_some())
}

/// The quotas of the application's own, and what it holds of all that it may.
pub fn quotas(tx: &mut Tx<'_>, tenant: Tenant) -> Result<(Quotas, ApplicationQuotas)> {
    let application = tenant.id().to_string();
    let found: Option<(String, Option<String>)> =
        tx.first("SELECT id, quotas FROM applications WHERE id = $1", &[&application])?;
    let (_, own) = found.ok_or(NOT_FOUND)?;
    let most = rows::quotas::of(tx, own.as_deref())?;
    let own = rows::quotas::own(own.as_deref())?;
    let counted: Vec<(String, i64, i64)> = tx.all(
        "SELECT counted, total, bytes FROM counts WHERE application_id = $1
         AND counted IN ('users', 'groups', 'tokens', 'members')",
        &[&application],
    )?;
    let total = |what: &str| {
        let of = counted.iter().find(|(counted, ..)| counted == what);
        of.and_then(|(_, total, _)| u64::try_from(*total).ok()).unwrap_or_default()
    };
    let bytes = counted.iter().map(|(.., bytes)| bytes).sum::<i64>();
    let answers = idempotency::held(tx, tenant.id())?.0;
    let quota = |used, own: Option<u64>, limit| Quota { used, limit, own: own.is_some() };
    let shown = ApplicationQuotas {
        application_id: tenant.id(),
        users: quota(total("users"), own.users, most.users),
        groups: quota(total("groups"), own.groups, most.groups),
        api_tokens: quota(total("tokens"), own.tokens, most.tokens),
        bytes: quota(u64::try_from(bytes).unwrap_or_default(), own.bytes, most.bytes),
        answer_bytes: quota(answers, own.answer_bytes, most.answer_bytes),
    };
    Ok((own, shown))
}

/// Has the application have its `own` quotas, where they say something.
pub fn put_quotas(tx: &mut Tx<'_>, tenant: Tenant, own: Quotas) -> Result<()> {
    let own = (own != Quotas::NONE).then(|| to_json(&own)).transpose()?;
    tx.change(
        ChangeScope::Application(tenant.id()),
        "UPDATE applications SET quotas = $2 WHERE id = $1",
        &[&tenant.id().to_string(), &own],
    )?;
    Ok(())
}

/// Removes the application and everything in it.
pub fn delete(tx: &mut Tx<'_>, tenant: Tenant) -> Result<()> {
    users::delete_all(tx, tenant)?;
    groups::delete_all(tx, tenant)?;
    let application = tenant.id().to_string();
    for sql in [
        "DELETE FROM answers WHERE application_id = $1",
        "DELETE FROM experience_keys WHERE application_id = $1",
        "DELETE FROM experience_sign_in WHERE application_id = $1",
        "DELETE FROM user_sign_in_attempts WHERE application_id = $1",
        "DELETE FROM api_tokens WHERE owner_id = $1 AND kind = 'application'",
        "DELETE FROM counts WHERE application_id = $1",
    ] {
        tx.run(sql, &[&application])?;
    }
    let gone = tx.run("DELETE FROM applications WHERE id = $1", &[&application])?;
    counts::change(tx, Counted::Applications, -i64::try_from(gone).map_err(Error::internal)?)
}
