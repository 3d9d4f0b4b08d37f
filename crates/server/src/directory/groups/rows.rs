//! Groups of end users: a forest in each application, and who is in which.

use super::bare as bare_groups;
use crate::directory::tag_index::{add_endpoints, remove_endpoints, tag_group, untag_group};
use crate::directory::{filter, memberships};
use crate::error::{Error, Result};
use crate::rows::convert::{id, json, key, maybe_id, moment, to_json};
use crate::rows::counts::{self, Counted};
use crate::rows::list::{Folded, ID, Key, Listed, Order, Paging, Select};
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort, Parent};
use guestlist_api::id::{ExperienceGroupId, ExperienceUserId, ForeignId};
use guestlist_api::query::GroupQuery;
use guestlist_api::wire::{Problem, Rule};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Groups of end users. A group can come before the one that it is in.
pub(crate) const TABLE: Table = Table {
    later: Some(5),
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

/// The deepest a group may be, the root being 1.
pub const MAX_DEPTH: usize = 100;

/// What is read of one.
static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("g"));

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

/// A row that is a group's place in the forest.
struct Place {
    id: ExperienceGroupId,
    parent: Option<ExperienceGroupId>,
}

impl FromRow<Error> for Place {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self { id: id(row, "id")?, parent: maybe_id(row, "parent_id")? })
    }
}

/// The devices that a group names.
struct Devices(Vec<ForeignId>);

impl FromRow<Error> for Devices {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        json(row, "device_ids").map(Self)
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

/// The groups of the application that are called exactly `name`.
///
/// # Errors
/// When the store fails.
pub fn with_name(tx: &mut Tx<'_>, tenant: Tenant, name: &str) -> Result<Vec<ExperienceGroupId>> {
    let found: Vec<One<ExperienceGroupId>> = tx.all(
        "SELECT id FROM experience_groups
         WHERE application_id = $1 AND name_key = $2 AND name = $3 ORDER BY id",
        &[&tenant.id().to_string(), &key(name), &name],
    )?;
    Ok(found.into_iter().map(|One(id)| id).collect())
}

/// Adds what other rows say of a group: its members and its ancestors.
fn complete(tx: &mut Tx<'_>, group: &mut ExperienceGroup) -> Result<()> {
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

/// The line from the root down to `from`, both included.
pub(crate) fn ancestry(
    tx: &mut Tx<'_>,
    application: &str,
    from: Option<ExperienceGroupId>,
) -> Result<Vec<ExperienceGroupId>> {
    let mut line = Vec::new();
    let mut next = from;
    while let Some(id) = next {
        let place: Option<Place> = tx.first(
            "SELECT id, parent_id FROM experience_groups WHERE application_id = $1 AND id = $2",
            &[&application, &id.to_string()],
        )?;
        let Some(place) = place else { break };
        line.push(place.id);
        // The forest has no deeper line, so one that goes on is a circle: better cut than endless.
        next = place.parent.filter(|_| line.len() <= MAX_DEPTH);
    }
    line.reverse();
    Ok(line)
}

/// The ids of the groups below `id`, and how many levels there are below it.
fn below(
    tx: &mut Tx<'_>,
    application: &str,
    id: ExperienceGroupId,
) -> Result<(BTreeSet<ExperienceGroupId>, usize)> {
    let (mut all, mut level, mut height) = (BTreeSet::new(), vec![id], 0);
    loop {
        let mut children = Vec::new();
        for parent in &level {
            let found: Vec<Place> = tx.all(
                "SELECT id, parent_id FROM experience_groups
                 WHERE application_id = $1 AND parent_id = $2",
                &[&application, &parent.to_string()],
            )?;
            children.extend(found.into_iter().map(|place| place.id).filter(|id| all.insert(*id)));
        }
        if children.is_empty() {
            return Ok((all, height));
        }
        height += 1;
        level = children;
    }
}

fn bad_parent(words: String) -> Error {
    Error::Invalid(vec![Problem::new("experienceGroup.parentId", Rule::Other(words.into()))])
}

/// The ancestors that the group has under `parent`, root first.
///
/// # Errors
/// [`Error::Invalid`] when the application has no such group, or when the group (`id`, if it
/// exists already) would be its own ancestor or too deep there.
pub fn place(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    group: Option<ExperienceGroupId>,
    parent: Option<ExperienceGroupId>,
) -> Result<Vec<ExperienceGroupId>> {
    let Some(parent) = parent else { return Ok(Vec::new()) };
    let application = tenant.id().to_string();
    let line = ancestry(tx, &application, Some(parent))?;
    if line.is_empty() {
        return Err(bad_parent(format!("{parent} is not an experience group of this application")));
    }
    let height = match group {
        None => 0,
        Some(group) if line.contains(&group) => {
            return Err(bad_parent("must not be the group itself or a group below it".into()));
        }
        Some(group) => below(tx, &application, group)?.1,
    };
    if line.len() + 1 + height > MAX_DEPTH {
        return Err(bad_parent(format!("must not make groups more than {MAX_DEPTH} deep")));
    }
    Ok(line)
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

/// How many distinct devices the group names, and how many it and the groups below it name.
///
/// # Errors
/// When the store fails.
pub fn device_counts(tx: &mut Tx<'_>, group: &ExperienceGroup) -> Result<(u64, u64)> {
    let application = group.application_id.to_string();
    let own = match &group.device_ids {
        Some(own) => own.clone(),
        None => devices_of(tx, &application, group.id)?,
    };
    let mut devices: BTreeSet<ForeignId> = own.into_iter().collect();
    let direct = devices.len() as u64;
    for id in below(tx, &application, group.id)?.0 {
        devices.extend(devices_of(tx, &application, id)?);
    }
    Ok((direct, devices.len() as u64))
}

fn devices_of(
    tx: &mut Tx<'_>,
    application: &String,
    id: ExperienceGroupId,
) -> Result<Vec<ForeignId>> {
    let found: Option<Devices> = tx.first(
        "SELECT device_ids FROM experience_groups WHERE application_id = $1 AND id = $2",
        &[application, &id.to_string()],
    )?;
    Ok(found.map(|devices| devices.0).unwrap_or_default())
}

/// Which groups are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those of which this holds. Then the name does not count.
    pub query: Option<GroupQuery>,
    /// Only those whose name matches this glob.
    pub name: Option<String>,
    /// Only those in this group, or in none. It does not count beside a query either.
    pub parent: Option<Parent>,
    /// Without the ids of members, and with their number.
    pub bare: bool,
    /// What they are sorted by.
    pub sort: ExperienceGroupSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the application's groups, and how many there are.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &mut Tx<'_>, tenant: Tenant, listing: &Listing) -> Result<Listed<ExperienceGroup>> {
    let mut select = Select::from("experience_groups g");
    let application = select.bind(tenant.id().to_string());
    select.only(format!("g.application_id = {application}"));
    if let Some(query) = &listing.query {
        let condition = filter::groups(&mut select, &application, query);
        select.narrow(condition);
    } else {
        let condition = listing.parent.map(|parent| match parent {
            Parent::Of(id) => format!("g.parent_id = {}", select.bind(id.to_string())),
            Parent::None => "g.parent_id IS NULL".into(),
        });
        match condition {
            // There is an index of the children of each group in this order.
            Some(condition) if listing.sort == ExperienceGroupSort::Name => select.only(condition),
            Some(condition) => select.narrow(condition),
            None if listing.name.is_none() => {
                select.known(counts::of(tx, Counted::Groups(tenant.id()))?);
            }
            None => {}
        }
        if let Some(glob) = &listing.name {
            select.matching(Folded::short("g.name_key"), glob);
        }
    }
    let key = match listing.sort {
        ExperienceGroupSort::Name => Some(Key::text(Folded::short("g.name_key"))),
        ExperienceGroupSort::Id => None,
        ExperienceGroupSort::CreationDate => Some(Key::moment("g.created")),
        ExperienceGroupSort::LastUpdated => Some(Key::moment("g.updated")),
    };
    let order = Order { key, id: "g.id" };
    if listing.bare {
        let page = select.page(tx, &COLUMNS, order, &listing.paging)?;
        return bare_groups::page(tx, tenant, page);
    }
    let mut page: Listed<ExperienceGroup> = select.page(tx, &COLUMNS, order, &listing.paging)?;
    for group in &mut page.items {
        complete(tx, group)?;
        let members = group.experience_user_ids.as_ref().map_or(0, Vec::len);
        page.budget.spend((members + group.ancestor_ids.len()) * ID)?;
    }
    Ok(page)
}

/// The devices of a group that is going to be kept, which says its members too: what is not there
/// would be taken for nobody.
fn devices(group: &ExperienceGroup) -> Result<&[ForeignId]> {
    match (&group.device_ids, &group.experience_user_ids) {
        (Some(devices), Some(_)) => Ok(devices),
        _ => Err(Error::internal("a group without its members is not kept")),
    }
}

/// Keeps a new group, its members included.
///
/// # Errors
/// When the store fails.
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
    tag_group(tx, tenant, new)?;
    add_endpoints(tx, tenant, new)?;
    memberships::of_group(tx, tenant, None, new)?;
    counts::change(tx, Counted::Groups(tenant.id()), 1)
}

/// Keeps `after` in the place of `before`.
///
/// # Errors
/// When the store fails.
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
        untag_group(tx, tenant, after)?;
        tag_group(tx, tenant, after)?;
    }
    if after.experience_endpoint_ids != before.experience_endpoint_ids {
        remove_endpoints(tx, tenant, after)?;
        add_endpoints(tx, tenant, after)?;
    }
    memberships::of_group(tx, tenant, Some(before), after)
}

/// Removes the group. Its members stay, and the groups in it move up to where it was.
///
/// # Errors
/// When the store fails.
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
    let gone = tx.change(
        ChangeScope::Application(tenant.id()),
        "DELETE FROM experience_groups WHERE application_id = $1 AND id = $2",
        &[&application, &id],
    )?;
    counts::fewer(tx, Counted::Groups(tenant.id()), gone)
}

/// Removes all groups of the application. Their members stay.
///
/// # Errors
/// When the store fails.
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
    let sql = "DELETE FROM experience_groups WHERE application_id = $1";
    let gone = tx.change(all, sql, &[&application])?;
    counts::fewer(tx, Counted::Groups(tenant.id()), gone)
}
