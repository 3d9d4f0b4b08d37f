//! One end user of an application, and the groups it is in: read, inserted, changed and removed.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::rules::avatar_url;
use crate::auth::hasher::PasswordHash;
use crate::directory::memberships;
use crate::directory::search;
use crate::directory::sizes;
use crate::directory::tag_index::{tag_user, untag_user};
use crate::error::{Error, Result};
use crate::rows::convert::{
    email_exists, email_taken, id, json, key, maybe_id, maybe_moment, moment, to_json,
};
use crate::rows::counts::{self, Counted};
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{ChangeScope, FromRow, Param, Row, RowChange, Statement, Tx};
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ExperienceGroupId, ExperienceUserId};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use guestlist_api::wire::{Problem, Rule};
use std::sync::LazyLock;

/// End users of applications.
pub(crate) const TABLE: Table = table(
    "experience_users",
    2,
    &[
        text("application_id"),
        text("id"),
        text("email"),
        text("email_key").unread(),
        text("first_name"),
        text("first_name_key").unread(),
        text("last_name"),
        text("last_name_key").unread(),
        text("password_hash").unread(),
        whole("created"),
        whole("updated"),
        whole("password_updated"),
        whole("last_login"),
        whole("token_cutoff"),
        text("tags"),
        whole("email_verified").unread(),
    ],
);

/// What is read of one.
pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("u"));

/// The statement that adds one.
static INSERT: LazyLock<String> = LazyLock::new(|| TABLE.insert());

/// The statement that finds one.
static BY_ID: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.as_str();
    format!(
        "SELECT {columns} FROM experience_users u
         WHERE u.application_id = $1 AND u.id = $2"
    )
});

/// The same, with a row lock.
static LOCK: LazyLock<String> = LazyLock::new(|| format!("{} FOR UPDATE", BY_ID.as_str()));

impl FromRow<Error> for ExperienceUser {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let user = id(row, "id")?;
        let email: String = row.get("email")?;
        Ok(Self {
            id: user,
            experience_user_id: user,
            application_id: id(row, "application_id")?,
            creation_date: moment(row, "created")?,
            last_updated: moment(row, "updated")?,
            password_last_updated: maybe_moment(row, "password_updated")?,
            last_login: maybe_moment(row, "last_login")?,
            avatar_url: avatar_url(&email),
            email,
            first_name: row.get("first_name")?,
            last_name: row.get("last_name")?,
            token_cutoff: maybe_moment(row, "token_cutoff")?,
            user_tags: json(row, "tags")?,
            experience_groups: Vec::new(),
        })
    }
}

impl FromRow<Error> for GroupRef {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: id(row, "id")?,
            name: row.get("name")?,
            parent_id: maybe_id(row, "parent_id")?,
        })
    }
}

/// The user `id` of the application.
///
/// # Errors
/// [`Error::NotFound`] when it has no such user.
pub fn get(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceUserId) -> Result<ExperienceUser> {
    one(tx, tenant, id, &BY_ID)
}

/// As [`get`], and nobody else may change the user before this transaction ends.
///
/// # Errors
/// As [`get`].
pub fn lock(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceUserId) -> Result<ExperienceUser> {
    one(tx, tenant, id, &LOCK)
}

fn one(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceUserId, sql: &str) -> Result<ExperienceUser> {
    let (application, id) = (tenant.id().to_string(), id.to_string());
    tx.prefetch(sql, &[&application, &id])?;
    tx.prefetch(GROUPS_OF, &[&application, &id])?;
    let user: Option<ExperienceUser> = tx.first(sql, &[&application, &id])?;
    let mut user = user.ok_or(Error::NotFound("Experience user"))?;
    user.experience_groups = groups_of(tx, &user)?;
    Ok(user)
}

/// As [`get`], where the caller may act.
///
/// # Errors
/// As [`get`] and [`AuthorizedApp::require`].
pub fn get_within(
    tx: &mut Tx<'_>,
    within: AuthorizedApp,
    id: ExperienceUserId,
) -> Result<ExperienceUser> {
    one_within(tx, within, id, &BY_ID).map(|(_, user)| user)
}

/// As [`lock`], where the caller may act; and the proof that the application exists.
///
/// # Errors
/// As [`lock`] and [`AuthorizedApp::require`].
pub fn lock_within(
    tx: &mut Tx<'_>,
    within: AuthorizedApp,
    id: ExperienceUserId,
) -> Result<(Tenant, ExperienceUser)> {
    one_within(tx, within, id, &LOCK)
}

fn one_within(
    tx: &mut Tx<'_>,
    within: AuthorizedApp,
    id: ExperienceUserId,
    sql: &str,
) -> Result<(Tenant, ExperienceUser)> {
    // A user refers to its application, which is only looked for where there is no user.
    let tenant = within.assume_exists();
    match one(tx, tenant, id, sql) {
        Err(Error::NotFound(what)) => {
            within.require(tx)?;
            Err(Error::NotFound(what))
        }
        user => Ok((tenant, user?)),
    }
}

/// A change that begins with [`lock_within`] and changes nothing but the user, and not the groups that
/// it is in.
#[must_use]
pub fn row_change(within: AuthorizedApp, id: ExperienceUserId) -> RowChange {
    let of_user =
        |sql: &'static str| Statement::new(sql, [within.id().to_string(), id.to_string()]);
    RowChange {
        scope: ChangeScope::User(within.id(), id).into(),
        lock: of_user(&LOCK),
        ahead: vec![of_user(GROUPS_OF)],
    }
}

/// The user of the application whose address is `email`, in whatever case, if it has one.
pub fn with_address(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    email: &str,
) -> Result<Option<ExperienceUserId>> {
    let found: Option<String> = tx.first(
        "SELECT id FROM experience_users WHERE application_id = $1 AND email_key = $2",
        &[&tenant.id().to_string(), &key(email)],
    )?;
    found.map(|id| id.parse().map_err(Error::internal)).transpose()
}

/// `groups` in the order in which a user names them.
pub(super) fn sorted(mut groups: Vec<GroupRef>) -> Vec<GroupRef> {
    groups.sort_by_cached_key(|group| (key(&group.name), group.id));
    groups
}

const GROUPS_OF: &str = "SELECT g.id, g.name, g.parent_id FROM memberships m
    JOIN experience_groups g ON g.application_id = m.application_id AND g.id = m.group_id
    WHERE m.application_id = $1 AND m.user_id = $2";

fn groups_of(tx: &mut Tx<'_>, user: &ExperienceUser) -> Result<Vec<GroupRef>> {
    tx.all(GROUPS_OF, &[&user.application_id.to_string(), &user.id.to_string()]).map(sorted)
}

/// The groups `ids` of the application, each once.
///
/// # Errors
/// [`Error::Invalid`] that names the first id which is not one of its groups, as an element of
/// the parameter `field`.
pub fn groups(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    ids: &[ExperienceGroupId],
    field: &str,
) -> Result<Vec<GroupRef>> {
    let mut found: Vec<GroupRef> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let group: Option<GroupRef> = tx.first(
            "SELECT id, name, parent_id FROM experience_groups
             WHERE application_id = $1 AND id = $2",
            &[&tenant.id().to_string(), &id.to_string()],
        )?;
        let group = group.ok_or_else(|| {
            let rule = format!("{id} is not an experience group of this application");
            Error::Invalid(vec![Problem::new(format!("{field}.{index}"), Rule::Other(rule.into()))])
        })?;
        found.push(group);
    }
    let mut found = sorted(found);
    found.dedup_by_key(|group| group.id);
    Ok(found)
}

/// What changes with the user.
fn row_of(tenant: Tenant, user: &ExperienceUser) -> ChangeScope {
    ChangeScope::User(tenant.id(), user.id)
}

/// Inserts a new user, its groups included.
///
/// # Errors
/// [`Error::AlreadyExists`] when its address belongs to another user of the application.
pub fn add(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    new: &ExperienceUser,
    hash: &PasswordHash,
) -> Result<()> {
    tx.change(
        row_of(tenant, new),
        &INSERT,
        &[
            &tenant.id().to_string(),
            &new.id.to_string(),
            &new.email,
            &key(&new.email),
            &new.first_name,
            &new.first_name.as_deref().map(key),
            &new.last_name,
            &new.last_name.as_deref().map(key),
            &hash.as_stored(),
            &new.creation_date.millis(),
            &new.last_updated.millis(),
            &new.password_last_updated.map(DateTime::millis),
            &new.last_login.map(DateTime::millis),
            &new.token_cutoff.map(DateTime::millis),
            &to_json(&new.user_tags)?,
            &None::<i64>,
        ],
    )
    .map_err(email_taken(&new.email))?;
    tag_user(tx, tenant, &Tags::default(), new)?;
    memberships::of_user(tx, tenant, None, new)?;
    counts::grow(tx, Counted::Users(tenant.id()), (1, sizes::of_user(new)))
}

/// Updates a user from `before` to `after`. Only what differs is written: an index whose column
/// did not change is not touched.
///
/// # Errors
/// [`Error::AlreadyExists`] when its address belongs to another user of the application.
pub fn put(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: &ExperienceUser,
    after: &ExperienceUser,
    hash: Option<&PasswordHash>,
) -> Result<()> {
    let mut columns = vec!["updated"];
    let mut values: Vec<Box<dyn Param>> = vec![Box::new(after.last_updated.millis())];
    let mut set = |column, value: Box<dyn Param>| {
        columns.push(column);
        values.push(value);
    };
    if after.email != before.email {
        set("email", Box::new(after.email.clone()));
        set("email_key", Box::new(key(&after.email)));
        set("email_verified", Box::new(None::<i64>));
    }
    if after.first_name != before.first_name {
        set("first_name", Box::new(after.first_name.clone()));
        set("first_name_key", Box::new(after.first_name.as_deref().map(key)));
    }
    if after.last_name != before.last_name {
        set("last_name", Box::new(after.last_name.clone()));
        set("last_name_key", Box::new(after.last_name.as_deref().map(key)));
    }
    if after.token_cutoff != before.token_cutoff {
        set("token_cutoff", Box::new(after.token_cutoff.map(DateTime::millis)));
    }
    if after.user_tags != before.user_tags {
        set("tags", Box::new(to_json(&after.user_tags)?));
    }
    if let Some(hash) = hash {
        set("password_hash", Box::new(hash.as_stored().to_owned()));
        set("password_updated", Box::new(after.password_last_updated.map(DateTime::millis)));
    }
    let assignments: Vec<String> =
        (3..).zip(&columns).map(|(n, column)| format!("{column} = ${n}")).collect();
    let (application, user) = (tenant.id().to_string(), after.id.to_string());
    let mut params: Vec<&dyn Param> = vec![&application, &user];
    params.extend(values.iter().map(|value| &**value));
    // Nothing else of a user is another's as well.
    let conflict = (after.email != before.email).then(|| email_exists(&after.email));
    tx.change_deferred(
        row_of(tenant, after),
        &format!(
            "UPDATE experience_users SET {} WHERE application_id = $1 AND id = $2",
            assignments.join(", ")
        ),
        &params,
        conflict.as_deref(),
    )?;
    if after.user_tags != before.user_tags {
        tag_user(tx, tenant, &before.user_tags, after)?;
    }
    memberships::of_user(tx, tenant, Some(before), after)?;
    match sizes::growth(before, after) {
        0 => Ok(()),
        bytes => counts::grow(tx, Counted::Users(tenant.id()), (0, bytes)),
    }
}

type Gone = sizes::Gone<ExperienceUser>;

const DELETE: &str = "DELETE FROM experience_users WHERE application_id = $1";

/// Removes the user, also from its groups.
pub fn delete(tx: &mut Tx<'_>, tenant: Tenant, user: &ExperienceUser) -> Result<()> {
    memberships::without_user(tx, tenant, user)?;
    untag_user(tx, tenant, user)?;
    let gone = format!("{DELETE} AND id = $2 RETURNING {}", Gone::COLUMNS);
    let params: [&dyn Param; 2] = [&tenant.id().to_string(), &user.id.to_string()];
    let gone = tx.change_all::<Gone>(row_of(tenant, user), &gone, &params)?;
    sizes::uncount(tx, Counted::Users(tenant.id()), &gone)
}

/// Removes all users of the application, also from its groups.
pub fn delete_all(tx: &mut Tx<'_>, tenant: Tenant) -> Result<()> {
    search::abandon(tx, tenant)?;
    memberships::delete_all(tx, tenant.id())?;
    let (all, application) = (ChangeScope::Application(tenant.id()), tenant.id().to_string());
    tx.change(all, "DELETE FROM user_tags WHERE application_id = $1", &[&application])?;
    let sql = format!("{DELETE} RETURNING {}", Gone::COLUMNS);
    let gone = tx.change_all::<Gone>(all, &sql, &[&application])?;
    sizes::uncount(tx, Counted::Users(tenant.id()), &gone)
}
