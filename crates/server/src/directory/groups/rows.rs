//! One group of end users: read, inserted, changed and removed.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::forest::ancestry;
use crate::directory::memberships;
use crate::directory::sizes;
use crate::directory::tag_index::{put_endpoints, remove_endpoints, tag_group, untag_group};
use crate::error::{Error, Result};
use crate::rows::convert::{id, json, key, maybe_id, moment, to_json};
use crate::rows::counts::{self, Counted};
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::id::{ExperienceGroupId, ExperienceUserId, ForeignId};
use guestlist_api::text::Tags;
use guestlist_api::wire::{Problem, Rule};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Groups of end users. A group can come before the one that it is in.
pub(crate) const TABLE: Table = Table {
    self_reference: Some(5),
    ..table(
        "experience_groups",
        2,
        &[
            text("application_id"),
            text("id"),
            text("name"),
            text("name_key").unread(),
            text("description"),
            text("parent_id"),
            whole("created"),
            whole("updated"),
            text("tags"),
            text("endpoint_ids"),
            text("device_ids"),
            text("device_tags"),
            text("device_query"),
        ],
    )
};

/// What is read of one.
pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("g"));

/// The statement that adds one.
static INSERT: LazyLock<String> = LazyLock::new(|| TABLE.insert());

impl FromRow<Error> for ExperienceGroup {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let group = id(row, "id")?;
        Ok(Self {
            id: group,
            experience_group_id: group,
            application_id: id(row, "application_id")?,
            creation_date: moment(row, "created")?,
            last_updated: moment(row, "updated")?,
            name: row.get("name")?,
            description: row.get("description")?,
            experience_user_ids: Some(Vec::new()),
            experience_endpoint_ids: json(row, "endpoint_ids")?,
            group_tags: json(row, "tags")?,
            device_ids: Some(json(row, "device_ids")?),
            device_tags: json(row, "device_tags")?,
            device_query_json: row.get("device_query")?,
            parent_id: maybe_id(row, "parent_id")?,
            ancestor_ids: Vec::new(),
            direct_user_count: None,
            has_children: None,
            direct_device_count: None,
            total_device_count: None,
        })
    }
}

/// A row that is one id.
pub(crate) struct One<T>(pub(crate) T);

impl FromRow<Error> for One<ExperienceUserId> {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        id(row, "id").map(Self)
    }
}

impl FromRow<Error> for One<ExperienceGroupId> {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        id(row, "id").map(Self)
    }
}

/// The group `id` of the application.
///
/// # Errors
/// [`Error::NotFound`] when it has no such group.
pub fn get(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceGroupId) -> Result<ExperienceGroup> {
    one(tx, tenant, id, "")
}

/// As [`get`], and nobody else may change the group before this transaction ends.
///
/// # Errors
/// As [`get`].
pub fn lock(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceGroupId) -> Result<ExperienceGroup> {
    one(tx, tenant, id, " FOR UPDATE")
}

fn one(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ExperienceGroupId,
    lock: &str,
) -> Result<ExperienceGroup> {
    let mut group: ExperienceGroup = one_row(tx, tenant, id, lock)?;
    complete(tx, &mut group)?;
    Ok(group)
}

pub(crate) fn one_row<T: FromRow<Error>>(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ExperienceGroupId,
    lock: &str,
) -> Result<T> {
    let columns = COLUMNS.as_str();
    let group: Option<T> = tx.first(
        &format!(
            "SELECT {columns} FROM experience_groups g
             WHERE g.application_id = $1 AND g.id = $2{lock}"
        ),
        &[&tenant.id().to_string(), &id.to_string()],
    )?;
    group.ok_or(Error::NotFound("Experience group"))
}

/// The first `most` groups of the application that are called exactly `name`.
pub fn with_name(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    name: &str,
    most: i64,
) -> Result<Vec<ExperienceGroupId>> {
    let found: Vec<One<ExperienceGroupId>> = tx.all(
        "SELECT id FROM experience_groups
         WHERE application_id = $1 AND name_key = $2 AND name = $3 ORDER BY id LIMIT $4",
        &[&tenant.id().to_string(), &key(name), &name, &most],
    )?;
    Ok(found.into_iter().map(|One(id)| id).collect())
}

/// Adds what other rows say of a group: its members and its ancestors.
pub(super) fn complete(tx: &mut Tx<'_>, group: &mut ExperienceGroup) -> Result<()> {
    let application = group.application_id.to_string();
    let members: Vec<One<ExperienceUserId>> = tx.all(
        "SELECT user_id AS id FROM memberships
         WHERE application_id = $1 AND group_id = $2 ORDER BY user_id",
        &[&application, &group.id.to_string()],
    )?;
    group.experience_user_ids = Some(members.into_iter().map(|One(id)| id).collect());
    group.ancestor_ids = ancestry(tx, &application, group.parent_id)?;
    Ok(())
}

/// The users `ids` of the application, each once.
///
/// # Errors
/// [`Error::Invalid`] that names the first id which is not one of its users.
pub fn members(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    ids: &[ExperienceUserId],
) -> Result<Vec<ExperienceUserId>> {
    let application = tenant.id().to_string();
    for (index, id) in ids.iter().enumerate() {
        let found: Option<i64> = tx.first(
            "SELECT 1 AS found FROM experience_users WHERE application_id = $1 AND id = $2",
            &[&application, &id.to_string()],
        )?;
        if found.is_none() {
            let rule = format!("{id} is not an experience user of this application");
            let field = format!("experienceGroup.experienceUserIds.{index}");
            return Err(Error::Invalid(vec![Problem::new(field, Rule::Other(rule.into()))]));
        }
    }
    Ok(ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect())
}

/// The devices of a group that is going to be written, which says its members too: what is not there
/// would be taken for nobody.
fn devices(group: &ExperienceGroup) -> Result<&[ForeignId]> {
    match (&group.device_ids, &group.experience_user_ids) {
        (Some(devices), Some(_)) => Ok(devices),
        _ => Err(Error::internal("a group without its members is not kept")),
    }
}

/// Inserts a new group, its members included.
pub fn add(tx: &mut Tx<'_>, tenant: Tenant, new: &ExperienceGroup) -> Result<()> {
    tx.change(
        ChangeScope::Application(tenant.id()),
        &INSERT,
        &[
            &tenant.id().to_string(),
            &new.id.to_string(),
            &new.name,
            &key(&new.name),
            &new.description,
            &new.parent_id.map(|id| id.to_string()),
            &new.creation_date.millis(),
            &new.last_updated.millis(),
            &to_json(&new.group_tags)?,
            &to_json(&new.experience_endpoint_ids)?,
            &to_json(&devices(new)?)?,
            &to_json(&new.device_tags)?,
            &new.device_query_json,
        ],
    )?;
    tag_group(tx, tenant, &Tags::default(), new)?;
    put_endpoints(tx, tenant, &[], new)?;
    memberships::of_group(tx, tenant, None, new)?;
    counts::grow(tx, Counted::Groups(tenant.id()), (1, sizes::of_group(new)?))?;
    match new.parent_id {
        Some(_) => counts::change(tx, Counted::Placements(tenant.id()), 1),
        None => Ok(()),
    }
}

/// Updates a group from `before` to `after`.
pub fn put(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: &ExperienceGroup,
    after: &ExperienceGroup,
) -> Result<()> {
    tx.change(
        ChangeScope::Application(tenant.id()),
        "UPDATE experience_groups SET name = $3, name_key = $4, description = $5, parent_id = $6,
            updated = $7, tags = $8, endpoint_ids = $9, device_ids = $10, device_tags = $11,
            device_query = $12
         WHERE application_id = $1 AND id = $2",
        &[
            &tenant.id().to_string(),
            &after.id.to_string(),
            &after.name,
            &key(&after.name),
            &after.description,
            &after.parent_id.map(|id| id.to_string()),
            &after.last_updated.millis(),
            &to_json(&after.group_tags)?,
            &to_json(&after.experience_endpoint_ids)?,
            &to_json(&devices(after)?)?,
            &to_json(&after.device_tags)?,
            &after.device_query_json,
        ],
    )?;
    if after.group_tags != before.group_tags {
        tag_group(tx, tenant, &before.group_tags, after)?;
    }
    if after.experience_endpoint_ids != before.experience_endpoint_ids {
        put_endpoints(tx, tenant, &before.experience_endpoint_ids, after)?;
    }
    // There may be very many, and they are seldom what changes.
    if after.experience_user_ids != before.experience_user_ids {
        memberships::of_group(tx, tenant, Some(before), after)?;
    }
    if after.parent_id != before.parent_id && after.parent_id.is_some() {
        counts::change(tx, Counted::Placements(tenant.id()), 1)?;
    }
    match sizes::of_group(after)? - sizes::of_group(before)? {
        0 => Ok(()),
        bytes => counts::grow(tx, Counted::Groups(tenant.id()), (0, bytes)),
    }
}

type Gone = sizes::Gone<ExperienceGroup>;

const DELETE: &str = "DELETE FROM experience_groups WHERE application_id = $1";

/// Removes the group. Its members stay, and the groups in it move up to where it was.
pub fn delete(tx: &mut Tx<'_>, tenant: Tenant, group: &ExperienceGroup) -> Result<()> {
    let (application, id) = (tenant.id().to_string(), group.id.to_string());
    memberships::without_group(tx, tenant, group)?;
    untag_group(tx, tenant, group)?;
    remove_endpoints(tx, tenant, group)?;
    tx.change(
        ChangeScope::Application(tenant.id()),
        "UPDATE experience_groups SET parent_id = $3 WHERE application_id = $1 AND parent_id = $2",
        &[&application, &id, &group.parent_id.map(|id| id.to_string())],
    )?;
    let gone = tx.change_all::<Gone>(
        ChangeScope::Application(tenant.id()),
        &format!("{DELETE} AND id = $2 RETURNING {}", TABLE.list(TABLE.columns.len())),
        &[&application, &id],
    )?;
    sizes::uncount(tx, Counted::Groups(tenant.id()), &gone)
}

/// Removes all groups of the application. Their members stay.
pub fn delete_all(tx: &mut Tx<'_>, tenant: Tenant) -> Result<()> {
    memberships::delete_all(tx, tenant.id())?;
    let (all, application) = (ChangeScope::Application(tenant.id()), tenant.id().to_string());
    for sql in [
        "DELETE FROM group_tags WHERE application_id = $1",
        "DELETE FROM group_endpoints WHERE application_id = $1",
        // Children before parents is an order that one statement cannot promise.
        "UPDATE experience_groups SET parent_id = NULL WHERE application_id = $1",
    ] {
        tx.change(all, sql, &[&application])?;
    }
    let sql = format!("{DELETE} RETURNING {}", TABLE.list(TABLE.columns.len()));
    let gone = tx.change_all::<Gone>(all, &sql, &[&application])?;
    sizes::uncount(tx, Counted::Groups(tenant.id()), &gone)
}
