//! The forest of groups in an application: what is above a group and below it, where it may be, and
//! what is counted of all that is below.

use crate::error::{Error, Result};
use crate::rows::convert::{id, json, maybe_id};
use crate::rows::counts::{self, Counted};
use crate::rows::tenant::Tenant;
use crate::rows::{FromRow, Row, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::id::{ExperienceGroupId, ForeignId};
use guestlist_api::wire::{Problem, Rule};
use std::collections::BTreeSet;

/// The deepest a group may be, the root being 1.
pub const MAX_DEPTH: usize = 100;

/// A row that is a node of the forest: a group, and the one that it is in.
struct Node {
    id: ExperienceGroupId,
    parent: Option<ExperienceGroupId>,
}

impl FromRow<Error> for Node {
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

/// The line from the root down to `from`, both included.
pub(crate) fn ancestry(
    tx: &mut Tx<'_>,
    application: &str,
    from: Option<ExperienceGroupId>,
) -> Result<Vec<ExperienceGroupId>> {
    let mut line = Vec::new();
    let mut next = from;
    while let Some(id) = next {
        let node: Option<Node> = tx.first(
            "SELECT id, parent_id FROM experience_groups WHERE application_id = $1 AND id = $2",
            &[&application, &id.to_string()],
        )?;
        let Some(node) = node else { break };
        line.push(node.id);
        // The forest has no deeper line, so one that goes on is a circle: better cut than endless.
        next = node.parent.filter(|_| line.len() <= MAX_DEPTH);
    }
    line.reverse();
    Ok(line)
}

/// How many groups below a group are looked at while others wait, which takes some milliseconds.
const AT_ONCE: usize = 1000;

/// Why a group is not put into another: nobody knows how many levels are below it, as they are to be
/// counted beforehand ([`height`]) and others have put groups into groups since.
pub const NOT_COUNTED: &str = "The groups below this one are changing";

/// How many levels of groups are below a group, and how often groups of the application had been put into
/// others when they were counted: as long as that is so, there are no more.
#[derive(Debug, Clone, Copy)]
pub struct Height {
    levels: usize,
    placements: u64,
}

/// How many levels of groups are below the group `id`, however many groups that are: a read of its own.
///
/// # Errors
/// When the store fails.
pub fn height(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceGroupId) -> Result<Height> {
    let placements = counts::of(tx, Counted::Placements(tenant.id()))?;
    let (_, levels) = below(tx, &tenant.id().to_string(), id, usize::MAX)?.unwrap_or_default();
    Ok(Height { levels, placements })
}

/// The levels below the group `id`, as they are `known` or if there are few groups.
fn levels_below(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ExperienceGroupId,
    known: Option<Height>,
) -> Result<usize> {
    if let Some(known) = known
        && known.placements == counts::of(tx, Counted::Placements(tenant.id()))?
    {
        return Ok(known.levels);
    }
    match below(tx, &tenant.id().to_string(), id, AT_ONCE)? {
        Some((_, levels)) => Ok(levels),
        None => Err(Error::Busy { what: NOT_COUNTED, retry_after: 1 }),
    }
}

/// The ids of the groups below `id`, and how many levels there are below it; if there are no more than
/// `most` groups.
fn below(
    tx: &mut Tx<'_>,
    application: &str,
    id: ExperienceGroupId,
    most: usize,
) -> Result<Option<(BTreeSet<ExperienceGroupId>, usize)>> {
    let (mut all, mut level, mut height) = (BTreeSet::new(), vec![id], 0);
    loop {
        let mut children = Vec::new();
        for parent in &level {
            if all.len() > most {
                return Ok(None);
            }
            let found: Vec<Node> = tx.all(
                "SELECT id, parent_id FROM experience_groups
                 WHERE application_id = $1 AND parent_id = $2",
                &[&application, &parent.to_string()],
            )?;
            children.extend(found.into_iter().map(|node| node.id).filter(|id| all.insert(*id)));
        }
        if children.is_empty() {
            return Ok(Some((all, height)));
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
/// exists already) would be its own ancestor or too deep there. [`Error::Busy`] with [`NOT_COUNTED`] when
/// many groups are below it and its height is not `known`.
pub fn place(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    group: Option<ExperienceGroupId>,
    parent: Option<ExperienceGroupId>,
    known: Option<Height>,
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
        Some(group) => levels_below(tx, tenant, group, known)?,
    };
    if line.len() + 1 + height > MAX_DEPTH {
        return Err(bad_parent(format!("must not make groups more than {MAX_DEPTH} deep")));
    }
    Ok(line)
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
    let (below, _) = below(tx, &application, group.id, usize::MAX)?.unwrap_or_default();
    for id in below {
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
